"""The committed footage and the clips made for a challenge."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from consent.identity.challenge import Challenge
from consent.identity.turns import check_turns
from rendering.demo import DemoPerson, committed_footage, files, record_consent, record_speech
from rendering.demo.__main__ import main
from rendering.demo.clips import FOOTAGE, SAMPLE_HZ
from trustcore.tracker import TrackedClip, track_clip
from trustcore.tracker.geometry import eye_aperture, head_pose, lip_gap

MOST_BYTES = 2_000_000
CHALLENGE = {
    "v": 1, "nonce": "00", "phrase": "amber pebble maple", "phrase_at_ms": 600,
    "turns": [{"direction": "right", "at_ms": 3600}, {"direction": "left", "at_ms": 7100}],
    "duration_ms": 10500, "opens_at": "2030-01-01T00:00:00Z", "closes_at": "2030-01-01T00:10:00Z",
    "device_sha256": "", "notice_sha256": "",
}  # fmt: skip
needs_flite = pytest.mark.skipif(shutil.which("flite") is None, reason="the footage was spoken by flite")


@pytest.fixture(scope="module")
def footage() -> TrackedClip:
    return track_clip(committed_footage())


def test_the_footage_is_small_and_long_enough(footage: TrackedClip) -> None:
    assert FOOTAGE.stat().st_size <= MOST_BYTES
    assert footage.frames.shape[1:] == (256, 256, 3)
    assert footage.seconds >= 30
    assert footage.fps >= 24


def test_the_tracker_finds_the_head_in_every_frame_of_the_footage(footage: TrackedClip) -> None:
    assert footage.has_face.all()
    assert (footage.face_count == 1).all()


def test_the_footage_holds_what_training_needs(footage: TrackedClip) -> None:
    yaw = np.rad2deg(head_pose(footage.landmarks)[:, 0])
    assert yaw.min() < -7
    assert yaw.max() > 7
    blinks = np.flatnonzero(np.diff((eye_aperture(footage.landmarks) < 0.16).astype(int)) == 1)
    assert len(blinks) >= 6
    gap = lip_gap(footage.landmarks)
    assert np.quantile(gap, 0.95) > 0.12
    assert (gap[:25] < 0.03).mean() > 0.9, "closed lips in the opening silence"


@needs_flite
def test_lips_close_on_bilabials_in_step_with_the_sound(footage: TrackedClip) -> None:
    planned = record_speech(DemoPerson("A"))
    closures = [s for item in planned.spoken for s in item.spans() if s.viseme == "PP"]
    gap = lip_gap(footage.landmarks)

    def share_closed(shift_s: float) -> float:
        closed = 0
        for span in closures:
            inside = (footage.frame_time_s >= span.start_s + shift_s - 0.02) & (
                footage.frame_time_s <= span.end_s + shift_s + 0.02
            )
            closed += bool(gap[inside].min(initial=9) < 0.035)
        return closed / len(closures)

    assert len(closures) >= 20
    assert share_closed(0.0) > 0.95
    assert share_closed(0.0) > share_closed(0.17) + 0.3, "a clip out of step must not pass"


def test_the_sound_of_the_footage_is_speech_with_pauses(footage: TrackedClip) -> None:
    blocks = footage.pcm[: len(footage.pcm) // 800 * 800].reshape(-1, 800).astype(float)
    loud = np.sqrt((blocks**2).mean(axis=1)) > 300
    assert 0.4 < loud.mean() < 0.95
    assert not loud[:20].any()


@pytest.fixture(scope="module")
def answered() -> TrackedClip:
    clip = record_consent(DemoPerson("A"), CHALLENGE, size=128, fps=10.0)
    return track_clip(files.mp4(clip.frames(), clip.fps, clip.pcm, SAMPLE_HZ))


def test_a_challenge_is_answered_in_order_and_time(answered: TrackedClip) -> None:
    yaw = head_pose(answered.landmarks)[:, 0].astype(np.float64)
    result = check_turns(Challenge.from_dict(CHALLENGE), yaw, answered.frame_time_s)
    assert result.verdict == "pass", result.measure
    mirrored = check_turns(Challenge.from_dict(CHALLENGE), -yaw, answered.frame_time_s)
    assert mirrored.verdict == "fail"


def test_another_take_moves_at_other_times() -> None:
    one, two = (record_consent(DemoPerson("A"), CHALLENGE, take=take) for take in (0, 1))
    assert one.faces != two.faces
    assert record_consent(DemoPerson("A"), CHALLENGE).faces == one.faces


def test_a_lead_shifts_everything() -> None:
    plain, late = (record_consent(DemoPerson("A"), CHALLENGE, lead_s=lead) for lead in (0.0, 1.5))
    yaw = [np.array([face.yaw for face in clip.faces]) for clip in (plain, late)]
    assert late.time_s[np.argmax(np.abs(yaw[1]) > 0.2)] - plain.time_s[
        np.argmax(np.abs(yaw[0]) > 0.2)
    ] == pytest.approx(1.5)


def test_words_alone_are_a_challenge_too_and_unknown_turns_are_named() -> None:
    clip = record_consent(DemoPerson("B"), {"phrase": "maple", "turns": ["up", "left"], "turn_window_s": 3})
    assert min(face.pitch for face in clip.faces) < -0.2
    assert max(face.yaw for face in clip.faces) > 0.4
    with pytest.raises(ValueError, match="sideways"):
        record_consent(DemoPerson("B"), {"phrase": "maple", "turns": ["sideways"]})


def test_files_for_a_fake_camera(tmp_path: Path) -> None:
    challenge = tmp_path / "challenge.json"
    challenge.write_text(json.dumps({"phrase": "maple", "turns": []}))
    common = ["consent", "--challenge", str(challenge), "--size", "64", "--fps", "5"]
    main([*common, "--out", str(tmp_path / "camera.y4m"), "--wav", str(tmp_path / "camera.wav")])
    raw = (tmp_path / "camera.y4m").read_bytes()
    assert raw.startswith(b"YUV4MPEG2 W64 H64 F5:1 ")
    count = raw.count(b"FRAME\n")
    assert len(raw) == raw.index(b"\n") + 1 + count * (6 + 64 * 64 * 3 // 2)
    assert (tmp_path / "camera.wav").read_bytes()[:4] == b"RIFF"
    main([*common, "--out", str(tmp_path / "camera.mjpeg")])
    assert (tmp_path / "camera.mjpeg").read_bytes().count(b"\xff\xd8\xff") == count * 6


def test_repeating_frames_keeps_the_length() -> None:
    frames = [np.full((8, 8, 3), k, np.uint8) for k in range(12)]
    assert len(list(files.repeated(frames, 12.0, 30.0))) == 30
