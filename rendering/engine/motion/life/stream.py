"""A session's life, frame by frame: chunks are made ahead of their time, one denoising step per picture.

    stream = LifeStream(model, person, seed, scene)
    frame = stream.at(t_s)      # one step of the network for every thirtieth of a second that passed, four at most

A chunk that is not ready when its first frame is due does not hold up the picture: the last movement dies away, and the
chunk takes over from there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.engine.motion.life import codec as codes
from rendering.engine.motion.life import context, equaliser
from rendering.engine.motion.life.channels import BLINK_S, CHUNK, FRAMES_PER_S, SMOOTH, blink_curve
from rendering.engine.motion.life.context import Before
from rendering.engine.motion.life.model import STEPS, Draft, LifeModel, Person
from rendering.engine.motion.life.scene import BEHIND

Array = np.ndarray[Any, np.dtype[Any]]
# Times [K] s on the session's clock -> heard [K, 6], and emotion and affect [10] at the last of them.
SceneAt = Callable[[Array], tuple[Array, Array]]

AHEAD = STEPS + 2  # frames before its first one that a chunk is begun
WARM_UP_CHUNKS = 16
DIES_AWAY = 0.8  # share of a movement that is left a frame later when no chunk is ready
LONGEST_HOLD = 15  # frames; after a longer gap nothing is filled in between
SHORTEST_BLINK_GAP_S = 0.35
AWAY, LONGEST_AWAY_S = 0.8, 2.5  # usual distances; eyes that stay aside for longer look absent
LARGEST = 3.5  # deviations at which a channel is held
SOFT = 2.3  # deviations from which it is held back, so that it does not stop with a jerk
KEPT = 80


@dataclass(frozen=True)
class LifeFrame:
    """Life at one moment."""

    smooth: Array  # [12] in the person's deviations
    aim: Array  # [2] in the person's usual distances, right and down
    lids: float  # 0..1 closed


class LifeStream:
    """One session's life; functions of the seed, the scene and the times asked for, in order."""

    def __init__(self, model: LifeModel, person: Person, seed: int, scene: SceneAt) -> None:
        self._model = model
        self._person = person
        self._scene = scene
        self._random = np.random.default_rng([seed, 0x11FE])
        self._draft: Draft | None = None
        self._blinks: list[float] = []  # frames, fractional, on the grid
        self._saccade = -30
        self._smooth = np.zeros((KEPT, len(SMOOTH)), np.float32)  # frames end - KEPT up to end
        self._smooth += 0.7 * self._random.normal(size=len(SMOOTH)).astype(np.float32)
        self._shown = self._smooth.copy()  # the same after the person's equaliser
        self._aim = np.zeros((KEPT, 2), np.float32)
        self._slow = self._smooth[-1].copy()
        self._end = -(WARM_UP_CHUNKS - 1) * CHUNK  # the first frame of the grid that is not made yet
        # Somewhere within a gap between two blinks.
        self._first = self._end - self._random.uniform(0, FRAMES_PER_S * float(person.blink_gaps_s[-1]))
        self._asked = 0.0
        self.late = 0  # pictures that had to do without a chunk
        for _ in range(WARM_UP_CHUNKS):
            self._begin()
            self._advance(STEPS)
            self._append()

    def at(self, t_s: float) -> LifeFrame:
        """Life at a time. Times must not go back by more than a second."""
        place = t_s * FRAMES_PER_S
        if place > self._end + LONGEST_HOLD:
            self._resume(int(place))
        if self._draft is None and place >= self._end - AHEAD:
            self._begin()
        else:
            self._advance(max(1, round(place - self._asked)))
        self._asked = place
        if self._is_ready() and place > self._end - 2:
            self._append()
        if place > self._end - 1:
            self.late += 1
            self._hold(int(np.ceil(place)) + 1)
        return self._frame(place)

    def _begin(self) -> None:
        frames = np.arange(self._end - BEHIND, self._end + CHUNK)
        heard, mood = self._scene(frames / FRAMES_PER_S)
        blink = self._blinks[-1] if self._blinks else self._first
        since = [np.array([self._end - event]) / FRAMES_PER_S for event in (blink, self._saccade)]
        expected = self._person.expected_events(*since)
        moment = Before(self._smooth[None, -context.PAST :], self._slow[None], self._aim[None, -1], *since, expected)
        row = context.row(moment, self._person.speed, heard[None], mood[None])
        self._draft = self._model.draft(row, self._person.style, expected[0], self._random)

    def _advance(self, steps: int) -> None:
        for _ in range(steps):
            if self._draft is not None and not self._draft.is_done:
                self._draft.advance()

    def _is_ready(self) -> bool:
        return self._draft is not None and self._draft.is_done

    def _append(self) -> None:
        """The finished draft becomes the next frames of the grid."""
        assert self._draft is not None
        smooth = self._model.codec.smooth(self._smooth[None], self._draft.code, self._person.habit)[0]
        self._note_events(self._draft.code[0], *self._draft.happens)
        self._extend(np.clip(smooth, -LARGEST, LARGEST))
        self._draft = None

    def _note_events(self, code: Array, blinks: bool, jumps: bool) -> None:
        aim = np.repeat(self._aim[-1:], CHUNK, axis=0)
        after = [codes.moment(value) for value in code[codes.MOMENTS]]
        if blinks:
            moment = self._end + after[0]
            if not self._blinks or moment - self._blinks[-1] > SHORTEST_BLINK_GAP_S * FRAMES_PER_S:
                self._blinks = [*self._blinks[-3:], moment]
        if jumps:
            frame = min(CHUNK - 1, int(after[1]))
            aim[frame:] = codes.aim_of(code[codes.AIM], self._person.distances)
            self._saccade = self._end + frame
        elif self._looks_away_for_long():
            aim[:] = 0.0
            self._saccade = self._end
        self._aim = np.concatenate([self._aim, aim])[-KEPT:]

    def _looks_away_for_long(self) -> bool:
        held_s = (self._end - self._saccade) / FRAMES_PER_S
        return bool(np.linalg.norm(self._aim[-1]) > AWAY and held_s > LONGEST_AWAY_S)

    def _extend(self, frames: Array) -> None:
        for frame in frames:
            self._slow = self._slow + context.SLOW_SHARE * (frame - self._slow)
        self._smooth = np.concatenate([self._smooth, frames])[-KEPT:]
        shown = _held(equaliser.apply(self._person.equaliser, self._smooth, len(frames)))
        self._shown = np.concatenate([self._shown, shown.astype(np.float32)])[-KEPT:]
        self._end += len(frames)

    def _hold(self, until: int) -> None:
        """Frames in which the last movement dies away; the chunk in the making comes after them."""
        count = until - self._end
        if count <= 0:
            return
        step = self._smooth[-1] - self._smooth[-2]
        shares = np.cumsum(DIES_AWAY ** np.arange(1, count + 1)).astype(np.float32)[:, None]
        self._aim = np.concatenate([self._aim, np.repeat(self._aim[-1:], count, axis=0)])[-KEPT:]
        self._extend(self._smooth[-1] + shares * step)

    def _resume(self, frame: int) -> None:
        """Nobody asked for a while: go on from where the head was, as if no time had passed."""
        gap = frame - self._end
        self._blinks = [blink + gap for blink in self._blinks]
        self._saccade += gap
        self._end = self._asked = frame
        self._draft = None

    def _frame(self, place: float) -> LifeFrame:
        back = min(float(KEPT - 1), max(1.0, self._end - place))  # frames from the end of what is made
        first = int(np.ceil(back))
        share = np.float32(first - back)
        index = KEPT - first
        after = min(index + 1, KEPT - 1)
        mix = (self._shown[index] * (1 - share) + self._shown[after] * share,
               self._aim[index] * (1 - share) + self._aim[after] * share)  # fmt: skip
        since = (place - np.array(self._blinks[-3:])) / FRAMES_PER_S
        near = since[(since > 0) & (since < BLINK_S)]
        return LifeFrame(*mix, float(blink_curve(near).max()) if len(near) else 0.0)


def _held(frames: Array) -> Array:
    """The same up to SOFT; what is farther never reaches LARGEST."""
    far, room = np.abs(frames) - SOFT, LARGEST - SOFT
    return np.asarray(np.where(far > 0, np.sign(frames) * (SOFT + room * np.tanh(far / room)), frames))
