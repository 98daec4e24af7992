"""What an attacker gets who knows the code, but no key. The outcome is asserted as it is, also where they win."""

import cv2
import numpy as np
import pytest

from provenance.marks.content import content_hash, content_matches
from provenance.marks.detect import PRESENCE_Z
from provenance.marks.planes import planes_of
from provenance.marks.verdicts import Tampering, Verdict, resolve
from tests.common import mark_attacks as attacks
from tests.common.mark_attacks import OTHER_KEY, SLOT, SLOT_ID, marked, read
from tests.common.moving_frames import talking_frames, through_codec
from tests.common.picture_changes import Picture

SIZE = 512
TILE = 128
SECOND_ID = 0x1111_2222_3333_4444
SESSION_IDS = (SLOT_ID, *(int(number) for number in np.random.default_rng(1).integers(0, 2**63, 7)))


@pytest.fixture(scope="module")
def source() -> list[Picture]:
    """Three seconds."""
    return list(attacks.talking_head())


@pytest.fixture(scope="module")
def clip(source: list[Picture]) -> list[Picture]:
    return marked(source)


@pytest.fixture(scope="module")
def elsewhere() -> list[Picture]:
    """Another person before another wall."""
    return list(talking_frames(5, SIZE, seed=9))


def hashes(frames: list[Picture]) -> list[int]:
    return [content_hash(planes_of(frame).y) for frame in frames]


# --- found without the key


def tiled(frames: list[Picture], strength: float) -> list[Picture]:
    """The frames with the same noise in every tile, as strong as our mark."""
    noise = np.random.default_rng(3).standard_normal((TILE, TILE))
    tile = cv2.GaussianBlur(noise, (0, 0), 1.2, borderType=cv2.BORDER_REFLECT)
    wave = np.zeros(frames[0].shape, np.float32)
    wave[:SIZE] = np.tile(tile / tile.std() * strength, (SIZE // TILE, SIZE // TILE))
    return attacks.subtracted(frames, -wave, 1.0)


@pytest.mark.parametrize("count", [1, 30])
def test_the_tile_period_does_not_show(source: list[Picture], clip: list[Picture], count: int) -> None:
    strength = float(np.std(clip[0][:SIZE].astype(np.float32) - source[0][:SIZE]))
    assert attacks.period_deviations(source[:count], TILE) < 5
    assert attacks.period_deviations(clip[:count], TILE) < 5
    assert attacks.period_deviations(tiled(source[:count], strength), TILE) > 20


# --- taken off


def test_a_common_denoiser_does_not_take_it_off(clip: list[Picture]) -> None:
    """The mean noise of three seconds, taken off once: what a paper's attack does."""
    attacked = attacks.subtracted(clip[:10], attacks.estimate(clip, attacks.common), 1.0)
    assert read(attacked).payload == SLOT_ID
    assert attacks.luma_psnr_db(attacked, clip[:10]) > 45


def test_three_seconds_and_our_own_filter_erase_it(clip: list[Picture]) -> None:
    """The attacker wins: a static pattern can be averaged out of its own clip. docs/watermark.md says so."""
    attacked = attacks.subtracted(clip[:10], attacks.estimate(clip, attacks.matched), 1.0)
    reading = read(attacked)
    assert (reading.verdict, reading.payload) == (Verdict.NO_MARK, None)
    assert attacks.luma_psnr_db(attacked, clip[:10]) > 44


def test_too_much_taken_off_is_tampering(clip: list[Picture]) -> None:
    attacked = attacks.subtracted(clip[:10], attacks.estimate(clip, attacks.matched), 1.5)
    reading = read(attacked)
    assert (reading.verdict, reading.tampering) == (Verdict.TAMPERING, Tampering.INVERTED)


@pytest.mark.parametrize("count", [1, 4])
def test_other_sessions_of_the_epoch_take_off_the_sync_signs_but_not_the_payload(
    clip: list[Picture], count: int
) -> None:
    """All sessions of an epoch share their sync signs; one still of each is enough to subtract them."""
    stills = [
        marked(list(talking_frames(1, SIZE, seed=20 + number)), SESSION_IDS[1 + number], slot=SLOT + number)[0]
        for number in range(count)
    ]
    attacked = attacks.subtracted(clip[:5], attacks.estimate(stills, attacks.matched), 1.0)
    reading = read(attacked)
    assert abs(reading.z) < PRESENCE_Z
    assert (reading.verdict, reading.payload, reading.slot_indexes) == (Verdict.PAYLOAD_READ, SLOT_ID, (SLOT,))


# --- put on another picture


@pytest.mark.parametrize("count", [1, 90])
def test_a_copied_mark_is_read_and_the_content_differs(
    source: list[Picture], clip: list[Picture], elsewhere: list[Picture], count: int
) -> None:
    forged = attacks.subtracted(elsewhere, attacks.estimate(clip[:count], attacks.common), -1.0)
    reading = read(forged)
    assert (reading.verdict, reading.payload) == (Verdict.PAYLOAD_READ, SLOT_ID)
    matches = content_matches(hashes(source), hashes(forged))
    assert resolve(reading, is_known=True, content_matches=matches) is Verdict.CONTENT_DIFFERS


def test_a_small_change_of_the_picture_is_not_noticed(source: list[Picture], clip: list[Picture]) -> None:
    """The forger wins: the content hash sees the coarse shape only. Signed frames are what holds the picture itself."""
    altered = [frame.copy() for frame in clip[:10]]
    for frame in altered:
        frame[300:360, 200:312] = frame[200:260, 200:312]  # the forehead pasted over the mouth
    matches = content_matches(hashes(source), hashes(altered))
    assert resolve(read(altered), is_known=True, content_matches=matches) is Verdict.CONTENT_MATCHES


# --- marked again


def test_another_house_marks_over_ours(clip: list[Picture]) -> None:
    twice = marked(clip[:5], key=OTHER_KEY)
    assert (read(twice).payload, read(twice, OTHER_KEY).payload) == (SLOT_ID, SLOT_ID)


def test_our_key_and_another_slot_are_two_marks(clip: list[Picture]) -> None:
    reading = read(marked(clip[:5], SECOND_ID, slot=40))
    assert (reading.verdict, reading.tampering) == (Verdict.TAMPERING, Tampering.TWO_MARKS)


def test_our_key_and_the_same_slot_let_the_later_one_win(clip: list[Picture]) -> None:
    """Only who holds the key can do this; the later mark is the stronger one, because the earlier is its picture."""
    reading = read(marked(clip[:5], SECOND_ID))
    assert (reading.verdict, reading.payload) == (Verdict.PAYLOAD_READ, SECOND_ID)


# --- several sessions of one epoch averaged: the same film, each with its own payload


def mean_of(source: list[Picture], sessions: int, slots: list[int], frames: int = 10) -> list[Picture]:
    chosen = zip(SESSION_IDS[:sessions], slots, strict=False)
    return attacks.averaged([marked(source[:frames], slot_id, slot) for slot_id, slot in chosen])


@pytest.mark.parametrize("sessions", [4, 8])
def test_the_mean_of_sessions_in_one_slot_keeps_presence_and_loses_the_payload(
    source: list[Picture], sessions: int
) -> None:
    reading = read(mean_of(source, sessions, [SLOT] * sessions))
    assert (reading.verdict, reading.payload) == (Verdict.MARK_PRESENT, None)


def test_the_mean_of_two_sessions_in_one_slot_names_one_of_them_or_none(source: list[Picture]) -> None:
    reading = read(mean_of(source, 2, [SLOT, SLOT]))
    assert reading.verdict in (Verdict.MARK_PRESENT, Verdict.PAYLOAD_READ)
    assert reading.payload in (None, *SESSION_IDS[:2])


@pytest.mark.parametrize("sessions", [2, 4, 8])
def test_the_mean_of_sessions_in_other_slots_is_two_marks(source: list[Picture], sessions: int) -> None:
    reading = read(mean_of(source, sessions, [SLOT + 7 * number for number in range(sessions)]))
    assert (reading.verdict, reading.tampering) == (Verdict.TAMPERING, Tampering.TWO_MARKS)


def test_presence_outlives_the_mean_of_eight_and_a_live_codec(source: list[Picture]) -> None:
    reading = read(through_codec(mean_of(source, 8, [SLOT] * 8, frames=30), 600)[0])
    assert (reading.verdict, reading.payload) == (Verdict.MARK_PRESENT, None)
