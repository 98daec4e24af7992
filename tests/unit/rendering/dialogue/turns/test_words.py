"""What partial words say, one rule after another."""

import pytest

from rendering.dialogue.turns.words import expected_by, is_backchannel, read, wants_floor


@pytest.mark.parametrize(("asked", "kind"), [
    ("", "nothing"), ("How many people will come?", "number"), ("When would it suit you?", "time"),
    ("What time is best?", "time"), ("Did the parcel arrive?", "yes_no"), ("Why did you choose that one?", "open"),
    ("I see.", "nothing"), ("What is the code on the letter?", "number"),
])  # fmt: skip
def test_the_kind_of_answer_a_question_wants(asked: str, kind: str) -> None:
    assert expected_by(asked) == kind


@pytest.mark.parametrize(
    "text", ["i would like the", "we went to", "it was cold and", "because", "i think i", "it is very"]
)
def test_an_open_phrase_is_open(text: str) -> None:
    assert read(text, "nothing").is_open_last


@pytest.mark.parametrize("text", ["no", "i like the sea", "where are you from", "yes i do", "thank you", "me too"])
def test_a_whole_phrase_is_not(text: str) -> None:
    assert not read(text, "nothing").is_open_last


def test_a_filler_holds_the_floor() -> None:
    assert read("i live in um", "open").is_filler_last
    assert read("मैं दिल्ली में मतलब", "open").is_filler_last


@pytest.mark.parametrize("text", ["it was you know", "i want let me think", "the red one i mean"])
def test_phrases_that_hesitate_are_fillers(text: str) -> None:
    assert read(text, "open").is_filler_last


def test_like_is_a_filler_or_a_verb() -> None:
    assert read("it was so like", "open").is_filler_last and not read("that is what i like", "open").is_filler_last


@pytest.mark.parametrize("text", ["i like it but my son", "when the weather", "our roof", "and she", "if the rain"])
def test_a_subject_without_a_verb_leaves_its_clause_open(text: str) -> None:
    assert read(text, "nothing").is_clause_open


@pytest.mark.parametrize(
    "text", ["but my son likes it", "when it rains", "our roof was wet", "and then", "but only for a while", "hello"]
)
def test_a_clause_with_its_verb_does_not(text: str) -> None:
    assert not read(text, "nothing").is_clause_open


def test_a_bare_noun_answers_a_question() -> None:
    assert not read("the radio", "open").is_clause_open and read("the radio", "nothing").is_clause_open


def test_a_question_is_closed_when_it_stands_whole() -> None:
    assert read("what does that cost", "nothing").is_question_closed
    assert not read("what does the", "nothing").is_question_closed
    assert not read("what", "nothing").is_question_closed


def test_an_answer_is_given_or_missing() -> None:
    assert read("seven of us", "number").is_answer_given
    assert read("well", "yes_no").is_answer_missing
    assert not read("well", "open").is_answer_missing
    assert read("", "time").is_answer_missing
    assert not read("tuesday and", "time").is_answer_given  # it goes on


def test_digits_are_counted_from_the_end() -> None:
    assert read("it is nine eight four", "number").number_run == 3
    assert read("nine o'clock please", "time").number_run == 0


def test_small_words_of_listening() -> None:
    assert is_backchannel("Mm-hm.") and is_backchannel("yeah okay")
    assert not is_backchannel("") and not is_backchannel("yeah but no") and not is_backchannel("i see i see i see")
    assert wants_floor("wait") and wants_floor("can you repeat that") and not wants_floor("yeah")
