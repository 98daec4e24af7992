"""Has this recording, or a copy of it, been handed in before?

The bytes are compared by SHA-256. The picture is compared by a fingerprint that survives re-encoding, scaling, cropping
and mirroring: four frames a second, each cut out around the place where the face was over the whole clip, shrunk to
17 x 16 grey values, and turned into 256 bits by comparing neighbours. Cutting out around the face is what makes a
cropped copy agree: the crop moves with the face. The place is one for the whole clip, so that head movement stays
visible; two honest recordings of one person differ because the turns, the moments and the lips differ.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from trustcore.primitives.hashing import sha256_hex

from consent.identity.results import CheckResult

VERSION = "1.0"
RATE_HZ = 4.0
GRID = 16  # 16 x 16 comparisons, 256 bits a frame
BOX_SCALE = 1.3  # of the face's own size
LAG_S = 2.0  # a copy may be cut at the start by this much
SPEEDS = (0.95, 1.0, 1.05)
MIN_OVERLAP_FRAMES = 12  # 3 s: fewer say too little
COPY_MAX_DISTANCE = 0.09  # share of differing bits; measured in docs/identity-error-rates.md

Frames = npt.NDArray[np.uint8]
Landmarks = npt.NDArray[np.float32]
Bits = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class SeenMedia:
    """One earlier file: who it came with, and its two fingerprints (`fingerprint` as `to_bytes` wrote it)."""

    public_id: str
    sha256: str
    fingerprint: bytes


def face_box(landmarks: Landmarks) -> tuple[float, float, float, float]:
    """Left, top, width and height (pixels) of the median face over the clip, widened by BOX_SCALE.

    Raises:
        ValueError: no frame has a face.
    """
    points = landmarks[np.isfinite(landmarks).all(axis=(1, 2))][:, :, :2]
    if not len(points):
        raise ValueError("no frame has a face")
    low, high = np.median(points.min(axis=1), axis=0), np.median(points.max(axis=1), axis=0)
    centre, half = (low + high) / 2, (high - low) / 2 * BOX_SCALE
    return float(centre[0] - half[0]), float(centre[1] - half[1]), float(2 * half[0]), float(2 * half[1])


def fingerprint(frames: Frames, landmarks: Landmarks, time_s: npt.NDArray[np.float64]) -> Bits:
    """Bits [N, 256] of the clip, N frames at RATE_HZ. Empty [0, 256] when no face was found."""
    try:
        box = face_box(landmarks)
    except ValueError:
        return np.zeros((0, GRID * GRID), dtype=np.bool_)
    wanted_s = np.arange(time_s[0], time_s[-1] + 1e-6, 1 / RATE_HZ)
    nearest = np.abs(time_s[:, None] - wanted_s[None, :]).argmin(axis=0)
    return np.stack([_frame_bits(_small(frames[index], box)) for index in nearest])


def _small(frame: Frames, box: tuple[float, float, float, float]) -> npt.NDArray[np.float64]:
    """Grey [GRID, GRID + 1] picture of the box; averages areas so that single pixels do not matter."""
    left, top, width, height = box
    size = 8 * GRID
    # One affine map cuts and scales at once, and repeats the border where a crop cut into the box.
    to_box = np.array([[width / size, 0, left], [0, height / size, top]])
    cut = cv2.warpAffine(frame, to_box, (size, size), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE)
    grey = cv2.cvtColor(cut, cv2.COLOR_RGB2GRAY)
    return cv2.resize(grey, (GRID + 1, GRID), interpolation=cv2.INTER_AREA).astype(np.float64)


def _frame_bits(small: npt.NDArray[np.float64]) -> Bits:
    bits: Bits = (small[:, 1:] > small[:, :-1]).ravel()
    return bits


def mirrored(bits: Bits) -> Bits:
    """The fingerprint of the same clip seen in a mirror: columns swap, and each comparison turns round."""
    grids = bits.reshape(-1, GRID, GRID)
    return ~grids[:, :, ::-1].reshape(len(bits), -1)


def to_bytes(bits: Bits) -> bytes:
    return np.packbits(bits).tobytes()


def from_bytes(packed: bytes) -> Bits:
    return np.unpackbits(np.frombuffer(packed, dtype=np.uint8)).astype(np.bool_).reshape(-1, GRID * GRID)


def distance(one: Bits, other: Bits) -> float:
    """Smallest share of differing bits over start offsets, speeds and mirroring; 1.0 when they hardly overlap."""
    variants = [variant for base in (one, mirrored(one)) for variant in (_at_speed(base, speed) for speed in SPEEDS)]
    lags = range(-round(LAG_S * RATE_HZ), round(LAG_S * RATE_HZ) + 1)
    return min((_at_lag(variant, other, lag) for variant in variants for lag in lags), default=1.0)


def _at_speed(bits: Bits, speed: float) -> Bits:
    index = np.round(np.arange(0, max(len(bits) - 0.5, 0), speed)).astype(int)
    return bits[index[index < len(bits)]]


def _at_lag(one: Bits, other: Bits, lag: int) -> float:
    start_one, start_other = max(0, -lag), max(0, lag)
    count = min(len(one) - start_one, len(other) - start_other)
    if count < MIN_OVERLAP_FRAMES:
        return 1.0
    return float(np.mean(one[start_one : start_one + count] != other[start_other : start_other + count]))


def check_seen_before(media: bytes, bits: Bits, seen: list[SeenMedia]) -> CheckResult:
    """Any earlier file that is the same bytes, or looks the same all along, fails."""
    told = "We have seen this recording before. Please record a new one now, in front of the camera."
    digest = sha256_hex(media)
    for earlier in seen:
        if earlier.sha256 == digest:
            return _result("fail", 0.0, f"The same file as {earlier.public_id}", told, earlier.public_id)
    if not len(bits):
        return _result("not_run", None, "No face to take a fingerprint of", "", "")
    nearest, nearest_id = 1.0, ""
    for earlier in seen:
        apart = distance(bits, from_bytes(earlier.fingerprint))
        if apart < nearest:
            nearest, nearest_id = apart, earlier.public_id
    if nearest <= COPY_MAX_DISTANCE:
        return _result("fail", nearest, f"A copy of {nearest_id}: {nearest:.0%} of the picture differs", told, nearest_id)
    measure = f"Nearest of {len(seen)} earlier files differs in {nearest:.0%}" if seen else "No earlier file"
    return _result("pass", nearest, measure, "", nearest_id)


def _result(verdict: str, score: float | None, measure: str, to_subject: str, nearest_id: str) -> CheckResult:
    return CheckResult(
        name="seen_before", verdict=verdict, method="sha-256 and fingerprint", version=VERSION,  # type: ignore[arg-type]
        score=score, threshold=COPY_MAX_DISTANCE, measure=measure, need=f"more than {COPY_MAX_DISTANCE:.0%} different",
        decided_by="method" if verdict != "not_run" else "nobody", to_subject=to_subject,
        detail={"nearest": nearest_id},
    )  # fmt: skip
