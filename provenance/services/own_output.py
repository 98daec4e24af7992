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
from provenance.services import answers_told, clip_reading, clip_sound
from trustcore.primitives.clock import utc_now

SEARCH_S = 20.0  # somebody waits for the answer of an upload
METHOD = "trustcore-mark-and-manifest"
VERSION = "3"


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
    """Looks for our watermark in the pictures, also on cropped, scaled or mirrored ones, in the sound, and for a C2PA
    manifest.

    It is asked by people who hand in clips, so it answers by the same rules as the public page: verdicts alone, a
    blurred threshold, one answer for each neighbourhood of pictures or of sounds.
    """

    def detect(
        self, media: bytes, frames: NDArray[np.uint8], sound: NDArray[np.int16], rate_hz: int,
    ) -> Finding:
        """Args:
            media: the file as received.
            frames: uint8 [T, H, W, 3] RGB as the sandbox decoded them.
            sound: int16 [N] mono at `rate_hz`, from there too; empty where there is none.
        """
        asking = answers_told.Asking(asked_at=answers_told.INTAKE, now=utc_now())
        found = [_of_file(media), _of_pictures(frames, asking), _of_sound(sound, rate_hz, asking)]
        return Finding(tuple(trace for trace, _ in found if trace), tuple(looked for _, looked in found if looked))


def _of_file(media: bytes) -> tuple[str, str]:
    """(what was found, what was looked for): empty where nothing was found, and where nobody looked."""
    return "The file carries a signed manifest of a generated video." if has_manifest(media) else "", "a manifest"


def _of_pictures(frames: NDArray[np.uint8], asking: answers_told.Asking) -> tuple[str, str]:
    try:
        looked = _looked(frames, asking.would_tell)
    except FrameTooSmall:
        return "", ""
    told = asking.tell(looked.asked)
    is_ours = told.reading.verdict is not Verdict.NO_MARK
    return ("The pictures carry our watermark." if is_ours else "",
            _looked_for(told.is_searched, looked.is_search_cut))


def _of_sound(sound: NDArray[np.int16], rate_hz: int, asking: answers_told.Asking) -> tuple[str, str]:
    """Sound too short to hold a mark counts as not looked at."""
    if not len(sound):
        return "", ""
    heard = clip_sound.listen(sound, rate_hz, asking.of_sound(), read_s=SEARCH_S)
    if heard.reading.verdict is not Verdict.NO_MARK:
        return "The sound carries our watermark.", "our watermark in the sound"
    if heard.is_too_short:
        return "", ""
    return "", "our watermark in the sound, until time ran out" if heard.is_cut else "our watermark in the sound"


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
