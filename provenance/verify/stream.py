"""The verdict on each frame of a stream or recording. Mirrors trustcore/static/js/verify/frames.js.

Frames are judged one by one: a lost frame is a gap, never a failure of the next one (C2PA 2.4 section 19.4; the chain
of manifests of 19.3 would fail there).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from provenance.manifests import cose, fmp4
from provenance.manifests.attest import bmff_hash, rebuild_fragment, segment_info
from provenance.manifests.errors import CarriageInvalid, CoseInvalid, FragmentInvalid, SegmentInvalid
from provenance.manifests.frame_codecs import OPUS_PACKETS, FrameCodec
from provenance.manifests.session_manifest import SessionManifest

WINDOW_FRAMES = 64  # out of order within this many is accepted; older is late


class FrameState(StrEnum):
    """What a viewer is told about one frame."""

    VERIFIED = "verified"
    UNATTESTED = "unattested"
    INVALID = "invalid"


@dataclass(frozen=True)
class FrameVerdict:
    """One frame. `counter` names where it was counted: a late or replayed frame is invalid, but counted apart."""

    state: FrameState
    counter: str
    sequence: int | None = None
    reason: str = ""


@dataclass
class StreamCounts:
    """Every frame is in exactly one of verified, unattested, invalid, late, replayed."""

    received: int = 0
    verified: int = 0
    unattested: int = 0
    invalid: int = 0
    late: int = 0
    replayed: int = 0
    gap: int = 0  # numbers between the first and the last verified frame that never came
    reordered: int = 0  # verified, but after a higher number

    def as_json(self) -> dict[str, int]:
        return asdict(self)


@dataclass
class StreamVerifier:
    """Judges the pictures of one session whose manifest is Trusted; or its sound, which is numbered by itself."""

    manifest: SessionManifest
    is_sound: bool = False
    counts: StreamCounts = field(default_factory=StreamCounts)
    lowest: int = 0
    highest: int = 0
    _seen: set[int] = field(default_factory=set)

    @property
    def codec(self) -> FrameCodec:
        return OPUS_PACKETS if self.is_sound else self.manifest.codec

    def check_access_unit(self, access_unit: bytes, now: datetime | None = None) -> FrameVerdict:
        """Judge a received frame, whatever form its attestation has. `now` also holds the key's life against the clock.

        Both forms become the same fragment, and everything after that is one and the same check.
        """
        manifest = self.manifest
        try:
            fragment = rebuild_fragment(
                access_unit, label=manifest.label, kid=manifest.key.kid, codec=self.codec)
        except CarriageInvalid as error:
            return self._count(FrameVerdict(FrameState.INVALID, "invalid", reason=error.message))
        if fragment is None:
            return self._count(FrameVerdict(FrameState.UNATTESTED, "unattested", reason="It carries no attestation."))
        return self.check_fragment(fragment, now)

    def check_fragment(self, encoded: bytes, now: datetime | None = None) -> FrameVerdict:
        """Judge one fragment of a recording."""
        if encoded[4:8] == b"moof":
            return self._count(FrameVerdict(FrameState.UNATTESTED, "unattested", reason="It carries no attestation."))
        try:
            sequence = verify_fragment(encoded, self.manifest, now, track=self.codec.track)
        except SegmentInvalid as error:
            return self._count(FrameVerdict(FrameState.INVALID, "invalid", reason=error.message))
        return self._count(self._admit(sequence))

    def _admit(self, sequence: int) -> FrameVerdict:
        if sequence <= self.highest - WINDOW_FRAMES:
            return FrameVerdict(FrameState.INVALID, "late", sequence, "It is older than the window.")
        if sequence in self._seen:
            return FrameVerdict(FrameState.INVALID, "replayed", sequence, "It was there before.")
        self._seen.add(sequence)
        if sequence < self.highest:
            self.counts.reordered += 1
        self.highest = max(self.highest, sequence)
        self.lowest = min(self.lowest or sequence, sequence)
        self._seen = {number for number in self._seen if number > self.highest - WINDOW_FRAMES}
        return FrameVerdict(FrameState.VERIFIED, "verified", sequence)

    def _count(self, verdict: FrameVerdict) -> FrameVerdict:
        counts = self.counts
        counts.received += 1
        setattr(counts, verdict.counter, getattr(counts, verdict.counter) + 1)
        if counts.verified:
            counts.gap = self.highest - self.lowest + 1 - counts.verified
        return verdict


class RecordingVerifier:
    """Judges the pictures and the sound of one run of a recording, each numbered by itself."""

    def __init__(self, manifest: SessionManifest) -> None:
        self.manifest = manifest
        self.pictures = StreamVerifier(manifest)
        self.sound = StreamVerifier(manifest, is_sound=True)
        self.reasons: dict[str, dict[str, int]] = {"frame": {}, "packet": {}}  # what was wrong: how often

    def check(self, encoded: bytes) -> FrameVerdict:
        """Judge one fragment as the track that it names.

        Raises:
            FragmentInvalid: it does not come apart into boxes.
        """
        is_sound = fmp4.track_of(encoded) is fmp4.SOUND
        verdict = (self.sound if is_sound else self.pictures).check_fragment(encoded)
        if verdict.reason:
            seen = self.reasons["packet" if is_sound else "frame"]
            seen[verdict.reason] = seen.get(verdict.reason, 0) + 1
        return verdict


def verify_fragment(
    encoded: bytes, manifest: SessionManifest, now: datetime | None = None, *, track: fmp4.Track = fmp4.PICTURE,
) -> int:
    """The frame number of a fragment that was signed by the session's key for this session.

    Steps (19.7.3): (1) form, (2) key, (3) signature, (4) what was signed names this session and this frame, (5) time,
    (6) hash. Sequence order is not checked here.

    Raises:
        SegmentInvalid: any of them does not hold.
    """
    try:
        fragment = fmp4.parse_fragment(encoded, track)  # (1)
        signed = cose.parse_sign1(fragment.cose)
        if signed.kid != manifest.key.kid:  # (2)
            raise SegmentInvalid("This frame was signed by another key.")
        info = cose.parse_canonical(cose.verify_sign1(manifest.key.public, signed))  # (3)
    except (FragmentInvalid, CoseInvalid) as error:
        raise SegmentInvalid(error.message) from error
    sequence, media_time_90k, _ = fmp4.fragment_facts(fragment)
    _check_info(info, sequence, manifest)  # (4)
    _check_time(media_time_90k, manifest, now)  # (5)
    if info["bmffHash"].get("hash") != bmff_hash(len(fragment.emsg), fragment.moof, fragment.mdat):  # (6)
        raise SegmentInvalid("This frame's bytes differ from what was signed.")
    return sequence


def _check_info(info: Any, sequence: int, manifest: SessionManifest) -> None:
    if not isinstance(info, Mapping) or set(info) != {"sequenceNumber", "bmffHash", "manifestId"}:
        raise SegmentInvalid("This frame's attestation does not say what it must.")
    if info["sequenceNumber"] != sequence:
        raise SegmentInvalid("This frame's number differs from what was signed.")
    if info["manifestId"] != manifest.label:
        raise SegmentInvalid("This frame belongs to another session.")
    if sequence < manifest.key.minimum_sequence:
        raise SegmentInvalid("This frame's number is below the key's first.")
    hashed = info["bmffHash"]
    expected = segment_info(sequence, b"", manifest.label)["bmffHash"]
    if not isinstance(hashed, Mapping) or {**hashed, "hash": b""} != expected:
        raise SegmentInvalid("This frame's hash is malformed.")


def _check_time(media_time_90k: int, manifest: SessionManifest, now: datetime | None) -> None:
    key = manifest.key
    since_start_90k = media_time_90k - manifest.media_start_ms * fmp4.TIMESCALE // 1000
    if since_start_90k < 0:
        raise SegmentInvalid("This frame lies before the session manifest's time.")
    if since_start_90k > key.validity_s * fmp4.TIMESCALE:
        raise SegmentInvalid("This frame lies after the session key's life.")
    if now is not None and now > key.expires_at:
        raise SegmentInvalid("The session key has expired.")
