"""The proof in docs/watermark.md that unmarked pictures are not taken for marked ones, held against the code."""

from math import exp

import numpy as np
import pytest

from provenance.marks import payload, search
from provenance.marks.detect import PRESENCE_Z, _judge, payload_threshold
from provenance.marks.keys import SLOT_KEYS, MarkKey
from provenance.marks.slots import (
    PAYLOAD_FALSE_RATE,
    SoftReading,
    alone_threshold,
    energy_of,
    fit_of,
    payload_alone,
)
from provenance.marks.verdicts import MarkReading, Verdict
from tests.benchmarks.mark_false_positives import aligned_chunk
from tests.common.picture_changes import Picture

SLOT_ID, SLOT = 0x0123_4567_89AB_CDEF, 9
CODE = payload.encode(SLOT_ID)


def tail(z: float) -> float:
    """Hoeffding's bound on P(statistic >= z)."""
    return exp(-(z**2) / 2)


@pytest.mark.parametrize("chunk", [0, 1, 2])
def test_a_hundred_unmarked_pictures_carry_no_mark(chunk: int) -> None:
    scored = aligned_chunk(chunk)
    assert len(scored) == 100
    assert not any(accepted for _, accepted in scored)
    z = np.array([value for value, _ in scored])
    assert np.isfinite(z).all() and 0.7 < z[z != 0].std() < 1.3


def test_flipping_the_signs_by_a_code_word_turns_one_message_into_another() -> None:
    """So a decoded message is uniform over all messages under secret signs, and a CRC holds once in 2**16."""
    random = np.random.default_rng(1)
    for _ in range(30):
        soft = random.standard_normal(payload.CODED_BITS).astype(np.float32)
        message = random.integers(0, 2, payload.MESSAGE_BITS).astype(np.uint8)
        flips = -payload.encode_message(message)  # the word of the message 0 is -1 throughout
        assert np.array_equal(payload.best_message(soft * flips), payload.best_message(soft) ^ message)


def test_presence_is_believed_at_15_in_a_billion() -> None:
    assert tail(PRESENCE_Z) < 1.53e-8


@pytest.mark.parametrize("chances", [1, SLOT_KEYS, 3600])
def test_a_payload_counts_every_chance_of_its_crc(chances: int) -> None:
    assert chances * 2.0**-16 * tail(payload_threshold(chances)) == pytest.approx(PAYLOAD_FALSE_RATE)


@pytest.mark.parametrize("windows", [1, 3600])
def test_a_payload_alone_counts_every_slot_and_every_id(windows: int) -> None:
    assert windows * 64 * 2.0**64 * tail(alone_threshold(windows)) == pytest.approx(PAYLOAD_FALSE_RATE)


def test_a_search_ends_at_fewer_alignments_than_the_bound_counts() -> None:
    fine = 2 * search.REFINE_STEPS + 1
    coarse = 2 * len(list(search._scales()))
    assert (coarse, fine) == (544, 11)
    largest = round(512 * search.SCALE_MAX * np.exp(search.REFINE_STEPS * search.REFINE_STEP))
    wide: Picture = np.zeros((256, 456), dtype=np.float32)  # 16:9
    wide[::7, ::5] = 1.0
    shifts = np.prod(search._spectrum(wide, MarkKey(bytes(32)), search.LUMA, largest, search.FINE).padded)
    assert coarse * fine * shifts < 3.5e10
    assert 3.5e10 * tail(search.SEARCHED_Z) < 7.3e-6
    assert 3.5e10 * tail(search.SEARCHED_Z) * 2.0**-16 < 1.2e-10


def readings(windows: int, fit: float, z: float) -> list[SoftReading]:
    """Windows that show one slot's code word this plainly in every one."""
    soft = np.zeros((SLOT_KEYS, payload.CODED_BITS), dtype=np.float32)
    soft[SLOT] = CODE * fit / np.sqrt(payload.CODED_BITS)
    energy = np.array([energy_of(one) for one in soft])
    return [SoftReading(z, soft, energy) for _ in range(windows)]


def test_a_payload_alone_is_believed_only_beyond_its_threshold() -> None:
    assert alone_threshold(1) == pytest.approx(12.34, abs=0.01)
    below, above = (readings(1, alone_threshold(1) + step, 0.0) for step in (-0.1, 0.1))
    assert payload_alone(below) is None
    assert payload_alone(above) == (SLOT_ID, SLOT)
    assert fit_of(above[0].soft[SLOT], SLOT_ID) == pytest.approx(alone_threshold(1) + 0.1, abs=1e-4)


def judged(windows: int, z_found: float) -> MarkReading:
    whole = np.sqrt(z_found**2 + 2 * np.log(2))  # what is left of it once the windows are counted too
    return _judge(readings(windows, 11.9, 1.0), float(whole), SLOT_KEYS, windows)


def test_a_long_clip_needs_more_than_a_short_one() -> None:
    """Each window may begin another take, and with it another try of the CRC."""
    z = (payload_threshold(SLOT_KEYS) + payload_threshold(400)) / 2
    assert judged(10, z).payload == SLOT_ID
    assert judged(400, z).verdict is Verdict.MARK_PRESENT
    assert judged(400, payload_threshold(400) + 0.01).payload == SLOT_ID
