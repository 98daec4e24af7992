"""What a viewer of this persona is likely to say: sentences for recognisers that take hints. PURE.

From the persona's own words: the questions of its script, what its documents are called and say, and small talk. A
viewer may mix the words freely; the sentences only say which words are likely, and after which.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

MAX_SENTENCES = 400
MAX_WORDS = 40  # of a sentence; what is longer is cut
MAX_WORD_CHARS = 30

SMALL_TALK = (
    "hello", "hi", "good morning", "good afternoon", "good evening", "how are you", "who are you",
    "what is your name", "are you a real person", "are you a human", "are you an a i", "is this real",
    "am i talking to a real person", "who agreed to this", "did she agree to this", "did he agree to this",
    "is this signed", "can i trust you", "what can you do", "how can you help me", "how does this work",
    "please help me", "can you repeat that", "say that again please", "i do not understand", "what do you mean",
    "tell me more about that", "thank you", "thank you very much", "thanks", "great", "okay", "yes", "yes please", "no",
    "no thank you", "stop", "wait a moment", "one moment please", "goodbye", "bye", "that is all", "see you",
    "i want to complain", "this is unacceptable",
)  # fmt: skip

# Words that hold sentences together: likely anywhere, whatever the persona is about.
_COMMON_TEXT = (
    "a about after again all also always am an and another any are as ask at back be because been before best but by "
    "call can come could day did different do does done each every few find first for from get give go going good got "
    "had has have he help her here him his how i if in into is it its just keep know last leave left let like little "
    "long look made make many may maybe me mean month more most much must my need never new next no not now of off "
    "often old on once one only open or other our out over own part pay people please put really right said same say "
    "see send shall she should show since so some soon start still such sure take talk tell than that the their them "
    "then there these they thing think this those time to today together tomorrow too try two under understand until "
    "up us use very wait want was way we week well were what when where which while who whose why will with without "
    "word work would year yes yesterday yet you your"
)
COMMON_WORDS = tuple(_COMMON_TEXT.split())

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
_QUESTION = re.compile(r"^\s*q:\s*(.+)$", re.IGNORECASE | re.MULTILINE)
_ANSWER = re.compile(r"^\s*[qa]:.*$", re.IGNORECASE | re.MULTILINE)


def sentences_for(persona: Mapping[str, Any], person_name: str = "") -> tuple[str, ...]:
    """Likely sentences, most likely first, at most MAX_SENTENCES.

    Args:
        persona: as `ScriptedBrain` takes it: {"name", "context", "documents": [{"name", "text"}]}, all optional.
        person_name: whom the replica shows.
    """
    context = str(persona.get("context") or "")
    found = [*_QUESTION.findall(context), *SMALL_TALK]
    names = [person_name, str(persona.get("name") or "")]
    found += [f"are you {name}" for name in names if name]
    documents = [one for one in persona.get("documents") or () if isinstance(one, Mapping)]
    for document in documents:
        name = str(document.get("name") or "")
        found += [name, f"tell me about {name}", f"what is {name}"] if name else []
    for text in (_ANSWER.sub("", context), *(str(document.get("text") or "") for document in documents)):
        found += _SENTENCE_END.split(text)
    return tuple(dict.fromkeys(sentence for sentence in (sentence.strip() for sentence in found) if sentence)
                 )[:MAX_SENTENCES]


def spoken_words(sentences: Sequence[str]) -> list[list[str]]:
    """The words of each sentence as a recogniser's dictionary writes them; sentences without any are left out."""
    return [words for words in (_words(sentence) for sentence in sentences[:MAX_SENTENCES]) if words]


def _words(sentence: str) -> list[str]:
    found: Iterable[str] = _WORD.findall(sentence.lower().replace("’", "'"))
    return [word for word in found if len(word) <= MAX_WORD_CHARS][:MAX_WORDS]
