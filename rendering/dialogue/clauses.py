"""Where a text may be cut to be spoken piece by piece. PURE.

A cut comes after the end of a sentence, or at a comma, semicolon, colon or dash once enough words stand before it:
the first piece may be short, so that the first sound comes soon, the later ones are longer, so that the melody of the
sentence is kept. Never inside a number ("1,00,000", "3.5", "10, 20 and 30") nor after an abbreviation ("Dr.", "Rs.").
"""

import re

MAX_CLAUSE_CHARS = 240  # longer ones are cut at a space
FIRST_CLAUSE_CHARS = 14  # least length of a piece that ends inside a sentence: the first of a text,
LATER_CLAUSE_CHARS = 40  # and one that follows

_ENDS = ".!?।॥…"  # the danda closes a sentence in Hindi, Bengali and Assamese
_PAUSES = ",;:—–"
_LINE_STARTS = "\n-*•#"  # a line end before one of these ends a paragraph, a heading or a point; any other is a space
_CLOSERS = "\"'”’)]»"
_TITLES_TEXT = "mr mrs ms dr prof st shri smt vs approx govt e.g i.e डॉ श्री ডা শ্রী"
_TITLES = frozenset(_TITLES_TEXT.split())  # something always follows
_COUNTED_TEXT = "no nos rs re fig vol pp tel ext jan feb mar apr jun jul aug sep sept oct nov dec"
_COUNTED = frozenset(_COUNTED_TEXT.split())  # a number follows: "no. 12"; else it ends a sentence: "I said no."
_CLOSING_TEXT = "sr jr etc inc ltd pvt co dept a.m p.m u.s u.k"
_CLOSING = frozenset(_CLOSING_TEXT.split())  # may end a sentence; then a capital follows
_INITIAL = re.compile(r"(?:\w\.)*\w", re.UNICODE)


class ClauseCutter:
    """Cuts a text that comes in chunks; the pieces are the same however it was chunked.

    Args:
        only_sentences: cut at the ends of sentences alone.
    """

    def __init__(self, *, only_sentences: bool = False) -> None:
        self._only_sentences = only_sentences
        self._pending = ""
        self._looked = 0  # characters of `_pending` that hold no border
        self._is_first = True

    def push(self, chunk: str) -> list[str]:
        """Take more of the text; returns the pieces that are now sure to be over."""
        self._pending = (self._pending + chunk).lstrip()
        return self._cut(is_over=False)

    def finish(self) -> list[str]:
        """The text is over, or something else begins: returns what is left of it."""
        pieces = self._cut(is_over=True)
        rest = self._pending.strip()
        self._pending, self._looked = "", 0
        if rest:
            self._is_first = False
            pieces.append(rest)
        return pieces

    def _cut(self, *, is_over: bool) -> list[str]:
        pieces: list[str] = []
        while (end := self._next_border(is_over=is_over)) is not None:
            piece = self._pending[:end].strip()
            self._pending, self._looked = self._pending[end:].lstrip(), 0
            if piece:
                self._is_first = False
                pieces.append(piece)
        return pieces

    def _next_border(self, *, is_over: bool) -> int | None:
        """Index behind the first border, or None while there is none or its neighbours are not known yet."""
        text = self._pending
        for index in range(self._looked, len(text)):
            if index >= MAX_CLAUSE_CHARS:
                return _cut_of_long(text[:MAX_CLAUSE_CHARS])
            if text[index] == "\n":
                following_line = text[index + 1 :].lstrip(" \t\r")[:1]
                if not following_line and not is_over:
                    self._looked = index
                    return None
                if following_line in _LINE_STARTS:
                    return index + 1
            elif text[index] in _ENDS or (text[index] in _PAUSES and not self._only_sentences):
                following = _following(text, index + 1)
                if following is None and not is_over:
                    self._looked = index
                    return None
                if following is not None and self._is_border(index, *following):
                    return following[0]
        self._looked = len(text)
        return None

    def _is_border(self, index: int, behind: int, follower: str) -> bool:
        """Whether the piece ends with the mark at `index`; `behind` is where its closers end, `follower` comes next."""
        text = self._pending
        if not text[behind : behind + 1].isspace():
            return False
        before = text[:index]
        if text[index] in _ENDS:
            return text[index] != "." or not _is_abbreviation(before, follower)
        if before[-1:].isdigit() and follower.isdigit():
            return False  # a row of numbers
        return len(before.strip()) >= (FIRST_CLAUSE_CHARS if self._is_first else LATER_CLAUSE_CHARS)


def clauses(text: str) -> list[str]:
    """The pieces of a whole text."""
    cutter = ClauseCutter()
    return [*cutter.push(text), *cutter.finish()]


def sentences(text: str) -> list[str]:
    """The sentences of a whole text, the overlong ones cut."""
    cutter = ClauseCutter(only_sentences=True)
    return [*cutter.push(text), *cutter.finish()]


def _following(text: str, start: int) -> tuple[int, str] | None:
    """Where the closers behind a mark end, and the next character that is no space; None when that is not known."""
    behind = start
    while behind < len(text) and text[behind] in _CLOSERS:
        behind += 1
    for index in range(behind, len(text)):
        if not text[index].isspace():
            return behind, text[index]
    return None


def _is_abbreviation(before: str, follower: str) -> bool:
    word = before.split()[-1].lower().lstrip("(\"'“‘[") if before.split() else ""
    if word in _TITLES:
        return True
    if word in _COUNTED:
        return follower.isdigit()
    if word in _CLOSING:
        return not follower.isupper()
    if word.isdigit():
        return before.strip() == word  # "1. Call us": the number of a list
    return (len(word) == 1 and word.isalpha()) or ("." in word and _INITIAL.fullmatch(word) is not None)


def _cut_of_long(text: str) -> int:
    """Where to cut a text without a border: behind its last space that is not inside a number, else at its end."""
    for found in reversed(list(re.finditer(r"[,;:—–]?\s+", text))):
        is_inside_number = text[: found.start()][-1:].isdigit() and text[found.end() : found.end() + 1].isdigit()
        if found.start() and not is_inside_number:
            return found.end()
    return len(text)
