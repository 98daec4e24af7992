"""The tracker finds the drawn head and follows what it does: the condition for everything built on demo footage."""

import io

import av
import numpy as np
import numpy.typing as npt
import pytest

from rendering.demo import DemoPerson, Face, files
from trustcore.tracker import MediaRefused, TrackedClip, track_clip
from trustcore.tracker.geometry import (
    eye_aperture,
    head_pose,
    identity_distance,
    identity_vector,
    lip_gap,
    mouth_width,
    pose_free,
)  # fmt: skip

Array = npt.NDArray[np.float64]
SIZE, MIXED, PEOPLE = 192, 40, 10
CLOSED = 0.03  # of nose length


def mixed_faces() -> list[Face]:
    """Everything at once, at random."""
    rng = np.random.default_rng(11)
    return [
        Face(
            jaw=rng.uniform(0, 1), close=float(rng.random() < 0.25), smile=rng.uniform(-0.3, 0.9),
            brow=rng.uniform(0, 0.8), pucker=rng.uniform(0, 0.6), lid=rng.uniform(0, 1.1),
            yaw=rng.uniform(-0.35, 0.35), pitch=rng.uniform(-0.12, 0.12), roll=rng.uniform(-0.1, 0.1),
            gaze_x=rng.uniform(-0.2, 0.2),
        )
        for _ in range(MIXED)
    ]  # fmt: skip


def as_clip(frames: list[npt.NDArray[np.uint8]]) -> TrackedClip:
    clip = track_clip(files.mp4(frames, 25.0, np.zeros(0, np.int16), 16000, crf=14))
    assert len(clip.frames) == len(frames)
    return clip


@pytest.fixture(scope="module")
def mixed() -> tuple[list[Face], TrackedClip]:
    faces = mixed_faces()
    # Each pose twice: a tracker that follows motion needs a frame to arrive after a jump.
    frames = [frame for face in faces for frame in [DemoPerson("A").frame(face, SIZE, smooth=False)] * 2]
    return faces, as_clip(frames)


def follows(parameter: list[float], tracked: npt.NDArray[np.float32]) -> float:
    return float(np.corrcoef(parameter, tracked[1::2])[0, 1])


def test_found_in_every_frame(mixed: tuple[list[Face], TrackedClip]) -> None:
    _, clip = mixed
    assert clip.has_face.all()
    assert (clip.face_count == 1).all()


def test_gap_aperture_and_yaw_follow_their_parameters(mixed: tuple[list[Face], TrackedClip]) -> None:
    faces, clip = mixed
    assert follows([f.jaw * (1 - f.close) for f in faces], lip_gap(clip.landmarks)) > 0.9
    assert follows([f.lid for f in faces], eye_aperture(clip.landmarks)) > 0.9
    assert follows([f.yaw for f in faces], head_pose(clip.landmarks)[:, 0]) > 0.98
    shuffled = [faces[k].yaw for k in np.random.default_rng(0).permutation(len(faces))]
    assert abs(follows(shuffled, head_pose(clip.landmarks)[:, 0])) < 0.5, "negative control"


def test_pressed_lips_track_as_closed_and_an_open_mouth_does_not(mixed: tuple[list[Face], TrackedClip]) -> None:
    faces, clip = mixed
    gap = lip_gap(clip.landmarks)[1::2]
    closed = np.array([f.close == 1.0 and f.jaw < 0.6 for f in faces])  # wider, no lips meet
    wide = np.array([f.jaw > 0.6 and f.close == 0.0 for f in faces])
    assert np.median(gap[closed]) < CLOSED
    assert gap[wide].min() > 2 * CLOSED


def test_pose_free_points_hardly_move_with_the_head() -> None:
    frames = [DemoPerson("A").frame(Face(yaw=yaw), SIZE, smooth=False) for yaw in np.linspace(-0.25, 0.25, 9)]
    clip = as_clip([frame for frame in frames for _ in range(2)])
    width = mouth_width(clip.landmarks)
    in_picture = np.ptp(clip.landmarks[:, 1, 0]) / SIZE
    assert np.ptp(pose_free(clip.landmarks)[:, 1, 0]) < 0.2
    assert in_picture > 0.05
    assert np.std(width) / np.mean(width) < 0.05


def test_a_scrambled_head_is_not_found() -> None:
    frame = DemoPerson("A").frame(Face(), SIZE, smooth=False)
    tiles = frame.reshape(8, SIZE // 8, 8, SIZE // 8, 3).swapaxes(1, 2).reshape(64, SIZE // 8, SIZE // 8, 3)
    mixed_up = tiles[np.random.default_rng(5).permutation(64)].reshape(8, 8, SIZE // 8, SIZE // 8, 3)
    scrambled = np.ascontiguousarray(mixed_up.swapaxes(1, 2).reshape(SIZE, SIZE, 3))
    with pytest.raises(MediaRefused) as caught:
        as_clip([scrambled] * 20)
    assert caught.value.code == "media.no_face"


def test_two_heads_are_two_people() -> None:
    frame = DemoPerson("A").frame(Face(), SIZE, smooth=False)
    other = DemoPerson("B").frame(Face(), SIZE, smooth=False)
    with pytest.raises(MediaRefused) as caught:
        as_clip([np.concatenate([frame, other], axis=1)] * 40)
    assert caught.value.code == "media.several_people"


def test_a_face_is_kept_in_the_middle_of_a_square_crop() -> None:
    frame = DemoPerson("A").frame(Face(), SIZE, smooth=False)
    wide = np.concatenate([np.full((SIZE, SIZE // 2, 3), 120, np.uint8), frame], axis=1)
    clip = track_clip(files.mp4([wide] * 20, 25.0, np.zeros(0, np.int16), 16000), size=128)
    assert clip.frames.shape[1:] == (128, 128, 3)
    assert abs(float(clip.landmarks[:, 1, 0].mean()) - 64) < 12
    assert clip.has_face.all()


def test_generated_people_are_found_and_differ_more_than_one_person_does() -> None:
    poses = [Face(yaw=yaw, smile=smile) for yaw in (-0.12, 0.12) for smile in (0.1, 0.4)]
    frames = [DemoPerson(seed).frame(pose, SIZE, smooth=False) for seed in range(PEOPLE) for pose in poses]
    clip = as_clip([frame for frame in frames for _ in range(3)])
    assert clip.has_face.all()
    per_person = clip.landmarks.reshape(PEOPLE, len(poses) * 3, 478, 3)
    halves = [(identity_vector(p[:6]), identity_vector(p[6:])) for p in per_person]
    same = [identity_distance(a, b) for a, b in halves]
    other = [identity_distance(halves[i][0], halves[j][1]) for i in range(PEOPLE) for j in range(PEOPLE) if i != j]
    assert np.median(same) < 0.5 * np.median(other)
    assert np.median(other) > 1.5


def test_the_same_face_is_drawn_the_same() -> None:
    person, face = DemoPerson("B"), Face(jaw=0.4, yaw=0.2, smile=0.5)
    assert np.array_equal(person.frame(face, 64), person.frame(face, 64))
    assert not np.array_equal(person.frame(face, 64), person.frame(Face(jaw=0.5, yaw=0.2, smile=0.5), 64))


def test_size_must_fit_the_tiles() -> None:
    with pytest.raises(ValueError, match="multiple"):
        DemoPerson("A").frame(Face(), 100)


def test_mp4_has_picture_and_sound_from_the_same_start() -> None:
    tone = (np.sin(np.arange(16000) / 16000 * 2 * np.pi * 300) * 8000).astype(np.int16)
    data = files.mp4([np.zeros((64, 64, 3), np.uint8)] * 10, 10.0, tone, 16000)
    with av.open(io.BytesIO(data)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert container.streams.audio[0].codec_context.name == "aac"
        assert container.duration == pytest.approx(1e6, rel=0.15)
