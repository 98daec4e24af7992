"""A performance: speech, feelings and idle life of a demo person over time, ending in one Face per frame.

Everything is drawn from a seed, so the same call gives the same performance.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rendering.demo.mouth_shapes import mouth_curves
from rendering.demo.rig import Face
from rendering.speech import Utterance, VisemeSpan

Curve = npt.NDArray[np.float64]

# Change of the resting face at full intensity.
FEELINGS: dict[str, dict[str, float]] = {
    "neutral": {},
    "joy": {"smile": 0.78, "upper_lip": 0.30, "lid": -0.08, "brow": 0.15, "jaw": 0.10},
    "sadness": {"smile": -0.75, "furrow": -0.9, "lid": -0.25, "gaze_y": -0.12, "pitch": 0.05},
    "anger": {"smile": -0.50, "furrow": 1.0, "brow": -0.45, "lid": -0.12},
    "surprise": {"brow": 0.80, "lid": 0.20, "jaw": 0.28, "smile": -0.10},
}
REST = {"smile": 0.22, "brow": 0.2, "lid": 0.99}
LIMITS = {"jaw": (0, 1), "smile": (-0.7, 1), "upper_lip": (0, 1), "brow": (-0.45, 1), "lid": (0, 1.2), "pucker": (0, 1)}
BLINK_S = 0.22


@dataclass(frozen=True)
class Passage:
    """A feeling from start to end, rising and falling smoothly to `peak`."""

    feeling: str
    start_s: float
    end_s: float
    peak: float = 0.9


@dataclass(frozen=True)
class Spoken:
    """An utterance placed in time."""

    utterance: Utterance
    start_s: float

    @property
    def end_s(self) -> float:
        """When its sound ends."""
        return self.start_s + self.utterance.seconds

    def spans(self) -> tuple[VisemeSpan, ...]:
        """Its mouth shapes on the clip's clock."""
        at_s = self.start_s
        return tuple(VisemeSpan(s.viseme, s.start_s + at_s, s.end_s + at_s) for s in self.utterance.visemes)


@dataclass(frozen=True)
class HeadTurn:
    """One asked turn: away from ahead and back. Angles in rad."""

    start_s: float
    yaw: float = 0.0
    pitch: float = 0.0
    move_s: float = 0.5
    hold_s: float = 0.6


def perform(
    time_s: Curve,
    spoken: tuple[Spoken, ...] = (),
    *,
    passages: tuple[Passage, ...] = (),
    turns: tuple[HeadTurn, ...] = (),
    seed: int = 0,
    liveliness: float = 1.0,
) -> list[Face]:
    """Faces at the given times.

    Args:
        time_s: [T] rising.
        spoken: what is said when.
        passages: feelings. They never overlap in sense, but their effects add up.
        turns: asked head turns, on top of the idle head motion.
        seed: draws blinks, glances and head motion.
        liveliness: size of idle head motion and glances; 0 keeps still but for blinks.
    """
    rng = np.random.default_rng([seed, 0xFACE])
    mouth = mouth_curves(tuple(span for item in spoken for span in item.spans()), time_s)
    curves = {name: np.full(len(time_s), value) for name, value in REST.items()}
    for name in ("jaw", "close", "pucker", "upper_lip", "tuck", "furrow", "gaze_x", "gaze_y", "yaw", "pitch", "roll"):
        curves[name] = np.zeros(len(time_s))
    _feel(curves, time_s, passages, mouth.voiced)
    for name in ("jaw", "pucker", "upper_lip"):
        curves[name] = curves[name] + getattr(mouth, name)
    curves["smile"] = curves["smile"] * (1 - 0.6 * np.clip(mouth.pucker, 0, 1)) + 0.5 * mouth.smile
    curves["close"], curves["tuck"] = mouth.close, mouth.tuck
    _idle(curves, time_s, rng, liveliness, mouth.voiced)
    _turn(curves, time_s, turns)
    _blink(curves, time_s, rng)
    for name, (low, high) in LIMITS.items():
        curves[name] = np.clip(curves[name], low, high)
    names = list(curves)
    # Rounded far below what can be seen, so that a face at rest stays equal to itself and is drawn once.
    return [Face(**{name: round(float(curves[name][k]), 3) for name in names}) for k in range(len(time_s))]


def _feel(curves: dict[str, Curve], time_s: Curve, passages: tuple[Passage, ...], voiced: Curve) -> None:
    for passage in passages:
        amount = _swell(time_s, passage)
        for name, value in FEELINGS[passage.feeling].items():
            # Speaking leaves less of the mouth to the feeling.
            mouth_share = 1 - 0.35 * voiced if name in ("smile", "jaw", "upper_lip") else 1.0
            curves[name] = curves[name] + value * amount * mouth_share


def _swell(time_s: Curve, passage: Passage) -> Curve:
    rise = np.clip((time_s - passage.start_s) / 0.7, 0, 1)
    fall = np.clip((passage.end_s - time_s) / 0.9, 0, 1)
    x = np.minimum(rise, fall)
    return np.asarray(passage.peak * x * x * (3 - 2 * x))


def _idle(curves: dict[str, Curve], time_s: Curve, rng: np.random.Generator, size: float, voiced: Curve) -> None:
    """Slow turning, nods with speech, glances, breath, small brow movements."""
    waves = {"yaw": (0.30, 9.0), "pitch": (0.09, 6.3), "roll": (0.07, 7.7), "shift_x": (0.35, 8.0)}
    for name, (height, period_s) in waves.items():
        curves[name] = curves.get(name, np.zeros(len(time_s))) + size * height * _wander(time_s, period_s, rng)
    curves["pitch"] = curves["pitch"] + size * 0.030 * voiced * _wander(time_s, 1.3, rng)
    curves["yaw"] = curves["yaw"] + size * 0.020 * voiced * _wander(time_s, 1.7, rng)
    curves["brow"] = curves["brow"] + size * (0.10 + 0.14 * voiced) * _wander(time_s, 1.9, rng)
    curves["breath"] = (
        0.16 * np.sin(2 * np.pi * time_s / 3.9 + rng.uniform(0, 6.28)) if size > 0 else np.zeros(len(time_s))
    )
    _glance(curves, time_s, rng, size)


def _wander(time_s: Curve, period_s: float, rng: np.random.Generator) -> Curve:
    """Smooth unrepeating curve of about unit height."""
    out = np.zeros(len(time_s))
    for share, rate in ((0.62, 1.0), (0.27, 1.73), (0.16, 2.9)):
        out += share * np.sin(2 * np.pi * time_s * rate / period_s + rng.uniform(0, 2 * np.pi))
    return out


def _glance(curves: dict[str, Curve], time_s: Curve, rng: np.random.Generator, size: float) -> None:
    """Eyes hold the camera while the head turns, and now and then look aside for half a second."""
    gaze_x, gaze_y = -0.85 * curves["yaw"], 0.85 * curves["pitch"]
    at_s = rng.uniform(1.0, 3.0)
    while at_s < time_s[-1]:
        hold_s = rng.uniform(0.4, 0.9)
        side, up = size * rng.normal(0, 0.16), size * rng.normal(0, 0.06)
        held = np.clip(np.minimum(time_s - at_s, at_s + hold_s - time_s) / 0.05, 0, 1)  # eyes jump
        gaze_x, gaze_y = gaze_x + side * held, gaze_y + up * held
        at_s += hold_s + rng.uniform(1.5, 4.0)
    curves["gaze_x"] = np.clip(curves["gaze_x"] + gaze_x, -0.4, 0.4)
    curves["gaze_y"] = np.clip(curves["gaze_y"] + gaze_y, -0.25, 0.25)


def _turn(curves: dict[str, Curve], time_s: Curve, turns: tuple[HeadTurn, ...]) -> None:
    for turn in turns:
        out = np.clip((time_s - turn.start_s) / turn.move_s, 0, 1)
        back = np.clip((turn.start_s + 2 * turn.move_s + turn.hold_s - time_s) / turn.move_s, 0, 1)
        x = np.minimum(out, back)
        x = x * x * (3 - 2 * x)
        curves["yaw"] = curves["yaw"] + turn.yaw * x
        curves["pitch"] = curves["pitch"] + turn.pitch * x
        curves["gaze_x"] = np.clip(curves["gaze_x"] - 0.25 * turn.yaw * x, -0.4, 0.4)


def _blink(curves: dict[str, Curve], time_s: Curve, rng: np.random.Generator) -> None:
    """Lids fall in a third of the time that they take to rise."""
    at_s = time_s[0] + rng.uniform(0.8, 2.5)
    while at_s < time_s[-1]:
        falling = (time_s - at_s) / (0.3 * BLINK_S)
        rising = 1 - (time_s - at_s - 0.45 * BLINK_S) / (0.55 * BLINK_S)
        shut = np.clip(np.minimum(falling, rising), 0, 1)
        curves["lid"] = curves["lid"] * (1 - shut * shut * (3 - 2 * shut))
        at_s += rng.uniform(2.0, 5.0)
