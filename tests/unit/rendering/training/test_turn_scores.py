"""The measure of eot-bench against a reading of its definition one silence at a time, and the parts of the set."""

import numpy as np
import pytest

from rendering.training.turns import cues, scene, scores, voices
from rendering.training.turns.fit import outcomes
from rendering.training.turns.heard import Moments
from rendering.training.turns.more_texts import Texts
from rendering.training.turns.texts import ADDED, ASKED, MORE, QUESTIONS, STATEMENTS, draw_script, part_of


def made(seed: int) -> tuple[Moments, np.ndarray]:
    draw = np.random.default_rng(seed)
    rows: list[tuple[int, float, float, float]] = []
    for span in range(40):
        is_end = span % 3 == 0
        length = 3.6 if is_end else float(draw.uniform(0.1, 1.5))
        rows += [(span, t, np.inf if is_end else length - t, np.inf if is_end else length)
                 for t in np.arange(0.02, length, 0.02)]  # fmt: skip
    span, silence, on_in, length_s = (np.array(column) for column in zip(*rows, strict=True))
    moments = Moments(np.zeros((len(rows), 1)), span, silence, on_in, length_s, np.full(len(rows), "open"))
    return moments, draw.random(len(rows)) ** 8


@pytest.mark.parametrize("seed", range(3))
def test_a_policy_costs_what_the_definition_says(seed: int) -> None:
    moments, shares = made(seed)
    threshold, delay_s, timeout_s = 0.8, 0.4, 1.2
    cut, holds, waits = 0, 0, []
    for span in np.unique(moments.span):
        mine = moments.span == span
        length = moments.length_s[mine][0]
        if np.isfinite(length) and length < 0.2:
            continue
        over = [t for t, share in zip(moments.silence_s[mine], shares[mine], strict=True) if share > threshold]
        acts = min(max(delay_s, over[0]) if over else timeout_s, timeout_s)
        if np.isinf(length):
            waits.append(acts)
        else:
            holds += 1
            cut += length > acts + 1e-9
    point = scores.at(scores.silences(shares, moments), threshold, delay_s, timeout_s)
    assert point.cutoff == pytest.approx(cut / holds)
    assert point.dead_air_s == pytest.approx(np.mean(waits))


def test_a_model_that_knows_and_one_that_guesses() -> None:
    moments, _ = made(1)
    knows = scores.summary(scores.sweep(scores.silences(np.where(moments.is_end, 0.9, 0.1), moments)))
    assert knows["cutoff_300"] == 0.0 and knows["dead_air_ms_at_5pct"] == pytest.approx(200.0)
    nothing = np.full(len(moments.span), 0.5)
    assert scores.area(nothing + 1e-9 * np.arange(len(nothing)) % 2e-9, moments) == pytest.approx(0.5, abs=0.2)
    blind = scores.silences(np.zeros(len(moments.span)), moments)
    own = scores.quickest(scores.sweep(blind), 0.05)
    alone = scores.quickest(scores.silence_alone(blind), 0.05)
    assert own is not None and alone is not None
    assert own.dead_air_s >= alone.dead_air_s - 1e-9


def test_no_policy_is_said_where_none_reaches_the_budget() -> None:
    assert scores.quickest([scores.Point(0.2, 0.3, 0.5, 0.2, 1.0)], 0.05) is None
    assert scores.gentlest([scores.Point(0.2, 0.5, 0.5, 0.2, 1.0)], 0.3) is None


def test_outcomes_are_the_bins_of_when_they_go_on() -> None:
    moments, _ = made(2)
    found = outcomes(moments)
    assert set(found[moments.is_end]) == {0}
    assert set(found[~moments.is_end & (moments.on_in_s < 0.19)]) == {1}
    assert set(found[~moments.is_end & (moments.on_in_s > 0.61)]) == {4}


@pytest.mark.parametrize("items", [ASKED, STATEMENTS, QUESTIONS, ADDED])
def test_no_text_is_in_two_parts(items: tuple) -> None:
    parts = [set(part_of(items, split)) for split in ("train", "development", "held_out")]
    assert sum(len(part) for part in parts) == len(items) == len(set.union(*parts))
    assert all(parts)


def test_what_was_added_is_in_one_part_alone() -> None:
    """The held-out part keeps its own texts and voices, and none of them is anywhere else."""
    assert MORE["held_out"] == Texts()
    known: set[str] = set()
    for split in ("train", "development"):
        said = [*MORE[split].statements, *MORE[split].questions, *(clause for _, clause in MORE[split].added),
                *(answer for _, answers in MORE[split].asked for answer in answers)]  # fmt: skip
        assert len(set(said)) == len(said) and not known & set(said)
        known |= set(said)
    before = {*STATEMENTS, *QUESTIONS, *(clause for _, clause in ADDED), *(a for _, answers in ASKED for a in answers)}
    assert not known & before
    for made in (voices.ESPEAK, voices.FLITE):
        spoken = [voice for voices_of in made.values() for voice in voices_of]
        assert len(set(spoken)) == len(spoken)
    variants = {split: {variant for _, variant in pairs} for split, pairs in voices.ESPEAK.items()}
    assert not variants["held_out"] & (variants["train"] | variants["development"])


def test_a_conversation_needs_none_of_the_others() -> None:
    every = list(scene.rows("development", 6, 3))
    alone = scene.conversation("development", 1, 6, 3)
    assert [row.id for row in every[4:]] == [row.id for row in alone]
    assert all(np.array_equal(a.pcm, b.pcm) for a, b in zip(every[4:], alone, strict=True))


def test_the_same_seed_draws_the_same_script() -> None:
    first, second = (draw_script("train", np.random.default_rng(5)) for _ in range(2))
    assert first == second and first.segments[-1].boundary in ("end", "question_end")


def test_pauses_and_gaps_are_as_stated() -> None:
    draw = np.random.default_rng(4)
    pauses = [cues.draw_pause_s("clause", draw) for _ in range(500)]
    assert min(pauses) >= 0.2 and max(pauses) <= 1.5
    gaps = [cues.draw_gap_s(draw) for _ in range(2000)]
    assert np.mean(gaps) == pytest.approx(0.2, abs=0.03) and np.std(gaps) == pytest.approx(0.25, abs=0.03)
    assert min(gaps) < 0
