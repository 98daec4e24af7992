"""Is exactly one face in the clip, nearly all the time?"""

import numpy as np
import numpy.typing as npt

from consent.identity.results import CheckResult

VERSION = "1.0"
TWO_FACES_MAX_SHARE = 0.02  # a poster that the detector takes for a face in one frame is not a second person
NO_FACE_MAX_SHARE = 0.15  # a quick turn may lose the face for a moment


def check_one_face(face_count: npt.NDArray[np.uint8]) -> CheckResult:
    """Args: face_count: [T] faces found in each frame."""
    two_share = float(np.mean(face_count > 1)) if face_count.size else 0.0
    none_share = float(np.mean(face_count == 0)) if face_count.size else 1.0
    if two_share > TWO_FACES_MAX_SHARE:
        told = "Somebody else was in the picture. Please record once more, alone."
        return _result("fail", two_share, TWO_FACES_MAX_SHARE, f"Two faces in {two_share:.0%} of the clip", told)
    if none_share > NO_FACE_MAX_SHARE:
        told = "We could not see your face well enough. Please record once more, in better light."
        return _result("fail", none_share, NO_FACE_MAX_SHARE, f"No face in {none_share:.0%} of the clip", told)
    return _result("pass", 1 - none_share, 1 - NO_FACE_MAX_SHARE, f"One face in {1 - none_share:.0%} of the clip", "")


def _result(verdict: str, score: float, threshold: float, measure: str, to_subject: str) -> CheckResult:
    return CheckResult(
        name="one_face", verdict=verdict, method="face count", version=VERSION, score=score,  # type: ignore[arg-type]
        threshold=threshold, measure=measure, need=f"one face in at least {1 - NO_FACE_MAX_SHARE:.0%}",
        decided_by="method", to_subject=to_subject,
    )  # fmt: skip
