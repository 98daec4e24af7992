"""Where a text is cut to be spoken: soon, never inside a number, and however it is chunked."""

from hypothesis import given
from hypothesis import strategies as st

from rendering.dialogue.clauses import MAX_CLAUSE_CHARS, ClauseCutter, clauses, sentences

TEXTS = (
    "Your claim reached us on Friday, and the payment takes five working days. Anything else?",
    "Dr. A. Baruah sees you at 5 p.m. today, room no. 12. The fee is Rs. 1,50,000.50 in all.",
    "আপোনাৰ দাবী শুক্ৰবাৰে পাইছো। পইচা পাঁচ দিনত পাব!",
    "नमस्ते, मैं आपकी मदद कर सकता हूँ। क्या हुआ?",
    "Three things:\n- first, call us\n- second, wait.\n\n"
    "Then we meet (\"soon\"). It costs 10, 20 or 30 rupees, e.g. here.",
    "word " * 120, "x" * 700, "1. Call us. 2. Wait. 3", '"Really?" she asked. He said: "No."', "...", "",
)


def chunked(text: str, sizes: list[int]) -> list[str]:
    cutter, pieces, start = ClauseCutter(), [], 0
    for size in sizes:
        pieces += cutter.push(text[start : start + size])
        start += size
    return [*pieces, *cutter.push(text[start:]), *cutter.finish()]


def test_the_first_piece_is_short_and_the_later_ones_keep_their_sentence() -> None:
    assert clauses(TEXTS[0]) == [
        "Your claim reached us on Friday,", "and the payment takes five working days.", "Anything else?"]
    assert clauses("Yes, of course.") == ["Yes, of course."]
    assert clauses("It is covered, as you see. It is so, as ever.")[1] == "It is so, as ever."


def test_numbers_and_abbreviations_stay_whole() -> None:
    assert sentences(TEXTS[1]) == [
        "Dr. A. Baruah sees you at 5 p.m. today, room no. 12.", "The fee is Rs. 1,50,000.50 in all."]
    assert "It costs 10, 20 or 30 rupees," in clauses(TEXTS[4])[-1]
    assert sentences("Come at 5 p.m. The office is open.") == ["Come at 5 p.m.", "The office is open."]
    assert sentences("I said no. Then I left in Mar. It is in Mar. 2026 again.") == [
        "I said no.", "Then I left in Mar.", "It is in Mar. 2026 again."]
    assert sentences("1. Call us. 2. Wait.") == ["1. Call us.", "2. Wait."]
    assert sentences("It was in 1998. Then it ended.") == ["It was in 1998.", "Then it ended."]


def test_the_danda_ends_a_sentence() -> None:
    assert sentences(TEXTS[2]) == ["আপোনাৰ দাবী শুক্ৰবাৰে পাইছো।", "পইচা পাঁচ দিনত পাব!"]
    assert len(sentences(TEXTS[3])) == 2


def test_a_line_that_is_only_wrapped_is_one_sentence_and_a_point_is_its_own() -> None:
    assert sentences("The roof is\ncovered.\nAlways.") == ["The roof is\ncovered.", "Always."]
    assert sentences("Bring\n- a letter\n- a photo") == ["Bring", "- a letter", "- a photo"]


def test_an_overlong_text_is_cut_at_a_space_and_nothing_is_lost() -> None:
    for text in TEXTS:
        pieces = clauses(text)
        assert all(len(piece) <= MAX_CLAUSE_CHARS for piece in pieces)
        assert "".join("".join(pieces).split()) == "".join(text.split())
    assert not any(piece.endswith("10") for piece in clauses(("a " * 118) + "10 000 rupees"))


@given(st.sampled_from(TEXTS), st.lists(st.integers(0, 40), max_size=30))
def test_it_does_not_matter_how_the_text_was_chunked(text: str, sizes: list[int]) -> None:
    assert chunked(text, sizes) == clauses(text)


@given(st.text(alphabet="ab1.,;?! \n-()\"।", max_size=400), st.lists(st.integers(0, 9), max_size=60))
def test_nor_for_any_other_text(text: str, sizes: list[int]) -> None:
    assert chunked(text, sizes) == clauses(text)


def test_a_piece_comes_as_soon_as_what_follows_is_known() -> None:
    cutter = ClauseCutter()
    assert cutter.push("Your claim reached us on Friday,") == []
    assert cutter.push(" a") == ["Your claim reached us on Friday,"]
