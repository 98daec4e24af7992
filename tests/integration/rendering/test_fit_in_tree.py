"""The in-tree person from committed footage to a replica: tracker, checks and a short fit, as a user has them."""

from __future__ import annotations

from rendering.demo.clips import committed_footage
from rendering.engine.replica import Replica
from rendering.training import capture_checks
from rendering.training.config import TrainingConfig
from rendering.training.fit import train
from trustcore.tracker import track_clip


def test_short_fit_of_the_in_tree_person_beats_the_nearest_frame() -> None:
    clip = track_clip(committed_footage(), want=frozenset({"landmarks", "mask"}))
    assert not any(finding.is_refusal for finding in capture_checks.check(clip))
    trained = train(clip, TrainingConfig(iterations=500, time_limit_s=1e9))
    quality = trained.report["quality"]
    assert quality["held_out"]["psnr_full_db"] >= 30.0
    assert quality["gain_full_db"] >= 5.0
    assert quality["held_out"]["psnr_face_db"] >= quality["nearest_frame"]["psnr_face_db"] + 5.0
    replica = Replica.from_files(trained.files)
    assert replica.emotion_caps_milli["neutral"] == 1000
    assert 0 < replica.emotion_caps_milli["joy"] <= 1000
