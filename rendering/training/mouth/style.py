"""A person's way to speak, fitted to their footage: sixteen numbers of the motion model, and the sound's offset.

    style = fit(models, mouth, frames_per_s, samples)      # tracked mouth [T, MOUTH], sound [N] at 16 kHz

The offset between picture and sound is measured and taken out first: a style fitted to shifted sound would learn the
shift. Footage without usable speech gives the mean style and says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.engine.motion.mouth.features import FRAMES_PER_S, RATE_HZ
from rendering.engine.motion.mouth.hearing import hear
from rendering.engine.motion.mouth.motion import FRAME_S, MEAN_STYLE, STYLE, WIDEST_STYLE, MotionModel
from rendering.engine.motion.mouth.recogniser import settled
from rendering.engine.motion.mouth.release import MouthModels
from rendering.engine.motion.visemes import CLOSURE, SILENCE
from rendering.training.lip_sound import best_lag_s
from rendering.training.mouth.evaluate import through
from rendering.training.mouth.movement import opening

Array = np.ndarray[Any, np.dtype[Any]]

LEAST_SPEECH_S = 10.0
LEAST_CORRELATION = 0.3  # of the opening that the sound asks for with the tracked one, at the best offset
LARGEST_OFFSET_S = 0.3
CHECKED_SHARE = 0.2  # of the speech, at its end, that the fit does not see
LONGEST_S = 75.0  # of footage that is used; 60 s of speech give nearly all there is
_ROUNDS = 5
_STEP = 0.05  # deviations, for the derivatives
_INDEPENDENT = 8.0  # neighbouring frames err together: this many count as one


@dataclass(frozen=True)
class FittedStyle:
    """The outcome, as the replica's calibration keeps it."""

    vector: Array  # [STYLE] deviations
    note: str
    offset_ms: float  # sound later than the picture: positive
    correlation: float
    speech_s: float
    error_before: float  # of the checked part, in deviations of each control
    error_after: float

    def to_facts(self) -> dict[str, Any]:
        """JSON values for `calibration.mouth_style`."""
        return {
            "vector": [round(float(v), 4) for v in self.vector], "note": self.note,
            "offset_ms": round(self.offset_ms, 1), "correlation": round(self.correlation, 3),
            "speech_s": round(self.speech_s, 1), "error_before": round(self.error_before, 4),
            "error_after": round(self.error_after, 4),
        }  # fmt: skip


def fit(models: MouthModels, mouth: Array, frames_per_s: float, samples: Array) -> FittedStyle:
    """Fit a style to a tracked mouth [T, MOUTH] (NaN where no face was found) and its sound [N], -1..1 at 16 kHz."""
    samples, mouth = samples[: int(LONGEST_S * RATE_HZ)], mouth[: int(LONGEST_S * frames_per_s)]
    heard = hear(models.recogniser, samples, has_motion_model=True)
    if heard.rows is None:
        return _mean("The footage has no sound, so this replica speaks in the mean style.")
    # Of both motion models the exact one moves fully on what is surely heard; the other's caution would be fitted too.
    shares = settled(heard.rows)
    spoken = shares[:, SILENCE] < 0.5
    speech_s = float(spoken.sum()) * FRAME_S
    if speech_s < LEAST_SPEECH_S or not np.isfinite(mouth).any():
        return _mean(
            f"The footage holds {speech_s:.0f} s of speech and {LEAST_SPEECH_S:.0f} s are needed, "
            "so this replica speaks in the mean style.", speech_s=speech_s)
    offset_s, correlation = sound_offset(models.motion.exact, shares, mouth, frames_per_s)
    if correlation < LEAST_CORRELATION:
        return _mean(
            "The mouth does not follow the sound of the footage, so this replica speaks in the mean style.",
            offset_s, correlation, speech_s)
    times_s = np.arange(len(shares)) * FRAME_S - offset_s
    wanted = _at(mouth, frames_per_s, times_s)
    usable = np.isfinite(wanted).all(1) & _near(spoken)
    used = np.flatnonzero(usable)
    split = used[int(len(used) * (1 - CHECKED_SHARE))]
    learnt, checked = usable & (np.arange(len(usable)) < split), usable & (np.arange(len(usable)) >= split)
    scale = 1 / (wanted[learnt].std(0) + 0.05)
    vector = _gauss_newton(models.motion.exact, shares, wanted, learnt, scale)
    before, after = (_error(models.motion.exact, shares, wanted, checked, scale, s) for s in (MEAN_STYLE, vector))
    if after >= before:
        return _mean(
            "The fitted style was no better than the mean one on the end of the footage, so the mean one is used.",
            offset_s, correlation, speech_s, before)
    return FittedStyle(vector, "Fitted to the footage.", 1000 * offset_s, correlation, speech_s, before, after)


def sound_offset(model: MotionModel, shares: Array, mouth: Array, frames_per_s: float) -> tuple[float, float]:
    """How much later the sound is than the picture, in s, and the correlation of the openings there."""
    asked = opening(through(model, shares))
    shown = _at(opening(mouth)[:, None], frames_per_s, np.arange(len(asked)) * FRAME_S)[:, 0]
    shown = np.where(np.isfinite(shown), shown, np.nanmedian(shown))
    lag_s, height = best_lag_s(asked, shown, FRAMES_PER_S, LARGEST_OFFSET_S)
    # The mean person's mouth runs ahead of the sound by what the model learnt, in `asked` as in a true face.
    return lag_s, height


def to_hearing_rate(pcm: Array, rate_hz: int) -> Array:
    """int16 sound [N] as floats at 16 kHz."""
    from rendering.speech.utterance import resample

    return np.asarray(resample(pcm, rate_hz, RATE_HZ).astype(np.float32) / 32768)


def _mean(
    note: str, offset_s: float = 0.0, correlation: float = 0.0, speech_s: float = 0.0, error: float = 0.0
) -> FittedStyle:
    return FittedStyle(MEAN_STYLE, note, 1000 * offset_s, correlation, speech_s, error, error)


def _gauss_newton(model: MotionModel, shares: Array, wanted: Array, learnt: Array, scale: Array) -> Array:
    """The most probable style, given that styles spread by one deviation and frames err as they do at the mean."""
    style = MEAN_STYLE.copy()
    for _ in range(_ROUNDS):
        off = _off(model, shares, wanted, learnt, scale, style)
        slopes = np.stack([
            (_off(model, shares, wanted, learnt, scale, style + _STEP * unit) - off) / _STEP
            for unit in np.eye(len(STYLE), dtype=np.float32)
        ])  # fmt: skip
        weight = 1 / (_INDEPENDENT * max(float(np.mean(off**2)), 1e-4))
        normal = weight * slopes @ slopes.T + np.eye(len(STYLE))
        move = np.linalg.solve(normal, -weight * slopes @ off - style)
        style = np.clip(style + np.clip(move, -1, 1), -WIDEST_STYLE, WIDEST_STYLE).astype(np.float32)
    return style


def _off(model: MotionModel, shares: Array, wanted: Array, chosen: Array, scale: Array, style: Array) -> Array:
    """[n] scaled differences of the movement from what was tracked; closure counts through the opening alone."""
    moved = through(model, shares, style)[chosen]
    off = (moved - wanted[chosen]) * scale
    off[:, CLOSURE] = (opening(moved) - opening(wanted[chosen])) / (opening(wanted[chosen]).std() + 0.02)
    return off.ravel()


def _error(model: MotionModel, shares: Array, wanted: Array, chosen: Array, scale: Array, style: Array) -> float:
    return float(np.sqrt(np.mean(_off(model, shares, wanted, chosen, scale, style) ** 2)))


def _at(curves: Array, frames_per_s: float, times_s: Array) -> Array:
    """[len(times_s), C] curves [T, C] read at other times; NaN outside them and beside a NaN."""
    own_s = np.arange(len(curves)) / frames_per_s
    return np.stack([np.interp(times_s, own_s, c, left=np.nan, right=np.nan) for c in curves.T], axis=1)


def _near(spoken: Array) -> Array:
    """[F] true within a third of a second of speech."""
    reach = FRAMES_PER_S // 3
    return np.convolve(spoken, np.ones(2 * reach + 1), mode="same") > 0
