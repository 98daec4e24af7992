"""Takes the table of sentence ends from the trigram model of spoken English that pocketsphinx brings (CMU, BSD)."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pocketsphinx

from rendering.dialogue.turns.endings import to_json

WORDS, WORDS_IN_PAIRS = 5000, 1200  # the most common ones
COMMON_PAIR = -13.5  # log probability of a pair from which it is listed
DIFFERS = 0.7  # from what its second word says alone
RARE = slice(3000, 5000)  # words whose mean stands for all that are not listed


def table() -> str:
    """The file's text; the same package gives the same."""
    folder = Path(pocketsphinx.__file__).parent / "model" / "en-us"
    base = pocketsphinx.LogMath()
    known = pocketsphinx.NGramModel(pocketsphinx.Config(lm=None, loglevel="FATAL"), base, str(folder / "en-us.lm.bin"))
    scale = math.log(base.get_base()) if hasattr(base, "get_base") else math.log(1.0001)

    def log_share(words: list[str]) -> float:
        """Of the first word after the others, which stand last to first."""
        return float(known.prob(words)) * scale

    spelled = (line.split(" ", 1)[0] for line in (folder / "cmudict-en-us.dict").read_text().splitlines())
    shares = {word: log_share([word]) for word in sorted(set(spelled)) if re.fullmatch(r"[a-z][a-z']*", word)}
    common = sorted(shares, key=lambda word: (-shares[word], word))[:WORDS]
    one = {word: log_share(["</s>", word]) for word in common}
    pairs = {}
    for last in common[:WORDS_IN_PAIRS]:
        for first in common[:WORDS_IN_PAIRS]:
            if shares[first] + log_share([last, first]) < COMMON_PAIR:
                continue
            ends = log_share(["</s>", last, first])
            if abs(ends - one[last]) >= DIFFERS:
                pairs[f"{first} {last}"] = round(ends, 1)
    rare = float(np.mean([one[word] for word in common[RARE]]))
    source = "trigram model en-us of pocketsphinx (Carnegie Mellon University, BSD)"
    return to_json({word: round(value, 1) for word, value in one.items()}, pairs, round(rare, 1), source)
