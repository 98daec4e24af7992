"""Textured frames that move like a talking head, and the encoder settings of a live call. No footage needed."""

from collections.abc import Iterator
from fractions import Fraction

import av
import cv2
import numpy as np
from numpy.typing import NDArray


def talking_frames(count: int, size: int, seed: int = 0) -> Iterator[NDArray[np.uint8]]:
    """I420 pictures uint8 [size*3/2, size]: a textured, swaying head with a moving mouth before a textured wall."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32) / size
    wall = np.stack([120 + 60 * columns, 130 + 40 * rows, 150 - 40 * columns], -1)
    wall = wall + _texture(random, size, size / 20, 18)
    skin = np.stack([200 - 30 * rows, 160 - 20 * rows, 140 + 0 * rows], -1)
    skin = skin + _texture(random, size, size / 60, 10) + _texture(random, size, 1.2, 4)
    for t in range(count):
        x, y = 0.5 + 0.03 * np.sin(t / 15), 0.5 + 0.015 * np.cos(t / 11)
        outside = ((columns - x) / 0.22) ** 2 + ((rows - y) / 0.3) ** 2 - 1
        head = np.exp(-np.maximum(0, outside) * 6)[..., None]
        shift = np.array([[1, 0, (x - 0.5) * size], [0, 1, (y - 0.5) * size]], dtype=np.float32)
        moved = cv2.warpAffine(skin.astype(np.float32), shift, (size, size), borderMode=cv2.BORDER_REFLECT)
        opening = 0.02 + 0.015 * np.sin(t * 0.63)
        mouth = np.exp(-(((columns - x) / 0.07) ** 2 + ((rows - y - 0.12) / opening) ** 2))[..., None]
        picture = wall * (1 - head) + moved * (1 - 0.6 * mouth) * head + random.standard_normal((size, size, 3))
        yield cv2.cvtColor(np.clip(picture, 0, 255).astype(np.uint8), cv2.COLOR_RGB2YUV_I420)


def _texture(random: np.random.Generator, size: int, sigma: float, amplitude: float) -> NDArray[np.float32]:
    noise = cv2.GaussianBlur(random.standard_normal((size, size, 3)).astype(np.float32), (0, 0), sigma)
    return noise / noise.std() * amplitude


def through_codec(
    frames: list[NDArray[np.uint8]], kbps: int, codec: str = "libx264"
) -> tuple[list[NDArray[np.uint8]], float]:
    """Encode and decode as a live call does: the decoded I420 pictures and the rate that came out, kbps."""
    height, width = frames[0].shape[0] * 2 // 3, frames[0].shape[1]
    encoder = _encoder(codec, width, height)
    encoder.bit_rate = kbps * 1000
    encoder.options = _OPTIONS[codec](kbps)
    return _through(encoder, {"libx264": "h264", "libvpx": "vp8"}[codec], frames)


def through_file(frames: list[NDArray[np.uint8]], crf: int) -> tuple[list[NDArray[np.uint8]], float]:
    """Encode and decode as a file for upload is made: x264's own defaults at a constant rate factor."""
    encoder = _encoder("libx264", frames[0].shape[1], frames[0].shape[0] * 2 // 3)
    encoder.options = {"crf": str(crf)}
    return _through(encoder, "h264", frames)


def _encoder(codec: str, width: int, height: int) -> av.CodecContext:
    encoder = av.CodecContext.create(codec, "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.framerate, encoder.time_base = Fraction(30, 1), Fraction(1, 30)
    encoder.thread_count = 1
    return encoder


def _through(
    encoder: av.CodecContext, decoder_name: str, frames: list[NDArray[np.uint8]]
) -> tuple[list[NDArray[np.uint8]], float]:
    decoder = av.CodecContext.create(decoder_name, "r")
    size_bytes, shown = 0, []
    pictures: list[av.VideoFrame | None] = []
    for number, frame in enumerate(frames):
        picture = av.VideoFrame.from_ndarray(frame, format="yuv420p")
        picture.pts, picture.time_base = number, encoder.time_base
        pictures.append(picture)
    for picture in [*pictures, None]:
        for packet in encoder.encode(picture):
            size_bytes += packet.size
            shown += [seen.to_ndarray(format="yuv420p") for seen in decoder.decode(packet)]
    shown += [seen.to_ndarray(format="yuv420p") for seen in decoder.decode(None)]
    return shown, size_bytes * 8 * 30 / len(frames) / 1000


_OPTIONS = {
    "libx264": lambda _kbps: {"level": "31", "tune": "zerolatency", "profile": "baseline"},
    "libvpx": lambda kbps: {
        "deadline": "realtime",
        "cpu-used": "-6",
        "lag-in-frames": "0",
        "minrate": str(kbps * 1000),
        "maxrate": str(kbps * 1000),
        "qmin": "2",
        "qmax": "56",
        "noise-sensitivity": "4",
        "static-thresh": "1",
    },
}
