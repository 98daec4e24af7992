"""Is a clip our own output? Consent's intake asks, through the setting TRUSTCORE_OWN_OUTPUT_DETECTOR."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from provenance.manifests import jumbf
from provenance.manifests.errors import ManifestInvalid
from provenance.marks.errors import FrameTooSmall
from provenance.marks.search import SEARCHED_FRAMES
from provenance.marks.verdicts import Verdict
from provenance.oracle.answers import Asked
from provenance.services import answers_told, clip_reading
from trustcore.primitives.clock import utc_now

SEARCH_S = 20.0  # somebody waits for the answer of an upload
METHOD = "trustcore-mark-and-manifest"
VERSION = "2"


@dataclass(frozen=True)
class Finding:
    """What was found and what was looked for, in words; the shape that consent's protocol asks for."""

    traces: tuple[str, ...]
    looked_for: tuple[str, ...]
    method: str = METHOD
    version: str = VERSION


# Searches at once in one web process: each keeps a core busy. Who finds it taken goes without, and the finding says so.
_SEARCHING = threading.BoundedSemaphore(1)


class Detector:
    """Looks for our watermark in the pictures, also on cropped, scaled or mirrored ones, and for a C2PA manifest.

    It is asked by people who hand in clips, so it answers by the same rules as the public page: verdicts alone, a
    blurred threshold, one answer for each neighbourhood of pictures.
    """

    def detect(self, media: bytes, frames: NDArray[np.uint8]) -> Finding:
        """Args: media: the file as received. frames: uint8 [T, H, W, 3] RGB as the sandbox decoded them."""
        traces, looked_for = [], ["a manifest"]
        asking = answers_told.Asking(asked_at=answers_told.INTAKE, now=utc_now())
        if has_manifest(media):
            traces.append("The file carries a signed manifest of a generated video.")
        try:
            looked = _looked(frames, asking.would_tell)
        except FrameTooSmall:
            return Finding(tuple(traces), tuple(looked_for))
        told = asking.tell(looked.asked)
        looked_for.append(_looked_for(told.is_searched, looked.is_search_cut))
        if told.reading.verdict is not Verdict.NO_MARK:
            traces.append("The pictures carry our watermark.")
        return Finding(tuple(traces), tuple(looked_for))


def _looked(frames: NDArray[np.uint8], would_tell: Callable[[Asked], bool]) -> clip_reading.Looked:
    """Aligned, then searched at the middle and at the beginning, if no other search is running."""
    places = [start for start in dict.fromkeys((len(frames) // 2, 0)) if start < len(frames)]
    closer = [lambda start=start: frames[start : start + SEARCHED_FRAMES] for start in places]
    may_search = _SEARCHING.acquire(blocking=False)
    try:
        return clip_reading.look(frames, closer, would_tell, search_s=SEARCH_S if may_search else 0.0)
    finally:
        if may_search:
            _SEARCHING.release()


def _looked_for(is_searched: bool, is_search_cut: bool) -> str:
    """What was looked for, so that a search that had to end early is not taken for a whole one."""
    if not is_searched:
        return "our watermark where it lies"
    how = "cropped, scaled and mirrored, until time ran out" if is_search_cut else "cropped, scaled and mirrored"
    return f"our watermark (also {how})"


def has_manifest(media: bytes) -> bool:
    """Whether the file holds a C2PA manifest store at all; whose it is does not matter here."""
    try:
        return bool(jumbf.stores_in(media))
    except ManifestInvalid:
        return False
