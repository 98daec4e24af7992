"""Find where in the 8 s cycle a stretch of sound begins, by its sync signs.

The sync signs make one sound of eight seconds that belongs to the epoch's key. It is correlated with the evened clip at
every sample, for every slip of the clock and every number of Opus passes that is considered; the best few places are
then judged by their exact statistic. What is judged is a sum of numbers that depend on the clip alone, each with a
secret +-1, so that for any unmarked sound and any one alignment P(|z| >= t) <= 2 exp(-t^2/2).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from provenance.marks.keys import MarkKey
from provenance.marks.sound import listen, signs
from provenance.marks.sound.listen import LOW_HOP, LOW_RATE_HZ, Alignment
from provenance.marks.sound.transform import BINS, CYCLE_HOPS, basis

CYCLE: Final = CYCLE_HOPS * LOW_HOP  # low samples
OPUS_PASSES: Final = (0, 1, 2)
MAX_SLIP: Final = 1e-3  # share of the stretch by which a clock may run off
NEAR_SLIPS: Final = 4  # tried first: a clip that only computers handled has none
FAR_STEP: Final = 2  # low samples of slip: at most one is then wrong from end to end, half of one at the ends
CANDIDATES: Final = 4
FINE: Final = (-1 / 3, 0.0, 1 / 3)
UNLIKELY_Z: Final = 0.4
ALTERNATIVES: Final = 4
SURE_Z: Final = 7.5  # from here on no wider search is needed; what is claimed asks for more
# For a stretch of at most STRETCH_S: 128,000 places and three thirds, 323 slips, 3 passes, both polarities.
STRETCH_S: Final = 10
HYPOTHESES: Final = 2 * 3 * CYCLE * (2 * int(MAX_SLIP * STRETCH_S * LOW_RATE_HZ) + 3) * len(OPUS_PASSES)

Number = TypeVar("Number", bound=np.generic)


@dataclass(frozen=True)
class Heard:
    """A stretch under one alignment."""

    alignment: Alignment
    z: float  # presence statistic; its sign is the sound's polarity
    first_hop: int  # in the cycle
    values: NDArray[np.float32]  # [hops, 125]


@lru_cache(maxsize=2)
def template(key: MarkKey) -> NDArray[np.complex64]:
    """Spectrum of the sound that the sync signs make over one cycle: complex64 [CYCLE // 2 + 1]."""
    waves = signs.layout(key).sync @ basis(LOW_HOP)  # [800, 320]
    line = np.zeros((CYCLE_HOPS, LOW_HOP), dtype=np.float32)
    line += waves[:, :LOW_HOP]
    line += np.roll(waves[:, LOW_HOP:], 1, axis=0)
    return np.asarray(np.fft.rfft(line.reshape(-1)), dtype=np.complex64)


def hops_of(cycle: NDArray[Number], first_hop: int, count: int) -> NDArray[Number]:
    """Rows first_hop .. first_hop + count - 1 of a cycle, going round: [800, ...] -> [count, ...]."""
    return cycle[(first_hop + np.arange(count)) % CYCLE_HOPS]


def heard_at(sound: NDArray[np.float32], key: MarkKey, alignment: Alignment) -> Heard:
    """The exact presence statistic of a stretch of evened sound under one alignment; 0 in silence."""
    first_hop, values = listen.coefficients(sound, alignment)
    sync = signs.layout(key).sync
    once = np.where(sync != 0, _folded(values, first_hop), 0.0)
    energy = float(np.sum(once**2))
    z = float(np.sum(sync * once)) / sqrt(energy) if energy > 0.0 else 0.0
    return Heard(alignment, z, first_hop % CYCLE_HOPS, values)


def _folded(values: NDArray[np.float32], first_hop: int) -> NDArray[np.float64]:
    """Values laid on the cycle, those of a second round added: [hops, 125] -> float64 [800, 125].

    The signs come again after eight seconds, and so may the sound. Added up, each sign is used once, as the bound asks.
    """
    once = np.zeros((CYCLE_HOPS, BINS))
    for start in range(0, len(values), CYCLE_HOPS):
        round_ = values[start : start + CYCLE_HOPS]
        once[(first_hop + np.arange(len(round_))) % CYCLE_HOPS] += round_
    return once


def find(sound: NDArray[np.float32], key: MarkKey) -> list[Heard]:
    """The alignments of a stretch of evened sound (at most STRETCH_S) at which the key's sync signs fit best.

    Returns ALTERNATIVES of them, the likeliest first: neighbours fit almost as well, and only the payload can tell
    which is right. None for silence and for less than a tenth of a second.
    """
    if len(sound) < 10 * LOW_HOP or not np.any(sound):
        return []
    widest = int(MAX_SLIP * len(sound))
    near = [(slip, passes) for slip in range(-NEAR_SLIPS, NEAR_SLIPS + 1) for passes in OPUS_PASSES]
    found = _best(sound, key, near)
    if abs(found[0].z) < SURE_Z:
        far = [(slip, 1) for slip in range(-widest, widest + 1, FAR_STEP) if abs(slip) > NEAR_SLIPS]
        found += _best(sound, key, far) if far else []
    return sorted(found, key=_likely, reverse=True)[:ALTERNATIVES]


def _likely(heard: Heard) -> float:
    """|z|, less what speaks against it beforehand: most clips went through Opus once, and most clocks are right."""
    unlikely = (heard.alignment.opus_passes != 1) + (heard.alignment.slip != 0)
    return abs(heard.z) - UNLIKELY_Z * unlikely


def _best(sound: NDArray[np.float32], key: MarkKey, tried: Sequence[tuple[int, int]]) -> list[Heard]:
    spectrum, length = np.fft.rfft(sound), len(sound)
    turned = {passes: (spectrum * listen.opus_turn(length, passes)).astype(np.complex64) for passes in OPUS_PASSES}
    rough = [_fit(listen.stretched(turned[passes], length, slip), key, slip, passes) for slip, passes in tried]
    rough.sort(key=lambda fit: -fit[0])
    exact = [heard_at(sound, key, alignment) for _, alignment in rough[:CANDIDATES]]
    best = max(exact, key=_likely)
    return sorted([*exact, *_near(sound, key, best)], key=_likely, reverse=True)


def _fit(low: NDArray[np.float32], key: MarkKey, slip: int, passes: int) -> tuple[float, Alignment]:
    """The best place of the cycle for a stretch as it would be without its slip and turn; the correlation there."""
    folded = np.zeros(CYCLE, dtype=np.float32)
    for start in range(0, len(low), CYCLE):
        part = low[start : start + CYCLE]
        folded[: len(part)] += part
    # Place p: sum over n of sound[n] * template[p + n].
    fit = np.abs(np.fft.irfft(np.conj(np.fft.rfft(folded)) * template(key), CYCLE))
    place = int(np.argmax(fit))
    # The low-rate wave is drawn a third of a sample early; see listen.LOW_SHIFT.
    return float(fit[place]), Alignment((place + listen.LOW_SHIFT) % CYCLE, slip, passes)


def _near(sound: NDArray[np.float32], key: MarkKey, rough: Heard) -> list[Heard]:
    """The neighbours of an alignment, a third of a sample and a sample of slip away."""
    at = rough.alignment
    return [
        heard_at(sound, key, Alignment((at.start + fine) % CYCLE, at.slip + slip, at.opus_passes))
        for fine in FINE
        for slip in (-1, 0, 1)
        if fine or slip
    ]
