"""Compare a recording of sent frames with the segment roots that the audit log holds for its session.

The log has one Merkle root per second of sent frames. Only with them can a verifier say that a recording is whole to
its end, and that it is the one session that was logged.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from provenance.manifests import fmp4, segments
from provenance.manifests.errors import SegmentInvalid


@dataclass(frozen=True)
class LoggedSegment:
    """One `segment.recorded` event's facts."""

    first_sequence: int
    last_sequence: int
    root: str  # hex


def match_log(fragment_file: bytes, logged: Sequence[LoggedSegment]) -> int:
    """The number of logged seconds, once each of them is in the recording unchanged and nothing else is.

    Args:
        fragment_file: init segment and fragments. Their signatures are checked elsewhere.
        logged: the segments of this session's manifest, in any order.

    Raises:
        SegmentInvalid: a second is missing, changed, or was never logged.
        FragmentInvalid: the file does not come apart.
    """
    recorded: dict[int, bytes] = {}
    for encoded in fmp4.split_recording(fragment_file)[1]:
        sequence, _, _ = fmp4.fragment_facts(fmp4.parse_fragment(encoded))
        recorded[sequence] = encoded
    for segment in logged:
        numbers = range(segment.first_sequence, segment.last_sequence + 1)
        named = f"Frames {segment.first_sequence} to {segment.last_sequence}"
        frames = [recorded.pop(number) for number in numbers if number in recorded]
        if len(frames) != len(numbers):
            raise SegmentInvalid(f"{named} are in the log and not all in the recording.")
        if segments.root_of(frames) != segment.root:
            raise SegmentInvalid(f"{named} differ from those in the log.")
    if recorded:
        raise SegmentInvalid(f"The recording holds {len(recorded)} frames that the log does not know.")
    return len(logged)
