"""How often a sentence ends after these two words: a table that can be read, taken from a model of spoken English.

`weights/endings.json` holds log probabilities for common words and for pairs of words that differ from their second one
("looking for" and "for"). `python -m rendering.training.turns endings` made it from the trigram model that pocketsphinx
brings (CMU, BSD). English alone: words in other scripts say nothing here.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from trustcore.primitives.errors import Fault

TABLE = Path(__file__).with_name("weights") / "endings.json"
USUAL = -2.6  # log probability that a sentence ends after any word
LEAST, MOST = -3.0, 1.5
_LATIN = re.compile(r"[a-z][a-z']*")


class EndingsInvalid(Fault):
    """The table of sentence ends is damaged."""

    code = "dialogue.turn_endings_invalid"


@dataclass(frozen=True)
class Endings:
    """Log probabilities that a sentence ends here. `rare` stands for every word that is not listed."""

    one: Mapping[str, float]
    pairs: Mapping[str, float]
    rare: float

    def after(self, words: Sequence[str]) -> float:
        """Log odds against the usual, LEAST..MOST: below 0 more is to come. 0 without words or in another script."""
        if not words or not _LATIN.fullmatch(words[-1]):
            return 0.0
        found = self.pairs.get(" ".join(words[-2:])) if len(words) > 1 else None
        value = self.one.get(words[-1], self.rare) if found is None else found
        return min(max(value - USUAL, LEAST), MOST)


@cache
def installed() -> Endings:
    """The table beside this code, read once. Raises EndingsInvalid."""
    return from_json(TABLE.read_text(encoding="utf-8"))


def to_json(one: Mapping[str, float], pairs: Mapping[str, float], rare: float, source: str) -> str:
    """The file, with its own hash over everything else."""
    content: dict[str, Any] = {"source": source, "rare": rare, "one": dict(one), "pairs": dict(pairs)}
    content["sha256"] = _hash(content)
    return json.dumps(content, indent=0, separators=(",", ":")) + "\n"


def from_json(text: str) -> Endings:
    """Read the file. Raises EndingsInvalid: it is no such file or does not fit its own hash."""
    try:
        content = json.loads(text)
        given = content.pop("sha256")
        if given != _hash(content):
            raise EndingsInvalid("The table of sentence ends does not fit its own hash. Install it again.")
        return Endings(content["one"], content["pairs"], float(content["rare"]))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise EndingsInvalid("The table of sentence ends cannot be read.", cause=type(error).__name__) from error


def _hash(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
