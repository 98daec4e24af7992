"""Whole clips of a demo person: footage to train on, and answers to a consent challenge."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rendering.demo import files
from rendering.demo.people import DemoPerson
from rendering.demo.performance import HeadTurn, Passage, Spoken, perform
from rendering.demo.rig import Face

Progress = Callable[[int, int], None]  # frames done, frames in all

FOOTAGE = Path(__file__).parent / "clips" / "asha.mp4"
SAMPLE_HZ = 16_000
KEPT_FRAMES = 300  # 60 MB at 256 x 256
LEAD_S, PAUSE_S, TAIL_S = 1.6, 0.45, 1.4
# Rich in p, b, m, f, v and w, with every vowel; the words after | are the feeling they are said with.
SCRIPT = (
    "Good morning. My name does not matter, but my problem might.|neutral",
    "Every spring, Bob plants five apple trees behind the boathouse.|neutral",
    "Wow, look! Three of them are already blooming!|joy",
    "We measure the young ones with a paper ribbon and a blue pen.|neutral",
    "Oh! Who moved the big wooden ladder?|surprise",
    "Perhaps my father put it by the pump, near the river.|neutral",
    "It is a pity that the storm took the roof.|sadness",
    "Please stop banging that door!|anger",
    "Six people may come for supper, so we chop vegetables and boil rice.|neutral",
    "Now the evening is calm, and the valley smells of mint and warm bread.|neutral",
    "Maybe tomorrow we will buy a few books about birds.|joy",
)
TURN_RAD = 0.44  # about 25 degrees
REACTION_S = (0.35, 0.75)  # a person needs this long to start


@dataclass(frozen=True)
class Clip:
    """Frames drawn one by one when asked for, and the sound."""

    person: DemoPerson
    faces: tuple[Face, ...]
    fps: float
    size: int
    pcm: npt.NDArray[np.int16]  # [N] mono, SAMPLE_HZ
    spoken: tuple[Spoken, ...]
    smooth: bool = True

    @property
    def time_s(self) -> npt.NDArray[np.float64]:
        """[T] time of every frame."""
        return np.arange(len(self.faces)) / self.fps

    def frames(self, on_progress: Progress | None = None) -> Iterator[npt.NDArray[np.uint8]]:
        """Each frame in order. A face that comes again is drawn once."""
        drawn: dict[Face, npt.NDArray[np.uint8]] = {}
        for number, face in enumerate(self.faces, start=1):
            if face not in drawn:
                if len(drawn) >= KEPT_FRAMES:
                    drawn.clear()
                drawn[face] = self.person.frame(face, self.size, smooth=self.smooth)
            yield drawn[face]
            if on_progress is not None:
                on_progress(number, len(self.faces))


def record_speech(person: DemoPerson, seconds: float = 38.0, size: int = 256, fps: float = 25.0) -> Clip:
    """The person reads the script for `seconds`: silence, sentences with feelings between, silence."""
    voice = person.voice()
    spoken: list[Spoken] = []
    passages: list[Passage] = []
    at_s, left_out = LEAD_S, 0
    for line in itertools.cycle(SCRIPT):
        text, feeling = line.split("|")
        utterance = voice.say(text)
        if at_s + utterance.seconds > seconds - TAIL_S:
            left_out += 1
            if left_out == len(SCRIPT):  # not even the shortest fits
                break
            continue
        left_out = 0
        spoken.append(Spoken(utterance, at_s))
        if feeling != "neutral":
            passages.append(Passage(feeling, at_s - 0.5, at_s + utterance.seconds + 0.5))
        at_s += utterance.seconds + PAUSE_S
    time_s = np.arange(round(seconds * fps)) / fps
    faces = perform(time_s, tuple(spoken), passages=tuple(passages), seed=person.seed)
    return Clip(person, tuple(faces), fps, size, _mixed(spoken, seconds), tuple(spoken))


def record_consent(
    person: DemoPerson,
    challenge: dict[str, Any],
    *,
    size: int = 256,
    fps: float = 12.0,
    lead_s: float = 0.0,
    take: int = 0,
) -> Clip:
    """The person answers a challenge: speaks the phrase, then makes each turn a human moment after it was asked.

    Args:
        challenge: `phrase` and `turns`, each turn a `direction` (left, right, up, down: the person's own) and `at_ms`;
            `phrase_at_ms` and `duration_ms` when known. Turns given as plain words follow each other every
            `turn_window_s` (3 s) after the phrase.
        lead_s: idle seconds before the challenge's time 0, for a camera that runs before the recording starts.
        take: another number is another performance of the same challenge.
    """
    utterance = person.voice().say(challenge["phrase"])
    phrase_at_s = challenge.get("phrase_at_ms", 1000) / 1000 + 0.4 + lead_s
    rng = np.random.default_rng([person.seed, take])
    turns = tuple(
        HeadTurn(at_s + lead_s + float(rng.uniform(*REACTION_S)), **_angles(direction))
        for direction, at_s in _asked(challenge, phrase_at_s - lead_s + utterance.seconds)
    )
    seconds = challenge.get("duration_ms", 0) / 1000 + lead_s
    seconds = max(seconds, phrase_at_s + utterance.seconds + 0.5, *(turn.start_s + 2.4 for turn in turns))
    time_s = np.arange(round(seconds * fps)) / fps
    spoken = (Spoken(utterance, phrase_at_s),)
    # A person under instruction sits still between the turns; still faces are drawn once.
    faces = perform(time_s, spoken, turns=turns, seed=person.seed * 31 + take, liveliness=0.0)
    return Clip(person, tuple(faces), fps, size, _mixed(list(spoken), seconds), spoken, smooth=False)


def speaking_clip(
    person: DemoPerson, seconds: float = 38.0, size: int = 256, fps: float = 25.0, on_progress: Progress | None = None
) -> bytes:
    """MP4 (H.264 and AAC) of `record_speech`."""
    clip = record_speech(person, seconds, size, fps)
    return files.mp4(clip.frames(on_progress), clip.fps, clip.pcm, SAMPLE_HZ)


def consent_clip(
    person: DemoPerson, challenge: dict[str, Any], *, on_progress: Progress | None = None, **how: Any
) -> bytes:
    """MP4 of `record_consent`, which takes the same keywords."""
    clip = record_consent(person, challenge, **how)
    return files.mp4(clip.frames(on_progress), clip.fps, clip.pcm, SAMPLE_HZ)


def committed_footage() -> bytes:
    """The clip of Asha that lies in the repository, made by `python -m rendering.demo footage`."""
    return FOOTAGE.read_bytes()


def _asked(challenge: dict[str, Any], phrase_ends_s: float) -> list[tuple[str, float]]:
    asked = []
    for index, turn in enumerate(challenge["turns"]):
        if isinstance(turn, str):
            asked.append((turn, phrase_ends_s + 1.0 + index * float(challenge.get("turn_window_s", 3.0))))
        else:
            asked.append((str(turn["direction"]), float(turn["at_ms"]) / 1000))
    return asked


def _angles(direction: str) -> dict[str, float]:
    angles = {
        "left": {"yaw": TURN_RAD}, "right": {"yaw": -TURN_RAD}, "up": {"pitch": -0.28}, "down": {"pitch": 0.28},
    }  # fmt: skip
    if direction not in angles:
        raise ValueError(f"The challenge asks for a turn that is not known: {direction!r}.")
    return angles[direction]


def _mixed(spoken: list[Spoken], seconds: float) -> npt.NDArray[np.int16]:
    """[seconds * SAMPLE_HZ] all utterances in their places over a faint room noise."""
    line = np.random.default_rng(7).normal(0, 6.0, round(seconds * SAMPLE_HZ))
    for item in spoken:
        pcm = item.utterance.at_rate(SAMPLE_HZ).pcm
        start = round(item.start_s * SAMPLE_HZ)
        part = line[start : start + len(pcm)]
        part += pcm[: len(part)]
    return np.clip(line, -32768, 32767).astype(np.int16)
