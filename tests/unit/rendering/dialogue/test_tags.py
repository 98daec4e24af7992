"""Text that comes in chunks becomes the same lines as the whole text, and nothing but words is ever spoken."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rendering.dialogue.seams import Line
from rendering.dialogue.tags import LineStream, lines_of

TEXT = (
    'Hello there. <emotion value="excited" intensity="700"/>Your claim is **paid**, and we are glad. '
    '<user_audio_analysis>The user sounds sad. <b>Very.</b></user_audio_analysis>'
    "<emotion value='sad'/> I am sorry: 3 < 5.5 and [this page](https://example.org/a_b) says so.\n- `Point` one"
)


def chunked(text: str, sizes: list[int]) -> list[Line]:
    stream, lines, start = LineStream(), [], 0
    for size in sizes:
        lines += stream.push(text[start : start + size])
        start += size
    return [*lines, *stream.push(text[start:]), *stream.finish()]


def test_tags_are_read_notes_and_signs_are_dropped() -> None:
    assert [(line.text, line.emotion, line.milli) for line in lines_of(TEXT)] == [
        ("Hello there.", None, 0), ("Your claim is paid, and we are glad.", "joy", 700),
        ("I am sorry: 3 < 5.5 and this page says so.", "sadness", 600), ("Point one", "sadness", 600)]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 25), max_size=40))
def test_a_tag_may_be_cut_in_two_anywhere(sizes: list[int]) -> None:
    assert chunked(TEXT, sizes) == list(lines_of(TEXT))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from((
    '<emotion value="joy"/>', '<emotion value="', "<", ">", "/>", '"', " ", "a", "Hello.", "<b>", "</b>", "emotion",
    "<user_audio_analysis>", "</user_audio_analysis>", "\n", "*", "**",
)), max_size=14), st.lists(st.integers(0, 9), max_size=40))  # fmt: skip
def test_however_it_is_written_and_chunked_it_is_the_same(parts: list[str], sizes: list[int]) -> None:
    text = "".join(parts)
    lines = chunked(text, sizes)
    assert lines == list(lines_of(text))
    assert all(any(letter.isalnum() for letter in line.text) for line in lines)


def test_control_a_note_that_is_cut_off_is_never_spoken() -> None:
    assert lines_of("Yes. <user_audio_analysis>The user sounds ") == (Line("Yes.", None, 0, "tag"),)


@pytest.mark.parametrize("filler", [" " * 300, ' x="y"' * 60, " " + "a" * 400])
@pytest.mark.parametrize("chunk", [1, 7, 5000])
def test_a_tag_that_goes_on_and_on_is_never_spoken_however_it_comes(filler: str, chunk: int) -> None:
    text = f'<emotion value="joy"{filler}/>Hello there.'
    stream, lines = LineStream(), []
    for start in range(0, len(text), chunk):
        lines += stream.push(text[start : start + chunk])
    lines += stream.finish()
    assert [line.text for line in lines] == ["Hello there."]
    assert lines[0].emotion == ("joy" if filler.isspace() else None)
