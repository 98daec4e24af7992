"""When people blink and where they look: several models, so that none of them is learned as the truth."""

from __future__ import annotations

from typing import Any

import numpy as np

from rendering.engine.motion.life.channels import FRAMES_PER_S
from rendering.training.life.scenes import Conversation

Array = np.ndarray[Any, np.dtype[Any]]
Random = np.random.Generator
SHORTEST_GAP_S = 0.45


def gamma_blinks(talk: Conversation, random: Random) -> Array:
    """A renewal process with gamma gaps, quicker in speech."""
    mean_s, shape = random.uniform(2.0, 5.5), random.uniform(1.5, 6.0)
    in_speech = random.uniform(0.6, 1.0)
    return _renewed(talk, lambda at: random.gamma(shape, mean_s / shape) * (in_speech if _speaks(talk, at) else 1.0))


def even_blinks(talk: Conversation, random: Random) -> Array:
    """Gaps from a flat range."""
    shortest = random.uniform(1.0, 2.5)
    longest = shortest + random.uniform(1.5, 4.0)
    return _renewed(talk, lambda _: random.uniform(shortest, longest))


def paired_blinks(talk: Conversation, random: Random) -> Array:
    """Log-normal gaps; now and then a second blink follows at once."""
    middle_s, pairs = random.uniform(2.0, 4.5), random.uniform(0.05, 0.2)
    return _renewed(talk, lambda _: 0.5 if random.random() < pairs else middle_s * np.exp(0.5 * random.normal()))


def boundary_blinks(talk: Conversation, random: Random) -> Array:
    """Blinks wait for the ends of phrases; a few come on their own."""
    likely = random.uniform(0.4, 0.8)
    ends = talk.phrase_ends + random.normal(0.05, 0.12, len(talk.phrase_ends))
    alone = _renewed(talk, lambda _: random.exponential(random.uniform(3.5, 6.0)) + 0.8)
    blinks = np.sort(np.concatenate([ends[random.random(len(ends)) < likely], alone]))
    return _apart(blinks[(blinks > 0) & (blinks < _seconds(talk))])


def _renewed(talk: Conversation, gap: Any) -> Array:
    out, at_s = [], float(gap(0.0)) * 0.6
    while at_s < _seconds(talk):
        out.append(at_s)
        at_s += max(SHORTEST_GAP_S, float(gap(at_s)))
    return np.array(out)


def _apart(moments: Array) -> Array:
    kept: list[float] = []
    for moment in moments:
        if not kept or moment - kept[-1] > SHORTEST_GAP_S:
            kept.append(float(moment))
    return np.array(kept)


def glances(talk: Conversation, random: Random) -> Array:
    """[T, 2] on the camera, now and then aside for a moment; hardly ever while listening."""
    aim = np.zeros((len(talk.scene), 2))
    wide, gap_s = random.uniform(0.08, 0.2), random.uniform(1.5, 4.5)
    at_s = random.exponential(gap_s)
    while at_s < _seconds(talk):
        hold_s = random.uniform(0.3, 1.0)
        if not (_listens(talk, at_s) and random.random() < 0.7):
            _hold(aim, at_s, at_s + hold_s, random.normal(0, [wide, 0.45 * wide]))
        at_s += hold_s + 0.4 + random.exponential(gap_s)
    return aim


def shifting(talk: Conversation, random: Random) -> Array:
    """[T, 2] eyes that never rest for long: fixations of gamma length about the camera, mostly near it."""
    aim = np.zeros((len(talk.scene), 2))
    hold_s, near = random.uniform(0.6, 1.6), random.uniform(0.02, 0.05)
    far, often = random.uniform(0.1, 0.22), random.uniform(0.08, 0.25)
    at_s = 0.0
    while at_s < _seconds(talk):
        lasts_s = 0.2 + random.gamma(2.0, hold_s / 2) * (1.6 if _listens(talk, at_s) else 1.0)
        wide = far if random.random() < often and not _listens(talk, at_s) else near
        _hold(aim, at_s, at_s + lasts_s, random.normal(0, [wide, 0.6 * wide]))
        at_s += lasts_s
    return aim


def averted(talk: Conversation, random: Random) -> Array:
    """[T, 2] away while a phrase is being found, back on the viewer towards its end."""
    aim = np.zeros((len(talk.scene), 2))
    likely, side = random.uniform(0.25, 0.7), random.choice([-1.0, 1.0])
    wide = random.uniform(0.08, 0.22)
    for start_s in talk.phrase_starts:
        if random.random() < likely:
            target = [side * wide * random.uniform(0.5, 1.3), -wide * random.uniform(-0.2, 0.7)]
            first_s = start_s - random.uniform(0.0, 0.5)
            _hold(aim, first_s, first_s + random.gamma(3.0, 0.3) + 0.2, np.array(target))
    return aim


def _hold(aim: Array, start_s: float, end_s: float, target: Array) -> None:
    aim[max(0, round(start_s * FRAMES_PER_S)) : max(0, round(end_s * FRAMES_PER_S))] = np.clip(target, -0.35, 0.35)


def _seconds(talk: Conversation) -> float:
    return len(talk.scene) / FRAMES_PER_S


def _speaks(talk: Conversation, at_s: float) -> bool:
    return bool(talk.speaking[min(len(talk.scene) - 1, max(0, int(at_s * FRAMES_PER_S)))] > 0.5)


def _listens(talk: Conversation, at_s: float) -> bool:
    return bool(talk.listening[min(len(talk.scene) - 1, max(0, int(at_s * FRAMES_PER_S)))] > 0.5)
