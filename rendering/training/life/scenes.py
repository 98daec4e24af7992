"""Made-up conversations: who speaks when, how it sounds, what is felt. What procedural motion answers to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.engine.motion.life import prosody
from rendering.engine.motion.life.channels import FRAMES_PER_S
from rendering.engine.motion.life.scene import AFFECT, EMOTION_COUNT, HEARD, LISTENING, SPEAKING, Scene

Array = np.ndarray[Any, np.dtype[Any]]
Random = np.random.Generator


@dataclass(frozen=True)
class Conversation:
    """A scene and the moments in it that movement may be tied to."""

    scene: Scene
    stresses: Array  # [S] seconds of stressed syllables
    phrase_starts: Array  # [P] seconds
    phrase_ends: Array  # [P] seconds

    @property
    def speaking(self) -> Array:
        """[T] 0..1."""
        return self.scene.heard[:, SPEAKING]

    @property
    def listening(self) -> Array:
        """[T] 0..1."""
        return self.scene.heard[:, LISTENING]


def converse(seconds: float, random: Random) -> Conversation:
    """A conversation with turns of a few seconds, or a monologue, with feelings now and then."""
    frames = round(seconds * FRAMES_PER_S)
    heard = np.zeros((frames, len(HEARD)))
    marks: tuple[list[float], list[float], list[float]] = ([], [], [])
    at_s, speaks = float(random.uniform(0, 2)), random.random() < 0.5
    talkative = random.uniform(0.5, 3.0)
    while at_s < seconds:
        lasts_s = random.gamma(3.0, 2.0) * (talkative if speaks else 1.0) + 1.0
        until_s = min(seconds, at_s + lasts_s)
        if speaks:
            _speak(heard, at_s, until_s, random, marks)
        elif random.random() < 0.8:
            heard[int(at_s * FRAMES_PER_S) : int(until_s * FRAMES_PER_S), LISTENING] = 1
        at_s, speaks = until_s + random.uniform(0.1, 1.0), not speaks
    for column in (SPEAKING, LISTENING):
        heard[:, column] = np.clip(prosody.blurred(heard[:, column], 2.0), 0, 1)
    if random.random() < 0.3:
        heard[:, HEARD.index("pitch")] = 0  # pitch is not always known
    heard[:, 3] = prosody.stress(heard[:, 0], heard[:, 1], heard[:, 2])
    scene = Scene(heard.astype(np.float32), _emotions(frames, random), _affect(heard[:, LISTENING], random))
    return Conversation(scene, *(np.array(mark) for mark in marks))


def _speak(heard: Array, start_s: float, end_s: float, random: Random, marks: tuple[list[float], ...]) -> None:
    """Phrases of syllables with falling pitch, every second to fourth syllable stressed, pauses between."""
    stresses, starts, ends = marks
    loud, rate = random.uniform(0.55, 0.9), random.uniform(3.5, 6.0)
    at_s = start_s
    while at_s < end_s - 0.4:
        phrase_s = min(end_s - at_s, random.uniform(0.8, 3.0))
        starts.append(at_s)
        next_stress = int(random.integers(0, 3))
        syllable, clock_s = 0, at_s
        while clock_s < at_s + phrase_s:
            stressed = syllable == next_stress
            lasts_s = (1.45 if stressed else 0.9) / rate * random.uniform(0.75, 1.3)
            fall = 0.25 - 0.5 * (clock_s - at_s) / phrase_s
            _syllable(heard, clock_s, lasts_s, loud * (1.12 if stressed else 0.9), fall + 0.25 * stressed, random)
            if stressed:
                stresses.append(clock_s + 0.4 * lasts_s)
                next_stress = syllable + int(random.integers(2, 5))
            syllable, clock_s = syllable + 1, clock_s + lasts_s
        heard[int(at_s * FRAMES_PER_S) : int(clock_s * FRAMES_PER_S), SPEAKING] = 1
        ends.append(clock_s)
        at_s = clock_s + random.uniform(0.12, 0.7)


def _syllable(heard: Array, at_s: float, lasts_s: float, loud: float, pitch: float, random: Random) -> None:
    first, last = int(at_s * FRAMES_PER_S), min(len(heard), int((at_s + lasts_s) * FRAMES_PER_S))
    if last <= first:
        return
    share = (np.arange(first, last) + 0.5 - at_s * FRAMES_PER_S) / (lasts_s * FRAMES_PER_S)
    heard[first:last, 0] = loud * (0.55 + 0.45 * np.sin(np.pi * np.clip(share, 0, 1))) + random.normal(0, 0.02)
    voiced = (share > random.uniform(0.05, 0.35)).astype(float)
    heard[first:last, 1] = voiced * np.clip(pitch + random.normal(0, 0.05), -1, 1)
    heard[first:last, 2] = voiced


def _emotions(frames: int, random: Random) -> Array:
    """[T, 8] mostly none, now and then one that rises, stays for some seconds and falls."""
    out = np.zeros((frames, EMOTION_COUNT))
    at_s = random.exponential(8.0)
    while at_s < frames / FRAMES_PER_S:
        lasts_s, kind = random.uniform(3, 9), int(random.integers(1, EMOTION_COUNT))
        times_s = np.arange(frames) / FRAMES_PER_S
        edge = np.clip(np.minimum(times_s - at_s, at_s + lasts_s - times_s) / 0.6, 0, 1)
        out[:, kind] = np.maximum(out[:, kind], random.uniform(0.3, 1.0) * edge)
        at_s += lasts_s + random.exponential(10.0)
    return out.astype(np.float32)


def _affect(listening: Array, random: Random) -> Array:
    """[T, 2] what the viewer seems to feel; half of all conversations are not looked at and hold zeros."""
    out = np.zeros((len(listening), len(AFFECT)))
    if random.random() < 0.5:
        return out.astype(np.float32)
    for column, (low, high) in enumerate(((-1.0, 1.0), (0.0, 1.0))):
        changes = np.flatnonzero(random.random(len(listening)) < 1 / (4 * FRAMES_PER_S))
        levels = random.uniform(low, high, len(changes) + 1)
        out[:, column] = prosody.blurred(levels[np.searchsorted(changes, np.arange(len(listening)))], 8.0)
    return out.astype(np.float32)
