"""The end of a training run: calibrate, write the replica, redraw the held-out tail and say how good it is."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from rendering.engine import body
from rendering.engine.body import Body
from rendering.engine.motion import controls, expression
from rendering.engine.motion.performer import neutral_state
from rendering.engine.renderer import Renderer
from rendering.engine.replica import Replica
from rendering.engine.state import FaceState
from rendering.training import calibration, canonical, following, pictures, quality
from rendering.training.checkpoint import FitState
from rendering.training.config import TrainedReplica, TrainingConfig
from rendering.training.dataset import Dataset
from rendering.training.scene import Geometry

Array = np.ndarray[Any, np.dtype[Any]]
SHOWN_FRAMES = 4
MOST_BREATH = 0.025  # outer eye distances that shoulders rise at most
LAYOUT = "478-point mesh, head shell, torso, inner mouth, plate"


def finish(state: FitState, frames: Dataset, motion: Geometry, config: TrainingConfig) -> TrainedReplica:
    """Files, report and pictures of a fitted state."""
    replica = assemble(state, frames, motion, config)
    # Measured on what the files hold, float16 and all, not on what the fit held.
    written = Replica.from_files(replica.to_files())
    renderer = Renderer(written, config.size_px)
    held_out = frames.held_out
    extras = following.extras(state.follow, motion.signals, config.size_px)
    drawn = np.stack([renderer.draw_tracked(motion.coefficients[i], motion.poses[i], extras[i]) for i in held_out])
    truth, points = frames.frames[held_out], frames.landmarks[held_out]
    nearest = frames.frames[quality.nearest_frames(frames)]
    scores, naive = quality.measure(drawn, truth, points), quality.measure(nearest, truth, points)
    facts = _facts(replica, frames, scores, naive, renderer)
    finished = replace(replica, facts=facts)
    files = finished.to_files()
    report = {**facts, "replica_bytes": sum(len(content) for content in files.values())}
    shown = np.linspace(0, len(held_out) - 1, SHOWN_FRAMES).astype(int)
    sheets = {
        "held_out.png": pictures.png(
            pictures.side_by_side(
                truth[shown], drawn[shown], pictures.difference(drawn[shown], truth[shown]), nearest[shown]
            )
        ),
        "emotions.png": pictures.png(_emotion_sheet(finished, renderer)),
        "portrait.png": pictures.png(renderer.draw(neutral_state(finished))),
    }
    return TrainedReplica(files, report, sheets)


def assemble(state: FitState, frames: Dataset, motion: Geometry, config: TrainingConfig) -> Replica:
    """The replica of a state, calibrated on the training frames, without a quality report yet."""
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
    return Replica(config.size_px, scene.space, scene.mesh, bodily, scene.gaussians, plate, coupling, facts)


def body_of(state: FitState, frames: Dataset, motion: Geometry, config: TrainingConfig) -> Body:
    """What the fit learned of skull and torso, as a live face can use it."""
    by_pose = state.follow[:, : body.TERMS] * following.units(config.size_px)[:, None]
    said = motion.signals[frames.train]
    swing = following.extras(state.follow, said, config.size_px)[:, body.BREATH].std() * np.sqrt(2)
    breath = min(float(swing), MOST_BREATH * state.scene.space.inter_ocular)
    return Body(by_pose.astype(np.float32), np.array([breath], np.float32))


def _facts(
    replica: Replica, frames: Dataset, scores: quality.Scores, naive: quality.Scores, renderer: Renderer
) -> dict[str, Any]:
    return {
        **replica.facts,
        "quality": {
            "held_out": scores.rounded(),
            "nearest_frame": naive.rounded(),
            "gain_full_db": round(scores.psnr_full - naive.psnr_full, 2),
            "held_out_share": f"last {len(frames.held_out)} measured frames of the tail, never trained on",
            "draw_cpu_ms": round(draw_cpu_ms(replica, renderer), 2),
        },
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


def _emotion_sheet(replica: Replica, renderer: Renderer) -> Array:
    """The eight emotions at their caps, in two rows."""
    rest = neutral_state(replica)
    drawn = []
    for name in expression.EMOTIONS:
        amounts = expression.amounts(name, replica.emotion_caps_milli[name])
        drawn.append(renderer.draw(FaceState(amounts, expression.resting_closure(amounts), rest.pose)))
    rows = np.stack(drawn).reshape(2, 4, *drawn[0].shape)
    return pictures.side_by_side(*rows.transpose(1, 0, 2, 3, 4))
