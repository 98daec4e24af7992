"""Could this be the same face? Proportions of landmarks, no model of faces, therefore an assistant and never a proof.

Two faces are compared by the distance of their identity vectors (trustcore/tracker/geometry.py), in hundredths of the
distance between the outer eye corners. Far apart is a fail, which no officer may accept alone. Nearer is only a
warning: many people share proportions. There is no pass.
Error rates and how the limit was chosen: docs/identity-error-rates.md.
"""

import numpy as np
import numpy.typing as npt

from consent.identity.results import CheckResult
from trustcore.tracker.geometry import identity_distance, identity_vector

VERSION = "1.0"
FAIL_DISTANCE = 1.25  # hundredths of the outer-eye distance

Vector = npt.NDArray[np.float32]


def face_vector(landmarks: npt.NDArray[np.float32]) -> Vector | None:
    """The proportions of the face in a clip, or None when too few frames show one.

    Args:
        landmarks: [T, 478, 3] pixels, NaN without a face.
    """
    try:
        return identity_vector(landmarks)
    except ValueError:
        return None


def check_same_face(clip: Vector | None, reference: Vector | None, *, reference_name: str) -> CheckResult:
    """Compare a clip's face with an earlier accepted clip or with the footage.

    Args:
        clip, reference: from `face_vector`; None when there is none.
        reference_name: what the face was compared with, in words ("the accepted clip of 3 November").
    """
    if reference is None:
        return _result("not_run", None, "Nothing of this person to compare with yet", "")
    if clip is None:
        return _result("not_run", None, "Too few frames look ahead, nothing was compared", "")
    apart = identity_distance(clip, reference)
    measure = f"Differs by {apart:.2f} % of the eye distance from {reference_name}"
    if apart > FAIL_DISTANCE:
        return _result("fail", apart, measure, "The face does not fit the one we know for this invitation.")
    return _result("warn", apart, f"{measure}; assist only, never a pass", "")


def _result(verdict: str, score: float | None, measure: str, to_subject: str) -> CheckResult:
    return CheckResult(
        name="same_face", verdict=verdict, method="landmark geometry, no weights", version=VERSION,  # type: ignore[arg-type]
        score=score, threshold=FAIL_DISTANCE, measure=measure, need=f"at most {FAIL_DISTANCE:.2f} %; never a pass",
        decided_by="method" if verdict != "not_run" else "nobody", to_subject=to_subject,
    )  # fmt: skip
