"""One spoken text: sound, speech sounds and mouth shapes on one clock."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import av
import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Phoneme:
    """A speech sound in the letters of the synthesiser."""

    symbol: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class VisemeSpan:
    """A mouth shape and when it is held. The classes are in `visemes.VISEMES`."""

    viseme: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Utterance:
    """Spoken text. Time 0 is the first sample; the spans cover the sound without gaps.

    A voice that does not say when its sounds begin leaves both rows empty; the mouth then follows the sound alone.
    """

    pcm: npt.NDArray[np.int16]  # [N] mono
    rate_hz: int
    phonemes: tuple[Phoneme, ...]
    visemes: tuple[VisemeSpan, ...]

    @property
    def seconds(self) -> float:
        """Length of the sound."""
        return len(self.pcm) / self.rate_hz

    def at_rate(self, rate_hz: int) -> "Utterance":
        """The same utterance with its sound resampled, for instance to 48,000 Hz for WebRTC."""
        return Utterance(resample(self.pcm, self.rate_hz, rate_hz), rate_hz, self.phonemes, self.visemes)


def without_silence(utterance: Utterance, *, lead_s: float, tail_s: float) -> Utterance:
    """The utterance with at most this much silence before its first and after its last sound.

    Voices begin with a fifth of a second of silence, which is heard as slowness. A voice that does not say when its
    sounds begin is left as it is.
    """
    sounding = [span for span in utterance.visemes if span.viseme != "sil"]
    if not sounding:
        return utterance
    first = round(max(0.0, sounding[0].start_s - lead_s) * utterance.rate_hz)
    last = min(len(utterance.pcm), round((sounding[-1].end_s + tail_s) * utterance.rate_hz))
    start_s, end_s = first / utterance.rate_hz, last / utterance.rate_hz

    def moved(at_s: float) -> float:
        return min(max(at_s, start_s), end_s) - start_s

    return Utterance(
        utterance.pcm[first:last], utterance.rate_hz,
        tuple(Phoneme(one.symbol, moved(one.start_s), moved(one.end_s)) for one in utterance.phonemes),
        tuple(VisemeSpan(one.viseme, moved(one.start_s), moved(one.end_s)) for one in utterance.visemes),
    )  # fmt: skip


def spans(phonemes: Iterable[Phoneme], shapes_of: Callable[[str], tuple[str, ...]]) -> tuple[VisemeSpan, ...]:
    """Mouth shapes of a row of sounds: two-part sounds share their time half and half, repeated shapes are joined."""
    row: list[VisemeSpan] = []
    for phoneme in phonemes:
        shapes = shapes_of(phoneme.symbol)
        step_s = (phoneme.end_s - phoneme.start_s) / len(shapes)
        for index, shape in enumerate(shapes):
            start_s, end_s = phoneme.start_s + index * step_s, phoneme.start_s + (index + 1) * step_s
            if row and row[-1].viseme == shape:
                row[-1] = VisemeSpan(shape, row[-1].start_s, end_s)
            else:
                row.append(VisemeSpan(shape, start_s, end_s))
    return tuple(row)


def resample(pcm: npt.NDArray[np.int16], from_hz: int, to_hz: int) -> npt.NDArray[np.int16]:
    """Band-limited change of sample rate (libswresample, by PyAV).

    Args:
        pcm: [N] mono.
        from_hz: rate of `pcm`.
        to_hz: rate wanted.

    Returns:
        [round(N * to_hz / from_hz)] mono; the same array when the rates are equal.
    """
    if from_hz == to_hz or len(pcm) == 0:
        return pcm
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(pcm[None, :]), format="s16", layout="mono")
    frame.sample_rate = from_hz
    resampler = av.AudioResampler(format="s16", layout="mono", rate=to_hz)
    parts = [out.to_ndarray()[0] for piece in (frame, None) for out in resampler.resample(piece)]
    count = round(len(pcm) * to_hz / from_hz)
    out = np.zeros(count, np.int16)
    made = np.concatenate(parts)[:count]
    out[: len(made)] = made
    return out
