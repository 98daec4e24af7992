"""Clips as files: MP4 for uploads, Y4M or MJPEG and WAV for Chromium's fake camera and microphone."""

import io
import wave
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

Frames = Iterable[npt.NDArray[np.uint8]]  # each [H, W, 3] RGB
AAC_FRAME = 1024


def mp4(frames: Frames, fps: float, pcm: npt.NDArray[np.int16], rate_hz: int, *, crf: int = 21) -> bytes:
    """H.264 and AAC, both starting at 0."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        video = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1000))
        video.pix_fmt = "yuv420p"
        video.options = {"crf": str(crf), "preset": "slow", "threads": "2"}
        audio = container.add_stream("aac", rate=rate_hz, layout="mono")
        audio.bit_rate = 48_000
        for number, frame in enumerate(frames):
            if number == 0:
                video.height, video.width = frame.shape[:2]
            container.mux(video.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(video.encode())
        for start in range(0, len(pcm), AAC_FRAME):
            block = av.AudioFrame.from_ndarray(pcm[None, start : start + AAC_FRAME], format="s16", layout="mono")
            block.sample_rate, block.pts, block.time_base = rate_hz, start, Fraction(1, rate_hz)
            container.mux(audio.encode(block))
        container.mux(audio.encode())
    return out.getvalue()


def write_y4m(path: Path, frames: Frames, fps: float) -> None:
    """Raw 4:2:0 video as Chromium's --use-file-for-fake-video-capture reads it (BT.601)."""
    rate = Fraction(fps).limit_denominator(1000)
    with path.open("wb") as file:
        for number, frame in enumerate(frames):
            if number == 0:
                height, width = frame.shape[:2]
                file.write(
                    f"YUV4MPEG2 W{width} H{height} F{rate.numerator}:{rate.denominator} Ip A1:1 C420jpeg\n".encode()
                )
            planes = av.VideoFrame.from_ndarray(frame, format="rgb24").reformat(format="yuv420p").to_ndarray()
            file.write(b"FRAME\n" + planes.tobytes())


def write_mjpeg(path: Path, frames: Frames, *, quality: int = 3) -> None:
    """Motion JPEG, a hundredth of the size of Y4M; Chromium plays it at 30 frames a second whatever the clip's rate."""
    with av.open(str(path), "w", format="mjpeg") as container:
        video = container.add_stream("mjpeg", rate=30)
        video.pix_fmt = "yuvj420p"
        video.options = {"q": str(quality)}
        for number, frame in enumerate(frames):
            if number == 0:
                video.height, video.width = frame.shape[:2]
            container.mux(video.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(video.encode())


def repeated(frames: Frames, fps: float, to_fps: float = 30.0) -> Iterator[npt.NDArray[np.uint8]]:
    """The same clip at another frame rate by repeating frames, for players with a rate of their own."""
    shown = 0
    for number, frame in enumerate(frames, start=1):
        until = round(number * to_fps / fps)
        for _ in range(until - shown):
            yield frame
        shown = until


def write_wav(path: Path, pcm: npt.NDArray[np.int16], rate_hz: int) -> None:
    """Mono 16-bit sound."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(np.asarray(pcm, "<i2").tobytes())
