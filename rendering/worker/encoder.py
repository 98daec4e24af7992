"""The one encode that signing, sending and recording share: H.264, or VP8 for who may not ship or cannot play H.264.

aiortc would encode once per peer and throw its encoder away on every bitrate change, which costs a key frame each
time. The H.264 encoder stays open, follows a change of bit rate without a key frame, and makes one only when asked.
FFmpeg's libvpx does not follow: the VP8 encoder is opened anew, with a key frame, when the target moved by a quarter.
Neither makes a key frame of its own choosing, so before a picture is marked `is_next_key` can say what it will be. How
often there is one is decided by whoever asks: viewers, and the slots of the mark.
"""

import threading
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.video.frame import PictureType
from numpy.typing import NDArray

from rendering.worker.pacing import MEDIA_CLOCK_HZ
from trustcore.primitives.errors import Fault

Plane = NDArray[np.uint8]  # [H, W]

MEDIA_TIME_BASE = Fraction(1, MEDIA_CLOCK_HZ)
ENDLESS_GOP_FRAMES = 1 << 24  # six days
LOWEST_BIT_RATE_BPS = 20_000
# With parameter sets and the largest attestation (380 bytes) the first slice must fit into one packet (1,300 bytes).
# Else the attestation travels in a packet of its own: one more to lose, and Chromium may hand on the rest without it.
SLICE_BYTES = 900
VP8_RATE_STEP = 0.25  # a smaller change of the target is not worth the key frame that it would cost


class EncodeFailed(Fault):
    """The encoder did not turn one picture into one access unit. The frame is dropped."""

    code = "frame.encode_failed"


@dataclass(frozen=True)
class EncoderSettings:
    width_px: int
    height_px: int
    frame_rate_hz: int = 30
    bit_rate_bps: int = 600_000
    max_bit_rate_bps: int = 1_500_000
    preset: str = "superfast"
    codec: str = "h264"  # or "vp8"


@dataclass(frozen=True)
class EncodedFrame:
    """One H.264 access unit (Annex B), or one VP8 frame."""

    access_unit: bytes
    media_time_90k: int
    is_key: bool


class VideoEncoder:
    """libx264 (baseline, zero latency), NVENC or libvpx (real time): one picture in, one encoded frame out.

    `encode` belongs to the frame thread. `request_key_frame` and `set_bit_rate_bps` may come from any thread; they
    take effect at the next picture.
    """

    def __init__(self, settings: EncoderSettings, *, prefers_nvenc: bool = False) -> None:
        """`prefers_nvenc`: encode H.264 on the GPU where it has an encoder; compute GPUs (H100, H200) have none."""
        self.settings = settings
        self._prefers_nvenc = prefers_nvenc
        self._lock = threading.Lock()
        self._key_frame_wanted = True
        self._wanted_bit_rate_bps = settings.bit_rate_bps
        self._codec = self._open(settings.bit_rate_bps)

    @property
    def bit_rate_bps(self) -> int:
        """The target now in force."""
        with self._lock:
            return self._wanted_bit_rate_bps

    def request_key_frame(self) -> None:
        with self._lock:
            self._key_frame_wanted = True

    def is_next_key(self) -> bool:
        """Whether the next picture will be a key frame, as things stand. What is asked for meanwhile can still make it
        one; to make sure that it stays one, ask for it.
        """
        with self._lock:
            return self._key_frame_wanted or self._must_open_anew(self._wanted_bit_rate_bps)

    def set_bit_rate_bps(self, bit_rate_bps: int, frames_per_s: int | None = None) -> None:
        """Spend this much from the next picture on, given that so many pictures will come a second (None: as opened).

        H.264 encoders share the rate out by the number of pictures, not by their times, so fewer pictures a second need
        a larger figure there; it is measured by a test.
        """
        rate_hz = self.settings.frame_rate_hz
        scale = rate_hz / (frames_per_s or rate_hz) if self.settings.codec == "h264" else 1.0
        wanted_bps = max(LOWEST_BIT_RATE_BPS, min(round(bit_rate_bps * scale), self.settings.max_bit_rate_bps))
        with self._lock:
            self._wanted_bit_rate_bps = wanted_bps

    def encode(self, y: Plane, u: Plane, v: Plane, media_time_90k: int) -> EncodedFrame:
        """Encode one I420 picture.

        Args:
            y: [H, W]; u, v: [H/2, W/2].
            media_time_90k: time of the picture on the session's media clock; must grow.

        Raises:
            EncodeFailed: the encoder refused, or gave no or several packets. The next picture is then a key frame,
                because a viewer must never wait for a reference that was not sent.
        """
        is_key_wanted = self._take_requests()
        try:
            packets = self._codec.encode(self._picture(y, u, v, media_time_90k, is_key_wanted))
        except av.FFmpegError as error:
            self.request_key_frame()
            raise EncodeFailed("The picture could not be encoded; it was dropped.") from error
        if len(packets) != 1:
            self.request_key_frame()
            raise EncodeFailed("The encoder held a picture back; it was dropped.", packets=len(packets))
        return EncodedFrame(bytes(packets[0]), media_time_90k, bool(packets[0].is_keyframe))

    def _take_requests(self) -> bool:
        with self._lock:
            is_key_wanted, self._key_frame_wanted = self._key_frame_wanted, False
            wanted_bps = self._wanted_bit_rate_bps
        self._follow(wanted_bps)
        return is_key_wanted

    def _follow(self, wanted_bps: int) -> None:
        if self._must_open_anew(wanted_bps):
            self._codec = self._open(wanted_bps)
        elif self.settings.codec == "h264" and self._codec.bit_rate != wanted_bps:
            self._codec.bit_rate = wanted_bps

    def _must_open_anew(self, wanted_bps: int) -> bool:
        """Whether this target is one that the open codec cannot follow; its successor begins with a key frame."""
        open_bps = self._codec.bit_rate
        return self.settings.codec == "vp8" and abs(wanted_bps - open_bps) > VP8_RATE_STEP * open_bps

    @property
    def program(self) -> str:
        """What encodes: "libx264", "h264_nvenc" or "libvpx"."""
        return str(self._codec.name)

    def _open(self, bit_rate_bps: int) -> av.VideoCodecContext:
        if self._prefers_nvenc and self.settings.codec == "h264":
            try:
                return _open_codec(self.settings, bit_rate_bps, "h264_nvenc")
            except (av.FFmpegError, ValueError):
                self._prefers_nvenc = False  # no such encoder in this GPU or this build of FFmpeg
        return _open_codec(self.settings, bit_rate_bps, "libx264" if self.settings.codec == "h264" else "libvpx")

    def _picture(self, y: Plane, u: Plane, v: Plane, media_time_90k: int, is_key: bool) -> av.VideoFrame:
        frame = av.VideoFrame(self.settings.width_px, self.settings.height_px, "yuv420p")
        for plane, pixels in zip(frame.planes, (y, u, v), strict=True):
            # A plane's rows may be longer than the picture is wide, so the copy goes through a view of whole rows.
            rows = np.frombuffer(plane, dtype=np.uint8).reshape(-1, plane.line_size)
            rows[: pixels.shape[0], : pixels.shape[1]] = pixels
        frame.pts = media_time_90k
        frame.time_base = MEDIA_TIME_BASE
        frame.pict_type = PictureType.I if is_key else PictureType.NONE
        return frame


def _open_codec(settings: EncoderSettings, bit_rate_bps: int, program: str) -> av.VideoCodecContext:
    codec = av.CodecContext.create(program, "w")
    assert isinstance(codec, av.VideoCodecContext)
    codec.width = settings.width_px
    codec.height = settings.height_px
    codec.pix_fmt = "yuv420p"
    codec.framerate = Fraction(settings.frame_rate_hz, 1)
    codec.time_base = MEDIA_TIME_BASE
    codec.gop_size = ENDLESS_GOP_FRAMES
    if program == "h264_nvenc":
        _set_up_nvenc(codec, settings)
    elif program == "libx264":
        _set_up_h264(codec, settings)
    else:
        _set_up_vp8(codec, bit_rate_bps)
    codec.open()
    return codec


def _set_up_h264(codec: av.VideoCodecContext, settings: EncoderSettings) -> None:
    # libx264 follows later changes only if the codec was opened at constant rate (bit rate = maxrate), and then only
    # below that rate. So it opens at the top and the first picture brings it down to the wanted rate.
    codec.bit_rate = settings.max_bit_rate_bps
    codec.profile = "Baseline"
    codec.options = {
        "preset": settings.preset,
        "tune": "zerolatency",
        "level": "31",
        "threads": "1",  # one frame is small; more threads cost more than they save
        "slice-max-size": str(SLICE_BYTES),
        "forced-idr": "1",
        "sc_threshold": "0",  # no key frame where the scene changes
        "maxrate": str(settings.max_bit_rate_bps),
        "bufsize": str(settings.max_bit_rate_bps // 5),
    }


def _set_up_nvenc(codec: av.VideoCodecContext, settings: EncoderSettings) -> None:
    """As `_set_up_h264`: constant rate, nothing held back, key frames by request alone. NVENC follows any rate."""
    codec.bit_rate = settings.bit_rate_bps
    codec.options = {
        "preset": "p3", "tune": "ull", "profile": "baseline", "rc": "cbr", "zerolatency": "1", "delay": "0", "bf": "0",
        "forced-idr": "1", "no-scenecut": "1", "strict_gop": "1", "bufsize": str(settings.max_bit_rate_bps // 5),
    }  # fmt: skip


def _set_up_vp8(codec: av.VideoCodecContext, bit_rate_bps: int) -> None:
    """As aiortc sets up libvpx for a call: constant rate, fastest real-time mode, nothing looked ahead."""
    codec.bit_rate = bit_rate_bps
    codec.qmin, codec.qmax = 2, 56
    codec.thread_count = 1
    codec.options = {
        "bufsize": str(bit_rate_bps), "minrate": str(bit_rate_bps), "maxrate": str(bit_rate_bps), "cpu-used": "-6",
        "deadline": "realtime", "lag-in-frames": "0", "noise-sensitivity": "4", "overshoot-pct": "15",
        "partitions": "0", "static-thresh": "1", "undershoot-pct": "100",
        "keyint_min": str(ENDLESS_GOP_FRAMES),  # as long as the GOP: no key frame where the scene changes
    }
