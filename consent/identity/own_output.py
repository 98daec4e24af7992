"""Does the clip carry our own watermark or manifest? Then a replica would be consenting for its own copy.

Consent may not import provenance, so the detector is a Protocol, bound by the setting TRUSTCORE_OWN_OUTPUT_DETECTOR.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from consent.identity.results import CheckResult, Verdict


@dataclass(frozen=True)
class OwnOutputFinding:
    """What a detector looked for and found.

    `traces` says in words what was found ("watermark of slot 3f..", "manifest signed by ..."); empty: nothing found.
    `looked_for` says what was looked for, so that a part that could not run is not taken for a clean answer.
    """

    traces: tuple[str, ...]
    looked_for: tuple[str, ...]
    method: str
    version: str


class OwnOutputDetector(Protocol):
    """Looks for our marks in somebody's file."""

    def detect(
        self, media: bytes, frames: npt.NDArray[np.uint8], sound: npt.NDArray[np.int16], rate_hz: int,
    ) -> OwnOutputFinding:
        """Args:
            media: the file as received.
            frames: [T,H,W,3] RGB as decoded in the sandbox.
            sound: [N] mono at `rate_hz` as decoded there; empty where there is none.
        """
        ...


def check_own_output(
    detector: OwnOutputDetector | None, media: bytes, frames: npt.NDArray[np.uint8], sound: npt.NDArray[np.int16],
    rate_hz: int,
) -> CheckResult:
    """Any trace of ours fails. Without a detector the check is `not_run`, never passed."""
    if detector is None:
        return _result("not_run", "No detector bound, nothing was looked for", "none", "0", "")
    found = detector.detect(media, frames, sound, rate_hz)
    if found.traces:
        told = "This recording was made by a replica, not by a person in front of a camera. It cannot count as consent."
        return _result("fail", "; ".join(found.traces), found.method, found.version, told)
    looked = " and ".join(found.looked_for) or "nothing"
    return _result("pass", f"None found; looked for {looked}", found.method, found.version, "")


def _result(verdict: Verdict, measure: str, method: str, version: str, to_subject: str) -> CheckResult:
    return CheckResult(
        name="own_output",
        verdict=verdict,
        method=method,
        version=version,
        score=None,
        threshold=None,
        measure=measure,
        need="any trace fails",
        decided_by="method" if verdict != "not_run" else "nobody",
        to_subject=to_subject,
    )
