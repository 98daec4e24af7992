"""Has this recording, or a copy of it, been handed in before?

The bytes are compared by SHA-256. A copy that was encoded again, scaled, cropped, mirrored or played a little faster is
found by a fingerprint with two parts, and both must agree:

- movement: how the head turned and the lips opened, ten times a second. Two recordings of one person differ here,
  because the words, the turns and their moments differ.
- picture: four frames a second, each cut out around the place where the face was over the whole clip, shrunk to 17 x 16
  grey values and turned into 256 bits by comparing neighbours. Two people who answer one challenge differ here.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from consent.identity.results import CheckResult
from trustcore.primitives.hashing import sha256_hex
from trustcore.tracker.geometry import head_pose, lip_gap

VERSION = "1.1"
PICTURE_HZ, MOVEMENT_HZ = 4.0, 10.0
GRID = 16  # 16 x 16 comparisons, 256 bits a frame
BOX_SCALE = 1.3  # of the face's own size
LAG_S = 2.0  # a copy may be cut at the start by this much
SPEEDS = (0.95, 1.0, 1.05)
MIN_OVERLAP_S = 4.0  # less says too little
# Limits measured on copies and on new recordings: docs/identity-error-rates.md.
MOVEMENT_MIN = 0.85
PICTURE_MAX = 0.17

Frames = npt.NDArray[np.uint8]
Landmarks = npt.NDArray[np.float32]
Bits = npt.NDArray[np.bool_]
Times = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Fingerprint:
    """What is kept of a clip to know it again."""

    movement: npt.NDArray[np.float16]  # [M, 2] yaw (rad) and lip gap, at MOVEMENT_HZ
    picture: Bits  # [N, 256] at PICTURE_HZ

    def to_bytes(self) -> bytes:
        count = len(self.movement).to_bytes(4, "big")
        return count + self.movement.astype("<f2").tobytes() + np.packbits(self.picture).tobytes()

    @classmethod
    def from_bytes(cls, packed: bytes) -> "Fingerprint":
        """Reverse of `to_bytes`; empty bytes (an erased one) give an empty fingerprint."""
        split = 4 + 4 * int.from_bytes(packed[:4], "big")
        movement = np.frombuffer(packed[4:split], dtype="<f2").reshape(-1, 2)
        picture = np.unpackbits(np.frombuffer(packed[split:], dtype=np.uint8)).astype(np.bool_)
        return cls(movement, picture.reshape(-1, GRID * GRID))


@dataclass(frozen=True)
class SeenMedia:
    """One earlier file: who it came with, its hash, and its packed fingerprint."""

    public_id: str
    sha256: str
    fingerprint: bytes


def fingerprint(frames: Frames, landmarks: Landmarks, time_s: Times) -> Fingerprint:
    """The fingerprint of a tracked clip; empty when no face was found.

    Args:
        frames: [T, H, W, 3] RGB.
        landmarks: [T, 478, 3] pixels of `frames`, NaN without a face.
        time_s: [T].
    """
    found = np.isfinite(landmarks[:, 0, 0])
    if int(found.sum()) < 2:
        return Fingerprint(np.zeros((0, 2), np.float16), np.zeros((0, GRID * GRID), np.bool_))
    box = _face_box(landmarks[found])
    at_s = np.arange(time_s[0], time_s[-1] + 1e-6, 1 / PICTURE_HZ)
    nearest = np.abs(time_s[:, None] - at_s[None, :]).argmin(axis=0)
    picture = np.stack([_frame_bits(_small(frames[index], box)) for index in nearest])
    curves = np.stack([head_pose(landmarks[found])[:, 0], lip_gap(landmarks[found])], axis=1)
    grid_s = np.arange(time_s[0], time_s[-1] + 1e-6, 1 / MOVEMENT_HZ)
    movement = np.stack([np.interp(grid_s, time_s[found], curve) for curve in curves.T], axis=1)
    return Fingerprint(movement.astype(np.float16), picture)


def _face_box(landmarks: Landmarks) -> tuple[float, float, float, float]:
    """Left, top, width and height (pixels) of the median face over the clip, widened by BOX_SCALE."""
    points = landmarks[:, :, :2]
    low, high = np.median(points.min(axis=1), axis=0), np.median(points.max(axis=1), axis=0)
    centre, half = (low + high) / 2, (high - low) / 2 * BOX_SCALE
    return float(centre[0] - half[0]), float(centre[1] - half[1]), float(2 * half[0]), float(2 * half[1])


def _small(frame: Frames, box: tuple[float, float, float, float]) -> npt.NDArray[np.float64]:
    """Grey [GRID, GRID + 1] picture of the box; averages areas so that single pixels do not matter."""
    left, top, width, height = box
    size = 8 * GRID
    # One affine map cuts and scales at once, and repeats the border where a crop cut into the box.
    to_box = np.array([[width / size, 0, left], [0, height / size, top]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cut = cv2.warpAffine(frame, to_box, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    grey = cv2.cvtColor(cut, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(grey, (GRID + 1, GRID), interpolation=cv2.INTER_AREA), np.float64)


def _frame_bits(small: npt.NDArray[np.float64]) -> Bits:
    bits: Bits = (small[:, 1:] > small[:, :-1]).ravel()
    return bits


def _mirrored(bits: Bits) -> Bits:
    """The bits of the same frames seen in a mirror: columns swap, and each comparison turns round."""
    grids = bits.reshape(-1, GRID, GRID)
    return ~grids[:, :, ::-1].reshape(len(bits), -1)


def movement_agreement(one: Fingerprint, other: Fingerprint) -> float:
    """Mean correlation of head turn and lip opening, best over start offset, speed and mirroring; -1 to 1."""
    best = -1.0
    for speed in SPEEDS:
        curve = _at_speed(one.movement.astype(np.float64), speed)
        for sign in (1.0, -1.0):
            seen = curve * np.array([sign, 1.0])
            for lag in range(-round(LAG_S * MOVEMENT_HZ), round(LAG_S * MOVEMENT_HZ) + 1):
                best = max(best, _correlation(seen, other.movement.astype(np.float64), lag))
    return best


def picture_distance(one: Fingerprint, other: Fingerprint) -> float:
    """Smallest share of differing bits over start offset, speed and mirroring; 1 when they hardly overlap."""
    variants = [_at_speed(base, speed) for base in (one.picture, _mirrored(one.picture)) for speed in SPEEDS]
    lags = range(-round(LAG_S * PICTURE_HZ), round(LAG_S * PICTURE_HZ) + 1)
    return min(_differing(variant, other.picture, lag) for variant in variants for lag in lags)


def _at_speed(rows: npt.NDArray, speed: float) -> npt.NDArray:  # type: ignore[type-arg]
    index = np.round(np.arange(0, max(len(rows) - 0.5, 0), speed)).astype(int)
    return np.asarray(rows[index[index < len(rows)]])


def _overlap(one_length: int, other_length: int, lag: int) -> tuple[slice, slice, int]:
    start_one, start_other = max(0, -lag), max(0, lag)
    count = max(0, min(one_length - start_one, other_length - start_other))
    return slice(start_one, start_one + count), slice(start_other, start_other + count), count


def _correlation(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64], lag: int) -> float:
    left, right, count = _overlap(len(one), len(other), lag)
    if count < MIN_OVERLAP_S * MOVEMENT_HZ:
        return -1.0
    a, b = one[left] - one[left].mean(axis=0), other[right] - other[right].mean(axis=0)
    sizes = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    # A curve that does not move agrees with nothing: a still face is not a copy of another still face.
    return float(np.mean((a * b).sum(axis=0) / np.maximum(sizes, 1e-6)))


def _differing(one: Bits, other: Bits, lag: int) -> float:
    left, right, count = _overlap(len(one), len(other), lag)
    return float(np.mean(one[left] != other[right])) if count >= MIN_OVERLAP_S * PICTURE_HZ else 1.0


def check_seen_before(media: bytes, mine: Fingerprint, seen: list[SeenMedia]) -> CheckResult:
    """The same bytes as an earlier file, or the same movement and the same picture all along, fails."""
    digest = sha256_hex(media)
    for earlier in seen:
        if earlier.sha256 == digest:
            return _result("fail", 1.0, f"The same file as {earlier.public_id}", earlier.public_id)
    if not len(mine.movement):
        return _result("not_run", None, "No face to take a fingerprint of", "")
    nearest, nearest_id = -1.0, ""
    for earlier in seen:
        theirs = Fingerprint.from_bytes(earlier.fingerprint)
        agreement = movement_agreement(mine, theirs)
        if agreement > nearest:
            nearest, nearest_id = agreement, earlier.public_id
        if agreement >= MOVEMENT_MIN and picture_distance(mine, theirs) <= PICTURE_MAX:
            return _result(
                "fail", agreement, f"A copy of {earlier.public_id}: it moves and looks the same", earlier.public_id
            )
    if not seen:
        return _result("pass", None, "No earlier file", "")
    return _result("pass", nearest, f"No copy among {len(seen)} earlier files", nearest_id)


def _result(verdict: str, score: float | None, measure: str, nearest_id: str) -> CheckResult:
    told = "We have seen this recording before. Please record a new one now, in front of the camera."
    return CheckResult(
        name="seen_before", verdict=verdict, method="sha-256 and fingerprint", version=VERSION,  # type: ignore[arg-type]
        score=score, threshold=MOVEMENT_MIN, measure=measure, need="no earlier file moves and looks the same",
        decided_by="method" if verdict != "not_run" else "nobody", to_subject=told if verdict == "fail" else "",
        detail={"nearest": nearest_id},
    )  # fmt: skip
