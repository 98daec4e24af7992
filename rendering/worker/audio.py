"""The sound of a session: utterances laid on the media clock, silence between them, encoded as Opus.

Lips and sound read the same clock: an utterance that starts at media time t is given to the performer with t, and its
samples are heard from t on. Sound is marked before it is encoded (`rendering.worker.sound_mark`) and its packets are
attested where they are sent (`tracks.py`).
"""

import threading
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

from rendering.speech.utterance import resample as resample_between
from rendering.worker.sound_settings import SoundSettings

Samples = NDArray[np.int16]  # [N], mono

RATE_HZ = 48_000
PACKET_S = 0.020
PACKET_SAMPLES = 960  # the shortest packet; longer ones hold a multiple of them
TIME_BASE = Fraction(1, RATE_HZ)
WIDEBAND_HZ = 8_000
AT_FIRST = SoundSettings()
FADE_SAMPLES = 240  # 5 ms; a hard cut in the middle of a word clicks


def resample(pcm: Samples, rate_hz: int) -> Samples:
    """`pcm` [N] at `rate_hz` as [M] at 48 kHz."""
    return resample_between(pcm, rate_hz, RATE_HZ)


@dataclass(frozen=True)
class _Span:
    first: int
    samples: Samples

    @property
    def end(self) -> int:
        return self.first + len(self.samples)


class SoundLine:
    """What is heard when. Written by the conversation, read by the sound track, 20 ms at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spans: list[_Span] = []
        self._read_to = 0

    def lay(self, samples: Samples, start_s: float) -> float:
        """Lay 48 kHz `samples` at media time `start_s`, or after what already lies there or was read. Returns the start
        used: with longer packets more was read ahead, and the beginning of a word must not be lost.
        """
        with self._lock:
            first = max([round(start_s * RATE_HZ), self._read_to, *(span.end for span in self._spans)])
            self._spans.append(_Span(first, samples))
        return first / RATE_HZ

    def cut(self, now_s: float) -> bool:
        """Silence from `now_s` on. True when something was being said or was waiting."""
        at = round(now_s * RATE_HZ)
        with self._lock:
            kept = [_faded(span, at) for span in self._spans if span.first < at]
            was_speaking = any(span.end > at for span in self._spans)
            self._spans = kept
        return was_speaking

    def busy_until_s(self) -> float:
        """Media time at which the last utterance ends; 0 when nothing lies there."""
        with self._lock:
            return max((span.end for span in self._spans), default=0) / RATE_HZ

    def read(self, first: int, count: int) -> Samples:
        """Samples [count] from sample number `first` on; forgets what lies before."""
        out = np.zeros(count, np.int16)
        with self._lock:
            self._read_to = first + count
            self._spans = [span for span in self._spans if span.end > first]
            for span in self._spans:
                start, end = max(span.first, first), min(span.end, first + count)
                if start < end:
                    out[start - first : end - first] = span.samples[start - span.first : end - span.first]
        return out


def _faded(span: _Span, at: int) -> _Span:
    if span.end <= at:
        return span
    kept = span.samples[: at - span.first + FADE_SAMPLES].copy()
    fade = np.linspace(1.0, 0.0, min(FADE_SAMPLES, len(kept)))
    kept[-len(fade) :] = (kept[-len(fade) :] * fade).astype(np.int16)
    return _Span(span.first, kept)


class OpusEncoder:
    """48 kHz mono Opus with in-band error correction; aiortc's own is fixed at 96 kbps without it."""

    def __init__(self, settings: SoundSettings = AT_FIRST, after: "OpusEncoder | None" = None) -> None:
        """`after`: go on where that encoder stands."""
        self.settings = settings
        self._last: tuple[Samples, int] | None = None
        codec = av.CodecContext.create("libopus", "w")
        assert isinstance(codec, av.AudioCodecContext)
        codec.sample_rate = RATE_HZ
        codec.format = av.AudioFormat("s16")
        codec.layout = "mono"
        codec.bit_rate = settings.bit_rate_bps
        codec.time_base = TIME_BASE
        codec.options = {"application": "voip", "frame_duration": str(settings.packet_ms), "fec": "1",
                         "packet_loss": str(settings.expects_percent)}
        if settings.packet_ms > 20:
            # Only the speech mode, which ends here, makes one frame of more than 20 ms (RFC 6716 2.1.4), and only a
            # packet of one frame is attested.
            codec.options |= {"cutoff": str(WIDEBAND_HZ)}
        codec.open()
        self._codec = codec
        if after is not None and after._last is not None:
            # A new encoder knows nothing of the sound before, and would begin with a click and a packet too few.
            samples, first = after._last
            missing = settings.samples - len(samples)
            self.encode(np.pad(samples, (max(0, missing), 0))[-settings.samples :], first - missing)

    def encode(self, samples: Samples, first: int) -> list[av.Packet]:
        """Encode the samples [N] of one packet; usually one packet, at the start none."""
        frame = av.AudioFrame.from_ndarray(samples[None, :], format="s16", layout="mono")
        frame.sample_rate = RATE_HZ
        frame.time_base = TIME_BASE
        frame.pts = first
        self._last = samples, first
        return list(self._codec.encode(frame))
