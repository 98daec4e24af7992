"""What is said in the generated set: questions of a replica and answers with places where people pause.

Everything is written for this purpose. A turn is put together from parts; each part belongs to one split alone, so what
is held out was never heard in training: neither a question, nor a sentence, nor the way one goes on. Fillers and the
first small word of an answer are shared. "|" marks where a
speaker may pause inside a part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from rendering.training.turns import more_texts

Boundary = Literal["end", "question_end", "clause", "open", "filler", "number"]
Split = Literal["train", "development", "held_out"]
SPLITS: tuple[Split, ...] = ("train", "development", "held_out")

FILLERS = ("um", "uh", "er", "hmm", "you know", "let me think", "well", "so um")
OPENERS = ("yes", "no", "yeah", "sure", "okay", "well", "oh", "right", "hi", "honestly", "to be fair", "i think")
BACKCHANNELS = ("mm-hm", "yeah", "okay", "right", "uh huh", "i see")

# Question, kind of answer, answers.
ASKED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("What can I do for you today?", ("i would like to | change my booking", "i'm calling about | my last invoice",
                                      "i need a copy of | my contract")),
    ("Did the parcel arrive?", ("yes it came | this morning", "no it hasn't arrived yet", "not that i know of")),
    ("What is your customer number?", ("it's four two | nine seven | one one three", "two zero eight | six six",
                                       "seven seven one | five | nine two")),
    ("When would it suit you?", ("maybe on | thursday afternoon", "tuesday | at four",
    "next week | on monday morning")),
    ("Where are you calling from?", ("i'm in | guwahati right now", "from a small town near | the river",
                                     "from my | brother's house")),
    ("How many people will come?", ("there will be | seven of us", "twelve | i think",
    "five adults and | two children")),
    ("Why did you choose that one?", ("the other one was | much too loud", "it looked like | the safest option",
                                      "my sister told me | it lasts longer")),
    ("Could you tell me a little about the problem?", ("the screen goes dark | after a few minutes",
     "it makes a strange noise | whenever i turn it on", "the app closes | before i can sign in")),
    ("Is that your current address?", ("yes that's right", "no we moved | in the spring", "yes it is")),
    ("What did the doctor say?", ("she told me to | rest for a week", "he wants to | see me again",
                                  "that i should drink | more water")),
    ("Which day works better?", ("friday is | better for me", "wednesday | if you can", "either is | fine really")),
    ("How old is the machine?", ("about | six years", "it's nearly | ten years old", "three | or four years")),
    ("Have you tried it before?", ("no never", "yes | once or twice", "i tried it | last summer")),
    ("What do you like about your work?", ("i like | the people there", "that no two days | are the same",
                                           "the long walks | to the office")),
    ("What time should we call?", ("any time after | six", "at half past | nine", "in the evening | please")),
    ("Do you want me to send it again?", ("yes please", "no thank you | i found it", "if you could | that would help")),
    ("Who should I put on the form?", ("put my | mother's name", "just me", "my husband and | my daughter")),
    ("How did you hear about us?", ("a friend | told me about you", "i saw a poster | at the station",
                                    "from | the radio")),
    ("What is the code on the letter?", ("nine four | zero three | two", "three three | eight one",
    "six one | five five")),
    ("Are you ready to start?", ("yes i am", "give me | one second", "sure | go ahead")),
    ("How was your journey?", ("it was long but | quite pleasant", "the train was late | again", "very | easy")),
    ("What should the letter say?", ("that we cannot | pay before june", "just that | the work is done",
                                     "ask them for | a new date")),
    ("When does your lease end?", ("at the end of | october", "in | two years", "on the first of | march")),
    ("What would you like to drink?", ("a cup of | black tea", "water is | fine", "coffee | with milk please")),
)  # fmt: skip
STATEMENTS = (
    "i lost | my card yesterday", "the heating does not work | in the bedroom", "we are looking for | a quiet room",
    "my account | was closed without notice", "i want to learn | how the form works",
    "the bill is higher | than last month",
    "i can't find | the page you mentioned", "somebody else | answered my letter", "they sent me | the wrong colour",
    "i wanted to ask about | the evening course", "our roof | leaks when it rains",
    "the bus never | stops here anymore",
    "i left my umbrella | on the train", "my daughter starts | school in autumn",
    "the meeting was moved | to the small hall",
    "i forgot | my password again", "we would rather | stay at home", "the neighbours | are very kind",
    "you told me to | call back", "i paid for it | with my phone", "he never | wrote to us",
    "the garden needs | a lot of work",
    "they close | at noon on saturdays", "i prefer | the window seat",
)  # fmt: skip
QUESTIONS = (
    "what does that | cost", "can you repeat | the last part", "where do i | sign", "how long will | it take",
    "is there a | cheaper one", "could you send me | the address", "when do you | open tomorrow", "who can i | talk to",
    "do you know | why it failed", "would that be | possible today", "what happens | if i cancel",
    "which form | do i need",
    "are there any | seats left", "how do i | turn it off", "will you be | there on monday",
)  # fmt: skip
ADDED = (
    ("and", "i also need | a receipt"), ("but", "i'm not sure | about the date"), ("because",
    "the first one | was broken"),
    ("so", "i thought i would | ask you"), ("and then", "they told me | to wait"), ("but", "only | for a short time"),
    ("if", "that is | all right with you"), ("although", "it used to | be fine"), ("and", "my wife | agrees with me"),
    ("because", "we leave | on sunday"), ("so", "we had to | go home"), ("or", "perhaps | the week after"),
    ("which", "i did not | expect at all"), ("and", "nobody | picked up the phone"), ("when",
    "the weather | gets better"),
    ("but", "it costs | too much"), ("since", "the office | moved"), ("and", "that's why | i called"),
    ("because", "i have to | work late"), ("unless", "you have | a better idea"), ("so",
    "please tell | your colleague"),
    ("and", "the second | was worse"), ("but", "my son | likes it"), ("while", "the shop | is closed"),
)  # fmt: skip
MORE = {"train": more_texts.TRAIN, "development": more_texts.DEVELOPMENT, "held_out": more_texts.Texts()}
SHARES = {"train": 0.6, "development": 0.15, "held_out": 0.25}


@dataclass(frozen=True)
class Segment:
    """Words spoken without a pause, and what kind of place they stop at."""

    text: str
    boundary: Boundary


@dataclass(frozen=True)
class Script:
    """What the replica asked ("" when nothing) and what the viewer says."""

    asked: str
    segments: tuple[Segment, ...]


def part_of(items: tuple, split: Split) -> tuple:
    """The share of a row of parts that belongs to a split: always the same, spread over the row."""
    order = np.random.default_rng(len(items)).permutation(len(items))
    first = round(SHARES["train"] * len(items))
    second = first + round(SHARES["development"] * len(items))
    chosen = {"train": order[:first], "development": order[first:second], "held_out": order[second:]}[split]
    return tuple(items[i] for i in sorted(chosen))


def draw_script(split: Split, draw: np.random.Generator) -> Script:
    """One exchange."""
    asked, core, is_question = "", "", False
    kind = draw.random()
    if kind < 0.6:
        asked, answers = _pick(part_of(ASKED, split) + MORE[split].asked, draw)
        core = _pick(answers, draw)
    elif kind < 0.8:
        core = _pick(part_of(STATEMENTS, split) + MORE[split].statements, draw)
    else:
        core, is_question = _pick(part_of(QUESTIONS, split) + MORE[split].questions, draw), True
    pieces: list[tuple[str, Boundary]] = []
    if draw.random() < 0.2 and not is_question:
        pieces.append((_pick(OPENERS, draw), "clause"))
    pieces += _pieces(core)
    more = draw.random()
    if not is_question and more < 0.55:
        pieces += _added(split, draw)
    if not is_question and more < 0.15:
        pieces += _added(split, draw)
    return Script(asked, _paused(pieces, is_question, draw))


def _added(split: Split, draw: np.random.Generator) -> list[tuple[str, Boundary]]:
    """A second clause: the pause falls before its conjunction (a whole sentence stands there) or after it."""
    join, clause = _pick(part_of(ADDED, split) + MORE[split].added, draw)
    return [("", "clause"), (join, "open"), *_pieces(clause)]


def _pieces(text: str) -> list[tuple[str, Boundary]]:
    parts = [part.strip() for part in text.split("|")]
    numbers = {"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"}
    return [(part, "number" if part.split()[-1] in numbers else "open") for part in parts]


def _paused(pieces: list[tuple[str, Boundary]], is_question: bool, draw: np.random.Generator) -> tuple[Segment, ...]:
    """Join pieces into segments: at each place the speaker pauses with some chance, often with a filler."""
    chance = {"open": 0.33, "clause": 0.5, "number": 0.6}
    segments: list[Segment] = []
    words = ""
    for index, (text, boundary) in enumerate(pieces):
        words = f"{words} {text}".strip()
        if index == len(pieces) - 1 or not words or draw.random() >= chance[boundary]:
            continue
        filler = draw.random()
        if filler < 0.2:
            segments.append(Segment(f"{words} {_pick(FILLERS, draw)}", "filler"))
            words = ""
        else:
            segments.append(Segment(words, boundary))
            words = _pick(FILLERS, draw) if filler > 0.9 else ""
    return (*segments, Segment(words, "question_end" if is_question else "end"))


def _pick(items: tuple, draw: np.random.Generator):  # type: ignore[no-untyped-def]
    return items[int(draw.integers(len(items)))]
