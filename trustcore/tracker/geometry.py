"""What 478 landmarks say about a face: pose, lids, lips, brows, gaze, and the proportions that stay with a person.

Axes of the pose-free points: x to the person's own left (the right of the picture), y up, z towards the camera; the
unit is the distance between the outer eye corners, so no measure depends on how near the person sits.
Missing faces (NaN landmarks) give NaN everywhere.
"""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Array64 = npt.NDArray[np.float64]

# Points that hold still in the skull while the face moves, with their place in a mean face (mirror-symmetric mean of
# tracked synthetic people, unit: root mean square distance from the centre).
SKULL: dict[int, tuple[float, float, float]] = {
    33: (-1.338, -0.028, -0.079),
    133: (-0.507, -0.087, 0.088),
    362: (0.507, -0.087, 0.088),
    263: (1.338, -0.028, -0.079),
    168: (0.000, 0.136, 0.546),
    6: (0.000, -0.124, 0.670),
    197: (0.000, -0.335, 0.820),
    195: (0.000, -0.528, 0.982),
    5: (0.000, -0.735, 1.145),
    4: (0.000, -0.988, 1.216),
    1: (0.000, -1.185, 1.155),
    2: (0.000, -1.385, 0.715),
    98: (-0.475, -1.339, 0.486),
    327: (0.475, -1.339, 0.486),
    234: (-1.939, -0.585, -1.666),
    454: (1.939, -0.585, -1.666),
    127: (-1.983, -0.165, -1.534),
    356: (1.983, -0.165, -1.534),
    10: (0.000, 1.589, 0.411),
    151: (0.000, 1.131, 0.521),
    9: (0.000, 0.685, 0.593),
    8: (0.000, 0.410, 0.554),
    54: (-1.760, 1.010, -0.513),
    284: (1.760, 1.010, -0.513),
    103: (-1.487, 1.296, -0.139),
    332: (1.487, 1.296, -0.139),
    109: (-0.567, 1.571, 0.371),
    338: (0.567, 1.571, 0.371),
}
SKULL_POINTS = np.array(list(SKULL))
SKULL_SHAPE = np.array(list(SKULL.values())) - np.mean(list(SKULL.values()), axis=0)

EYE_OUTER, EYE_INNER = (33, 263), (133, 362)  # right eye, left eye
LID_PAIRS = (((160, 144), (159, 145), (158, 153)), ((385, 380), (386, 374), (387, 373)))  # upper, lower
LIP_PAIRS = ((82, 87), (13, 14), (312, 317))  # inner lips, upper and lower
MOUTH_CORNERS = (61, 291)
IRISES = (468, 473)
NOSE_BRIDGE, NOSE_BASE = 168, 2
# Contour of the face, eyes, nose and brows' bones: proportions that expression hardly changes. Jaw points are taken
# only from frames with nearly closed lips. Right point, left point.
IDENTITY_PAIRS = np.array([
    (98, 327), (48, 278), (33, 263), (133, 362), (127, 356), (234, 454), (93, 323), (132, 361), (58, 288), (172, 397),
    (136, 365), (150, 379), (149, 378), (176, 400), (148, 377), (54, 284), (103, 332), (67, 297), (116, 345),
    (117, 346), (50, 280), (205, 425),
])  # fmt: skip
IDENTITY_MIDDLE = np.array([10, 151, 9, 8, 168, 6, 197, 195, 5, 4, 1, 2, 152, 199, 175])


def head_pose(landmarks: Array) -> Array:
    """Turn of the head by fitting the skull points to a mean face (Kabsch 1976).

    Args:
        landmarks: [T, 478, 3] pixels.

    Returns:
        [T, 3] rad: yaw (positive: towards the person's own left), pitch (positive: nose down), roll (positive: top of
        the head towards the person's own right). R = Rx(pitch) Ry(yaw) Rz(roll). Pitch carries a person-specific
        offset of a few degrees: compare it with the same person's rest, not with zero.
    """
    turn, _ = _fit_skull(landmarks)
    yaw = np.arcsin(np.clip(turn[:, 0, 2], -1, 1))
    pitch = np.arctan2(-turn[:, 1, 2], turn[:, 2, 2])
    roll = np.arctan2(-turn[:, 0, 1], turn[:, 0, 0])
    return np.asarray(np.stack([yaw, pitch, roll], axis=1), np.float32)


def pose_free(landmarks: Array) -> Array:
    """[T, 478, 3] landmarks turned to face the camera, centred on the skull points, in outer-eye distances."""
    points = _upright(landmarks)
    turn, centre = _fit_skull(landmarks)
    still = np.einsum("tij,tni->tnj", turn, points - centre[:, None])
    unit = np.linalg.norm(still[:, EYE_OUTER[1]] - still[:, EYE_OUTER[0]], axis=1)
    return np.asarray(still / unit[:, None, None], np.float32)


def eye_aperture(landmarks: Array) -> Array:
    """[T] mean opening of both eyes, lid distance over eye width (about .05 shut, .3 open)."""
    free = pose_free(landmarks)
    eyes = []
    for pairs, outer, inner in zip(LID_PAIRS, EYE_OUTER, EYE_INNER, strict=True):
        height = np.mean([_distance(free, up, low) for up, low in pairs], axis=0)
        eyes.append(height / _distance(free, outer, inner))
    return np.asarray(np.mean(eyes, axis=0), np.float32)


def lip_gap(landmarks: Array) -> Array:
    """[T] opening between the inner lips over nose length. Below .03 the lips are closed."""
    free = pose_free(landmarks)
    gap = np.mean([_distance(free, up, low) for up, low in LIP_PAIRS], axis=0)
    return np.asarray(gap / _distance(free, NOSE_BRIDGE, NOSE_BASE), np.float32)


def mouth_width(landmarks: Array) -> Array:
    """[T] distance of the mouth corners in outer-eye distances."""
    return _distance(pose_free(landmarks), *MOUTH_CORNERS)


def gaze(landmarks: Array) -> Array:
    """[T, 2] place of the irises between the eye corners: x towards the person's left, y up, in eye widths."""
    free = pose_free(landmarks)
    eyes = []
    for iris, outer, inner in zip(IRISES, EYE_OUTER, EYE_INNER, strict=True):
        middle = (free[:, outer] + free[:, inner]) / 2
        eyes.append((free[:, iris] - middle)[:, :2] / _distance(free, outer, inner)[:, None])
    return np.asarray(np.mean(eyes, axis=0), np.float32)


def identity_vector(landmarks: Array, *, most_yaw_rad: float = 0.3) -> Array:
    """Proportions of one person's face, for a same-face *warning*: never a proof of identity.

    The median over the clip of pose-free points of bone and contour, in frames that are nearly frontal and have nearly
    closed lips (or the most closed fifth, when the lips never close). Left and right are averaged and heights are
    taken from their mean, because what is left of a turn or nod is mostly asymmetry and a shift of all heights.

    Args:
        landmarks: [T, 478, 3] of one clip.
        most_yaw_rad: frames turned further from the clip's median yaw are left out.

    Returns:
        [K] half widths and heights in outer-eye distances. Compare two with `identity_distance`.

    Raises:
        ValueError: fewer than five frames show a face.
    """
    seen = landmarks[np.isfinite(landmarks[:, 0, 0])]
    if len(seen) < 5:
        raise ValueError("fewer than five frames show a face")
    yaw = head_pose(seen)[:, 0]
    frontal = np.abs(yaw) <= max(most_yaw_rad, float(np.min(np.abs(yaw))) + 0.05)
    seen = seen[frontal]
    gap = lip_gap(seen)
    seen = seen[gap <= max(0.04, float(np.quantile(gap, 0.2)))]
    typical = np.median(pose_free(seen)[:, :, :2], axis=0)
    right, left = typical[IDENTITY_PAIRS[:, 0]], typical[IDENTITY_PAIRS[:, 1]]
    heights = np.concatenate([(right[:, 1] + left[:, 1]) / 2, typical[IDENTITY_MIDDLE, 1]])
    return np.concatenate([(left[:, 0] - right[:, 0]) / 2, heights - heights.mean()])


def identity_distance(one: Array, other: Array) -> float:
    """Root mean square distance of two identity vectors, in hundredths of the outer-eye distance."""
    return float(np.sqrt(np.mean((np.asarray(one, np.float64) - other) ** 2)) * 100.0)


def _upright(landmarks: Array) -> Array64:
    """Pixels (y down, z away) to y up, z towards the camera."""
    return np.asarray(landmarks.astype(np.float64) * np.array([1.0, -1.0, -1.0]), np.float64)


def _fit_skull(landmarks: Array) -> tuple[Array64, Array64]:
    """[T, 3, 3] rotation from mean face to picture and [T, 3] centre of the skull points. NaN without a face."""
    points = _upright(landmarks)[:, SKULL_POINTS]
    centre = points.mean(axis=1)
    found = np.isfinite(centre).all(axis=1)
    spread = np.einsum("tni,nj->tij", np.where(found[:, None, None], points - centre[:, None], 0.0), SKULL_SHAPE)
    left, _, right = np.linalg.svd(spread)
    sign = np.linalg.det(left @ right)
    left[:, :, 2] *= sign[:, None]
    turn = left @ right
    turn[~found] = np.nan
    return turn, centre


def _distance(points: Array, a: int, b: int) -> Array:
    return np.asarray(np.linalg.norm(points[:, a] - points[:, b], axis=1), np.float32)
