"""Could this be the same face? Geometry of landmarks, no model of faces, therefore an assistant and never a proof.

The bony points of near-frontal frames are scaled by the distance between the eyes and averaged; two faces are compared
by the root mean square of the log ratios of their point-to-point distances. Far apart is a fail, which no officer may
accept alone. Nearer is only a warning: many people share proportions. There is no pass.
Error rates and how the two limits were chosen: docs/identity-error-rates.md.
"""

from itertools import combinations

import numpy as np
import numpy.typing as npt

from consent.identity.results import CheckResult

VERSION = "1.0"
FAIL_DISTANCE = 0.055
FRONTAL_RAD = np.deg2rad(9.0)
MIN_FRAMES = 8

# Landmarks of the 478-point mesh that move little with expression: eye corners, nose bridge, tip, base and wings,
# cheekbones, jaw angles, temples. Lips, brows, lids and chin are left out because speaking moves them.
BONY = (33, 133, 362, 263, 168, 6, 4, 2, 98, 327, 234, 454, 127, 356, 93, 323, 58, 288, 10)
EYE_OUTER = (33, 263)
PAIRS = tuple(combinations(range(len(BONY)), 2))

Landmarks = npt.NDArray[np.float32]
Shape = npt.NDArray[np.float64]


def face_shape(landmarks: Landmarks, yaw_rad: npt.NDArray[np.float64]) -> Shape | None:
    """Log distances between bony points, in units of the distance between the outer eye corners.

    Args:
        landmarks: [T, 478, 3] pixels, NaN without a face.
        yaw_rad: [T].

    Returns:
        [len(PAIRS)], or None when fewer than MIN_FRAMES frames look ahead.
    """
    frontal = np.isfinite(landmarks).all(axis=(1, 2)) & (np.abs(yaw_rad - np.nanmedian(yaw_rad)) < FRONTAL_RAD)
    if int(frontal.sum()) < MIN_FRAMES:
        return None
    # Depth from one camera is the weakest coordinate, so the shape is measured in the picture plane alone.
    points = landmarks[frontal][:, BONY, :2].astype(np.float64)
    eyes = landmarks[frontal][:, EYE_OUTER, :2].astype(np.float64)
    scale = np.linalg.norm(eyes[:, 0] - eyes[:, 1], axis=1)
    first, second = np.array(PAIRS).T
    apart = np.linalg.norm(points[:, first] - points[:, second], axis=2) / scale[:, None]
    shape: Shape = np.median(np.log(np.maximum(apart, 1e-3)), axis=0)
    return shape


def shape_distance(one: Shape, other: Shape) -> float:
    """Root mean square difference of log distances; 0.05 is five per cent."""
    return float(np.sqrt(np.mean((one - other) ** 2)))


def check_same_face(clip: Shape | None, reference: Shape | None, *, reference_name: str) -> CheckResult:
    """Compare a clip's face with an earlier accepted clip or with the footage.

    Args:
        clip, reference: from `face_shape`; None when there is none.
        reference_name: what the face was compared with, in words ("the accepted clip of 3 November").
    """
    if reference is None:
        return _result("not_run", None, "Nothing of this person to compare with yet", "")
    if clip is None:
        return _result("not_run", None, "Too few frames look ahead, nothing was compared", "")
    apart = shape_distance(clip, reference)
    measure = f"Differs by {apart:.1%} from {reference_name}"
    if apart > FAIL_DISTANCE:
        return _result("fail", apart, measure, "The face does not fit the one we know for this invitation.")
    return _result("warn", apart, f"{measure}; assist only, never a pass", "")


def _result(verdict: str, score: float | None, measure: str, to_subject: str) -> CheckResult:
    return CheckResult(
        name="same_face", verdict=verdict, method="landmark geometry, no weights", version=VERSION,  # type: ignore[arg-type]
        score=score, threshold=FAIL_DISTANCE, measure=measure, need=f"at most {FAIL_DISTANCE:.1%}; never a pass",
        decided_by="method" if verdict != "not_run" else "nobody", to_subject=to_subject,
    )  # fmt: skip
