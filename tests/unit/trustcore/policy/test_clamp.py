"""Clamping: never more than the least of policy, use and consent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustcore.policy.clamp import clamp, limits_for
from trustcore.policy.content import PolicyInvalid, allowed_uses, checked, use_ceiling
from trustcore.primitives.grants import EMOTIONS

MILLI = st.integers(min_value=0, max_value=1000)
LIMITS = st.dictionaries(st.sampled_from(EMOTIONS), MILLI)
CONTENT = {
    "emotions_max_milli": {"joy": 600, "anger": 100},
    "uses": {"support": {"adults": 1000, "minors": None}, "marketing": {"adults": 300}},
    "contexts": ["public"],
    "session_max_min": 30,
}


@given(LIMITS, st.one_of(st.none(), MILLI), LIMITS, st.sampled_from(EMOTIONS), st.integers(-50, 5000))
def test_shown_is_never_above_any_limit(policy, use, consent, emotion, asked) -> None:
    shown = clamp(emotion, asked, limits_for(policy, use, consent))
    assert 0 <= shown.shown_milli <= 1000
    if emotion != "neutral":
        assert shown.shown_milli <= min(policy.get(emotion, 0), use or 0, consent.get(emotion, 0))
        assert shown.emotion == (emotion if shown.shown_milli else "neutral")


def test_unknown_emotion_is_neutral_and_counts_as_clamped() -> None:
    shown = clamp("glee", 400, {"joy": 1000})
    assert (shown.emotion, shown.shown_milli, shown.is_clamped) == ("neutral", 0, True)


def test_within_limits_is_untouched() -> None:
    shown = clamp("joy", 400, {"joy": 400})
    assert (shown.emotion, shown.shown_milli, shown.is_clamped) == ("joy", 400, False)


def test_content_is_made_canonical() -> None:
    content = checked(CONTENT)
    assert content["emotions_max_milli"]["sadness"] == 0
    assert allowed_uses(content) == ("marketing/adults", "support/adults")
    assert use_ceiling(content, "marketing", "adults") == 300
    assert use_ceiling(content, "support", "minors") is None


@pytest.mark.parametrize(
    "change",
    [
        {"emotions_max_milli": {"glee": 1}},
        {"emotions_max_milli": {"joy": 1001}},
        {"emotions_max_milli": {"joy": 0.5}},
        {"emotions_max_milli": {"joy": True}},
        {"uses": {}},
        {"uses": {"war": {"adults": 1}}},
        {"uses": {"support": {"dogs": 1}}},
        {"contexts": []},
        {"contexts": ["moon"]},
        {"session_max_min": 0},
        {"session_max_min": 241},
        {"extra": 1},
    ],
)
def test_bad_content_is_refused_with_the_field(change) -> None:
    with pytest.raises(PolicyInvalid) as refusal:
        checked({**CONTENT, **change})
    assert refusal.value.facts["fields"]
