"""The governor of a session: what it sends out on good lines, bad lines and lines without a word."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.manifests.carriage import Form
from rendering.worker import governor, ladder
from rendering.worker.governor import Governor, Limits, LineReport, Plan
from rendering.worker.ladder import AUDIO, CAPTIONS, FULL, MEDIUM, RUNGS, SMALL, STILL

GOOD = LineReport(receiver_bps=2_000_000, loss_share=0.0, sound_lost_share=0.0, rtt_s=0.03, frozen_share=0.0)


def after(told: Governor, report: LineReport, from_s: float, to_s: float) -> list[Plan]:
    """One report a second."""
    return [told.step(float(at), report) for at in range(int(from_s), int(to_s))]


def test_a_session_starts_low_and_climbs_to_the_full_picture_within_seconds_on_a_quick_line() -> None:
    told = Governor(Limits(), 0.0)
    assert (told.plan.rung, told.plan.target_bps, told.plan.frames_per_s) == (SMALL, 150_000, 12)
    plans = after(told, GOOD, 1, 9)
    assert plans[-1].rung is FULL and plans[-1].target_bps == 1_500_000
    assert [plan.rung for plan in plans] == sorted([plan.rung for plan in plans], key=RUNGS.index, reverse=True)


def test_on_a_slow_line_it_waits_eight_seconds_for_each_better_rung() -> None:
    told, slow = Governor(Limits(), 0.0), replace(GOOD, rtt_s=0.25)
    assert {plan.rung for plan in after(told, slow, 1, 8)} == {SMALL}
    plans = after(told, slow, 8, 60)
    changes = [at for at, (a, b) in enumerate(pairwise(plans)) if a.rung is not b.rung]
    assert len(changes) == 2 and changes[1] - changes[0] >= governor.UP_AFTER_S


def test_the_receivers_word_counts_at_once() -> None:
    told = Governor(Limits(), 0.0)
    after(told, GOOD, 1, 12)
    plan = told.step(12.1, replace(GOOD, receiver_bps=200_000))
    assert plan.target_bps == int(200_000 * governor.SHARE_OF_RECEIVER) and plan.rung is FULL
    assert told.step(14.2, replace(GOOD, receiver_bps=200_000)).rung is SMALL


def test_a_first_word_that_is_no_more_than_what_came_ends_no_climb() -> None:
    told = Governor(Limits(), 0.0)
    after(told, replace(GOOD, receiver_bps=None), 1, 5)
    assert told.step(5.0, replace(GOOD, receiver_bps=500_000)).why != "receiver"
    assert told.step(6.0, replace(GOOD, receiver_bps=700_000)).target_bps == int(700_000 * governor.SHARE_OF_RECEIVER)


@pytest.mark.parametrize(("report", "why"), [
    (replace(GOOD, loss_share=0.2), "loss"),
    (replace(GOOD, rtt_s=0.9), "delay"),
    (replace(GOOD, frozen_share=0.5, loss_share=0.09), "freezes"),
    (replace(GOOD, sound_lost_share=0.5), "sound"),
])
def test_trouble_that_lasts_two_seconds_lowers_the_target(report: LineReport, why: str) -> None:
    told = Governor(Limits(), 0.0)
    before = after(told, GOOD, 1, 12)[-1].target_bps
    told.step(12.0, report)
    assert told.step(13.9, report).target_bps == before
    plan = after(told, report, 15, 18)[-1]
    assert plan.target_bps < before and plan.why == why


def test_freezes_alone_may_be_a_busy_machine_and_chance_losses_are_no_queue() -> None:
    for report in (replace(GOOD, frozen_share=0.9), replace(GOOD, loss_share=0.08)):
        told = Governor(Limits(), 0.0)
        after(told, GOOD, 1, 12)
        assert after(told, report, 12, 40)[-1].rung is FULL


def test_it_goes_down_the_ladder_to_captions_and_comes_back() -> None:
    told = Governor(Limits(), 0.0)
    after(told, GOOD, 1, 12)
    bad = LineReport(receiver_bps=30_000, loss_share=0.4, sound_lost_share=0.6, rtt_s=0.8)
    seen = [plan.rung for plan in after(told, bad, 12, 50)]
    assert seen[-1] is CAPTIONS and AUDIO in seen and told.plan.target_bps == 0
    back = after(told, GOOD, 50, 260)
    assert back[-1].rung is FULL
    assert {AUDIO, STILL, SMALL, MEDIUM} <= {plan.rung for plan in back}  # one rung after the other


def test_a_line_that_loses_half_of_everything_is_left_for_what_it_carries_within_seconds() -> None:
    told = Governor(Limits(), 0.0)
    narrow = LineReport(receiver_bps=None, loss_share=0.5, sound_lost_share=0.5, rtt_s=0.9)
    assert after(told, narrow, 1, 6)[-1].rung not in (FULL, MEDIUM, SMALL)


def test_the_next_connection_begins_no_better_than_the_one_before_carried() -> None:
    told = Governor(Limits(), 0.0, 70_000)
    assert told.plan.rung is STILL and told.plan.target_bps == 70_000
    plans = after(told, GOOD, 1, 120)
    assert STILL is plans[5].rung and plans[-1].rung is FULL
    assert Governor(Limits(), 0.0, 35_000).plan.rung is AUDIO


def test_a_rung_that_failed_is_tried_later_each_time() -> None:
    told, tries, before = Governor(Limits(), 0.0), [], SMALL
    for at in range(1, 400):
        is_too_much = told.plan.rung is not SMALL and told.plan.rung is not STILL
        plan = told.step(float(at), replace(GOOD, rtt_s=1.2 if is_too_much else 0.25, receiver_bps=400_000))
        if RUNGS.index(plan.rung) < RUNGS.index(before):
            tries.append(at)
        before = plan.rung
    waits = [b - a for a, b in pairwise(tries)]
    assert len(tries) < 12 and waits and waits[-1] > waits[0], tries


def test_the_app_may_limit_the_ladder() -> None:
    told = Governor(Limits(top=AUDIO), 0.0)
    assert {plan.rung for plan in after(told, GOOD, 1, 60)} == {AUDIO}
    assert told.plan.target_bps == 0 and told.plan.sound == governor.LOWEST_SOUND
    told = Governor(Limits(top=STILL), 0.0)
    assert {plan.rung for plan in after(told, GOOD, 1, 60)} == {STILL}


def test_a_slot_that_draws_small_pictures_needs_less_of_a_line() -> None:
    assert FULL.needs_bps(512) == 450_000 and FULL.needs_bps(256) == 225_000
    assert MEDIUM.needs_bps(256) == 166_666 and SMALL.needs_bps(128) == 130_000
    assert ladder.carried_by(0, 512) is CAPTIONS and ladder.carried_by(10**9, 512, SMALL) is SMALL


def test_what_travels_beside_the_picture_is_counted() -> None:
    assert governor.attestation_form(299_999) is Form.COMPACT and governor.attestation_form(300_000) is Form.FULL
    for rung in (FULL, MEDIUM, SMALL, STILL):
        target = rung.from_bps
        spent = governor.picture_bps(target, rung.frames_per_s)
        attestation = 330 if governor.attestation_form(target) is Form.FULL else 90
        assert target / 2 < spent <= target - 8 * rung.frames_per_s * attestation


reports = st.builds(
    LineReport, receiver_bps=st.none() | st.integers(1, 3_000_000), loss_share=st.none() | st.floats(0, 1),
    sound_lost_share=st.none() | st.floats(0, 1), rtt_s=st.none() | st.floats(0, 3),
    frozen_share=st.none() | st.floats(0, 1))
steps = st.lists(st.tuples(st.floats(0.05, 3.0), reports), max_size=200)


@given(steps, st.sampled_from(RUNGS), st.sampled_from([256, 384, 512]))
def test_whatever_is_told(told: list[tuple[float, LineReport]], top: ladder.Rung, most_px: int) -> None:
    """Never above the receiver's word or a limit; rungs change no faster than the hysteresis says; the same reports
    give the same plans.
    """
    limits = Limits(ceiling_bps=900_000, most_px=most_px, most_frames_per_s=25, top=top)
    one, other = Governor(limits, 0.0), Governor(limits, 0.0)
    now_s, word, word_s, before, changed_s = 0.0, 0, 0.0, one.plan, 0.0
    for wait_s, report in told:
        now_s += wait_s
        plan = one.step(now_s, report)
        assert plan == other.step(now_s, report)
        if report.receiver_bps:
            word, word_s = report.receiver_bps, now_s
        if word and now_s - word_s <= governor.WORD_HOLDS_S:
            assert plan.target_bps <= word
        assert plan.target_bps <= limits.ceiling_bps and plan.picture_bps <= (plan.target_bps or governor.FLOOR_BPS)
        assert plan.size_px <= most_px and plan.frames_per_s <= 25 and RUNGS.index(plan.rung) >= RUNGS.index(top)
        assert plan.resend_bps <= 0.2 * plan.target_bps + 1 and 24_000 <= plan.sound.bit_rate_bps <= 32_000
        assert plan.rung.has_picture or plan.target_bps == 0
        if plan.rung is not before.rung:
            is_up = RUNGS.index(plan.rung) < RUNGS.index(before.rung)
            assert now_s - changed_s >= (governor.OPENING_STOOD_S if is_up else 0.0)
            if is_up and before.why not in ("start", "quiet"):
                assert now_s - changed_s >= governor.UP_AFTER_S
                assert RUNGS.index(before.rung) - RUNGS.index(plan.rung) == 1
            changed_s = now_s
        before = plan
