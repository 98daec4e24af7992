"""A real attested session in memory: own authority, signed manifest, x264 frames, attestations."""

import warnings
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import cache
from typing import Any

import av
import numpy as np

from provenance.manifests import certs, fmp4, sei, session_manifest
from provenance.manifests.assertions import MarkSlot, SessionFacts
from provenance.manifests.attest import Attested, Attestor, SessionKey
from provenance.manifests.certs import ClaimSigner
from provenance.manifests.session_manifest import InitSegment, SessionPublicKey

SIZE = 128


@cache
def demo_signer() -> ClaimSigner:
    """One claim signer for the whole test run."""
    now = datetime.now(UTC)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", certs.InsecureProviderWarning)
        authority = certs.make_ca(now)
    leaf, key = certs.issue_claim_signer(authority, now)
    return certs.claim_signer(leaf, key, authority.certificate_pem)


@cache
def access_units(count: int = 30, size: int = SIZE, key_every: int = 10) -> tuple[bytes, ...]:
    """`count` H.264 access units of a moving picture, made by x264."""
    codec: Any = av.CodecContext.create("libx264", "w")
    codec.width = codec.height = size
    codec.pix_fmt, codec.framerate, codec.time_base = "yuv420p", Fraction(30), Fraction(1, 90_000)
    codec.gop_size, codec.profile = key_every, "Baseline"
    codec.options = {"preset": "ultrafast", "tune": "zerolatency", "threads": "1", "forced-idr": "1", "level": "31"}
    blocks = np.random.default_rng(7).integers(0, 255, (size // 8, size // 8, 3), dtype=np.uint8)
    picture = blocks.repeat(8, axis=0).repeat(8, axis=1)
    units = []
    for index in range(count):
        frame = av.VideoFrame.from_ndarray(np.roll(picture, index * 2, axis=1).copy(), format="rgb24")
        frame = frame.reformat(format="yuv420p")
        frame.pts, frame.time_base = index * 3000, Fraction(1, 90_000)
        units += [bytes(packet) for packet in codec.encode(frame)]
    return tuple(units)


def facts(**changes: Any) -> SessionFacts:
    """Facts of a plausible session, valid now."""
    base = SessionFacts(
        session_id="c0123456789abcdef", tenant="acme", replica_id="r0123456789abcdef", replica_version=1,
        consent_id="k0123456789abcdef", consent_receipt_sha256="ab" * 32, policy_id="p0123456789abcdef",
        policy_version=3, grant_sha256="cd" * 32, viewer_nonce="viewer-nonce-1",
        dtls_fingerprint="sha-256 " + ":".join(["AA"] * 32),
        mark_slots=(MarkSlot(0x0123456789ABCDEF, 0, 8000), MarkSlot(0xFEDCBA9876543210, 8000, 16000)),
        created_at=datetime.now(UTC).replace(microsecond=0), validity_s=3600, footage_sha256="ef" * 32,
        disclosure="You are watching an AI replica.",
    )
    return replace(base, **changes)


def expired_facts() -> SessionFacts:
    return facts(created_at=datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3), validity_s=60)


@dataclass
class LiveSession:
    """A session whose frames can be attested one after another."""

    signer: ClaimSigner = field(default_factory=demo_signer)
    facts: SessionFacts = field(default_factory=facts)
    key: SessionKey = field(default_factory=SessionKey)
    minimum_sequence: int = 1
    size: int = SIZE
    init: InitSegment = field(init=False)
    attestor: Attestor = field(init=False)

    def __post_init__(self) -> None:
        public = SessionPublicKey.of(self.key, self.signer.end_entity_der)
        self.init = session_manifest.sign_session_manifest(
            self.signer, self.facts, public, width=self.size, height=self.size,
            minimum_sequence=self.minimum_sequence,
        )
        self.attestor = Attestor(self.key, self.init.label, self.minimum_sequence)

    def frames(self, count: int = 30) -> list[Attested]:
        units = access_units(30)
        first = self.attestor.next_sequence
        return [self.attestor.attest(units[i % 30], 3000 * (first + i)) for i in range(count)]


def with_flipped_bit(attested: Attested) -> bytes:
    """The access unit with one bit changed in the middle of its picture."""
    nals = sei.split_annex_b(attested.access_unit)
    index = next(i for i, nal in enumerate(nals) if sei.nal_type(nal) in {sei.NAL_SLICE, sei.NAL_IDR})
    changed = bytearray(nals[index])
    changed[len(changed) // 2] ^= 0x10
    nals[index] = bytes(changed)
    return sei.join_annex_b(nals)


def without_attestation(attested: Attested) -> bytes:
    """The access unit with its SEI stripped, as a transcoder would leave it."""
    nals, _ = sei.take_sei(attested.access_unit)
    return sei.join_annex_b(nals)


def with_sei(attested: Attested, **changes: Any) -> bytes:
    """The access unit with fields of its SEI replaced (sequence, media_time_90k, cose)."""
    nals, payload = sei.take_sei(attested.access_unit)
    assert payload is not None
    return sei.join_annex_b(sei.insert_sei(nals, sei.build_sei(replace(payload, **changes))))


def recording_of(session: LiveSession, count: int = 30) -> bytes:
    """init + fragments, as a recorder writes them."""
    return session.init.encoded + b"".join(frame.fragment for frame in session.frames(count))


def as_fragment_list(recording: bytes) -> list[bytes]:
    return list(fmp4.split_recording(recording)[1])
