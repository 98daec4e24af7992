"""Training pairs: clips of many people cut into chunks, each with the moment before it, coded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from rendering.engine.motion.life import codec as codes
from rendering.engine.motion.life import context, equaliser
from rendering.engine.motion.life.channels import CHUNK, FRAMES_PER_S, SMOOTH, Motion
from rendering.engine.motion.life.codec import Codec, aim_code, fit_habit, gap_quantiles, moment_code
from rendering.engine.motion.life.context import Before
from rendering.engine.motion.life.model import Person
from rendering.engine.motion.life.person import STILL, Manner, measure
from rendering.engine.motion.life.scene import Scene
from rendering.training.life import scenes
from rendering.training.life.families import (
    blends,
    gestures,
    nod_grammar,
    recorded,
    reorient,
    splines,
    springs,
    stop_and_go,
    submovements,
    wander,
)
from rendering.training.life.recording import Recording
from rendering.training.life.scenes import Conversation

Array = np.ndarray[Any, np.dtype[Any]]
Random = np.random.Generator
Family = Callable[[Conversation, Random], Motion]

CLIP_S = 60.0
FAMILIES: dict[str, Family] = {
    "springs": springs.move, "wander": wander.move, "nod_grammar": nod_grammar.move, "gestures": gestures.move,
    "splines": splines.move, "stop_and_go": stop_and_go.move,
}  # fmt: skip
DEVELOPMENT: Family = reorient.move  # settings are chosen on it; never trained on
HELD_OUT: Family = submovements.move  # the benchmark's; neither trained on nor looked at when something is chosen
STRAYED_SHARE, STRAYED = 0.1, 18.0  # how often, and how many times the jitter, a head is put where it never was
USUAL_BLINKS_A_MINUTE = (12.0, 20.0)
USUAL_BLINK_GAP_S, USUAL_JUMP_GAP_S = 4.0, 1.5
LEAST_START = max(context.PAST, codes.HISTORY + 1)


@dataclass(frozen=True)
class Clip:
    """One person in one scene."""

    source: str
    motion: Motion
    scene: Scene
    manner: Manner
    person: Person  # what a session would know of them

    @staticmethod
    def of(source: str, motion: Motion, scene: Scene) -> Clip:
        """The clip with its person measured."""
        manner = measure(motion, scene)
        style, speed, distances = (v.astype(np.float32) for v in (manner.style, manner.speed, manner.distances))
        blinks = gap_quantiles(np.diff(motion.blinks), USUAL_BLINK_GAP_S)
        jumps = gap_quantiles(np.diff(motion.saccades()) / FRAMES_PER_S, USUAL_JUMP_GAP_S)
        habit = fit_habit(manner.normal(motion.smooth))
        gaps = (blinks.astype(np.float32), jumps.astype(np.float32))
        person = Person(style, speed, distances, *gaps, habit, equaliser.flat())
        return Clip(source, motion, scene, manner, person)


@dataclass(frozen=True)
class Pairs:
    """N chunks."""

    context: Array  # [N, C] float32, without style
    style: Array  # [N, STYLE] float32
    code: Array  # [N, W] float32


def draw_clips(each: int, recordings: Iterable[tuple[str, Recording]], seed: int) -> list[Clip]:
    """`each` people of every trained family, of the fitted recordings' kind as well, and the recordings themselves."""
    known = list(recordings)
    families = _families(known)
    clips = [
        draw_clip(name, move, np.random.default_rng([seed, kind, k]))
        for kind, (name, move) in enumerate(families.items())
        for k in range(each)
    ]
    for name, recording in known:
        clips.extend([Clip.of(name, recording.motion, recording.scene)] * max(1, each // 8))
    return clips


def names(recordings: list[tuple[str, Recording]]) -> list[str]:
    """The families that are trained on beside these recordings."""
    return list(_families(recordings))


def draw_clip(name: str, move: Family, random: Random, seconds: float = CLIP_S) -> Clip:
    """One made-up person in one made-up conversation."""
    talk = scenes.converse(seconds, random)
    return Clip.of(name, move(talk, random), talk.scene)


def fit_codec(clips: list[Clip]) -> Codec:
    """How many chunks of all clips hold an event."""
    chunks = sum(len(clip.motion) for clip in clips) / CHUNK
    counts = [sum(len(clip.motion.blinks) for clip in clips), sum(len(clip.motion.saccades()) for clip in clips)]
    return Codec(np.array(counts, np.float32) / np.float32(chunks))


def pairs(clips: list[Clip], codec: Codec, random: Random, jitter: float) -> Pairs:
    """One pass over all clips with chunks at random offsets.

    Args:
        jitter: deviation, in deviations of the channel, of a false past: what a sampler's own errors look like. Now and
            then it is far larger, so that a head that strayed finds its way back.
    """
    parts = [_pairs(clip, codec, random, jitter) for clip in clips]
    return Pairs(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("context", "style", "code")))


def most_usual(clips: list[Clip]) -> Clip:
    """The clip of the person nearest to the median of all, among those who move every channel and blink as most do."""
    moving = [clip for clip in clips if (clip.manner.deviation > STILL).all() and _blinks_as_most(clip.motion)]
    styles = np.stack([clip.manner.style for clip in moving])
    away = (styles - np.median(styles, axis=0)) / (styles.std(0) + 1e-6)
    return moving[int(np.argmin((away**2).sum(1)))]


def _blinks_as_most(motion: Motion) -> bool:
    a_minute = len(motion.blinks) / (len(motion) / FRAMES_PER_S / 60)
    return USUAL_BLINKS_A_MINUTE[0] <= a_minute <= USUAL_BLINKS_A_MINUTE[1]


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
    since = [_since(frames, starts) for frames in (clip.motion.blinks * FRAMES_PER_S, clip.motion.saccades() * 1.0)]
    return Before(past, slow[starts - 1], aim, *since, clip.person.expected_events(*since))


def _families(known: list[tuple[str, Recording]]) -> dict[str, Family]:
    families = dict(FAMILIES)
    if known:
        models = [recorded.fit(recording) for _, recording in known]
        families["recorded"] = partial(recorded.move, models=models)
    families["blends"] = partial(blends.move, parents=list(families.values()))
    return families


def _pairs(clip: Clip, codec: Codec, random: Random, jitter: float) -> Pairs:
    starts = _starts(clip, random)
    moment = before(clip, starts)
    truth = moment.past
    far = jitter * np.where(random.random((len(starts), 1, len(SMOOTH))) < STRAYED_SHARE, STRAYED, 1.0)
    false = (far * random.normal(size=far.shape)).astype(np.float32)
    moment = replace(moment, past=truth + false)
    heard, mood = clip.scene.around(starts)
    chunk = clip.manner.normal(clip.motion.smooth)[starts[:, None] + np.arange(CHUNK)]
    # A place that is wrong is taken back slowly, within a second or so, and without a jump at the seam.
    share = (np.arange(1, CHUNK + 1) / FRAMES_PER_S)[None, :, None]
    code = codec.code(moment.past, chunk + false * (1 - 0.5 * share), clip.person.habit)
    still = np.repeat(clip.manner.deviation <= STILL, CHUNK)
    code[:, still] = random.normal(size=(len(starts), int(still.sum())))
    style = np.repeat(clip.manner.style[None], len(starts), axis=0).astype(np.float32)
    row = context.row(moment, clip.manner.speed, heard, mood)
    events = _events(clip, codec, starts, moment.expected, random)
    return Pairs(row, style, np.concatenate([code, events], axis=1).astype(np.float32))


def _events(clip: Clip, codec: Codec, starts: Array, expected: Array, random: Random) -> Array:
    """[B, 6] codes of blink and jump, their moments and the new aim; free numbers where there is no event."""
    happens = np.zeros((len(starts), 2))
    out = random.normal(size=(len(starts), 6))
    aims = (clip.motion.aim - clip.manner.aim_centre) / clip.manner.aim_rad
    jumps = clip.motion.saccades() + random.random(len(clip.motion.saccades()))
    for which, frames in enumerate((clip.motion.blinks * FRAMES_PER_S, jumps)):
        at = np.searchsorted(frames, starts)
        found = np.flatnonzero(at < len(frames))
        found = found[frames[at[found]] < starts[found] + CHUNK]
        happens[found, which] = 1
        out[found, 2 + which] = moment_code(frames[at[found]] - starts[found])
        if which == 1:
            new = aims[starts[found] + CHUNK - 1]
            out[found, 4:] = aim_code(new, clip.person.distances.astype(float), random.random((len(found), 2)))
    out[:, :2] = codec.event_codes(happens, expected)
    return np.clip(out, -codes.LARGEST, codes.LARGEST)


def _starts(clip: Clip, random: Random) -> Array:
    return np.arange(LEAST_START + int(random.integers(CHUNK)), len(clip.motion) - CHUNK, CHUNK)


def _since(frames: Array, starts: Array) -> Array:
    """Seconds from the last of `frames` to each start; long where there is none."""
    index = np.searchsorted(frames, starts) - 1
    last = np.where(index >= 0, frames[np.maximum(index, 0)] if len(frames) else 0.0, -300.0)
    return np.asarray((starts - last) / FRAMES_PER_S)
