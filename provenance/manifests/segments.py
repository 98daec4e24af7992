"""Segment roots: one Merkle root per second of sent frames, for the audit log. Frames never go there one by one."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from provenance.manifests.fmp4 import TIMESCALE
from trustcore.primitives import merkle
from trustcore.primitives.clock import to_rfc3339_seconds


@dataclass(frozen=True)
class Segment:
    """The frames of one second of media time."""

    number: int
    first_sequence: int
    last_sequence: int
    root: str  # hex, RFC 6962 over SHA-256 of each fragment
    started_at: str


class SegmentRoots:
    """Collects sent fragments and gives a segment whenever a second of media time is complete."""

    def __init__(self) -> None:
        self._number = 0
        self._second = -1
        self._leaves: list[bytes] = []
        self._first = self._last = 0
        self._started_at = ""

    def add(self, fragment: bytes, sequence: int, media_time_90k: int, now_utc: datetime) -> Segment | None:
        """Take one sent fragment; returns the segment that this frame has completed, if any."""
        second = media_time_90k // TIMESCALE
        finished = self.finish() if second != self._second else None
        if not self._leaves:
            self._second, self._first, self._started_at = second, sequence, to_rfc3339_seconds(now_utc)
        self._leaves.append(fragment_leaf(fragment))
        self._last = sequence
        return finished

    def finish(self) -> Segment | None:
        """The open segment, closed; None when it holds no frame. Call at the end of the session."""
        if not self._leaves:
            return None
        segment = Segment(self._number, self._first, self._last, merkle.root(self._leaves).hex(), self._started_at)
        self._number += 1
        self._leaves = []
        return segment


def fragment_leaf(fragment: bytes) -> bytes:
    """Leaf hash of one fragment: the log holds the hash of its SHA-256."""
    return merkle.leaf_hash(hashlib.sha256(fragment).digest())


def root_of(fragments: list[bytes]) -> str:
    """Root (hex) over fragments in order, for a verifier that holds them."""
    return merkle.root([fragment_leaf(fragment) for fragment in fragments]).hex()
