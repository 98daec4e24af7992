"""Speech sounds, emotion and idle life become a face state for any moment.

    performer = Performer(replica, seed=7, mouth=models)
    performer.say(utterance.visemes, start_s=now_s)
    state = performer.state_at(now_s)          # well under 2 ms, no side effect that matters
    performer.set_emotion("joy", 600, now_s)   # thousandths; the caller clamps by policy first
    performer.stop(now_s)                      # interruption: the mouth closes

Times are seconds on any clock of the caller's that only moves forward.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rendering.engine.motion import expression
from rendering.engine.motion.controls import INDEX, NAMES
from rendering.engine.motion.idle import BREATHS_PER_S, Drift, Schedule, blink, nod
from rendering.engine.motion.mouth.hearing import Heard, hear
from rendering.engine.motion.mouth.release import MouthModels
from rendering.engine.motion.mouth.spoken import SpokenMouth, style_of
from rendering.engine.motion.visemes import CLOSURE, MOUTH, Span
from rendering.engine.pose import HeadPose
from rendering.engine.replica import Replica
from rendering.engine.state import FaceState

Array = np.ndarray[Any, np.dtype[Any]]

_MOUTH_COLUMNS = np.array([INDEX[name] for name in MOUTH[:CLOSURE]])
TURN_RAD = np.array([0.075, 0.030, 0.022])  # deviation of yaw, pitch, roll when idle, at most
SPEECH_NOD_RAD = 0.035
MEMORY_S = 3.0
LISTEN_RAMP_S = 0.8


class Performer:
    """One person's motion in one session. Not shared between threads, but for `hear`.

    Args:
        mouth: the base models of the mouth; without them the table of mouth shapes moves it.
    """

    def __init__(self, replica: Replica, seed: int = 0, mouth: MouthModels | None = None) -> None:
        random = np.random.default_rng(seed)
        self._space = replica.space
        self._coupling = replica.pose_coupling
        facing = np.array([0.0, float(replica.space.pose_mean[1]), 0.0])
        self._centre = np.clip(facing, replica.space.pose_lows[:3], replica.space.pose_highs[:3])
        self._turn = np.minimum(TURN_RAD, 0.8 * replica.space.pose_deviations[:3])
        self._slow = [Drift(random, 0.03, 0.16) for _ in range(3)]
        self._quick = [Drift(random, 0.25, 0.7) for _ in range(3)]
        self._brows = Drift(random, 0.05, 0.3)
        self._blinks = Schedule(random, (2.0, 5.0), 1)
        self._glances = Schedule(random, (0.7, 2.6), 3)
        self._nods = Schedule(random, (2.5, 6.0), 1)
        self._models = mouth
        self._track = SpokenMouth(mouth.motion if mouth else None, style_of(replica.facts["calibration"]))
        self._overlay = expression.REST
        self._listening = (0.0, 0.0, -1e9)  # share before, share after, since when

    def say(self, visemes: Sequence[Span], start_s: float) -> None:
        """Speak: spans are relative to `start_s`, when their sound is first heard."""
        self._track.forget(start_s - MEMORY_S - 30.0)
        self._track.add(visemes, start_s)

    def hear(self, samples: Array) -> Heard:
        """What a voice says that gives no times: sound [N], float in -1..1 at 16 kHz. Takes a while; for any thread."""
        recogniser = self._models.recogniser if self._models else None
        return hear(recogniser, samples, has_motion_model=self._models is not None)

    def follow(self, heard: Heard, start_s: float) -> None:
        """Speak what was heard, from `start_s` on."""
        self._track.forget(start_s - MEMORY_S - 30.0)
        self._track.follow(heard, start_s)

    def stop(self, now_s: float) -> None:
        """Fall silent: what was still to be spoken is dropped and the mouth closes within about 0.2 s."""
        self._track.cut(now_s)

    def set_emotion(self, name: str, milli: int, now_s: float) -> None:
        """Move to an emotion over about half a second; see `expression.EMOTIONS`.

        Raises:
            ValueError: unknown emotion, or an intensity outside 0..1000.
        """
        self._overlay = self._overlay.towards(expression.amounts(name, milli), now_s)
        self._track.feel(name, milli, now_s)

    def set_listening(self, is_listening: bool, now_s: float) -> None:
        """Listen to the viewer: eyes on the camera, small nods, slightly raised brows."""
        self._listening = (self._listening_at(now_s), 1.0 if is_listening else 0.0, now_s)

    def state_at(self, t_s: float) -> FaceState:
        """The face at a moment. The same seed, calls and time give the same state."""
        speaking = self._track.activity(t_s)
        listening = self._listening_at(t_s) * (1 - speaking)
        mouth = self._track.at(t_s)
        amounts = self._overlay.at(t_s, speaking)
        amounts[_MOUTH_COLUMNS] += mouth[:CLOSURE]
        pose = self._pose(t_s, speaking, listening)
        self._eyes(amounts, t_s, pose, listening)
        brows = 0.12 * self._brows.at(t_s) + 0.15 * listening + 0.10 * self._track.stresses(t_s)
        amounts[INDEX["inner_brow_up"]] += max(0.0, brows)
        amounts[INDEX["outer_brow_up"]] += max(0.0, brows)
        return FaceState(amounts, self._closure(mouth, amounts, speaking), pose)

    def _closure(self, mouth: Array, amounts: Array, speaking: float) -> float:
        # At rest lips touch unless an emotion opens them; in speech the sounds alone decide.
        resting = expression.resting_closure(amounts)
        return float(np.clip(max(mouth[CLOSURE], (1 - speaking) * resting), 0.0, 1.0))

    def _listening_at(self, t_s: float) -> float:
        before, after, since_s = self._listening
        share = min(1.0, max(0.0, (t_s - since_s) / LISTEN_RAMP_S))
        return before + (after - before) * share

    def _pose(self, t_s: float, speaking: float, listening: float) -> HeadPose:
        slow = np.array([drift.at(t_s) for drift in self._slow])
        quick = np.array([drift.at(t_s) for drift in self._quick])
        turn = self._turn * (0.75 * slow * (1 - 0.5 * listening) + (0.15 + 0.3 * speaking) * quick)
        turn[1] += SPEECH_NOD_RAD * self._track.stresses(t_s)
        since_s, _, _ = self._nods.last(t_s)
        turn[1] += 0.06 * listening * nod(since_s)
        vector = np.zeros(6, np.float32)
        vector[:3] = self._centre + turn
        away = (vector[:3] - self._space.pose_mean[:3]) / self._space.pose_deviations[:3]
        follow = np.clip(away, -2.0, 2.0) @ self._coupling
        vector[3:] = self._space.pose_mean[3:] + follow
        vector[4] += 0.004 * self._space.inter_ocular * np.sin(2 * np.pi * BREATHS_PER_S * t_s)
        held = np.clip(vector, self._space.pose_lows, self._space.pose_highs)
        return HeadPose.from_vector(held)

    def _eyes(self, amounts: Array, t_s: float, pose: HeadPose, listening: float) -> None:
        since_s, now, before = self._glances.last(t_s)
        share = min(1.0, since_s / 0.05)  # a saccade is over in about 50 ms
        aim = _glance(before) + share * (_glance(now) - _glance(before))
        aim = aim * (1 - 0.8 * listening)
        # Eyes stay on the camera while the head turns; what the footage ties to pose is already in the pose terms.
        amounts[INDEX["gaze_x"]] += aim[0] - 0.25 * pose.yaw_rad
        amounts[INDEX["gaze_y"]] += aim[1] - 0.25 * (pose.pitch_rad - float(self._space.pose_mean[1]))
        blink_s, _, _ = self._blinks.last(t_s)
        closed = blink(blink_s)
        for name in ("blink_right", "blink_left"):
            amounts[INDEX[name]] += closed
        for name in ("lid_up", "lid_tight", "cheek_raise"):
            amounts[INDEX[name]] *= 1 - closed


def _glance(drawn: Array) -> Array:
    """Where the eyes go for three normal numbers: mostly small shifts about the camera, sometimes aside."""
    wide = 0.16 if drawn[2] > 1.2 else 0.035
    return np.asarray(np.clip(drawn[:2], -1.5, 1.5) * [wide, 0.6 * wide])


def neutral_state(replica: Replica) -> FaceState:
    """The person at rest, facing the camera."""
    vector = replica.space.pose_mean.copy()
    vector[[0, 2]] = np.clip(0.0, replica.space.pose_lows[[0, 2]], replica.space.pose_highs[[0, 2]])
    return FaceState(np.zeros(len(NAMES), np.float32), 0.0, HeadPose.from_vector(vector))
