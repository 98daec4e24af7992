"""Five seconds of marked speech lead back to the slot, whatever an encoder did to them; nothing else does."""

from functools import lru_cache
from math import exp

import numpy as np
import pytest

from provenance.marks.keys import MarkKey
from provenance.marks.sound import align, detect, listen
from provenance.marks.sound.detect import payload_threshold, presence_threshold, read_sound
from provenance.marks.sound.embed import embed_reference
from provenance.marks.verdicts import Verdict
from tests.common.spoken import (
    CHANGES,
    Samples,
    at_another_clock,
    music,
    slots_from,
    speech,
    through_opus,
    with_music,
    with_noise,
)

KEY, OTHER_KEY = MarkKey(bytes(range(32)), "one"), MarkKey(bytes(range(1, 33)), "other")
SLOT_ID, FIRST_SLOT = 0x0123_4567_89AB_CDEF, 62
FIVE_S = 5 * 48_000


@lru_cache(maxsize=1)
def marked() -> Samples:
    return embed_reference(speech(), slots_from(KEY, SLOT_ID, FIRST_SLOT))


@lru_cache(maxsize=1)
def heard() -> Samples:
    """What a viewer hears at 32 kbit/s."""
    return through_opus(marked())


@pytest.mark.parametrize(("start", "slots"), [(3_001, (62,)), (6 * 48_000 + 77, (62, 63)), (14 * 48_000, (63, 0))])
def test_five_seconds_from_anywhere_in_a_call_lead_back(start: int, slots: tuple[int, ...]) -> None:
    reading = read_sound(heard()[start : start + FIVE_S], KEY)
    assert (reading.verdict, reading.payload_hex) == (Verdict.PAYLOAD_READ, f"{SLOT_ID:016x}")
    assert reading.slot_indexes == slots
    assert reading.audible_s > 3.0


@pytest.mark.parametrize(("slot_s", "slots"), [(5, (62, 63, 0, 1)), (10, (62, 63)), (30, (62,))])
def test_slots_of_every_length_are_read_also_when_their_signs_come_again(slot_s: int, slots: tuple[int, ...]) -> None:
    sound = embed_reference(speech(), slots_from(KEY, SLOT_ID, FIRST_SLOT, slot_s))
    reading = read_sound(through_opus(sound)[: 18 * 48_000], KEY)
    assert reading.payload == SLOT_ID and reading.slot_indexes == slots


@pytest.mark.parametrize("change", CHANGES)
def test_the_payload_survives(change: str) -> None:
    suspect = CHANGES[change](marked()[48_000 : 48_000 + FIVE_S + 9600])[4000 : 4000 + FIVE_S]
    assert read_sound(suspect, KEY).payload == SLOT_ID


def test_float_samples_are_read_like_integers_and_two_readings_are_one() -> None:
    clip = heard()[96_000 : 96_000 + FIVE_S]
    one, again, as_float = read_sound(clip, KEY), read_sound(clip, KEY), read_sound(clip / 32768.0, KEY)
    assert one == again and one.z == again.z
    assert as_float.payload == SLOT_ID
    assert set(one.public()) == {"verdict", "payload", "audible_s"} and "z=" not in repr(one)


def test_a_long_clip_is_read_in_parts_and_progress_is_told() -> None:
    shares: list[float] = []
    reading = read_sound(heard()[: 20 * 48_000 + 5], KEY, on_progress=shares.append)
    assert reading.payload == SLOT_ID and reading.slot_indexes == (62, 63, 0)
    assert shares == [pytest.approx(1 / 3), pytest.approx(2 / 3), 1.0]


def test_a_clip_cut_together_from_two_sessions_names_neither() -> None:
    other = through_opus(embed_reference(speech(), slots_from(KEY, 0xFEDC_BA98_7654_3210, 20)))
    cut = np.concatenate([heard()[: 10 * 48_000], other[10 * 48_000 : 20 * 48_000]])
    reading = read_sound(cut, KEY)
    assert (reading.verdict, reading.payload) == (Verdict.MARK_PRESENT, None)


NOTHING = {
    "unmarked speech": (through_opus(speech())[:FIVE_S], KEY),
    "another key": (through_opus(speech())[:FIVE_S], OTHER_KEY),
    "music": (music(5.0, 1), KEY),
    "noise": ((3000 * np.random.default_rng(2).normal(size=FIVE_S)).astype(np.int16), KEY),
    "a tone": ((8000 * np.sin(2 * np.pi * 440 * np.arange(FIVE_S) / 48_000)).astype(np.int16), KEY),
}


@pytest.mark.parametrize("name", NOTHING)
def test_nothing_is_read_from(name: str) -> None:
    samples, key = NOTHING[name]
    if name == "another key":
        samples = heard()[48_000 : 48_000 + FIVE_S]
    reading = read_sound(samples, key)
    assert (reading.verdict, reading.payload) == (Verdict.NO_MARK, None)
    assert np.isfinite(reading.z) and abs(reading.z) < 7.5 and reading.audible_s > 3.0


@pytest.mark.parametrize("silence", [
    np.zeros(FIVE_S, np.int16), np.zeros(0, np.int16), np.ones(FIVE_S, np.int16), np.zeros(FIVE_S)], ids=str)
def test_silence_decides_nothing(silence: np.ndarray) -> None:
    reading = read_sound(silence, KEY)
    assert (reading.verdict, reading.z, reading.audible_s) == (Verdict.NO_MARK, 0.0, 0.0)


def test_what_is_no_sound_is_refused() -> None:
    for odd in (np.zeros((2, 480), np.int16), np.zeros(480, np.int32), np.array([np.nan] * 480)):
        with pytest.raises(ValueError, match="Sound"):
            read_sound(odd, KEY)


def test_too_little_sound_says_nothing() -> None:
    for samples in (1, 960, 4799, 24_000):
        assert read_sound(heard()[48_000 : 48_000 + samples], KEY).verdict is Verdict.NO_MARK


PLACES = (1, 11, 20)  # seconds into the call; one clip stands much more than another
DEFEATS = {
    "played two per cent faster": lambda clip: at_another_clock(clip, 20_000.0),
    "noise at 15 dB": lambda clip: with_noise(clip, 15.0),
}


@pytest.mark.parametrize("attack", DEFEATS)
def test_what_defeats_the_mark_is_known(attack: str) -> None:
    """Not a wish: the outcome that docs/sound-mark.md states. Whoever makes the mark stronger changes both."""
    for place in PLACES:
        suspect = DEFEATS[attack](heard()[place * 48_000 : place * 48_000 + FIVE_S + 9600])[:FIVE_S]
        assert read_sound(suspect, KEY).payload is None, place


@pytest.mark.parametrize(("music_db", "least", "most"), [(-20.0, 4, 6), (-8.0, 0, 4), (0.0, 0, 1)])
def test_under_music_it_depends_on_the_clip_and_the_music(music_db: float, least: int, most: int) -> None:
    """Between what nearly every clip stands and what none does some are read and some are not; none is read wrongly.

    The last digits of the transforms, which differ with the number of threads, move a clip over the threshold or not.
    """
    read = [
        read_sound(with_music(heard()[place * 48_000 : place * 48_000 + FIVE_S], music_db, seed), KEY).payload
        for place in PLACES for seed in (1, 5)
    ]
    assert set(read) <= {SLOT_ID, None}
    assert least <= read.count(SLOT_ID) <= most


def test_without_a_mark_the_statistic_is_as_narrow_as_its_bound_says() -> None:
    sound = listen.evened(listen.to_low_rate(speech()[:FIVE_S].astype(np.float32)))
    place = align.Alignment(12_345.0, 0, 1)
    seen = [align.heard_at(sound, MarkKey(bytes([n]) * 32), place).z for n in range(120)]
    assert 0.8 < float(np.std(seen)) < 1.2 and abs(float(np.mean(seen))) < 0.3 and np.abs(seen).max() < 4.0


def test_a_sound_that_repeats_with_the_cycle_does_not_widen_the_statistic() -> None:
    loop = np.resize(speech()[: 8 * 48_000], 16 * 48_000).astype(np.float32)
    sound = listen.evened(listen.to_low_rate(loop))
    place = align.Alignment(320.0, 0, 0)
    seen = [align.heard_at(sound, MarkKey(bytes([n]) * 32), place).z for n in range(120)]
    assert 0.8 < float(np.std(seen)) < 1.2


def test_what_comes_again_under_the_same_sign_is_added_up_before_it_is_measured() -> None:
    random, hops = np.random.default_rng(1), np.arange(100)
    three = [detect._Piece(hops, 0.0, np.zeros((64, 240)), random.normal(size=(100, 125)).astype(np.float32))
             for _ in range(3)]
    apart = sum(piece.energy for piece in three)
    assert detect._energy(three, (5, 6, 7)) == pytest.approx(apart)  # three slots, so each sign once
    assert detect._energy(three, (5, 5, 5)) == pytest.approx(apart, rel=0.05)  # noise does not repeat itself
    assert detect._energy([three[0]] * 3, (5, 5, 5)) == pytest.approx(9 * three[0].energy)  # a loop does


def test_the_thresholds_count_what_was_tried() -> None:
    assert 8.7 < presence_threshold(1) < 8.8 < presence_threshold(6) < 9.0
    assert 14.0 < payload_threshold(1, 6, 6) < 15.5 < payload_threshold(6, 60, 60) < 32.0
    assert align.HYPOTHESES > 7e8


@pytest.mark.parametrize(("stretches", "pieces"), [(1, 1), (1, 6), (1, 11), (2, 21), (6, 66)])
def test_all_payloads_that_could_be_believed_are_together_as_rare_as_said(stretches: int, pieces: int) -> None:
    """Each take (from any piece on, of any length), path, code word and alignment, added up one by one."""
    places = (2.0 * align.HYPOTHESES) ** stretches
    chance = sum(
        places * 64.0**taken * 2.0**64 * exp(-payload_threshold(stretches, pieces, taken) ** 2 / 2)
        for taken in range(1, pieces + 1) for _first in range(pieces - taken + 1)
    )
    assert 0.99 * exp(-18.0) < chance < 1.01 * exp(-18.0)


def test_the_turn_of_opus_is_as_the_table_says() -> None:
    """Measured anew: the phase between sound and what libopus makes of it, beside three samples less delay."""
    before = speech()[: 20 * 48_000].astype(float)
    after = np.concatenate([np.zeros(3), through_opus(speech())])[: len(before)]
    size, step = 2048, 512
    taper = np.hanning(size)
    one, other = (np.fft.rfft(np.lib.stride_tricks.sliding_window_view(x, size)[::step] * taper) for x in
                  (before, after))
    count = min(len(one), len(other))
    cross = (one[:count].conj() * other[:count]).sum(axis=0)
    hertz = np.fft.rfftfreq(size, 1 / 48_000)
    for low in range(500, 6000, 500):
        inside = (hertz >= low) & (hertz < low + 500)
        degrees = np.degrees(np.angle(cross[inside].sum()))
        assert degrees == pytest.approx(np.interp(low + 250, listen.OPUS_HZ, listen.OPUS_DEGREES), abs=12)
