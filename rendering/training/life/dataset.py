"""Training pairs: clips of many people cut into chunks, each with the moment before it, coded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from rendering.engine.motion.life import codec as codes
from rendering.engine.motion.life import context
from rendering.engine.motion.life.channels import CHUNK, FRAMES_PER_S, SMOOTH, Motion
from rendering.engine.motion.life.codec import Codec, event_value
from rendering.engine.motion.life.context import Before
from rendering.engine.motion.life.person import STILL, Manner, measure
from rendering.engine.motion.life.scene import Scene
from rendering.training.life import scenes
from rendering.training.life.families import (
    gestures,
    nod_grammar,
    recorded,
    splines,
    springs,
    submovements,
    wander,
)
from rendering.training.life.families.recorded import Recording
from rendering.training.life.scenes import Conversation

Array = np.ndarray[Any, np.dtype[Any]]
Random = np.random.Generator
Family = Callable[[Conversation, Random], Motion]

CLIP_S = 60.0
FAMILIES: dict[str, Family] = {
    "springs": springs.move, "wander": wander.move, "nod_grammar": nod_grammar.move, "gestures": gestures.move,
    "splines": splines.move,
}  # fmt: skip
HELD_OUT: Family = submovements.move
LEAST_START = max(context.PAST, codes.HISTORY + 1)
RIDGE = 1e-3


@dataclass(frozen=True)
class Clip:
    """One person in one scene."""

    source: str
    motion: Motion
    scene: Scene
    manner: Manner

    @staticmethod
    def of(source: str, motion: Motion, scene: Scene) -> Clip:
        return Clip(source, motion, scene, measure(motion, scene))


@dataclass(frozen=True)
class Pairs:
    """N chunks."""

    context: Array  # [N, C] float32, without style
    style: Array  # [N, STYLE] float32
    code: Array  # [N, W] float32


def draw_clips(each: int, recordings: Iterable[tuple[str, Recording]], seed: int) -> list[Clip]:
    """`each` people of every trained family, of the fitted recordings' kind as well, and the recordings themselves."""
    known = list(recordings)
    models = [recorded.fit(recording) for _, recording in known]
    families = dict(FAMILIES)
    if models:
        families["recorded"] = partial(recorded.move, models=models)
    clips = [
        draw_clip(name, move, np.random.default_rng([seed, kind, k]))
        for kind, (name, move) in enumerate(families.items())
        for k in range(each)
    ]
    for name, recording in known:
        clips.extend([Clip.of(name, recording.motion, recording.scene)] * max(1, each // 8))
    return clips


def draw_clip(name: str, move: Family, random: Random, seconds: float = CLIP_S) -> Clip:
    """One made-up person in one made-up conversation."""
    talk = scenes.converse(seconds, random)
    return Clip.of(name, move(talk, random), talk.scene)


def fit_codec(clips: list[Clip], random: Random) -> Codec:
    """The tables of the code, fitted to chunks of all clips: linear prediction, principal directions, event shares."""
    rows = [_cut(clip, random) for clip in clips]
    past = np.concatenate([row[0] for row in rows])
    chunk = np.concatenate([row[1] for row in rows])
    speed = np.concatenate([row[2] for row in rows])
    moving = np.concatenate([row[3] for row in rows])
    changes = np.diff(past[:, -codes.HISTORY - 1 :], axis=1) / speed[:, None]
    targets = (chunk - past[:, -1:]) / speed[:, None]
    predictor = np.zeros((len(SMOOTH), codes.HISTORY, CHUNK), np.float32)
    directions = np.zeros((len(SMOOTH), CHUNK, CHUNK), np.float32)
    inverses = np.zeros((len(SMOOTH), CHUNK, CHUNK), np.float32)
    for channel in range(len(SMOOTH)):
        x, y = changes[moving[:, channel], :, channel], targets[moving[:, channel], :, channel]
        weights = np.linalg.solve(x.T @ x + RIDGE * len(x) * np.eye(codes.HISTORY), x.T @ y)
        left = y - x @ weights
        sizes, axes = np.linalg.eigh(left.T @ left / len(left) + 1e-8 * np.eye(CHUNK))
        predictor[channel] = weights
        directions[channel] = axes * np.sqrt(sizes)
        inverses[channel] = (axes / np.sqrt(sizes)).T
    return Codec(predictor, directions, inverses, _event_shares(clips))


def pairs(clips: list[Clip], codec: Codec, random: Random, jitter: float) -> Pairs:
    """One pass over all clips with chunks at random offsets.

    Args:
        jitter: deviation, in deviations of the channel, of a false past: what a sampler's own errors look like.
    """
    parts = [_pairs(clip, codec, random, jitter) for clip in clips]
    return Pairs(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("context", "style", "code")))


def before(clip: Clip, starts: Array) -> Before:
    """The moments before chunks that begin at frames `starts` [B] of a clip."""
    normal = clip.manner.normal(clip.motion.smooth)
    slow = np.empty_like(normal)
    running = normal[0]
    for frame, value in enumerate(normal):
        running = running + context.SLOW_SHARE * (value - running)
        slow[frame] = running
    past = normal[starts[:, None] + np.arange(-context.PAST, 0)]
    aim = (clip.motion.aim[starts - 1] - clip.manner.aim_centre) / clip.manner.aim_rad
    return Before(
        past, slow[starts - 1], aim, _since(clip.motion.blinks * FRAMES_PER_S, starts),
        _since(clip.motion.saccades().astype(float), starts),
    )  # fmt: skip


def _pairs(clip: Clip, codec: Codec, random: Random, jitter: float) -> Pairs:
    starts = _starts(clip, random)
    moment = before(clip, starts)
    truth = moment.past
    false = jitter * random.normal(size=(len(starts), 1, len(SMOOTH))).astype(np.float32)
    moment = Before(truth + false, moment.slow, moment.aim, moment.since_blink_s, moment.since_saccade_s)
    heard, mood = clip.scene.around(starts)
    speed = np.repeat(clip.manner.speed[None], len(starts), axis=0)
    chunk = clip.manner.normal(clip.motion.smooth)[starts[:, None] + np.arange(CHUNK)]
    # A place that is wrong is taken back slowly, within a second or so, and without a jump at the seam.
    share = (np.arange(1, CHUNK + 1) / FRAMES_PER_S)[None, :, None]
    code = codec.code(moment.past, chunk + false * (1 - 0.5 * share), speed)
    still = np.repeat(clip.manner.deviation <= STILL, CHUNK)
    code[:, still] = random.normal(size=(len(starts), int(still.sum())))
    style = np.repeat(clip.manner.style[None], len(starts), axis=0).astype(np.float32)
    row = context.row(moment, clip.manner.speed, heard, mood)
    return Pairs(row, style, np.concatenate([code, _events(clip, codec, starts, random)], axis=1).astype(np.float32))


def _events(clip: Clip, codec: Codec, starts: Array, random: Random) -> Array:
    """[B, 4] codes of blink, jump and new aim; the aim is a free number where the eyes stay."""
    out = np.empty((len(starts), 4))
    blinks = np.floor(clip.motion.blinks * FRAMES_PER_S).astype(int)
    jumps = clip.motion.saccades()
    spread = random.random((len(starts), 2))
    aims = (clip.motion.aim - clip.manner.aim_centre) / clip.manner.aim_rad
    free = random.normal(size=(len(starts), 2))
    for k, start in enumerate(starts):
        for which, frames in enumerate((blinks, jumps)):
            at = int(np.searchsorted(frames, start))
            frame = int(frames[at] - start) if at < len(frames) and frames[at] < start + CHUNK else codes.NONE
            out[k, which] = event_value(frame, float(codec.event_shares[which]), spread[k, which])
        out[k, 2:] = aims[start + CHUNK - 1] if frame != codes.NONE else free[k]
    return out


def _event_shares(clips: list[Clip]) -> Array:
    chunks = sum(len(clip.motion) for clip in clips) / CHUNK
    counts = [sum(len(clip.motion.blinks) for clip in clips), sum(len(clip.motion.saccades()) for clip in clips)]
    return np.array(counts, np.float32) / np.float32(chunks)


def _cut(clip: Clip, random: Random) -> tuple[Array, Array, Array, Array]:
    starts = _starts(clip, random)
    normal = clip.manner.normal(clip.motion.smooth)
    past = normal[starts[:, None] + np.arange(-context.PAST, 0)]
    chunk = normal[starts[:, None] + np.arange(CHUNK)]
    speed = np.repeat(clip.manner.speed[None], len(starts), axis=0)
    return past, chunk, speed, np.repeat((clip.manner.deviation > STILL)[None], len(starts), axis=0)


def _starts(clip: Clip, random: Random) -> Array:
    return np.arange(LEAST_START + int(random.integers(CHUNK)), len(clip.motion) - CHUNK, CHUNK)


def _since(frames: Array, starts: Array) -> Array:
    """Seconds from the last of `frames` to each start; long where there is none."""
    index = np.searchsorted(frames, starts) - 1
    last = np.where(index >= 0, frames[np.maximum(index, 0)] if len(frames) else 0.0, -300.0)
    return np.asarray((starts - last) / FRAMES_PER_S)
