"""Is a clip our own output? Consent's intake asks, through the setting TRUSTCORE_OWN_OUTPUT_DETECTOR."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from provenance.manifests import jumbf
from provenance.manifests.errors import ManifestInvalid
from provenance.marks.errors import FrameTooSmall
from provenance.marks.verdicts import Verdict
from provenance.services.clip_reading import read_mark

METHOD = "trustcore-mark-and-manifest"
VERSION = "1"


@dataclass(frozen=True)
class Finding:
    """What was found and what was looked for, in words; the shape that consent's protocol asks for."""

    traces: tuple[str, ...]
    looked_for: tuple[str, ...]
    method: str = METHOD
    version: str = VERSION


class Detector:
    """Looks for our watermark in the pictures and for a C2PA manifest in the file."""

    def detect(self, media: bytes, frames: NDArray[np.uint8]) -> Finding:
        """Args: media: the file as received. frames: uint8 [T, H, W, 3] RGB as the sandbox decoded them."""
        traces, looked_for = [], ["a manifest"]
        if has_manifest(media):
            traces.append("The file carries a signed manifest of a generated video.")
        try:
            reading = read_mark(frames)
        except FrameTooSmall:
            return Finding(tuple(traces), tuple(looked_for))
        looked_for.append("our watermark")
        if reading.verdict is not Verdict.NO_MARK:
            named = f" of slot {reading.payload_hex}" if reading.payload_hex else ""
            traces.append(f"The pictures carry our watermark{named}.")
        return Finding(tuple(traces), tuple(looked_for))


def has_manifest(media: bytes) -> bool:
    """Whether the file holds a C2PA manifest store at all; whose it is does not matter here."""
    try:
        return bool(jumbf.stores_in(media))
    except ManifestInvalid:
        return False
