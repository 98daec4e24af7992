"""Set to weights: learn, choose the policies, score on voices and texts that were never heard."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rendering.dialogue.turns.features import PROSODY, TIMING, WORDS
from rendering.dialogue.turns.model import TurnModel, from_json, to_json
from rendering.training.turns import files, scores
from rendering.training.turns.detector import detect
from rendering.training.turns.fit import learn, outcomes
from rendering.training.turns.heard import HeardRow, Moments, hear, moments
from rendering.training.turns.scene import Row

Floats = NDArray[np.float64]

PASSES = 3  # times the training rows are heard, each with other lags, errors and detectors
LAG_S = 0.5  # eot-bench's own lag of words
# Shares of false cut-offs that a patience may cost on the development part.
CUTOFFS = {"low": 0.10, "medium": 0.05, "high": 0.02}
PITCH = ("pitch_at_end", "pitch_slope", "pitch_move", "pitch_moved")
GROUPS = {
    "pitch": PITCH, "final_length": ("final_length",), "loudness": ("level_at_end", "level_slope"), "rate": ("rate",),
    "prosody": PROSODY, "words": WORDS, "sentence_ends": ("sentence_end", "sentence_over"),
    "timing_but_pause": TIMING[2:], "prosody_and_words": PROSODY + WORDS,
}  # fmt: skip
EACH = 2  # of the hops of a pause are learned from: neighbours are nearly alike
THINNED = 4
NOT_SILENCE = TIMING[2:] + PROSODY + WORDS


class Jobs:
    """A pool of processes; what they give does not depend on how many there are."""

    def __init__(self, count: int) -> None:
        self._pool = get_context("spawn").Pool(count)

    def map(self, work: Callable[[Any], Any], given: Iterable[Any]) -> list[Any]:
        """The results in the order of what was given."""
        return list(self._pool.imap(work, given))


def heard(folder: Path, jobs: Jobs | None = None) -> list[HeardRow]:
    """The rows of a folder, heard. Their sound is let go of."""
    rows = files.read(folder)
    return jobs.map(_hear, rows) if jobs else [_hear(row) for row in rows]


def _hear(row: Row) -> HeardRow:
    (one,) = hear([row], detect)
    return replace(one, row=replace(row, pcm=np.zeros(0, np.int16)))


def _passed(given: tuple[list[HeardRow], int, int]) -> Moments:
    rows, seed, number = given
    return moments(rows, np.random.default_rng([seed, number]), each=EACH)


def _as_measured(rows: list[HeardRow]) -> Moments:
    return moments(rows, lag_s=LAG_S)


def varied(rows: list[HeardRow], seed: int, jobs: Jobs) -> Moments:
    """The training rows, several times, each time heard otherwise."""
    parts = jobs.map(_passed, [(rows, seed, number) for number in range(PASSES)])
    shift = 1 + max(int(part.span.max()) for part in parts)
    columns = zip(*((p.features, p.span + i * shift, p.silence_s, p.on_in_s, p.length_s, p.boundary)
                    for i, p in enumerate(parts)), strict=True)  # fmt: skip
    return Moments(*(np.concatenate(column) for column in columns))


def model_of(learned: tuple[Floats, Floats, Floats, Floats], facts: dict[str, Any]) -> TurnModel:
    """A model as it comes from its file, rounding included."""
    return from_json(to_json(*learned, facts))


def build(folder: Path, seed: int, jobs: Jobs) -> str:
    """The file of weights from a set's folder."""
    torch.set_num_threads(1)
    train, development, held_out = (heard(folder / name, jobs) for name in ("train", "development", "held_out"))
    known = varied(train, seed, jobs)
    developed, unheard = jobs.map(_as_measured, [development, held_out])
    learned = learn(known)
    model = model_of(learned, {})
    chosen = patience(model, developed)
    facts = {
        "command": f"python -m rendering.training.turns build --set DIR --seed {seed}", "seed": seed,
        "set": {"turns": {"train": len(train), "development": len(development), "held_out": len(held_out)},
                "speech": "synthetic: flite and espeak-ng"},
        "patience": chosen, "patience_held_out": costs(model, chosen, unheard), "held_out": figures(model, unheard),
        "ablations": ablations(known, unheard, jobs),
    }  # fmt: skip
    return to_json(*learned, facts)


def patience(model: TurnModel, seen: Moments) -> dict[str, list[float]]:
    """Threshold, delay and time-out of each patience: the least dead air with the cut-offs it may cost."""
    points = scores.sweep(scores.silences(model.over(seen.features), seen))
    found = {name: scores.quickest(points, share) for name, share in CUTOFFS.items()}
    return {name: [p.threshold, p.delay_s, p.timeout_s] for name, p in found.items() if p is not None}


def costs(model: TurnModel, chosen: Mapping[str, list[float]], seen: Moments) -> dict[str, dict[str, float]]:
    """What each patience's settings cost on other voices and texts than they were chosen on."""
    found = scores.silences(model.over(seen.features), seen)
    points = {name: scores.at(found, *settings) for name, settings in chosen.items()}
    return {name: {"cutoff": round(point.cutoff, 4), "dead_air_ms": round(1000 * point.dead_air_s)}
            for name, point in points.items()}  # fmt: skip


def figures(model: TurnModel, seen: Moments) -> dict[str, Any]:
    """eot-bench's operating points of a model and of silence alone on the same grid."""
    shares = model.over(seen.features)
    found = scores.silences(shares, seen)
    own, silence = scores.summary(scores.sweep(found)), scores.summary(scores.silence_alone(found))
    coarse = (scores.EOT_BENCH_DELAYS_S, scores.EOT_BENCH_TIMEOUTS_S)
    coarse_silence = scores.summary(scores.silence_alone(found, np.concatenate(coarse)))
    return {
        **own, **{f"vad_{name}": value for name, value in silence.items()},
        "dead_air_ratio": _ratio(own["dead_air_ms_at_5pct"], silence["dead_air_ms_at_5pct"]),
        "eot_bench_grid": {
            **scores.summary(scores.sweep(found, *coarse)),
            **{f"vad_{name}": value for name, value in coarse_silence.items()},
        },
        "area_at_200_ms": round(scores.area(shares, seen), 4), "silences": len(found.length_s),
        "ends": int(np.isinf(found.length_s).sum()),
    }  # fmt: skip


def thinned(known: Moments, each: int = THINNED) -> Moments:
    """One moment of `each`: neighbours in a pause are nearly alike, and controls need many fits."""
    return Moments(*(column[::each] for column in vars(known).values()))


def ablations(known: Moments, seen: Moments, jobs: Jobs) -> dict[str, float | None]:
    """Dead air at 5 % without each cue, learned again, and of the two controls that must score like silence alone.

    `none` is the same fit with every cue, to compare with: all rest on a part of the moments.
    """
    known = thinned(known)
    tried: dict[str, tuple[tuple[str, ...], bool]] = {"none": ((), False)}
    tried |= {f"without_{name}": (left_out, False) for name, left_out in GROUPS.items()}
    tried |= {"only_silence": (NOT_SILENCE, False), "shuffled_labels": ((), True)}
    found = jobs.map(_ablated, [(known, seen, left_out, is_shuffled) for left_out, is_shuffled in tried.values()])
    return dict(zip(tried, found, strict=True))


def _ablated(given: tuple[Moments, Moments, tuple[str, ...], bool]) -> float | None:
    known, seen, left_out, is_shuffled = given
    torch.set_num_threads(1)
    return dead_air(learn(known, left_out, shuffled(known) if is_shuffled else None), seen)


def dead_air(learned: tuple[Floats, Floats, Floats, Floats], seen: Moments) -> float | None:
    """Milliseconds at 5 % false cut-offs."""
    return figures(model_of(learned, {}), seen)["dead_air_ms_at_5pct"]


def shuffled(known: Moments) -> NDArray[np.int64]:
    """Each silence gets the outcomes of another one as far as they are as long: nothing is left but the clock."""
    draw = np.random.default_rng(0)
    wanted = outcomes(known)
    steps = np.round(known.silence_s / 0.02).astype(int)
    mixed = wanted.copy()
    for step in np.unique(steps):
        same = np.flatnonzero(steps == step)
        mixed[same] = wanted[draw.permutation(same)]
    return mixed


def eot_bench(folder: Path, weights: str, language: str) -> dict[str, Any]:
    """Figures of weights on a folder in eot-bench's schema, one language of it."""
    model = from_json(weights)
    rows = [_hear(row) for row in files.read(folder) if row.language == language]
    if not rows:
        raise files.UnreadableSet(f"No row of {folder} is in the language {language!r}.")
    return {"rows": len(rows), **figures(model, moments(rows, lag_s=LAG_S))}


def _ratio(own: float | None, other: float | None) -> float | None:
    return None if own is None or other is None else round(own / other, 4)
