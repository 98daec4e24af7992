"""A real attested session in memory: own authority, signed manifest, x264 frames, attestations."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from fractions import Fraction
from functools import cache
from typing import Any

import av
import numpy as np
from cryptography import x509

from provenance.manifests import certs, fmp4, sei, session_manifest, status_lists
from provenance.manifests.assertions import MarkSlot, SessionFacts
from provenance.manifests.attest import Attested, Attestor, SessionKey
from provenance.manifests.carriage import Form
from provenance.manifests.certs import ClaimSigner
from provenance.manifests.frame_codecs import H264_FRAMES, OPUS_PACKETS, VP8_FRAMES, FrameCodec
from provenance.manifests.session_manifest import InitSegment, SessionPublicKey

SIZE = 128


@cache
def demo_authority() -> certs.Authority:
    """One authority for the whole test run."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", certs.InsecureProviderWarning)
        return certs.make_ca(datetime.now(UTC))


@cache
def demo_signer() -> ClaimSigner:
    """One claim signer for the whole test run."""
    authority = demo_authority()
    leaf, key = certs.issue_claim_signer(authority, datetime.now(UTC))
    return certs.claim_signer(leaf, key, authority.certificate_pem)


def status_list(*, is_revoked: bool) -> bytes:
    """The authority's list of revoked certificates, with or without the signer's."""
    now = datetime.now(UTC)
    serial = x509.load_der_x509_certificate(demo_signer().end_entity_der).serial_number
    revoked = [status_lists.Revocation(serial, now, "key_compromise")] if is_revoked else []
    return status_lists.make(demo_authority(), revoked, now, 1)


@cache
def access_units(
    count: int = 30, size: int = SIZE, key_every: int = 10, codec: FrameCodec = H264_FRAMES,
) -> tuple[bytes, ...]:
    """`count` encoded frames of a moving picture, made by x264 or libvpx."""
    encoder: Any = av.CodecContext.create("libvpx" if codec is VP8_FRAMES else "libx264", "w")
    encoder.width = encoder.height = size
    encoder.pix_fmt, encoder.framerate, encoder.time_base = "yuv420p", Fraction(30), Fraction(1, 90_000)
    encoder.gop_size = key_every
    if codec is VP8_FRAMES:
        encoder.bit_rate = 800_000
        encoder.options = {"deadline": "realtime", "cpu-used": "-6", "lag-in-frames": "0"}
    else:
        encoder.profile = "Baseline"
        encoder.options = {
            "preset": "ultrafast", "tune": "zerolatency", "threads": "1", "forced-idr": "1", "level": "31"}
    blocks = np.random.default_rng(7).integers(0, 255, (size // 8, size // 8, 3), dtype=np.uint8)
    picture = blocks.repeat(8, axis=0).repeat(8, axis=1)
    units = []
    for index in range(count):
        frame = av.VideoFrame.from_ndarray(np.roll(picture, index * 2, axis=1).copy(), format="rgb24")
        frame = frame.reformat(format="yuv420p")
        frame.pts, frame.time_base = index * 3000, Fraction(1, 90_000)
        units += [bytes(packet) for packet in encoder.encode(frame)]
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


@dataclass
class LiveSession:
    """A session whose frames can be attested one after another."""

    signer: ClaimSigner = field(default_factory=demo_signer)
    facts: SessionFacts = field(default_factory=facts)
    key: SessionKey = field(default_factory=SessionKey)
    minimum_sequence: int = 1
    size: int = SIZE
    codec: FrameCodec = H264_FRAMES
    init: InitSegment = field(init=False)
    attestor: Attestor = field(init=False)

    def __post_init__(self) -> None:
        public = SessionPublicKey.of(self.key, self.signer.end_entity_der)
        self.init = session_manifest.sign_session_manifest(
            self.signer, self.facts, public, width=self.size, height=self.size,
            minimum_sequence=self.minimum_sequence, codec=self.codec,
        )
        self.attestor = Attestor(self.key, self.init.label, self.minimum_sequence, self.codec)

    def frames(self, count: int = 30, form: Form = Form.FULL) -> list[Attested]:
        units = access_units(30, codec=self.codec)
        first = self.attestor.next_sequence
        return [self.attestor.attest(units[i % 30], 3000 * (first + i), form) for i in range(count)]


def bare(frame: bytes, codec: FrameCodec = H264_FRAMES) -> bytes:
    """The encoded frame without its attestation, as a transcoder would leave it."""
    if codec is H264_FRAMES:
        return sei.join_annex_b(sei.take_sei(frame)[0])
    return codec.take(frame).sample


def with_flipped_bit(attested: Attested, codec: FrameCodec = H264_FRAMES) -> bytes:
    """The frame with one bit changed in the middle of its picture; the attestation is left alone."""
    carried = codec.take(attested.access_unit).carried
    assert carried is not None
    changed = bytearray(bare(attested.access_unit, codec))
    changed[len(changed) * 3 // 4] ^= 0x10
    return codec.carry(bytes(changed), carried)


def without_attestation(attested: Attested, codec: FrameCodec = H264_FRAMES) -> bytes:
    return bare(attested.access_unit, codec)


def with_carried(attested: Attested, codec: FrameCodec = H264_FRAMES, **changes: Any) -> bytes:
    """The frame with parts of its attestation replaced (form, sequence, media_time_90k, content)."""
    carried = codec.take(attested.access_unit).carried
    assert carried is not None
    return codec.carry(bare(attested.access_unit, codec), replace(carried, **changes))


def recording_of(session: LiveSession, count: int = 30) -> bytes:
    """init + fragments, as a recorder writes them."""
    return session.init.encoded + b"".join(frame.fragment for frame in session.frames(count))


def sound_of(session: LiveSession, packets: Sequence[bytes]) -> list[Attested]:
    """Opus packets as the session's sound, 20 ms each from media time zero."""
    attestor = Attestor(session.key, session.init.label, codec=OPUS_PACKETS)
    return [attestor.attest(packet, 1800 * number, Form.COMPACT) for number, packet in enumerate(packets)]


def recording_with_sound(session: LiveSession, packets: Sequence[bytes], count: int = 30) -> bytes:
    """init + fragments of picture and sound in the order of their times, as a recorder writes them."""
    sent = sorted([*session.frames(count), *sound_of(session, packets)], key=lambda one: one.media_time_90k)
    return session.init.encoded + b"".join(one.fragment for one in sent)


def as_fragment_list(recording: bytes) -> list[bytes]:
    return list(fmp4.split_recording(recording)[1])
