"""Run every check on a recording. No database: bytes and facts in, results out."""

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from consent.identity import not_run
from consent.identity.challenge import Challenge
from consent.identity.one_face import check_one_face
from consent.identity.own_output import OwnOutputDetector, check_own_output
from consent.identity.replay import SeenMedia, check_seen_before, fingerprint
from consent.identity.results import CheckResult, worst_first
from consent.identity.same_face import Vector, check_same_face, face_vector
from consent.identity.turns import check_turns
from trustcore.tracker import Limits, TrackedClip, track_clip
from trustcore.tracker.geometry import eye_aperture, head_pose

MAX_BYTES = 60 * 1024 * 1024
LIMITS = Limits(
    max_bytes=MAX_BYTES, min_seconds=4.0, max_seconds=75.0, max_output_side_px=360, max_wall_s=120.0, max_cpu_s=110
)
POSTER_PX = 240
POSTER_WITHIN_S = 3.0


@dataclass(frozen=True)
class Intake:
    """What one recording gave: the checks, and what later checks and pages need of it."""

    results: list[CheckResult]
    fingerprint: bytes
    face: Vector | None
    poster_jpeg: bytes
    duration_s: float

    @property
    def failed(self) -> list[CheckResult]:
        return [result for result in self.results if result.verdict == "fail"]


def run_checks(
    media: bytes, challenge: Challenge, *, is_timed: bool, seen: list[SeenMedia], reference: Vector | None,
    reference_name: str, detector: OwnOutputDetector | None,
) -> Intake:  # fmt: skip
    """Decode in the sandbox, then check.

    Args:
        is_timed: recorded by our page, so that the clip's clock is the challenge's clock.
        seen: every file handed in before.
        reference: the face to compare with, or None.

    Raises:
        MediaRefused: the file cannot be used at all; `code` says why.
    """
    clip = track_clip(media, limits=LIMITS)
    mine = fingerprint(clip.frames, clip.landmarks, clip.frame_time_s)
    face = face_vector(clip.landmarks)
    results = [
        check_turns(challenge, yaw_of(clip), clip.frame_time_s, is_timed=is_timed),
        check_one_face(clip.face_count),
        check_seen_before(media, mine, seen),
        check_own_output(detector, media, clip.frames, clip.pcm, clip.pcm_rate),
        check_same_face(face, reference, reference_name=reference_name),
        not_run.spoken_phrase(),
        not_run.colour_flash(),
    ]
    return Intake(worst_first(results), mine.to_bytes(), face, _poster(clip), clip.seconds)


def yaw_of(clip: TrackedClip) -> npt.NDArray[np.float64]:
    """[T] yaw in radians, positive towards the person's own left; NaN without a face."""
    return np.asarray(head_pose(clip.landmarks)[:, 0], np.float64)


def _poster(clip: TrackedClip) -> bytes:
    """A still with open eyes from the first seconds, square around the middle, as JPEG."""
    early = np.flatnonzero(clip.has_face & (clip.frame_time_s < POSTER_WITHIN_S))
    frame = clip.frames[early[int(np.argmax(eye_aperture(clip.landmarks[early])))] if len(early) else 0]
    side = min(frame.shape[:2])
    top, left = (frame.shape[0] - side) // 2, (frame.shape[1] - side) // 2
    picture = Image.fromarray(frame[top : top + side, left : left + side]).resize((POSTER_PX, POSTER_PX))
    out = io.BytesIO()
    picture.save(out, format="JPEG", quality=85)
    return out.getvalue()
