"""Opus packets to 16 kHz mono, with what libopus knows of losses: in-band FEC and concealment.

FFmpeg's wrapper of libopus, and so PyAV, neither reaches the FEC of a packet nor asks for concealment. libopus itself
does both and gives 16 kHz mono without another resampler, so it is called here: the library that PyAV brings, or the
system's. A packet costs 0.1 ms or less, far below what a trip to another thread would.
"""

import ctypes
import ctypes.util
import importlib.util
from functools import cache
from pathlib import Path

import numpy as np

from rendering.dialogue.hearing.receive_buffer import RTP_RATE_HZ
from rendering.dialogue.seams import HEARING_RATE_HZ, PartFailed, Samples

MAX_PACKET_BYTES = 1500  # an RTP packet fits into one datagram
MAX_SAMPLES = 5760  # 120 ms, the longest packet (RFC 6716 section 3.2)
MAX_CONCEALED = RTP_RATE_HZ // 10  # libopus fades out over about this long; silence is the rest
CONCEAL_STEP = 960  # libopus makes up one frame at a time
_STEP = RTP_RATE_HZ // HEARING_RATE_HZ
_FRAME_SAMPLES = (  # by the configuration number of RFC 6716 table 2
    *(480, 960, 1920, 2880) * 3, *(480, 960) * 2, *(120, 240, 480, 960) * 4,
)  # fmt: skip


def samples_of(payload: bytes) -> int:
    """How much sound a packet holds, at 48 kHz, from its first bytes (RFC 6716 section 3.1).

    Raises:
        ValueError: it is empty, too long, or names more than 120 ms.
    """
    if not 0 < len(payload) <= MAX_PACKET_BYTES:
        raise ValueError("An Opus packet has 1 to 1500 bytes.")
    code = payload[0] & 3
    if code == 3 and len(payload) < 2:
        raise ValueError("This Opus packet ends before its frame count.")
    frames = (1, 2, 2, payload[1] & 0x3F if code == 3 else 0)[code]
    samples = frames * _FRAME_SAMPLES[payload[0] >> 3]
    if not 0 < samples <= MAX_SAMPLES:
        raise ValueError("An Opus packet holds 2.5 to 120 ms.")
    return samples


class OpusDecoder:
    """One stream's decoder. Lengths are at 48 kHz as RTP counts them, sound is int16 at HEARING_RATE_HZ.

    Raises:
        PartFailed: there is no libopus.
    """

    def __init__(self) -> None:
        self._library = _library()
        error = ctypes.c_int()
        self._state = self._library.opus_decoder_create(HEARING_RATE_HZ, 1, ctypes.byref(error))
        if not self._state:
            raise PartFailed("libopus made no decoder.", part="ears", trouble="broken", error=error.value)
        self._out = np.empty(MAX_SAMPLES // _STEP, np.int16)

    def __del__(self) -> None:
        state, self._state = getattr(self, "_state", None), None
        if state:
            self._library.opus_decoder_destroy(state)

    def decode(self, payload: bytes, samples: int) -> tuple[Samples, bool]:
        """The sound of a packet, and whether it could be read; if not, it is concealed."""
        return self._decode(payload, samples, MAX_SAMPLES, is_fec=False)

    def recover(self, payload: bytes, samples: int) -> Samples:
        """The sound of the packet lost before this one: what this one carries of it, else concealment."""
        return self._decode(payload, samples, samples, is_fec=True)[0]

    def conceal(self, samples: int) -> Samples:
        """Sound for a hole: the last sound, fading, then silence."""
        made = np.zeros(samples // _STEP, np.int16)
        done = 0
        while done < min(samples, MAX_CONCEALED):
            step = min(CONCEAL_STEP, samples - done)
            part, _ = self._decode(None, step, step, is_fec=False)
            made[done // _STEP : done // _STEP + len(part)] = part
            done += step
        return made

    def reset(self) -> None:
        """Forget the sound before: another stream begins."""
        self._library.opus_decoder_ctl(self._state, _OPUS_RESET_STATE)

    def _decode(self, payload: bytes | None, samples: int, room: int, *, is_fec: bool) -> tuple[Samples, bool]:
        got = self._library.opus_decode(
            self._state, payload, 0 if payload is None else len(payload),
            self._out.ctypes.data, room // _STEP, int(is_fec))
        if got < 0 and payload is not None:
            return self.conceal(samples), False
        return self._out[: max(got, 0)].copy(), True


_OPUS_RESET_STATE = 4028


@cache
def _library() -> ctypes.CDLL:
    """PyAV's own copy first: it is as pinned as PyAV is."""
    av = importlib.util.find_spec("av")
    bundled = sorted(Path(av.origin).parents[1].glob("av.libs/libopus-*.so*")) if av and av.origin else []
    name = str(bundled[0]) if bundled else ctypes.util.find_library("opus")
    if name is None:
        raise PartFailed("No libopus is installed. Install the Debian package libopus0.", part="ears",
                         trouble="missing")
    library = ctypes.CDLL(name)
    library.opus_decoder_create.restype = ctypes.c_void_p
    library.opus_decoder_destroy.argtypes = [ctypes.c_void_p]
    library.opus_decoder_ctl.argtypes = [ctypes.c_void_p, ctypes.c_int]
    library.opus_decode.argtypes = [
        ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int32, ctypes.c_void_p, ctypes.c_int, ctypes.c_int]
    return library
