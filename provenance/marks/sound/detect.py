"""Read the mark from sound: any clip at 48 kHz mono, cut anywhere.

Steps: (1) even the sound out and cut it into stretches of at most ten seconds; (2) find each stretch's likeliest
places in the cycle; (3) cut it into pieces of a second and compare them with the payload signs of all 64 slots; (4)
follow the path of slots that explains the pieces best, add the pieces up along it and decode; (5) judge.

The proof is in what is judged. Presence is one sum of numbers that depend on the sound alone, each with a secret +-1,
so P(|z| >= t) <= 2 exp(-t^2/2) for any unmarked sound and one alignment, times the alignments tried. A payload is
judged by the sum over all its chips under the code word that was read: for one code word, one path and one alignment
the same bound holds, and all 2^64 code words, all paths and all alignments are counted. The CRC comes on top.
"""

from dataclasses import dataclass, field
from math import log, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from provenance.marks import payload
from provenance.marks.keys import SLOT_KEYS, MarkKey
from provenance.marks.slots import SLOT_ENERGY, SoftReading, Take, energy_of, follow_slots
from provenance.marks.sound import align, listen, signs
from provenance.marks.sound.align import HYPOTHESES, STRETCH_S, Heard, hops_of
from provenance.marks.sound.listen import LOW_RATE_HZ
from provenance.marks.sound.transform import BINS, CYCLE_HOPS, HOP, RATE_HZ, SLOT_STEP_HOPS
from provenance.marks.verdicts import Progress, Verdict
from trustcore.primitives.ids import mark_id_text

PRESENCE_Z: Final = 6.0  # of a single alignment; `presence_threshold` adds what the search costs
PIECE_HOPS: Final = SLOT_STEP_HOPS  # so a change of slot falls between two pieces
SMALLEST_PIECE_HOPS: Final = 10
PROMISING_Z: Final = 5.0  # below this the place of a stretch is not worth decoding
MAX_S: Final = 60  # of a longer clip the beginning is read
AUDIBLE_SHARE_DB: Final = -60.0  # below full scale; hops quieter than this are counted as silence


@dataclass(frozen=True)
class SoundReading:
    """What was read. The statistic stays inside: it is not printed and no public answer may carry it."""

    verdict: Verdict
    payload: int | None = None  # 64-bit slot id, when read
    slot_indexes: tuple[int, ...] = ()  # modulo 64, in the order of the clip
    audible_s: float = 0.0  # of the clip; 0: silence, which proves nothing at all
    z: float = field(default=0.0, repr=False)  # of the sum that decided: presence, or the payload's chips
    least_z: float = field(default=PRESENCE_Z, repr=False)  # what it had to reach

    @property
    def payload_hex(self) -> str | None:
        """The payload as 16 hex digits, as manifests write it."""
        return None if self.payload is None else mark_id_text(self.payload)

    def public(self) -> dict[str, object]:
        """What may leave the house."""
        return {"verdict": self.verdict.value, "payload": self.payload_hex, "audible_s": round(self.audible_s, 1)}


@dataclass(frozen=True)
class _Read:
    """A payload that was read: in which slots, the sum over its chips, and what that had to reach."""

    value: int
    slots: tuple[int, ...]
    z: float
    least_z: float


@dataclass(frozen=True)
class _Piece:
    """About a second of an aligned stretch against the secret signs."""

    hops: NDArray[np.intp]  # [H] their numbers in the cycle
    sync_z: float
    bits: NDArray[np.float64]  # [64, 240] sums over the chips of each coded bit, for each slot
    message: NDArray[np.float32]  # [H, 125] the payload's values, 0 at sync chips

    @property
    def energy(self) -> float:
        """Of the payload's values."""
        return float(np.sum(self.message.astype(np.float64) ** 2))

    def reading(self) -> SoftReading:
        """As `follow_slots` wants it: soft bits of rms 1 on noise, and each slot's energy beyond noise."""
        energy = self.energy
        scale = sqrt(energy / payload.CODED_BITS) or 1.0
        soft = (self.bits / scale).astype(np.float32)
        energies = np.array([energy_of(one) for one in soft]) if energy else np.zeros(SLOT_KEYS)
        return SoftReading(self.sync_z, soft, energies)


def presence_threshold(stretches: int) -> float:
    """The |z| at which one of `stretches` proves presence: as rare as PRESENCE_Z without any search."""
    return sqrt(PRESENCE_Z**2 + 2.0 * log(HYPOTHESES * stretches))


def payload_threshold(stretches: int, pieces: int, taken: int) -> float:
    """The z over a payload's chips at which a take may be believed, all code words, takes and alignments counted.

    Args:
        stretches: of the clip.
        pieces: of all stretches together, that is of the clip and not of the take.
        taken: pieces of the take.
    """
    takes = log(pieces * (pieces + 1) / 2)  # of any length, from any piece on
    paths = taken * log(SLOT_KEYS) + takes
    places = stretches * log(2 * HYPOTHESES)  # twice: each stretch may also have been left out
    return sqrt(PRESENCE_Z**2 + 2.0 * (payload.PAYLOAD_BITS * log(2.0) + paths + places))


def read_sound(
    samples: NDArray[np.generic], key: MarkKey, *, rate_hz: int = RATE_HZ,
    on_progress: Progress = lambda share: None,
) -> SoundReading:
    """Look for the mark in a clip.

    Args:
        samples: int16 [N], or float [N] with full scale 1.0; mono. Of more than MAX_S the beginning is read.
        key: epoch key of the mark looked for.
        rate_hz: 48,000, or 16,000 where the sound comes so; nothing of the mark lies above 6.5 kHz.
        on_progress: told the share done, 0..1.

    Returns:
        What was read; `NO_MARK` with `audible_s` 0 for silence. Sound of less than about five seconds, or mostly
        silence, rarely says more than `NO_MARK`.

    Raises:
        ValueError: not one channel, another rate, or a kind of number that is no sound.
    """
    sound = _as_int16_scale(samples, rate_hz)
    audible_s = _audible_s(sound, rate_hz)
    if audible_s == 0.0:
        return SoundReading(Verdict.NO_MARK)
    found = _found(_stretches(sound, rate_hz), key, on_progress)
    if not found:
        return SoundReading(Verdict.NO_MARK, audible_s=audible_s)
    z = max((one.z for fits in found for one in fits), key=abs)
    for chosen in range(align.ALTERNATIVES):
        fits = [fits[min(chosen, len(fits) - 1)] for fits in found]
        read = _payload([one for one in fits if abs(one.z) >= PROMISING_Z], key)
        if read is not None:
            return SoundReading(Verdict.PAYLOAD_READ, read.value, read.slots, audible_s, read.z, read.least_z)
    least_z = presence_threshold(len(found))
    verdict = Verdict.MARK_PRESENT if abs(z) >= least_z else Verdict.NO_MARK
    return SoundReading(verdict, audible_s=audible_s, z=z, least_z=least_z)


def _as_int16_scale(samples: NDArray[np.generic], rate_hz: int) -> NDArray[np.float32]:
    if rate_hz not in (RATE_HZ, LOW_RATE_HZ):
        raise ValueError("Sound is read at 48 or at 16 kHz.")
    if samples.ndim != 1 or not (samples.dtype == np.int16 or np.issubdtype(samples.dtype, np.floating)):
        raise ValueError("Sound is read from one channel of int16 or float samples.")
    scale = 1.0 if samples.dtype == np.int16 else 32768.0
    sound = samples[: MAX_S * rate_hz].astype(np.float32) * np.float32(scale)
    if not np.all(np.isfinite(sound)):
        raise ValueError("Sound has numbers that are not finite.")
    return sound


def _audible_s(sound: NDArray[np.float32], rate_hz: int) -> float:
    """Seconds of hops that are louder than silence."""
    hop = HOP * rate_hz // RATE_HZ
    hops = sound[: len(sound) // hop * hop].reshape(-1, hop)
    limit = 32768.0 * 10.0 ** (AUDIBLE_SHARE_DB / 20.0)
    return float(np.count_nonzero(np.mean(hops.astype(np.float64) ** 2, axis=1) > limit**2)) * HOP / RATE_HZ


def _stretches(sound: NDArray[np.float32], rate_hz: int) -> list[NDArray[np.float32]]:
    """Step 1: as few stretches of equal length as possible, none longer than STRETCH_S."""
    even = listen.evened(sound if rate_hz == LOW_RATE_HZ else listen.to_low_rate(sound))
    count = max(1, -(-len(even) // (STRETCH_S * LOW_RATE_HZ)))
    return list(np.array_split(even, count))


def _found(stretches: list[NDArray[np.float32]], key: MarkKey, on_progress: Progress) -> list[list[Heard]]:
    """Step 2: each stretch's likeliest alignments, without the stretches that are silent."""
    found = []
    for done, stretch in enumerate(stretches, start=1):
        fits = align.find(stretch, key)
        if fits:
            found.append(fits)
        on_progress(done / len(stretches))
    return found


def _payload(found: list[Heard], key: MarkKey) -> _Read | None:
    """Steps 3 to 5: the payload and the slots it was read in."""
    pieces = [piece for one in found for piece in _pieces(one, key)]
    if not pieces:
        return None
    readings = [piece.reading() for piece in pieces]
    read: dict[int, _Read] = {}
    for take in follow_slots(readings):
        one = _take_payload(pieces, take, len(found))
        if one is not None:
            read.setdefault(one.value, one)
    if len(read) != 1:  # a clip cut from two sessions names neither
        return None
    return next(iter(read.values()))


def _pieces(heard: Heard, key: MarkKey) -> list[_Piece]:
    """Step 3. Cut where the cycle says, not where the clip begins. Polarity is taken away here."""
    polarity = 1.0 if heard.z >= 0 else -1.0
    first, total = heard.first_hop, len(heard.values)
    inside = [edge for edge in range(-(first % PIECE_HOPS), total, PIECE_HOPS) if 0 < edge < total]
    edges = [0, *inside, total]
    return [
        _piece(polarity * heard.values[a:b], (first + a) % CYCLE_HOPS, key)
        for a, b in zip(edges, edges[1:], strict=False)
        if b - a >= SMALLEST_PIECE_HOPS
    ]


def _piece(values: NDArray[np.float32], first_hop: int, key: MarkKey) -> _Piece:
    deal, count = signs.layout(key), len(values)
    sync = hops_of(deal.sync, first_hop, count)
    is_message = ~hops_of(deal.is_sync, first_hop, count)
    bit, message = hops_of(deal.bit, first_hop, count)[is_message], values[is_message]
    bits = np.zeros((SLOT_KEYS, payload.CODED_BITS))
    for slot in range(SLOT_KEYS):
        matched = message * hops_of(signs.message_signs(key, slot), first_hop, count)[is_message]
        bits[slot] = np.bincount(bit, matched, payload.CODED_BITS)
    sync_energy = float(np.sum(values[~is_message].astype(np.float64) ** 2))
    sync_z = float(np.sum(sync * values)) / (sqrt(sync_energy) or 1.0)
    hops = (first_hop + np.arange(count)) % CYCLE_HOPS
    return _Piece(hops, sync_z, bits, np.where(is_message, values, np.float32(0.0)))


def _take_payload(pieces: list[_Piece], take: Take, stretches: int) -> _Read | None:
    """Steps 4 and 5 for the pieces of one take."""
    taken = pieces[take.first : take.first + len(take.path)]
    energy = _energy(taken, take.path)
    if energy <= 0.0:
        return None
    bits = np.sum([piece.bits[slot] for piece, slot in zip(taken, take.path, strict=True)], axis=0)
    soft = (bits / sqrt(energy / payload.CODED_BITS)).astype(np.float32)
    value = payload.decode(soft) if energy_of(soft) >= SLOT_ENERGY else None
    if value is None:
        return None
    z = float(np.sum(bits * payload.encode(value))) / sqrt(energy)
    least_z = payload_threshold(stretches, len(pieces), len(taken))
    return _Read(value, take.slots, z, least_z) if z >= least_z else None


def _energy(taken: list[_Piece], path: tuple[int, ...]) -> float:
    """Energy of the numbers that the path's signs are multiplied with, each sign once.

    In a slot that lasts longer than the cycle the signs come again, and so may the sound. What is under the same sign
    is added up first, as the bound asks.
    """
    total = 0.0
    for slot in set(path):
        once = np.zeros((CYCLE_HOPS, BINS))
        for piece in (piece for piece, its_slot in zip(taken, path, strict=True) if its_slot == slot):
            once[piece.hops] += piece.message
        total += float(np.sum(once**2))
    return total
