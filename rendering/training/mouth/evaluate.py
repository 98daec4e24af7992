"""The base models on voices and texts they never met, beside drivers and beside movements that must be found out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rendering.engine.motion.mouth.features import FRAMES_PER_S
from rendering.engine.motion.mouth.loudness import loudness_mouth
from rendering.engine.motion.mouth.motion import FRAME_S, LOOK_AHEAD, MEAN_STYLE, MotionModel
from rendering.engine.motion.mouth.recogniser import settled, silence
from rendering.engine.motion.mouth.release import MouthModels
from rendering.engine.motion.mouth.unevenness import Unevenness, Wandering
from rendering.engine.motion.visemes import CLOSURE, SILENCE, VISEMES
from rendering.training.mouth import measures, truth
from rendering.training.mouth.corpus import Speech
from rendering.training.mouth.measures import Quality
from rendering.training.mouth.movement import UNEVEN
from rendering.training.mouth.recognise import labels
from rendering.training.mouth.truth import Sounds

Array = np.ndarray[Any, np.dtype[Any]]
STYLE_SEED, STYLES = 901, 4


@dataclass(frozen=True)
class Judged:
    """One recording with the movement that several drawn people would make to it."""

    speech: Speech
    styles: tuple[Array, ...]
    wanted: tuple[Array, ...]  # per style [F, MOUTH]

    @staticmethod
    def of(speech: Speech, seed: int = STYLE_SEED) -> Judged:
        """Draw the people and move them."""
        random = np.random.default_rng(seed)
        styles = tuple(truth.draw_style(random) for _ in range(STYLES))
        wanted = tuple(_plain(speech, style, UNEVEN, random) for style in styles)
        return Judged(speech, styles, wanted)

    def score(self, *moved: Array) -> Quality:
        """Mean quality over the people; one movement for all or one for each."""
        rows = moved if len(moved) == len(self.wanted) else moved * len(self.wanted)
        found = [
            vars(measures.compare(m, w, self.speech.bilabials_s)) for m, w in zip(rows, self.wanted, strict=True)
        ]
        return Quality(**{name: float(np.mean([f[name] for f in found])) for name in found[0]})


def from_text(model: MotionModel, speech: Speech, style: Array = MEAN_STYLE, emotion: Array | None = None) -> Array:
    """[F, MOUTH] the text path: exact times through the motion model."""
    return through(model, labels(speech), style, emotion)


def through(model: MotionModel, rows: Array, style: Array = MEAN_STYLE, emotion: Array | None = None) -> Array:
    """[F, MOUTH] class shares [F, VISEMES] or rows [F, HEARD] at n / 30 s through the motion model of their kind."""
    quiet = np.tile(silence(model.network.past_frames), (1, rows.shape[1] // len(VISEMES)))
    return model.run(np.concatenate([quiet[LOOK_AHEAD:], rows, quiet[:LOOK_AHEAD]]), style, emotion)


def table_driver(speech: Speech, style: Array) -> Array:
    """[F, MOUTH] the plain rule that made the truth, with a style that need not be the true one."""
    return _plain(speech, style, truth.EVEN, np.random.default_rng(0))


def wandered(unevenness: Unevenness, moved: Array, seed: int) -> Array:
    """[F, MOUTH] a movement with the small wandering that one session adds to it."""
    wandering = Wandering(unevenness, seed)
    added = np.stack([wandering.at(n * FRAME_S) for n in range(len(moved))])
    return np.asarray(moved + (1 - moved[:, CLOSURE, None]) * added)


def spread(moved: Sequence[Array]) -> float:
    """How far movements [F, MOUTH] of the same sounds lie apart where the lips are: root mean variance among them."""
    rows = np.stack(moved)
    apart = rows[:, :, CLOSURE].max(0) < 0.5
    return float(np.sqrt(rows[:, apart, :CLOSURE].var(0).mean()))


def uneven_truths(speech: Speech, count: int) -> list[Array]:
    """The same sounds said `count` times by the mean person, who never moves twice alike."""
    return [_plain(speech, MEAN_STYLE, UNEVEN, np.random.default_rng(STYLE_SEED + 2 + k)) for k in range(count)]


def _plain(speech: Speech, style: Array, unevenness: truth.Unevenness, random: np.random.Generator) -> Array:
    sounds = Sounds(speech.starts_s, speech.ends_s, speech.classes)
    parts = []
    for first in range(0, speech.frames, 150):  # uneven parts would differ by speaker, not by sound, if longer
        times_s = np.arange(first, min(first + 150, speech.frames)) * FRAME_S
        parts.append((times_s, sounds.between(times_s[0] - 0.2, times_s[-1] + 0.2)))
    return np.concatenate([truth.move(t, near, style, None, unevenness, random) for t, near in parts])


def negative_controls(moved: Array, speech: Speech) -> dict[str, Array]:
    """Movements that a measure worth its name must fail, made from a good one [F, MOUTH]."""
    shut = np.zeros_like(moved)
    shut[:, CLOSURE] = 1.0
    kernel = np.ones(5) / 5
    smooth = np.stack([np.convolve(column, kernel, mode="same") for column in moved.T], axis=1)
    return {
        "another_utterance": np.roll(moved, len(moved) // 2, axis=0),
        "late_200_ms": np.concatenate([np.repeat(moved[:1], 6, axis=0), moved[:-6]]),
        "always_closed": shut,
        "moving_average": smooth,
        "loudness": loudness_mouth(speech.samples)[: len(moved)],
    }


def failed_bars(quality: Quality, peak: float, margin: float, *, is_text: bool) -> list[str]:
    """Names of the bars (docs/benchmarks.md, motion) that a movement misses."""
    share, false = (0.95, 6.0) if is_text else (0.75, 13.0)
    bars = {
        "closure": quality.closure_share >= share,
        "false_closures": quality.false_closures_per_min <= false,
        "variance": 0.6 <= quality.variance_ratio <= 1.3,
        "jitter": 0.6 <= quality.jitter_ratio <= 1.4,
        "lag": -60 <= quality.lag_ms <= 30,
        "energy_peak": peak <= 0.8,
        "energy_margin": margin >= 0.2,
    }
    return [name for name, holds in bars.items() if not holds]


def report(models: MouthModels, speech: Speech) -> dict[str, Any]:
    """Scores of both paths and of the drivers on one recording."""
    judged = Judged.of(speech)
    rows = models.recogniser.listen(speech.samples)[: speech.frames]
    exact = labels(speech)
    spoken = exact[:, SILENCE] < 0.5
    random = np.random.default_rng(STYLE_SEED + 1)
    strangers = [table_driver(speech, truth.draw_style(random)) for _ in range(STYLES)]
    text, audio = from_text(models.motion.exact, speech), through(models.motion.heard, rows)
    known = [from_text(models.motion.exact, speech, style) for style in judged.styles]
    first, same = (found.argmax(1) == exact.argmax(1) for found in (rows[:, : len(VISEMES)], settled(rows)))
    return {
        "seconds": round(speech.frames / FRAMES_PER_S, 1), "bilabials": len(speech.bilabials_s),
        "text": judged.score(text).rounded(), "text_known_style": judged.score(*known).rounded(),
        "audio": judged.score(audio).rounded(),
        "driver_random_style": judged.score(*strangers).rounded(),
        "loudness": judged.score(loudness_mouth(speech.samples)[: speech.frames]).rounded(),
        "viseme_accuracy": round(float(same.mean()), 3),
        "viseme_accuracy_in_speech": round(float(same[spoken].mean()), 3),
        "viseme_accuracy_in_speech_at_first": round(float(first[spoken].mean()), 3),
    }  # fmt: skip
