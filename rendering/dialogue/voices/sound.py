"""Raw or WAV sound that comes in chunks, as pieces of speech without times of its sounds. PURE.

The mouth follows such a voice by its sound alone (`rendering.worker.stage.Stage.follow`).
"""

import struct
from dataclasses import dataclass

import numpy as np

from rendering.speech.utterance import Utterance

FIRST_PIECE_S = 0.20  # short, so that speech begins soon
LATER_PIECE_S = 0.60
MAX_HEADER_BYTES = 4096
_RATES_HZ = (8_000, 96_000)


class SoundInvalid(ValueError):
    """The bytes are no 16-bit mono sound."""


@dataclass(frozen=True)
class _Form:
    rate_hz: int
    start: int  # of the samples


class SoundPieces:
    """Cuts a stream of sound into pieces.

    Args:
        rate_hz: of raw sound; a WAV header says its own.
    """

    def __init__(self, rate_hz: int) -> None:
        self._raw_rate_hz = rate_hz
        self._form: _Form | None = None
        self._held = b""
        self._count = 0

    def push(self, chunk: bytes) -> list[Utterance]:
        """Take more bytes; returns the pieces that are full. Raises SoundInvalid."""
        self._held += chunk
        if self._form is None:
            self._form = _form_of(self._held, self._raw_rate_hz)
            if self._form is None:
                return []
            self._held = self._held[self._form.start :]
        pieces = []
        while len(self._held) >= (size := self._piece_bytes()):
            pieces.append(self._piece(size))
        return pieces

    def finish(self) -> list[Utterance]:
        """The sound is over: the last piece, if there is one. Raises SoundInvalid when there was no sound at all."""
        whole = len(self._held) // 2 * 2
        if self._form is not None and whole:
            return [self._piece(whole)]
        if not self._count:
            raise SoundInvalid("There is no sound.")
        return []

    def _piece_bytes(self) -> int:
        assert self._form is not None
        return 2 * round(self._form.rate_hz * (LATER_PIECE_S if self._count else FIRST_PIECE_S))

    def _piece(self, size: int) -> Utterance:
        assert self._form is not None
        pcm = np.frombuffer(self._held[:size], "<i2")
        self._held = self._held[size:]
        self._count += 1
        return Utterance(pcm.astype(np.int16), self._form.rate_hz, (), ())


def wav_of(pcm: np.ndarray, rate_hz: int) -> bytes:
    """16-bit mono samples as a WAV file."""
    sound = pcm.astype("<i2").tobytes()
    return (
        b"RIFF" + struct.pack("<I", 36 + len(sound)) + b"WAVEfmt "
        + struct.pack("<IHHIIHH", 16, 1, 1, rate_hz, 2 * rate_hz, 2, 16) + b"data" + struct.pack("<I", len(sound))
        + sound)


def _form_of(head: bytes, raw_rate_hz: int) -> _Form | None:
    """Rate and start of the samples; None while too little of the header is there."""
    if not head.startswith(b"RIFF"[: len(head)]):
        return _Form(raw_rate_hz, 0)
    place, rate_hz = 12, 0
    while len(head) >= place + 8:
        name, size = head[place : place + 4], struct.unpack("<I", head[place + 4 : place + 8])[0]
        if head[8:12] != b"WAVE" or place > MAX_HEADER_BYTES:
            raise SoundInvalid("This is no WAV file.")
        if name == b"data":
            if not rate_hz:
                raise SoundInvalid("The WAV file does not say its form.")
            return _Form(rate_hz, place + 8)  # the size may be unknown while it is streamed
        if name == b"fmt " and len(head) >= place + 24:
            kind, channels, rate_hz = struct.unpack("<HHI", head[place + 8 : place + 16])
            bits = struct.unpack("<H", head[place + 22 : place + 24])[0]
            if (kind, channels, bits) != (1, 1, 16) or not _RATES_HZ[0] <= rate_hz <= _RATES_HZ[1]:
                raise SoundInvalid("The sound must be 16-bit mono PCM.")
        place += 8 + size + size % 2
    return None
