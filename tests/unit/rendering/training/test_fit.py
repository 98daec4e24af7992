"""The whole fit on a small moving face: it beats the nearest frame, resumes exactly, and its replica lives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from rendering.engine.contact import lip_gap
from rendering.engine.errors import ReplicaInvalid
from rendering.engine.motion.controls import NAMES
from rendering.engine.motion.performer import Performer, neutral_state
from rendering.engine.rasterize import kernels, records
from rendering.engine.renderer import Renderer, warm_up
from rendering.engine.replica import MANIFEST_FILE, MODEL_FILE, Replica
from rendering.engine.state import FaceState
from rendering.training import fit
from rendering.training.config import Progress, TrainedReplica, TrainingConfig
from rendering.training.errors import CheckpointMismatch
from tests.common.moving_face import record
from tests.unit.rendering.engine.test_visemes import spans

CONFIG = TrainingConfig(
    size_px=64, splats=1500, iterations=400, training_frames=40, time_limit_s=1e9, shapes=20, progress_every_s=0.2,
    preview_every_s=0.2,
)  # fmt: skip
CLIP = record(100, 64)


class Killed(Exception):
    """Stands for the process being killed."""


@pytest.fixture(scope="module")
def trained() -> TrainedReplica:
    return fit.train(CLIP, CONFIG)


@pytest.fixture(scope="module")
def replica(trained: TrainedReplica) -> Replica:
    return Replica.from_files(trained.files)


def test_fit_beats_the_nearest_frame_on_frames_never_seen(trained: TrainedReplica) -> None:
    held_out, nearest = trained.report["quality"]["held_out"], trained.report["quality"]["nearest_frame"]
    assert held_out["psnr_full_db"] > nearest["psnr_full_db"] + 1.0
    assert held_out["psnr_full_db"] > 24
    assert sum(len(content) for content in trained.files.values()) < 20 * 2**20
    assert {"held_out.png", "portrait.png"} <= set(trained.pictures)


def test_control_an_unfitted_replica_is_worse(trained: TrainedReplica) -> None:
    unfitted = fit.train(CLIP, replace(CONFIG, iterations=1))
    assert (
        unfitted.report["quality"]["held_out"]["psnr_full_db"] + 3
        < trained.report["quality"]["held_out"]["psnr_full_db"]
    )


def test_killed_and_resumed_equals_unbroken(trained: TrainedReplica) -> None:
    saved: list[bytes] = []

    def die(checkpoint: bytes) -> None:
        saved.append(checkpoint)
        if len(saved) == CONFIG.iterations // 2:
            raise Killed

    with pytest.raises(Killed):
        fit.train(CLIP, replace(CONFIG, checkpoint_every_s=0.0), on_checkpoint=die)
    resumed = fit.train(CLIP, CONFIG, checkpoint=saved[-1])
    assert resumed.report["training"]["iterations_done"] == CONFIG.iterations
    assert resumed.files[MODEL_FILE] == trained.files[MODEL_FILE]
    with pytest.raises(CheckpointMismatch):
        fit.train(CLIP, replace(CONFIG, seed=9), checkpoint=saved[0])


@pytest.fixture(scope="module")
def early() -> bytes:
    """A checkpoint of the first iterations."""
    saved: list[bytes] = []
    fit.train(CLIP, replace(CONFIG, iterations=2, checkpoint_every_s=0.0), on_checkpoint=saved.append)
    return saved[-1]


def test_a_fit_does_not_go_on_with_other_footage(early: bytes) -> None:
    config = replace(CONFIG, iterations=2)
    assert fit.train(CLIP, config, checkpoint=early).report["training"]["iterations_done"] == 2
    for other in (record(100, 64, seed=4), record(104, 64)):
        with pytest.raises(CheckpointMismatch, match="footage"):
            fit.train(other, config, checkpoint=early)


@pytest.mark.parametrize("spoil", [
    lambda whole: b"", lambda whole: b"{}", lambda whole: whole[:1000], lambda whole: whole[:-7],
    lambda whole: whole.replace(b'"plate_first"', b'"plate_fired"'),  # as another release might name it
    lambda whole: whole.replace(b"iteration", b"alteration"),
], ids=["empty", "short", "cut in its head", "cut at its end", "another tensor", "another fact"])  # fmt: skip
def test_what_is_no_checkpoint_of_this_program_is_told_as_such(early: bytes, spoil: Callable[[bytes], bytes]) -> None:
    with pytest.raises(CheckpointMismatch):
        fit.train(CLIP, replace(CONFIG, iterations=2), checkpoint=spoil(early))


def test_progress_rises_and_shows_a_preview() -> None:
    told: list[Progress] = []
    fit.train(CLIP, replace(CONFIG, iterations=40, progress_every_s=0.0, preview_every_s=0.0), on_progress=told.append)
    shares = [progress.share for progress in told]
    assert shares == sorted(shares)
    fitting = [progress for progress in told if progress.stage == "fit"]
    assert fitting[-1].iteration == 40
    assert fitting[-1].psnr_db is not None
    assert (fitting[-1].preview_png or b"").startswith(b"\x89PNG")


def test_time_ends_a_run() -> None:
    result = fit.train(CLIP, replace(CONFIG, iterations=10**6, time_limit_s=0.5))
    assert 1 <= result.report["training"]["iterations_done"] < 10**4


def test_replica_files_round_trip(replica: Replica) -> None:
    again = Replica.from_files(replica.to_files())
    assert np.array_equal(again.gaussians.values, replica.gaussians.values)
    assert again.facts == replica.facts
    assert again.to_files() == replica.to_files()


@pytest.mark.parametrize("fault", ["model_bit", "model_missing", "manifest_not_json", "other_version", "model_cut"])
def test_spoilt_replica_files_are_refused(trained: TrainedReplica, fault: str) -> None:
    files = dict(trained.files)
    if fault == "model_bit":
        files[MODEL_FILE] = files[MODEL_FILE][:-1] + bytes([files[MODEL_FILE][-1] ^ 1])
    elif fault == "model_missing":
        del files[MODEL_FILE]
    elif fault == "manifest_not_json":
        files[MANIFEST_FILE] = b"{"
    elif fault == "other_version":
        files[MANIFEST_FILE] = files[MANIFEST_FILE].replace(b'"version": 2', b'"version": 1')
    else:
        files[MODEL_FILE] = files[MODEL_FILE][:1000]
    with pytest.raises(ReplicaInvalid):
        Replica.from_files(files)


def test_indices_out_of_range_are_refused_even_with_a_right_hash(replica: Replica) -> None:
    triangles = replica.gaussians.triangles.copy()
    triangles[0] = 65_000
    splats = replace(replica.gaussians, triangles=triangles)
    with pytest.raises(ReplicaInvalid, match="triangle that does not exist"):
        Replica.from_files(replace(replica, gaussians=splats).to_files())


def test_drawn_face_moves_with_the_state(replica: Replica) -> None:
    renderer = Renderer(replica, 64)
    rest = neutral_state(replica)
    still = renderer.draw(rest)
    assert still.shape == (64, 64, 3)
    assert np.array_equal(still, renderer.draw(rest))
    amounts = np.zeros(len(NAMES), np.float32)
    amounts[NAMES.index("jaw")] = 1.0
    opened = renderer.draw(FaceState(amounts, 0.0, rest.pose)).astype(int)
    assert np.abs(opened - still).max() > 20
    closed, _ = renderer.face(FaceState(amounts, 1.0, rest.pose))
    wide, _ = renderer.face(FaceState(amounts, 0.0, rest.pose))
    assert abs(lip_gap(closed)) < 1e-2
    assert lip_gap(wide) > 2
    assert Renderer(replica, 128).draw(rest).shape == (128, 128, 3)


def test_performer_is_seeded_speaks_blinks_and_stops(replica: Replica) -> None:
    first, same, other = Performer(replica, 5), Performer(replica, 5), Performer(replica, 6)
    for performer in (first, same, other):
        performer.say(spans(*["aa", "nn"] * 12), 1.0)
    moments = np.arange(0, 12, 1 / 30)
    tracks = [np.stack([np.append(p.state_at(t).amounts, p.state_at(t).pose.yaw_rad) for t in moments])
              for p in (first, same, other)]  # fmt: skip
    assert np.array_equal(tracks[0], tracks[1])
    assert not np.array_equal(tracks[0], tracks[2])
    blink, jaw = NAMES.index("blink_left"), NAMES.index("jaw")
    assert tracks[0][:, blink].max() > 0.9
    assert tracks[0][(moments > 1.2) & (moments < 3.0), jaw].mean() > 0.3
    first.stop(20.0)
    first.say(spans(*["aa"] * 20), 20.0)
    first.stop(20.5)
    assert first.state_at(20.45).amounts[jaw] > 0.4
    ended = first.state_at(20.8)
    assert ended.amounts[jaw] < 0.1
    assert ended.closure > 0.5


def test_emotion_ramps_and_listening_nods(replica: Replica) -> None:
    performer = Performer(replica, 2)
    performer.set_emotion("joy", 800, 10.0)
    smile = NAMES.index("smile_left")
    early, late = performer.state_at(10.1).amounts[smile], performer.state_at(11.0).amounts[smile]
    assert 0 < early < late
    assert late == pytest.approx(0.8, abs=1e-5)
    performer.set_emotion("neutral", 0, 12.0)
    assert performer.state_at(13.0).amounts[smile] == pytest.approx(0.0, abs=1e-6)
    quiet, listening = Performer(replica, 4), Performer(replica, 4)
    listening.set_listening(True, 0.0)
    pitches = [np.array([p.state_at(t).pose.pitch_rad for t in np.arange(2, 20, 0.05)]) for p in (quiet, listening)]
    assert np.abs(pitches[0] - pitches[1]).max() > 0.005


def test_warm_up_compiles_all_a_live_frame_needs(replica: Replica) -> None:
    warm_up()
    live = (
        records.from_mesh, kernels.depth_order, kernels.bin_tiles, kernels.composite_serial, kernels.to_bytes,
    )  # fmt: skip
    before = [len(kernel.signatures) for kernel in live]
    Renderer(replica, 64).draw(neutral_state(replica))
    assert [len(kernel.signatures) for kernel in live] == before
