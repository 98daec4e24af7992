"""The end of a training run: calibrate, write the replica, redraw the held-out tail and say how good it is."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from rendering.engine import body
from rendering.engine.body import Body
from rendering.engine.motion import controls
from rendering.engine.motion.performer import neutral_state
from rendering.engine.renderer import Renderer
from rendering.engine.replica import Replica
from rendering.training import calibration, canonical, following, pictures, quality, redetection, trials, unseen
from rendering.training.checkpoint import FitState
from rendering.training.config import Clip, TrainedReplica, TrainingConfig
from rendering.training.dataset import Dataset
from rendering.training.exhibits.coverage import QUIETEST_DB
from rendering.training.exhibits.stretch import Stretch
from rendering.training.quality import Scores
from rendering.training.redetection import Detect
from rendering.training.scene import Geometry
from rendering.training.trials import Trials

Array = np.ndarray[Any, np.dtype[Any]]
SHOWN_FRAMES = 4
MOST_BREATH = 0.025  # outer eye distances that shoulders rise at most
LAYOUT = "478-point mesh, head shell, torso, inner mouth, plate"


def finish(
    replica: Replica, state: FitState, clip: Clip, frames: Dataset, motion: Geometry, config: TrainingConfig,
    part: Stretch | None, detect: Detect | None,
) -> TrainedReplica:  # fmt: skip
    """Files, report and pictures of an assembled replica.

    Args:
        part: an unbroken part of the held-out tail, redrawn. detect: finds landmarks in pictures; None: nothing is
            found again, and the report says so.
    """
    renderer = Renderer(replica, config.size_px)
    held_out = frames.held_out
    extras = following.extras(state.follow, motion.signals, config.size_px)
    drawn = trials.draw(renderer, motion, extras, held_out)
    outcome = trials.run(renderer, frames, motion, extras, drawn)
    speaking = trials.with_sound(frames, clip.pcm, clip.pcm_rate, QUIETEST_DB)
    truth, points = frames.frames[held_out], frames.landmarks[held_out]
    speech = quality.measure(drawn[speaking], truth[speaking], points[speaking]) if speaking.any() else None
    found = None if part is None or detect is None else redetection.measure(part, detect)
    facts = {**replica.facts, "quality": _figures(outcome, speech, found, draw_cpu_ms(replica, renderer), frames)}
    finished = replace(replica, facts=facts)
    files = finished.to_files()
    report = {**facts, "replica_bytes": sum(len(content) for content in files.values())}
    shown = np.linspace(0, len(held_out) - 1, SHOWN_FRAMES).astype(int)
    nearest = frames.frames[quality.nearest_frames(frames)]
    sheets = {
        "held_out.png": pictures.png(
            pictures.side_by_side(
                truth[shown], drawn[shown], pictures.difference(drawn[shown], truth[shown]), nearest[shown]
            )
        ),
        "portrait.png": pictures.png(renderer.draw(neutral_state(finished))),
    }
    return TrainedReplica(files, report, sheets)


def assemble(state: FitState, frames: Dataset, motion: Geometry, config: TrainingConfig) -> Replica:
    """The replica of a state as its files hold it, calibrated on the training frames, without a quality report yet."""
    scene = state.scene
    poses = canonical.align(frames.landmarks[frames.train], scene.space.mean)
    gap = calibration.jaw_gap(poses.shapes)
    radius = calibration.seen_radius(scene.space, motion.coefficients[frames.train])
    caps = calibration.emotion_caps_milli(scene.space, scene.mesh, scene.face_triangles, gap, radius)
    facts: dict[str, Any] = {
        "calibration": {"jaw_gap": round(gap, 4), "emotion_caps_milli": caps, "controls": list(controls.NAMES)},
        "training": {
            "layout": LAYOUT, "settings": asdict(config), "iterations_done": state.iteration,
            "fit_s": round(state.spent_s, 1),
            "training_frames": len(frames.train), "held_out_frames": len(frames.held_out),
        },
    }  # fmt: skip
    plate = np.round(np.clip(scene.plate, 0, 1) * 255).astype(np.uint8)
    coupling = calibration.pose_coupling(motion.poses[frames.train])
    bodily = body_of(state, frames, motion, config)
    shown = unseen.without(state, motion, frames.train, config)
    fitted = Replica(config.size_px, scene.space, scene.mesh, bodily, shown, plate, coupling, facts)
    # Everything is measured on what the files hold, float16 and all, not on what the fit held.
    return Replica.from_files(fitted.to_files())


def body_of(state: FitState, frames: Dataset, motion: Geometry, config: TrainingConfig) -> Body:
    """What the fit learned of skull and torso, as a live face can use it."""
    by_pose = state.follow[:, : body.TERMS] * following.units(config.size_px)[:, None]
    said = motion.signals[frames.train]
    swing = following.extras(state.follow, said, config.size_px)[:, body.BREATH].std() * np.sqrt(2)
    breath = min(float(swing), MOST_BREATH * state.scene.space.inter_ocular)
    return Body(by_pose.astype(np.float32), np.array([breath], np.float32))


def _figures(
    outcome: Trials, speech: Scores | None, found: dict[str, float] | None, cpu_ms: float, frames: Dataset
) -> dict[str, Any]:
    own = outcome.held_out
    return {
        "held_out": own.rounded(),
        "speech": None if speech is None else speech.rounded(),
        **{name: scores.rounded() for name, scores in outcome.others.items()},
        "gain_full_db": round(own.psnr_full - outcome.others["nearest_frame"].psnr_full, 2),
        "gain_face_db": round(own.psnr_face - outcome.others["nearest_frame"].psnr_face, 2),
        "controls_fail": outcome.failing(),
        "redetected": found,
        "held_out_share": f"last {len(frames.held_out)} measured frames of the tail, never trained on",
        "draw_cpu_ms": round(cpu_ms, 2),
    }


def draw_cpu_ms(replica: Replica, renderer: Renderer, rounds: int = 20) -> float:
    """Processor time of one drawn frame, median."""
    state = neutral_state(replica)
    spent = []
    for _ in range(rounds):
        began = time.thread_time()
        renderer.draw(state)
        spent.append(1000 * (time.thread_time() - began))
    return float(np.median(spent))
