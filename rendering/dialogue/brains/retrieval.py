"""Which passage of what a persona was given answers a question. PURE.

Okapi BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009) over sentences and scripted
questions, with the words of a document's name as a weak second field. A question that only follows up ("and how much
is that?") is joined by the words of what was said before.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rendering.dialogue.brains.words import all_words, plain, words
from rendering.dialogue.seams import Said

SATURATION, LENGTH_SHARE = 1.2, 0.75  # BM25's k1 and b
NAME_WEIGHT = 0.5  # of a word of the document's name against one of the sentence
LEAST_COVER = 0.3  # share of the question's weight that a passage must hold, or two of its words
USER_BEFORE, REPLICA_BEFORE = 0.5, 0.3  # weight of the words said before, in a question that follows up
KIND_BONUS = 1.3  # of a passage that has what the question asks for: an amount, a time

_MAX_FOLLOW_UP_WORDS = 2  # telling words of its own; a question with more stands by itself
_FOLLOWS_TEXT = (
    "and that it this those these they them then there also what's "
    "और यह वह उस इस उसका इसका उसके इसके तो "
    "আর এবং এটা সেটা তার এর তাহলে ওটা "
    "আরু এইটো সেইটো তেন্তে ইয়ার তার"
)
_FOLLOWS = frozenset(plain(_FOLLOWS_TEXT).split())
_HOW_MUCH = re.compile(
    r"\bhow (much|many)\b|\b(cost|price|fee|amount)s?\b|कितन|कीमत|শতকরা|\bকত\b|দাম|\bকিমান\b|মূল্য", re.IGNORECASE)
_WHEN = re.compile(r"\b(when|how long|how soon|what time)\b|\bकब\b|কখন|কেতিয়া|কতদিন", re.IGNORECASE)
_AMOUNT = re.compile(
    r"\d|\b(hundred|thousand|lakh|crore|rupees?|per ?cent|free|one|two|three|five|ten|twenty|fifty)\b"
    r"|सौ|हज़ार|हजार|लाख|रुपय|শ টাকা|হাজার|লাখ|টাকা|টকা|মুক্ত", re.IGNORECASE)
_TIME = re.compile(
    r"\d|\b(days?|weeks?|months?|years?|hours?|minutes?|today|tomorrow|(mon|tues|wednes|thurs|fri|satur|sun)day)\b"
    r"|दिन|सप्ताह|हफ़्त|महीन|साल|घंट|দিন|সপ্তাহ|মাস|বছর|ঘণ্টা|সপ্তাহ|দিনত|ঘন্টা", re.IGNORECASE)


@dataclass(frozen=True)
class Passage:
    """Something that may be said. `asked` is what a question is compared with: the script's question, or itself."""

    asked: str
    answer: str
    source: str = ""  # name of the document


@dataclass(frozen=True)
class Found:
    """A passage and how well it fits. `cover`: the share of the question's weight that it holds, 0..1."""

    passage: Passage
    score: float
    cover: float


class Retrieval:
    """An index over passages. The same question finds the same passages."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._passages = tuple(passages)
        self._counts = [_counts_of(passage) for passage in passages]
        self._lengths = [sum(counts.values()) for counts in self._counts]
        self._mean_length = sum(self._lengths) / len(passages) if passages else 1.0
        holders = Counter(word for counts in self._counts for word in counts)
        total = len(passages)
        self._weights = {word: math.log(1 + (total - n + 0.5) / (n + 0.5)) for word, n in holders.items()}
        # Of a word that no passage has: as telling as the others, for it may be the very thing that was asked.
        self._unknown = sum(self._weights.values()) / len(self._weights) if self._weights else 1.0

    def find(self, message: str, before: Sequence[Said] = ()) -> list[Found]:
        """Passages that answer `message`, best first; empty when nothing fits."""
        asked = _question(message, before)
        whole = sum(share * self._weights.get(word, self._unknown) for word, share in asked.items())
        found = []
        for index, counts in enumerate(self._counts):
            shared = asked.keys() & counts.keys()
            cover = sum(asked[word] * self._weights[word] for word in shared) / whole if shared else 0.0
            if shared and (cover >= LEAST_COVER or len(shared) > 1):
                score = self._score(index, shared, asked) * _bonus(message, self._passages[index].answer)
                found.append(Found(self._passages[index], score, cover))
        return sorted(found, key=lambda one: -one.score)  # stable: the earlier one of two that fit as well

    def _score(self, index: int, shared: set[str], asked: Mapping[str, float]) -> float:
        counts, length = self._counts[index], self._lengths[index] / self._mean_length
        slack = SATURATION * (1 - LENGTH_SHARE + LENGTH_SHARE * length)
        return sum(
            asked[word] * self._weights[word] * counts[word] * (SATURATION + 1) / (counts[word] + slack)
            for word in sorted(shared))


def follows_up(message: str) -> bool:
    """Whether a message leans on what was said before it."""
    own = all_words(message)
    return len(words(message)) <= _MAX_FOLLOW_UP_WORDS and bool(_FOLLOWS & set(own) or not words(message))


def _question(message: str, before: Sequence[Said]) -> dict[str, float]:
    """Words that are asked for, each with its share."""
    asked = dict.fromkeys(words(message), 1.0)
    if follows_up(message):
        for role, share in (("user", USER_BEFORE), ("replica", REPLICA_BEFORE)):
            last = next((said.text for said in reversed(before) if said.role == role and said.text != message), "")
            for word in words(last):
                asked.setdefault(word, share)
    return asked


def _counts_of(passage: Passage) -> Mapping[str, float]:
    counts: dict[str, float] = dict(Counter(words(passage.asked)))
    for word in words(passage.source):
        counts[word] = counts.get(word, 0.0) + NAME_WEIGHT
    return counts


def _bonus(message: str, answer: str) -> float:
    wants_amount, wants_time = _HOW_MUCH.search(message), _WHEN.search(message)
    fits = (wants_amount and _AMOUNT.search(answer)) or (wants_time and _TIME.search(answer))
    return KIND_BONUS if fits else 1.0
