"""The state tables of rendering and jobs, and the two pure modules that put reports and policies into words."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rendering.services import policy_words, quality
from rendering.states import CONVERSATION, FOOTAGE, REPLICA_VERSION
from trustcore.jobs.states import JOB
from trustcore.primitives.errors import InvalidTransition
from trustcore.primitives.states import next_state

MACHINES = [CONVERSATION, FOOTAGE, REPLICA_VERSION, JOB]
FINAL = {"conversation": {"ended"}, "footage": {"refused", "erased"}, "replica_version": {"retired"},
         "job": {"done", "failed", "lost", "cancelled"}}  # fmt: skip


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_what_is_over_stays_over(machine):
    assert set(machine.final_states) == FINAL[machine.name]
    for state in machine.final_states:
        for action in {action for _, action in machine.transitions}:
            with pytest.raises(InvalidTransition):
                next_state(machine, state, action)


@given(st.lists(st.sampled_from(sorted({action for _, action in CONVERSATION.transitions})), max_size=12))
def test_no_conversation_is_live_before_a_viewer_joined(actions):
    state, seen = CONVERSATION.initial, [CONVERSATION.initial]
    for action in actions:
        if (state, action) in CONVERSATION.transitions:
            state = next_state(CONVERSATION, state, action)
            seen.append(state)
    if "live" in seen:
        assert seen[: seen.index("live") + 1] == ["waiting", "joining", "live"]
    if "ended" in seen:
        assert seen[-1] == "ended"


@given(st.lists(st.sampled_from(sorted({action for _, action in FOOTAGE.transitions})), max_size=8))
def test_no_footage_is_accepted_before_it_was_whole(actions):
    state, done = FOOTAGE.initial, []
    for action in actions:
        if (state, action) in FOOTAGE.transitions:
            state = next_state(FOOTAGE, state, action)
            done.append(action)
    if state in ("accepted", "erased"):
        assert done[:2] == ["complete", "accept"]


def test_a_missing_figure_is_not_run_and_stands_first():
    rows = quality.bars({"quality": {"held_out": {"psnr_full_db": 30.0, "psnr_face_db": 25.0, "ssim": 0.9}}})
    assert rows[0].verdict == "not_run"
    by_name = {row.name: row.verdict for row in rows}
    assert by_name["Whole picture"] == "pass" and by_name["Face"] == "warn" and by_name["Mouth"] == "not_run"


GOOD = {
    "held_out": {"psnr_full_db": 30.0, "psnr_face_db": 25.0, "psnr_mouth_db": 26.0, "ssim": 0.9}, "gain_full_db": 4.0,
}


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"held_out": {**GOOD["held_out"], "psnr_face_db": 22.0}}, "Face"),
        ({"held_out": {**GOOD["held_out"], "ssim": None}}, "Structure"),
        ({"gain_full_db": 0.5}, "Better than copying"),
        ({"redetected": {"landmark_error_pct": 6.0, "jitter_ratio": 1.0}}, "Features in place"),
        ({"redetected": {"landmark_error_pct": 1.0, "jitter_ratio": 3.5}}, "Steadiness"),
        ({"redetected": {"redetected_share": 0.1}}, "A face is found"),
        *(({"held_out": {**GOOD["held_out"], "psnr_full_db": told}}, "Whole picture")
          for told in (float("nan"), float("inf"), "30.0", True, [30.0])),
        ({"gain_full_db": float("nan")}, "Better than copying"),
    ],
)
def test_a_version_below_the_floor_is_kept_from_those_who_approve(change, name):
    assert quality.reasons_against({"quality": GOOD}) == []
    reasons = quality.reasons_against({"quality": {**GOOD, **change}})
    assert len(reasons) == 1 and reasons[0].startswith(f"{name}: ")


@pytest.mark.parametrize(
    "told",
    [
        '[]', '"fine"', "not JSON", '{"quality": [1]}', '{"quality": {"held_out": "fine"}}', '{"x": NaN}',
        '{"x": 1e999}',
        '{"x": -Infinity}', f'{{"x": {"9" * 400}}}', "[" * 100_000, '{"calibration": []}',
        '{"calibration": {"emotion_caps_milli": {"joy": "900"}}}',
        '{"calibration": {"emotion_caps_milli": {"joy": -1}}}',
        '{"calibration": {"emotion_caps_milli": {"joy": 1001}}}',
        '{"calibration": {"emotion_caps_milli": {"glee": 1}}}',
        '{"film": {"fps": "fast", "start_s": 0, "errors": [1]}}',
        '{"film": {"fps": 25, "start_s": 0, "errors": "abc"}}',
        '{"coverage": {"seconds": 20}}', '{"coverage": {"seconds": "all"}}',
    ],
)  # fmt: skip
def test_a_report_that_the_page_could_not_show_is_refused_when_it_is_handed_in(told):
    with pytest.raises(ValueError):  # noqa: PT011
        quality.read_report(told.encode())


def test_a_report_may_lack_figures():
    assert quality.read_report(b'{"quality": {"held_out": null, "redetected": null}}')["quality"]
    assert len(quality.reasons_against(quality.read_report(b"{}"))) == 5


def test_nothing_measured_is_too_poor():
    assert len(quality.reasons_against({})) == 5


def test_an_emotion_the_person_did_not_agree_to_has_no_level():
    class Consent:
        def emotion_max_milli(self, emotion):
            return 700 if emotion == "joy" else 0

    cells = quality.emotion_cells({"calibration": {"emotion_caps_milli": {"joy": 900, "anger": 500}}}, Consent())
    assert {cell.name: cell.agreed_milli for cell in cells} == {"joy": 700, "anger": 0}


def test_changes_of_a_policy_are_told_in_words():
    before = {
        "emotions_max_milli": {"joy": 600, "anger": 100}, "uses": {"support": {"adults": 500}}, "contexts": ["public"],
        "session_max_min": 30,
    }  # fmt: skip
    after = {
        "emotions_max_milli": {"joy": 300, "anger": 100}, "uses": {"education": {"adults": 400}},
        "contexts": ["public"], "session_max_min": 20,
    }  # fmt: skip
    assert policy_words.changes(before, after) == [
        "Joy is lowered from 600 to 300.", "Education for adults is now allowed, with every emotion at most 400.",
        "Support for adults is no longer allowed.", "A session lasts at most 20 minutes, was 30.",
    ]  # fmt: skip
    assert policy_words.changes(before, before) == []


@pytest.mark.parametrize("found", [
    {"held_out": {"psnr_face_db": 1e9}}, {"held_out": {"psnr_full_db": -3}}, {"held_out": {"ssim": 1.2}},
    {"redetected": {"redetected_share": 3}}, {"redetected": {"landmark_error_pct": -1.0}},
    {"held_out": {"psnr_full_db": 33.0}, "nearest_frame": {"psnr_full_db": 24.0}, "gain_full_db": 12.0},
])  # fmt: skip
def test_figures_that_cannot_be_or_contradict_each_other_are_no_report(found):
    with pytest.raises(ValueError, match="cannot be|difference"):
        quality.read_report(json.dumps({"quality": found}).encode())
    honest = {"held_out": {"psnr_full_db": 34.07, "ssim": 0.972}, "nearest_frame": {"psnr_full_db": 24.09},
              "gain_full_db": 9.99, "redetected": {"redetected_share": 1.0, "landmark_error_pct": 0.45}}  # fmt: skip
    assert quality.read_report(json.dumps({"quality": honest}).encode())["quality"] == honest
