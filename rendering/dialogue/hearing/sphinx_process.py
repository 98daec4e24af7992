"""A program of its own around pocketsphinx: orders on stdin, one JSON line for each answer on stdout.

pocketsphinx holds Python's lock while it computes, so in the worker's own process it would hold up pictures; and what
a stranger says is read by C code here, where there is no key, no picture and no network address.

Orders are in `sphinx_orders`. Answers: {"ready": true} once, then {"utterance", "text", "is_final", "confidence"} for
what changed.
"""

import json
import os
import resource
import sys
from collections.abc import Callable
from typing import Any

import pocketsphinx  # type: ignore[import-untyped]
from pocketsphinx.lm import ArpaBoLM  # type: ignore[import-untyped]

from rendering.dialogue.hearing.expected import COMMON_WORDS, spoken_words
from rendering.dialogue.hearing.sphinx_orders import orders
from rendering.speech.voices import FliteVoice, VoiceFault

MAX_MEMORY_BYTES = 1_500_000_000
PARTIAL_EVERY_SAMPLES = 1600
MAX_PRONUNCIATIONS = 5
MAX_UNKNOWN_WORDS = 60  # each costs one run of the voice program
FILLERS = {"<s>", "</s>", "<sil>", "[NOISE]", "[SPEECH]", "<unk>"}
# No second and third pass at the end: they cost 60 to 170 ms, when the viewer waits for an answer.
QUICK = {"samprate": 16000, "logfn": os.devnull, "fwdflat": False}
# With hints every sound becomes some word that was hinted at. A whole utterance below this was most likely about
# something else (`make bench NAME=hearing`), and nothing is a better answer than a wrong sentence.
UNSURE_BELOW = 0.5
COMMON_COUNT = 0.6  # of one common word, where a word of a likely sentence counts 1


class Recogniser:
    """One utterance at a time."""

    def __init__(self, tell: Callable[[dict[str, Any]], None]) -> None:
        self._tell = tell
        self._dictionary = pocketsphinx.Decoder(**QUICK, lm=None, bestpath=False)
        self._open: pocketsphinx.Decoder | None = None
        self._hinted: dict[tuple[str, ...], pocketsphinx.Decoder] = {}  # of the last conversation only
        self._decoder: pocketsphinx.Decoder | None = None
        self._utterance = 0
        self._fresh = 0
        self._told = ""

    def begin(self, utterance: int, expected: list[str]) -> None:
        self.cancel()
        self._decoder = self._decoder_for(tuple(expected))
        self._utterance, self._fresh, self._told = utterance, 0, ""
        self._decoder.start_utt()

    def expect(self, expected: list[str]) -> None:
        """Another conversation begins: make ready for it. Nothing of the speaker before is left."""
        self.cancel()
        self._hinted, self._open = {}, None
        self._decoder_for(tuple(expected))

    def hear(self, utterance: int, pcm: bytes) -> None:
        if self._decoder is None or utterance != self._utterance:
            return
        self._decoder.process_raw(pcm)
        self._fresh += len(pcm) // 2
        if self._fresh >= PARTIAL_EVERY_SAMPLES:
            self._fresh = 0
            text = self._text()
            if text != self._told:
                self._told = text
                self._answer(text, is_final=False)

    def finish(self, utterance: int) -> None:
        if self._decoder is None or utterance != self._utterance:
            return
        self._decoder.end_utt()
        confidence = self._confidence()
        is_unsure = self._decoder is not self._open and confidence < UNSURE_BELOW
        self._answer("" if is_unsure else self._text(), is_final=True, confidence=confidence)
        self._decoder = None

    def cancel(self) -> None:
        if self._decoder is not None:
            self._decoder.end_utt()
            self._decoder = None

    def _text(self) -> str:
        assert self._decoder is not None
        hypothesis = self._decoder.hyp()
        return hypothesis.hypstr if hypothesis else ""

    def _confidence(self) -> float:
        """Geometric mean of how much more likely each word is than the others that were thought of, 0..1."""
        assert self._decoder is not None
        if self._decoder.hyp() is None:
            return 0.0
        words = [one.prob for one in self._decoder.seg() if one.word not in FILLERS]
        product = 1.0
        for likely in words:
            product *= max(likely, 1e-6)
        return round(product ** (1 / len(words)), 3) if words else 0.0

    def _answer(self, text: str, *, is_final: bool, confidence: float = 0.0) -> None:
        self._tell({"utterance": self._utterance, "text": text, "is_final": is_final, "confidence": confidence})

    def _decoder_for(self, expected: tuple[str, ...]) -> pocketsphinx.Decoder:
        if not spoken_words(expected):
            if self._open is None:
                self._open = pocketsphinx.Decoder(**QUICK, bestpath=False)
            return self._open
        if expected not in self._hinted:
            self._hinted = {expected: self._hinted_decoder(expected)}
        return self._hinted[expected]

    def _hinted_decoder(self, expected: tuple[str, ...]) -> pocketsphinx.Decoder:
        """A small dictionary and a small language model: the words of these sentences, and common ones, mixed freely.

        The whole dictionary would make this take seconds instead of a quarter of one.
        """
        sentences = spoken_words(expected)
        pronunciations = self._pronunciations([word for words in sentences for word in words])
        known = [[word for word in words if word in pronunciations] for words in sentences]
        model = ArpaBoLM(add_start=True)
        model.read_corpus(" ".join(words) for words in known if words)
        for word in COMMON_WORDS:
            model.grams_1[word] += COMMON_COUNT
        model.compute()
        words = "".join(f"{name} {phones}\n" for word, all_phones in pronunciations.items()
                        for name, phones in _named(word, all_phones))
        with _Memory(words.encode()) as dictionary, _Memory() as grams:
            model.write_file(grams.path)
            return pocketsphinx.Decoder(**QUICK, dict=dictionary.path, lm=grams.path)

    def _pronunciations(self, words: list[str]) -> dict[str, list[str]]:
        """The phones of each word, in each way that the dictionary knows; the voice's own way for an unknown one."""
        found: dict[str, list[str]] = {}
        unknown = 0
        for word in dict.fromkeys((*words, *COMMON_WORDS)):
            names = [word, *(f"{word}({number})" for number in range(2, MAX_PRONUNCIATIONS + 1))]
            phones = [known for known in (self._dictionary.lookup_word(name) for name in names) if known]
            if not phones and unknown < MAX_UNKNOWN_WORDS:
                unknown += 1
                phones = _as_the_voice_says(word)
            if phones:
                found[word] = phones
        return found


class _Memory:
    """A file that is never on a disk."""

    def __init__(self, content: bytes = b"") -> None:
        self._fd = os.memfd_create("sphinx")
        os.write(self._fd, content)
        self.path = f"/proc/self/fd/{self._fd}"

    def __enter__(self) -> "_Memory":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)


def _named(word: str, all_phones: list[str]) -> list[tuple[str, str]]:
    return [(word if number == 1 else f"{word}({number})", phones) for number, phones in enumerate(all_phones, 1)]


def _as_the_voice_says(word: str) -> list[str]:
    """flite's phones, which are the dictionary's but for the schwa; none where there is no flite."""
    try:
        spoken = FliteVoice().say(word)
    except VoiceFault:
        return []
    phones = [one.symbol.upper() for one in spoken.phonemes if one.symbol != "pau"]
    return [" ".join({"AX": "AH"}.get(phone, phone) for phone in phones)] if phones else []


def tell(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def main() -> int:
    """Serve until the pipe closes."""
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    recogniser = Recogniser(tell)
    tell({"ready": True})
    for kind, utterance, body in orders(sys.stdin.buffer):
        match kind:
            case b"E":
                recogniser.expect(json.loads(body))
            case b"B":
                recogniser.begin(utterance, json.loads(body))
            case b"A":
                recogniser.hear(utterance, body)
            case b"F":
                recogniser.finish(utterance)
            case b"C":
                recogniser.cancel()
    return 0


if __name__ == "__main__":
    sys.exit(main())
