"""A written text, as it comes, into lines to speak. PURE.

An emotion tag, `<emotion value="joy" intensity="700"/>`, holds from where it stands until the next one; the intensity,
in thousandths, may be left out. What begins like a tag and is none is dropped with all that belongs to it, and changes
nothing: no tag is ever spoken. Other markup is dropped too, and notes that were meant for the brain alone
(`<user_audio_analysis>...</user_audio_analysis>`) with all that stands in them, also where the chunks cut a tag in two.
The lines are the same however the text was chunked, as long as a tag has no more than MAX_TAG_CHARS.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from rendering.dialogue.clauses import ClauseCutter
from rendering.dialogue.seams import Line
from trustcore.policy.clamp import DEFAULT_MILLI, EMOTION_WORDS, MAX_MILLI

MAX_HELD_CHARS = 200  # of what may become markup; longer ones are none
MAX_TAG_CHARS = 1000  # of what may become an emotion tag; what is longer is read as text

# Whatever begins like an emotion tag: up to its end if that is near, else as far as it reads like a tag.
_TAG_LIKE = re.compile(
    r"""<\s*/?\s*emotion\w*(?:[^<>]{0,950}>|(?:\s*[\w-]+\s*=\s*(?:"[^"<>\s]*"?|'[^'<>\s]*'?|[^\s<>"']+))*\s*/?)""",
    re.IGNORECASE,
)
_TAG_BEGUN = re.compile(r"<\s*/?\s*emotion", re.IGNORECASE)
_TAG = re.compile(r"""<emotion((?:\s+[a-z]+\s*=\s*(?:"[^"<>]*"|'[^'<>]*'))+)\s*/>""", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([a-z]+)\s*=\s*["']([^"'<>]*)["']""", re.IGNORECASE)
_WORD, _MILLI = re.compile(r"[a-z_]{1,24}"), re.compile(r"[0-9]{1,4}")

_MARKUP = re.compile(r"<(/?)([A-Za-z][\w-]{0,40})(?:\s[^<>]{0,150})?/?>")
_ANY = re.compile(f"(?P<emotion>{_TAG_LIKE.pattern})|(?P<markup>{_MARKUP.pattern})", re.IGNORECASE)
_NOTE = re.compile(r"user_\w+_analysis", re.IGNORECASE)
# What a page would show as bold, code, a heading, a point or a link, and a voice would read out.
_LINK = re.compile(r"\[([^\]\[]{1,200})\]\([^()\s]{1,500}\)")
_SIGNS = re.compile(r"\*\*|__|`+|(?<!\w)[*_](?=\w)|(?<=[\w.,!?])[*_](?!\w)|^(?:[-*•>]|#{1,6})\s+")



@dataclass(frozen=True)
class _Piece:
    kind: Literal["text", "emotion", "note", "end_of_note"]
    text: str


class LineStream:
    """Cuts a text that comes in chunks into lines.

    Args:
        only_sentences: one line a sentence instead of one a clause.
    """

    def __init__(self, *, only_sentences: bool = False) -> None:
        self._cutter = ClauseCutter(only_sentences=only_sentences)
        self._held = ""
        self._emotion: str | None = None
        self._milli = 0
        self._is_in_note = False

    def push(self, chunk: str) -> list[Line]:
        """Take more of the text; returns the lines that are now whole."""
        self._held += chunk
        sure = _sure_length(self._held)
        settled, self._held = self._held[:sure], self._held[sure:]
        return list(self._read(settled))

    def finish(self) -> list[Line]:
        """The text is over: returns what is left of it."""
        settled, self._held = self._held, ""
        return [*self._read(settled), *self._lines(self._cutter.finish())]

    def _read(self, text: str) -> Iterator[Line]:
        for piece in _pieces(text):
            if piece.kind == "text" and not self._is_in_note:
                yield from self._lines(self._cutter.push(piece.text))
            elif piece.kind == "emotion" and not self._is_in_note:
                yield from self._lines(self._cutter.finish())
                self._emotion, self._milli = read_tag(piece.text) or (self._emotion, self._milli)
            elif piece.kind in ("note", "end_of_note"):
                self._is_in_note = piece.kind == "note"

    def _lines(self, pieces: list[str]) -> Iterator[Line]:
        for piece in pieces:
            if spoken := speakable(piece):
                yield Line(spoken, self._emotion, self._milli if self._emotion else 0, "tag")


def lines_of(text: str, *, only_sentences: bool = False) -> tuple[Line, ...]:
    """The lines of a whole text."""
    stream = LineStream(only_sentences=only_sentences)
    return (*stream.push(text), *stream.finish())


def parse_tagged_text(text: str) -> tuple[Line, ...]:
    """The sentences of a whole text, each with the emotion of the last tag before it."""
    return lines_of(text, only_sentences=True)


def speakable(text: str) -> str:
    """A piece of text without the signs that are written for the eye; empty when nothing is left to say."""
    plain = " ".join(_SIGNS.sub("", _LINK.sub(r"\1", text.strip())).split())
    return plain if any(letter.isalnum() for letter in plain) else ""


def without_tags(text: str) -> str:
    """The words of a text that may be spoken: the last look before the voice."""
    left = _TAG_LIKE.sub(" ", text)
    while left != text:  # what stood around a tag may read like one once that is gone
        text, left = left, _TAG_LIKE.sub(" ", left)
    return " ".join(left.split())


def read_tag(tag: str) -> tuple[str, int] | None:
    """Word and thousandths of a tag, or None when it is not well formed."""
    whole = _TAG.fullmatch(tag)
    if whole is None:
        return None
    pairs = [(name.lower(), value) for name, value in _ATTRIBUTE.findall(whole.group(1))]
    given = dict(pairs)
    word, milli = given.get("value", "").lower(), given.get("intensity", str(DEFAULT_MILLI))
    is_whole = len(given) == len(pairs) and set(given) <= {"value", "intensity"}
    if not is_whole or not _WORD.fullmatch(word) or not _MILLI.fullmatch(milli) or int(milli) > MAX_MILLI:
        return None
    return EMOTION_WORDS.get(word, word), int(milli)


def _pieces(text: str) -> Iterator[_Piece]:
    reached = 0
    for found in _ANY.finditer(text):
        if found.start() > reached:
            yield _Piece("text", text[reached : found.start()])
        reached = found.end()
        markup = _MARKUP.fullmatch(found.group())
        if found.group("emotion") is not None:
            yield _Piece("emotion", found.group())
        elif markup is not None and _NOTE.fullmatch(markup.group(2)):
            is_end = bool(markup.group(1)) or found.group().endswith("/>")
            yield _Piece("end_of_note" if is_end else "note", "")
        else:
            yield _Piece("text", " ")  # what stood on both sides of it are two words
    if reached < len(text):
        yield _Piece("text", text[reached:])


def _sure_length(text: str) -> int:
    """How much of a text no later chunk can turn into a tag."""
    start = text.rfind("<")
    most = MAX_TAG_CHARS if _TAG_BEGUN.match(text, max(start, 0)) else MAX_HELD_CHARS
    if start < 0 or ">" in text[start:] or len(text) - start > most:
        return len(text)
    return start
