"""Which slot each part of a clip comes from, and the payload that its windows carry together.

A session changes its payload signs from slot to slot, always to the next number. A detector does not know where in the
session a clip was cut, so it follows the path of slots that best explains all windows: stay, go to the next slot, or
(dear) jump, which starts a new take: a cut, or another session.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from provenance.marks import payload
from provenance.marks.keys import SLOT_KEYS

SLOT_ENERGY: Final = 4.0  # deviations by which a slot's soft bits must exceed noise before its CRC may count
OTHER_ENERGY: Final = 6.0  # the same for a second mark: a charge of tampering asks for more
NEXT_COST: Final = 3.0  # deviations; keeps windows of one slot together when their energies are close
JUMP_COST: Final = 15.0
SMALLEST_WEIGHT: Final = 0.5
PAYLOAD_FALSE_RATE: Final = 1e-12  # of each way to believe a payload, all hypotheses together


@dataclass(frozen=True)
class SoftReading:
    """One window against the secret signs."""

    z: float
    soft: NDArray[np.float32]  # [64, 240] soft bits for each slot hypothesis, rms 1 on noise
    energy: NDArray[np.float64]  # [64] deviations above noise, -inf where not tried


@dataclass(frozen=True)
class Take:
    """Windows first..last of a clip, which run through consecutive slots."""

    first: int
    path: tuple[int, ...]  # slot of each window

    @property
    def slots(self) -> tuple[int, ...]:
        """The slots in order, each once per visit."""
        return tuple(slot for i, slot in enumerate(self.path) if i == 0 or self.path[i - 1] != slot)


def _step_costs() -> NDArray[np.float64]:
    """Cost of going from slot (row) to slot (column): float64 [64, 64]."""
    costs = np.full((SLOT_KEYS, SLOT_KEYS), JUMP_COST)
    slots = np.arange(SLOT_KEYS)
    costs[slots, (slots + 1) % SLOT_KEYS] = NEXT_COST
    costs[slots, slots] = 0.0
    return costs


_STEP_COSTS: Final = _step_costs()


def follow_slots(readings: Sequence[SoftReading]) -> list[Take]:
    """The likeliest slot of every window, cut into takes where it jumps."""
    score = readings[0].energy
    came_from = np.zeros((len(readings), SLOT_KEYS), dtype=np.intp)
    for window, reading in enumerate(readings[1:], start=1):
        arriving = score[:, None] - _STEP_COSTS
        came_from[window] = np.argmax(arriving, axis=0)
        score = arriving.max(axis=0) + reading.energy
    path = [int(np.argmax(score))]
    for window in range(len(readings) - 1, 0, -1):
        path.append(int(came_from[window, path[-1]]))
    return _takes(path[::-1])


def _takes(path: Sequence[int]) -> list[Take]:
    starts = [0] + [i for i in range(1, len(path)) if (path[i] - path[i - 1]) % SLOT_KEYS > 1]
    ends = [*starts[1:], len(path)]
    return [Take(start, tuple(path[start:end])) for start, end in zip(starts, ends, strict=True)]


def _combined(readings: Sequence[SoftReading], first: int, path: Sequence[int]) -> NDArray[np.float32]:
    """Soft bits [240] of windows first.. along a path, weighted by how plainly each shows the mark; rms 1 on noise."""
    windows = readings[first : first + len(path)]
    weights = np.array([max(reading.z, SMALLEST_WEIGHT) for reading in windows])
    soft = np.stack([reading.soft[slot] for reading, slot in zip(windows, path, strict=True)])
    return np.asarray(weights @ soft / sqrt(float(np.sum(weights**2))), dtype=np.float32)


def energy_of(soft: NDArray[np.float32]) -> float:
    """Deviations by which soft bits of rms 1 on noise exceed noise."""
    return (float(np.mean(soft.astype(np.float64) ** 2)) - 1.0) * sqrt(payload.CODED_BITS / 2.0)


def clearest_soft_bits(readings: Sequence[SoftReading]) -> NDArray[np.float32]:
    """Soft bits [240] of the take that stands out of noise most."""
    found = [_combined(readings, take.first, take.path) for take in follow_slots(readings)]
    return max(found, key=energy_of)


def take_payload(readings: Sequence[SoftReading], take: Take) -> int | None:
    """The payload of a take, if its soft bits stand out of noise and its CRC holds."""
    soft = _combined(readings, take.first, take.path)
    return payload.decode(soft) if energy_of(soft) >= SLOT_ENERGY else None


def payload_alone(readings: Sequence[SoftReading]) -> tuple[int, int] | None:
    """The payload and slot of the window whose payload stands out so far that it needs no sync signs to be believed.

    All sessions of an epoch share the sync signs, so who holds pictures of another session can subtract them; the
    payload's own signs remain. For one window, slot and id, `fit_of` is a sum of numbers that depend on the picture
    alone, each with a secret sign, so it reaches t with probability exp(-t^2/2) at most; every window, slot and id
    there could be is counted.
    """
    needed = alone_threshold(len(readings))
    for reading in readings:
        slot = int(np.argmax(reading.energy))
        value = payload.decode(reading.soft[slot])
        if value is not None and fit_of(reading.soft[slot], value) >= needed:
            return value, slot
    return None


def fit_of(soft: NDArray[np.float32], slot_id: int) -> float:
    """How well one window's soft bits [240] fit a slot id: standard normal or narrower without a mark."""
    return float(payload.encode(slot_id) @ soft) / sqrt(payload.CODED_BITS)


def alone_threshold(windows: int) -> float:
    """The fit at which a payload may be believed by itself."""
    tries = windows * SLOT_KEYS * 2.0**payload.PAYLOAD_BITS
    return sqrt(2.0 * log(tries / PAYLOAD_FALSE_RATE))


def other_payloads(readings: Sequence[SoftReading], take: Take) -> set[int]:
    """Payloads that the same windows carry in slots which the take does not run through."""
    found = set()
    for slot in set(range(SLOT_KEYS)) - set(take.path):
        if not np.isfinite(readings[take.first].energy[slot]):
            continue
        soft = _combined(readings, take.first, [slot] * len(take.path))
        if energy_of(soft) >= OTHER_ENERGY and (value := payload.decode(soft)) is not None:
            found.add(value)
    return found
