"""May a viewer's feelings be guessed at? The rule alone."""

import itertools

import pytest

from trustcore.policy import content, perception

ALLOWED = {"context_of_use": "public", "audience": "adults", "purpose": "support"}


@pytest.mark.parametrize("level", ["limited", "full"])
def test_in_public_the_wish_holds(level: str) -> None:
    assert perception.rule(level, **ALLOWED) == perception.Ruling(level)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"context_of_use": "workplace"}, "perception.prohibited"),
        ({"context_of_use": "education"}, "perception.prohibited"),
        ({"audience": "employees"}, "perception.prohibited"),
        ({"purpose": "education"}, "perception.prohibited"),
        ({"context_of_use": "unknown"}, "perception.context_unknown"),
        ({"context_of_use": ""}, "perception.context_unknown"),
        ({"context_of_use": "Public"}, "perception.context_unknown"),
        ({"audience": "minors"}, "perception.minors"),
    ],
)
def test_the_law_closes_it_whatever_is_asked(changed: dict[str, str], reason: str) -> None:
    for level in ("limited", "full"):
        ruling = perception.rule(level, **{**ALLOWED, **changed})
        assert (ruling.level, ruling.reason, ruling.is_refused) == ("off", reason, True)
    assert perception.rule("off", **{**ALLOWED, **changed}) == perception.Ruling("off")


def test_prohibited_contexts_name_the_law() -> None:
    for reason in ("perception.prohibited", "perception.context_unknown"):
        assert "Art. 5(1)(f)" in perception.REASONS[reason]  # type: ignore[index]


def test_of_every_use_that_a_policy_can_name_only_public_ones_for_adults_open() -> None:
    opened = {
        use for use in itertools.product(content.CONTEXTS, content.AUDIENCES, content.PURPOSES)
        if perception.rule("full", context_of_use=use[0], audience=use[1], purpose=use[2]).level != "off"
    }
    assert opened == {("public", "adults", "support"), ("public", "adults", "marketing")}


@pytest.mark.parametrize(
    ("layers", "level"),
    [
        ({}, "off"),
        ({"perception": {}}, "off"),
        ({"perception": {"perception_model": "raven-1"}}, "off"),  # off unless a word says otherwise
        ({"perception": {"emotion_recognition": "full"}}, "full"),
        ({"perception": {"emotion_recognition": "auto"}}, "limited"),
        ({"perception": {"perception_model": "off", "emotion_recognition": "full"}}, "off"),
        ({"perception": {"emotion_recognition": "everything"}}, "off"),
        ({"perception": "full"}, "off"),
    ],
)
def test_a_persona_asks_in_known_words_or_not_at_all(layers: dict[str, object], level: str) -> None:
    assert perception.asked_level(layers) == level


def test_limited_hears_a_voice_and_sees_no_face() -> None:
    assert perception.includes("limited", "voice") and not perception.includes("limited", "face")
    assert not perception.includes("off", "voice") and perception.includes("full", "face")
