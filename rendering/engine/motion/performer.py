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
from rendering.engine.motion.life.hearing import Hearing, prosody_of_spans
from rendering.engine.motion.life.model import LifeModel, Person
from rendering.engine.motion.life.sources import DiffusedLife, LifeSource, Living, NoiseLife
from rendering.engine.motion.mouth.cut import CutMouth
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
MEMORY_S = 3.0
MOST_BREATH = 1.5
LISTEN_RAMP_S = 0.8
NOD_RAD, NOD_S = (0.06, 0.035), 0.36  # two dips of the head, the second smaller, and how long one takes


class Performer:
    """One person's motion in one session. Not shared between threads, but for `hear`.

    Args:
        mouth: the base models of the mouth; without them the table of mouth shapes moves it.
        life: what moves head, eyes, brows and breath; without it drifting noise does.
        no_life: why there is no `life`, for the session's record.
        smile_most: the largest amount of a small smile of life's own.
    """

    def __init__(
        self, replica: Replica, seed: int = 0, mouth: MouthModels | None = None, *, life: LifeModel | None = None,
        no_life: str = "not loaded", smile_most: float = 1.0,
    ) -> None:
        self._space = replica.space
        self._coupling = replica.pose_coupling
        facing = np.array([0.0, float(replica.space.pose_mean[1]), 0.0])
        self._centre = np.clip(facing, replica.space.pose_lows[:3], replica.space.pose_highs[:3])
        turn_rad = np.minimum(TURN_RAD, 0.8 * replica.space.pose_deviations[:3])
        self._hearing = Hearing()
        self._life: LifeSource = NoiseLife(turn_rad, seed, no_life)
        if life is not None:
            known = replica.facts.get("life")
            person = None if known is None else Person.from_json(known, str(life.facts["sha256"]))
            self._life = DiffusedLife(life, turn_rad, self._hearing, seed, person=person, smile_most=smile_most)
        self._models = mouth
        spoken = SpokenMouth(mouth.motion if mouth else None, style_of(replica.facts["calibration"]), seed)
        self._track = CutMouth(spoken)
        self._overlay = expression.REST
        self._listening = (0.0, 0.0, -1e9)  # share before, share after, since when
        self._nod_s = -1e9

    @property
    def life_facts(self) -> dict[str, Any]:
        """What moves head and eyes in this session, and how often it came late."""
        return self._life.facts

    def say(self, visemes: Sequence[Span], start_s: float, spoken: Array | None = None) -> None:
        """Speak: spans are relative to `start_s`, when their sound is first heard.

        Args:
            spoken: [N, 4] its prosody (`life.prosody.of_sound`); without it the spans tell what they can.
        """
        self._track.forget(start_s - MEMORY_S - 30.0)
        self._track.add(visemes, start_s)
        self._hearing.lay(prosody_of_spans(visemes) if spoken is None else spoken, start_s)

    def hear(self, samples: Array) -> Heard:
        """What a voice says that gives no times: sound [N], float in -1..1 at 16 kHz. Takes a while; for any thread."""
        recogniser = self._models.recogniser if self._models else None
        return hear(recogniser, samples, has_motion_model=self._models is not None)

    def follow(self, heard: Heard, start_s: float, spoken: Array | None = None) -> None:
        """Speak what was heard, from `start_s` on; `spoken` as for `say`."""
        self._track.forget(start_s - MEMORY_S - 30.0)
        self._track.follow(heard, start_s)
        if spoken is not None:
            self._hearing.lay(spoken, start_s)

    def stop(self, now_s: float) -> None:
        """Fall silent: what was still to be spoken is dropped, and from `now_s` on the lips are shut."""
        self._track.cut(now_s)
        self._hearing.cut(now_s)

    def set_emotion(self, name: str, milli: int, now_s: float) -> None:
        """Move to an emotion over about half a second; see `expression.EMOTIONS`.

        Raises:
            ValueError: unknown emotion, or an intensity outside 0..1000.
        """
        self._overlay = self._overlay.towards(expression.amounts(name, milli), now_s)
        self._track.feel(name, milli, now_s)
        self._hearing.feel(expression.EMOTIONS.index(name), milli / expression.FULL_MILLI, now_s)

    def set_listening(self, is_listening: bool, now_s: float) -> None:
        """Listen to the viewer: eyes on the camera, small nods, slightly raised brows."""
        self._listening = (self._listening_at(now_s), 1.0 if is_listening else 0.0, now_s)
        self._hearing.listen(is_listening, now_s)

    def nod(self, now_s: float) -> None:
        """Show that the viewer is understood: two small dips of the head. One that is under way comes to its end."""
        if now_s >= self._nod_s + NOD_S * len(NOD_RAD):
            self._nod_s = now_s

    def set_affect(self, valence: float, arousal: float, now_s: float) -> None:
        """The viewer's affect, -1..1 and 0..1. Call it only while perception is allowed; zeros end its effect."""
        self._hearing.perceive(valence, arousal, now_s)

    def state_at(self, t_s: float) -> FaceState:
        """The face at a moment. The same seed, calls and time give the same state."""
        speaking = self._track.activity(t_s)
        listening = self._listening_at(t_s) * (1 - speaking)
        mouth = self._track.at(t_s)
        amounts = self._overlay.at(t_s, speaking)
        unspoken = expression.resting_closure(amounts)
        amounts[_MOUTH_COLUMNS] += mouth[:CLOSURE]
        living = self._life.at(t_s, speaking, listening, self._track.stresses(t_s))
        pose = self._pose(living, self._dip_at(t_s))
        self._eyes(amounts, living, pose)
        _face(amounts, living, speaking)
        # Life's breath moves the head's place downwards; a breath of the body lifts the shoulders.
        breath = float(np.clip(-living.breath, -MOST_BREATH, MOST_BREATH))
        return FaceState(amounts, self._closure(t_s, mouth, amounts, unspoken), pose, breath)

    def _closure(self, t_s: float, mouth: Array, amounts: Array, unspoken: float) -> float:
        # At rest lips touch unless an emotion opens them; in speech the sounds alone decide.
        resting = (1 - self._track.speaks(t_s)) * expression.resting_closure(amounts)
        spoken = max(float(mouth[CLOSURE]), resting)
        shut = self._track.shut(t_s)
        return float(np.clip(spoken + shut * (unspoken - spoken), 0.0, 1.0))

    def _listening_at(self, t_s: float) -> float:
        before, after, since_s = self._listening
        share = min(1.0, max(0.0, (t_s - since_s) / LISTEN_RAMP_S))
        return before + (after - before) * share

    def _dip_at(self, t_s: float) -> float:
        passed = (t_s - self._nod_s) / NOD_S
        if not 0.0 <= passed < len(NOD_RAD):
            return 0.0
        return float(NOD_RAD[int(passed)] * np.sin(np.pi * passed) ** 2)

    def _pose(self, living: Living, dip_rad: float) -> HeadPose:
        space = self._space
        vector = np.zeros(6, np.float32)
        vector[:3] = self._centre + living.turn_rad
        vector[1] += dip_rad
        away = (vector[:3] - space.pose_mean[:3]) / space.pose_deviations[:3]
        follow = np.clip(away, -2.0, 2.0) @ self._coupling
        vector[3:] = space.pose_mean[3:] + follow + living.shift * space.pose_deviations[3:]
        vector[4] += 0.004 * space.inter_ocular * living.breath
        return HeadPose.from_vector(np.clip(vector, space.pose_lows, space.pose_highs))

    def _eyes(self, amounts: Array, living: Living, pose: HeadPose) -> None:
        # Eyes stay on the camera while the head turns; what the footage ties to pose is already in the pose terms.
        amounts[INDEX["gaze_x"]] += living.aim_rad[0] - 0.25 * pose.yaw_rad
        amounts[INDEX["gaze_y"]] += living.aim_rad[1] - 0.25 * (pose.pitch_rad - float(self._space.pose_mean[1]))
        for name in ("blink_right", "blink_left"):
            amounts[INDEX[name]] += living.lids
        for name in ("lid_up", "lid_tight", "cheek_raise"):
            amounts[INDEX[name]] *= 1 - living.lids


def _face(amounts: Array, living: Living, speaking: float) -> None:
    """Life's own brows and small smiles; lips belong to speech first.

    They are no addition to an emotion that was asked for: that was held to the grant, and the sum would be more.
    """
    own = {
        "inner_brow_up": living.brow_inner, "outer_brow_up": living.brow_outer, "brow_down": living.brow_down,
        "smile_right": living.smile * (1 - 0.5 * speaking), "smile_left": living.smile * (1 - 0.5 * speaking),
        "cheek_raise": living.cheek,
    }  # fmt: skip
    for name, amount in own.items():
        amounts[INDEX[name]] = max(amounts[INDEX[name]], amount)


def neutral_state(replica: Replica) -> FaceState:
    """The person at rest, facing the camera."""
    vector = replica.space.pose_mean.copy()
    vector[[0, 2]] = np.clip(0.0, replica.space.pose_lows[[0, 2]], replica.space.pose_highs[[0, 2]])
    return FaceState(np.zeros(len(NAMES), np.float32), 0.0, HeadPose.from_vector(vector))
