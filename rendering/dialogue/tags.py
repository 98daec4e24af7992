"""Emotion tags inside a text: `<emotion value="joy" intensity="700"/>`. PURE.

A tag holds from where it stands until the next one; the intensity, in thousandths, may be left out. What begins like a
tag and is none is dropped with all that belongs to it, and changes nothing: no tag is ever spoken.
"""

import re

from rendering.dialogue.clauses import sentences
from rendering.dialogue.seams import Line
from trustcore.policy.clamp import DEFAULT_MILLI, EMOTION_WORDS, MAX_MILLI

MAX_TAG_CHARS = 160

# Whatever begins like an emotion tag: up to its end if that is near, else as far as it reads like a tag.
_TAG_LIKE = re.compile(
    r"""<\s*/?\s*emotion\w*(?:[^<>]{0,120}>|(?:\s*[\w-]+\s*=\s*(?:"[^"<>\s]*"?|'[^'<>\s]*'?|[^\s<>"']+))*\s*/?)""",
    re.IGNORECASE,
)
_TAG = re.compile(r"""<emotion((?:\s+[a-z]+\s*=\s*(?:"[^"<>]*"|'[^'<>]*'))+)\s*/>""", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([a-z]+)\s*=\s*["']([^"'<>]*)["']""", re.IGNORECASE)
_WORD, _MILLI = re.compile(r"[a-z_]{1,24}"), re.compile(r"[0-9]{1,4}")


def parse_tagged_text(text: str) -> tuple[Line, ...]:
    """Split a whole text into sentences, each with the emotion of the last tag before it."""
    lines: list[Line] = []
    emotion, milli, reached = None, 0, 0
    for found in _TAG_LIKE.finditer(text):
        lines += _tagged(text[reached : found.start()], emotion, milli)
        emotion, milli = read_tag(found.group()) or (emotion, milli)
        reached = found.end()
    return (*lines, *_tagged(text[reached:], emotion, milli))


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


def _tagged(text: str, emotion: str | None, milli: int) -> list[Line]:
    return [Line(sentence, emotion, milli if emotion else 0, "tag") for sentence in sentences(text)]
