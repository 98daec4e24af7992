"""Speech of the viewer while the replica speaks: do they want the floor, or do they only show that they listen? PURE.

A sign of listening ("mm-hm", "yeah") is short, often quieter than a turn, and made of few known words. Who goes on, or
says other words, wants the floor. What cannot be told apart in time is taken for an interruption; it is undone when no
words turn up (`floor`).
"""

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rendering.dialogue.seams import HOP_S, Hop, Samples

SPEECH_FROM = 0.5  # `Hop.speech` at which somebody speaks
SPEECH_UNTIL = 0.35  # and below which they do not any more
GAP_S = 0.12  # of silence inside a word or between two of them
QUIET_BELOW_DB = 6.0  # under the viewer's own usual loudness
USUAL_DB = -35.0  # of a viewer who was not heard yet, relative to full scale
SILENCE_DB = -90.0

_BACKCHANNELS: Mapping[str, str] = {
    "en": "mm mmhm mhm hm hmm mmhmm uhhuh uh huh aha ah oh yeah yea yes yep yup ok okay right sure wow really fine "
          "nice cool good great see i get it got so true of course",
    "hi": "हम्म हूँ हां हाँ जी अच्छा ठीक है सही बिल्कुल ओके ओह वाह",
    "bn": "হুম হুঁ হ্যাঁ হ্যা জি আচ্ছা ঠিক আছে ওকে ও বাহ তাই",
    "as": "অঁ হুম হয় হয়নে বাৰু ঠিক আছে অ ওকে বাঃ",
}  # fmt: skip
# Words that change the subject, however short the sentence.
_STOPPERS_TEXT = (
    "no not stop wait but sorry hold what why who when where how excuse pardon नहीं रुको না থামো থামুন নহয় ৰবা")
_STOPPERS = frozenset(_STOPPERS_TEXT.split())
_WORDS = frozenset(word for words in _BACKCHANNELS.values() for word in words.split())
MOST_BACKCHANNEL_WORDS = 4


@dataclass(frozen=True)
class Reach:
    """How long somebody may speak over the replica until they have the floor, in seconds of their speech."""

    loud_s: float
    quiet_s: float
    backchannel_s: float  # when all words so far are signs of listening


# By `replica_interruptibility`.
REACH: Mapping[str, Reach] = {
    "high": Reach(0.2, 0.4, 0.8), "medium": Reach(0.2, 0.6, 1.0), "low": Reach(0.8, 1.2, 1.6),
}  # fmt: skip


def plain_words(text: str) -> list[str]:
    """Lower case words without punctuation; marks of Indian scripts stay on their letters."""
    kept = "".join(" " if unicodedata.category(c)[0] in "PSZC" and c not in "'’-" else c for c in text.lower())
    return [word for word in (re.sub(r"['’-]", "", part) for part in kept.split()) if word]


def is_backchannel(text: str) -> bool:
    """Whether these words only show that somebody listens. False for no words at all."""
    words = plain_words(text)
    if not words or len(words) > MOST_BACKCHANNEL_WORDS or _STOPPERS & set(words):
        return False
    return all(word in _WORDS for word in words)


def loudness_db(pcm: Samples) -> float:
    """Of samples [N] against full scale; SILENCE_DB for none."""
    if not len(pcm):
        return SILENCE_DB
    power = float(np.mean(np.square(pcm.astype(np.float64) / 32768)))
    return max(SILENCE_DB, 10 * math.log10(power)) if power > 0 else SILENCE_DB


class UsualLoudness:
    """How loud the viewer speaks when they have the floor: a slow mean over voiced hops."""

    def __init__(self) -> None:
        self.db = USUAL_DB
        self._hops = 0

    def push(self, hop_db: float) -> None:
        self._hops = min(self._hops + 1, 250)
        self.db += (hop_db - self.db) / self._hops


class Overlap:
    """One stretch of speech over the replica, hop by hop."""

    def __init__(self, interruptibility: str) -> None:
        self._reach = REACH[interruptibility]
        self.reset()

    def reset(self, spoken_s: float = 0.0) -> None:
        """Another stretch, of which so many seconds were heard already."""
        self.spoken_s = spoken_s
        self.silent_s = 0.0
        self._loudest_db = SILENCE_DB
        self._words = ""

    def push(self, hop: Hop, is_voiced: bool, words: str) -> None:
        """Take one hop. `words`: what is understood of this stretch so far."""
        self._words = words
        if is_voiced:
            # A gap inside a word belongs to the speech around it; a longer one begins another stretch.
            self.spoken_s += HOP_S + (self.silent_s if 0 < self.silent_s <= GAP_S and self.spoken_s else 0.0)
            self.silent_s = 0.0
            self._loudest_db = max(self._loudest_db, loudness_db(hop.pcm))
        else:
            self.silent_s += HOP_S

    def wants_floor(self, usual_db: float) -> bool:
        """Whether the viewer is taking the floor. `usual_db`: their own loudness (`UsualLoudness`)."""
        if self.silent_s > GAP_S or not self.spoken_s:
            return False
        needed_s = self._reach.quiet_s if self._loudest_db < usual_db - QUIET_BELOW_DB else self._reach.loud_s
        if self._words:
            needed_s = self._reach.backchannel_s if is_backchannel(self._words) else self._reach.loud_s
        return self.spoken_s >= needed_s - 1e-6
