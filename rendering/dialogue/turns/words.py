"""What the words so far say about the end of a turn. Pure; works on what a recogniser gives, without punctuation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

# English first, then Hindi, Bengali and Assamese: a word of one language means nothing in the others' scripts.
FILLERS = frozenset({
    "um", "uh", "er", "erm", "hmm", "mm", "uhm", "eh", "ah", "like", "well", "so", "मतलब", "अं", "हम्म", "तो", "মানে",
    "উম", "এই", "অঁ",
})  # fmt: skip
CONJUNCTIONS = frozenset({
    "and", "but", "or", "because", "if", "when", "while", "although", "though", "unless", "until", "since", "whereas",
    "that", "than", "as", "plus", "और", "लेकिन", "या", "क्योंकि", "अगर", "कि", "जब", "मगर", "পর", "এবং", "কিন্তু",
    "বা", "অথবা", "কারণ", "যদি", "যখন", "আর", "আৰু", "নাইবা", "কাৰণ", "যেতিয়া",
})  # fmt: skip
PREPOSITIONS = frozenset({
    "in", "on", "at", "to", "from", "of", "for", "with", "by", "about", "into", "through", "between", "under", "over",
    "near", "after", "before", "during", "without", "around", "towards",
})  # fmt: skip
DETERMINERS = frozenset({
    "the", "a", "an", "my", "your", "his", "her", "our", "their", "its", "some", "any", "every", "each", "another",
    "एक", "মোৰ", "আমার", "मेरा", "मेरी",
})  # fmt: skip
AUXILIARIES = frozenset({
    "is", "are", "was", "were", "am", "be", "been", "do", "does", "did", "have", "has", "had", "will", "would", "can",
    "could", "should", "may", "might", "must", "i'm", "i've", "i'd", "i'll", "we're", "we'll", "we'd", "it's",
    "that's", "he's", "she's", "they're", "you're", "isn't", "don't", "didn't", "can't",
})  # fmt: skip
PRONOUNS = frozenset({
    "i", "we", "he", "she",
})  # fmt: skip
ADVERBS = frozenset({
    "very", "really", "quite", "just", "about", "only", "almost", "maybe", "not", "also",
})  # fmt: skip
WH_WORDS = frozenset({
    "what", "when", "where", "who", "whom", "whose", "which", "why", "how", "क्या", "कब", "कहाँ", "कौन", "क्यों",
    "कैसे", "कितना", "কি", "কী", "কখন", "কোথায়", "কে", "কেন", "কেমন", "কত", "কেতিয়া", "ক'ত", "কোন", "কিয়",
    "কেনেকৈ", "কিমান",
})  # fmt: skip
ASKING = frozenset({
    "is", "are", "was", "were", "do", "does", "did", "have", "has", "will", "would", "can", "could", "should", "may",
    "might",
})  # fmt: skip
YES_NO = frozenset({
    "yes", "no", "yeah", "yep", "nope", "nah", "sure", "okay", "ok", "right", "correct", "exactly", "never", "always",
    "हाँ", "नहीं", "হ্যাঁ", "না", "হয়", "নহয়",
})  # fmt: skip
CLOSERS = frozenset({
    "thanks", "thank", "please", "okay", "ok", "bye", "goodbye", "right", "yes", "no", "yeah", "sure", "though",
    "today", "tomorrow", "too", "actually", "धन्यवाद", "ধন্যবাদ",
})  # fmt: skip
NUMBERS = frozenset({
    "zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty", "thirty", "forty",
    "fifty", "sixty", "seventy", "eighty", "ninety", "hundred", "thousand", "double",
})  # fmt: skip
TIMES = frozenset({
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "january", "february", "march",
    "april", "may", "june", "july", "august", "september", "october", "november", "december", "today", "tomorrow",
    "yesterday", "tonight", "morning", "afternoon", "evening", "night", "noon", "midnight", "week", "month", "year",
    "o'clock", "weekend",
})  # fmt: skip
BACKCHANNELS = frozenset({
    "mm", "mhm", "hmm", "uh-huh", "uh", "huh", "mm-hm", "yeah", "yes", "yep", "ok", "okay", "right", "sure", "i",
    "see", "wow", "oh", "really", "हाँ", "अच्छा", "ठीक", "হ্যাঁ", "আচ্ছা", "ঠিক",
})  # fmt: skip
STOPS = frozenset({
    "stop", "wait", "no", "hold", "sorry", "excuse", "but", "actually", "रुको", "बस", "থামো", "থামুন", "ৰওক",
})  # fmt: skip

Expected = Literal["nothing", "yes_no", "number", "time", "open"]
_WORD = re.compile(r"[^\s.,;:!?…।\"()]+")
MAX_WORDS = 60  # the end of a turn is decided by its last words


@dataclass(frozen=True)
class Reading:
    """What stands in the words so far; each 0 or 1 except the counts."""

    count: int
    is_filler_last: bool
    is_open_last: bool
    is_question_closed: bool
    is_answer_given: bool
    is_answer_missing: bool
    is_closer_last: bool
    number_run: int


def split(text: str) -> list[str]:
    """Lower-case words without marks, at most the last MAX_WORDS."""
    return _WORD.findall(text.lower())[-MAX_WORDS:]


def expected_by(asked: str) -> Expected:
    """What kind of answer the replica's last sentence asks for."""
    words = split(asked)
    if not words:
        return "nothing"
    text = " ".join(words)
    if re.search(r"\bhow (many|much|old|long|far)\b|\bnumber\b|\bcode\b", text):
        return "number"
    if re.search(r"\bwhen\b|\bwhat (time|day|date)\b|\bwhich (day|month|week)\b", text):
        return "time"
    if set(words) & WH_WORDS:
        return "open"
    if words[0] in ASKING or (asked.rstrip().endswith("?") and set(words[:3]) & ASKING):
        return "yes_no"
    return "open" if asked.rstrip().endswith("?") else "nothing"


def read(text: str, expected: Expected) -> Reading:
    """Read the words of a turn so far.

    Args:
        text: as the recogniser gave it; may be empty.
        expected: what the replica asked for (`expected_by`).
    """
    words = split(text)
    if not words:
        return Reading(0, False, False, False, False, expected not in ("nothing", "open"), False, 0)
    last = words[-1]
    is_filler = last in FILLERS
    is_open = _leaves_open(words)
    is_given = _answers(words, expected)
    return Reading(
        count=len(words),
        is_filler_last=is_filler,
        is_open_last=is_open,
        is_question_closed=_asks(words) and len(words) >= 3 and not (is_open or is_filler),
        is_answer_given=is_given and not (is_open or is_filler),
        is_answer_missing=expected not in ("nothing", "open") and not is_given,
        is_closer_last=last in CLOSERS,
        number_run=_number_run(words),
    )


def is_backchannel(text: str) -> bool:
    """Only small words of listening, three at most. No words at all are none."""
    words = split(text)
    return 0 < len(words) <= 3 and all(word in BACKCHANNELS for word in words)


def wants_floor(text: str) -> bool:
    """The words ask the other to stop, or are more than listening needs."""
    words = split(text)
    return bool(set(words) & STOPS) or (len(words) >= 3 and not is_backchannel(text))


def _leaves_open(words: list[str]) -> bool:
    last = words[-1]
    if last in CONJUNCTIONS or last in DETERMINERS or last in ADVERBS or last in PRONOUNS:
        return True
    if last in PREPOSITIONS:
        return not _asks(words)  # "where are you from" is whole
    return last in AUXILIARIES and not (set(words[-4:-1]) & (YES_NO | WH_WORDS))  # "yes I do", "how old it is"


def _asks(words: list[str]) -> bool:
    start = next((word for word in words[:4] if word not in FILLERS and word not in {"and", "but", "okay", "hi"}), "")
    return start in WH_WORDS or (start in ASKING and len(words) >= 3)


def _answers(words: list[str], expected: Expected) -> bool:
    if expected == "yes_no":
        return bool(set(words[:4]) & YES_NO)
    if expected == "number":
        return any(word in NUMBERS or word[0].isdigit() for word in words)
    if expected == "time":
        return any(word in TIMES or word in NUMBERS or word[0].isdigit() for word in words)
    return False


def _number_run(words: list[str]) -> int:
    run = 0
    for word in reversed(words):
        if word not in NUMBERS and not word[0].isdigit():
            break
        run += 1
    return run
