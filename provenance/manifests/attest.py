"""Per-frame attestation: C2PA 2.4 section 19.4 Verifiable Segment Info over one-sample fragments.

What the standard leaves open and this profile settles: an encoded frame maps to a fragment as `fmp4.py` builds it, and
the COSE_Sign1 travels with the same frame (`frame_codecs.py`), whole or as its signature only (`carriage.py`). These
are section 19.4 objects over WebRTC; the standard itself says nothing about RTP.
"""

import hashlib
import struct
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from provenance.manifests import cose, fmp4
from provenance.manifests.carriage import MAX_MEDIA_TIME_90K, Carried, Form
from provenance.manifests.errors import AttestationEnded, CarriageInvalid
from provenance.manifests.frame_codecs import H264_FRAMES, FrameCodec, Taken
from trustcore.primitives.errors import TrustcoreError


@dataclass(frozen=True)
class Attested:
    """One attested frame: what is sent and what is recorded, the same bytes in two wrappings."""

    access_unit: bytes  # the encoded frame with its attestation
    fragment: bytes  # emsg + moof + mdat
    sequence: int
    media_time_90k: int
    is_key: bool


class SessionKey:
    """The worker's Ed25519 key of one session. Its private half never leaves this object."""

    def __init__(self, private: Ed25519PrivateKey | None = None) -> None:
        self._private = Ed25519PrivateKey.generate() if private is None else private
        self.public: Ed25519PublicKey = self._private.public_key()
        # Four bytes: a manifest names one key, so the id has to be told from none other; it travels with every frame.
        self.kid = hashlib.sha256(self.public.public_bytes_raw()).digest()[:4]

    def cose_key(self) -> bytes:
        """The public half as canonical COSE_Key."""
        return cose.canonical_cbor(cose.cose_key(self.public, self.kid))

    def bind_to_signer(self, end_entity_certificate_der: bytes) -> bytes:
        """`signerBinding` (18.25): this key signs the claim signer's certificate as a CBOR byte string, detached."""
        return cose.sign1(self._private, cose.canonical_cbor(end_entity_certificate_der), kid=None, is_detached=True)

    def sign(self, payload: bytes) -> bytes:
        """COSE_Sign1_Tagged over an attached payload."""
        return cose.sign1(self._private, payload, kid=self.kid)


def bmff_hash(fragment_head_bytes: int, moof: bytes, mdat: bytes) -> bytes:
    """SHA-256 over moof and mdat, each behind its 8-byte file offset counted from the start of the emsg (18.6)."""
    digest = hashlib.sha256(struct.pack(">Q", fragment_head_bytes))
    digest.update(moof)
    digest.update(struct.pack(">Q", fragment_head_bytes + len(moof)))
    digest.update(mdat)
    return digest.digest()


def segment_info(sequence: int, frame_sha256: bytes, manifest_label: str) -> dict[str, Any]:
    """`segment-info-map` of section 19.4. The hash's optional `name` is left out: 11 bytes that say nothing."""
    return {
        "sequenceNumber": sequence,
        "bmffHash": {
            "exclusions": [
                {"xpath": "/emsg", "data": [{"offset": fmp4.EMSG_URI_OFFSET, "value": fmp4.SCHEME_URI}]}
            ],
            "alg": "sha256",
            "hash": frame_sha256,
        },
        "manifestId": manifest_label,
    }


class Attestor:
    """Signs the frames of one session, in order. After one failure it refuses every later frame (fail closed)."""

    def __init__(
        self, session_key: SessionKey, manifest_label: str, first_sequence: int = 1, codec: FrameCodec = H264_FRAMES,
    ) -> None:
        self._key = session_key
        self._label = manifest_label
        self._codec = codec
        self._next = first_sequence
        self._last_time_90k = -1
        self._ended = False

    @property
    def next_sequence(self) -> int:
        return self._next

    def attest(self, access_unit: bytes, media_time_90k: int, form: Form = Form.FULL) -> Attested:
        """Attest one encoded frame.

        Args:
            access_unit: one picture as the encoder made it (H.264 Annex B, or a VP8 frame), not attested yet.
            media_time_90k: presentation time in 1/90000 s since the session began; grows with every frame.
            form: how much of the attestation travels. It may change from frame to frame; the fragment is the same.

        Raises:
            AttestationEnded: now or at an earlier frame something was wrong; the frame must not be sent.
        """
        if self._ended:
            raise AttestationEnded("This session's attestation has ended; start a new session.")
        try:
            return self._attest(access_unit, media_time_90k, form)
        except (TrustcoreError, struct.error) as error:
            self._ended = True
            raise AttestationEnded(f"This frame could not be attested: {error}") from error

    def _attest(self, access_unit: bytes, media_time_90k: int, form: Form) -> Attested:
        taken = self._codec.take(access_unit)
        if taken.carried is not None:
            raise CarriageInvalid("This frame is attested already.")
        if not self._last_time_90k < media_time_90k <= MAX_MEDIA_TIME_90K or self._next > fmp4.MAX_SEQUENCE:
            raise CarriageInvalid("Media time and frame number must grow, and have an end.")
        sequence = self._next
        moof, mdat = frame_boxes(sequence, media_time_90k, taken, self._codec.track)
        signed = self._sign(sequence, moof, mdat)
        content = signed if form is Form.FULL else signed[-cose.SIGNATURE_BYTES :]
        attested = Attested(
            access_unit=self._codec.carry(access_unit, Carried(form, sequence, media_time_90k, content)),
            fragment=fmp4.emsg_box(sequence, signed, self._codec.track) + moof + mdat,
            sequence=sequence, media_time_90k=media_time_90k, is_key=taken.is_key,
        )
        self._next += 1
        self._last_time_90k = media_time_90k
        return attested

    def _sign(self, sequence: int, moof: bytes, mdat: bytes) -> bytes:
        # The hash covers file offsets that depend on the emsg's length, and the emsg holds the signature over that
        # hash. The length is fixed for a given frame number, so it is computed before the hash is known.
        head_bytes = fmp4.EMSG_HEAD_BYTES + cose_bytes(sequence, self._label, self._key.kid)
        info = segment_info(sequence, bmff_hash(head_bytes, moof, mdat), self._label)
        signed = self._key.sign(cose.canonical_cbor(info))
        if fmp4.EMSG_HEAD_BYTES + len(signed) != head_bytes:
            raise CarriageInvalid("The attestation changed its length while it was made.")
        return signed


def cose_bytes(sequence: int, manifest_label: str, kid: bytes) -> int:
    """Length of the COSE_Sign1 of this frame number, whatever the hash and the signature are."""
    payload = cose.canonical_cbor(segment_info(sequence, bytes(32), manifest_label))
    return len(cose.assemble_sign1(payload, kid, bytes(cose.SIGNATURE_BYTES)))


def rebuild_cose(sequence: int, moof: bytes, mdat: bytes, signature: bytes, *, label: str, kid: bytes) -> bytes:
    """The COSE_Sign1 that a compact attestation stands for. Checks no signature."""
    head_bytes = fmp4.EMSG_HEAD_BYTES + cose_bytes(sequence, label, kid)
    info = segment_info(sequence, bmff_hash(head_bytes, moof, mdat), label)
    return cose.assemble_sign1(cose.canonical_cbor(info), kid, signature)


def frame_boxes(sequence: int, media_time_90k: int, taken: Taken, track: fmp4.Track) -> tuple[bytes, bytes]:
    """(moof, mdat) of the fragment that a frame maps to."""
    moof = fmp4.moof_box(sequence, media_time_90k, len(taken.sample), taken.is_key, track)
    return moof, fmp4.box(b"mdat", taken.sample)


def rebuild_fragment(frame: bytes, *, label: str, kid: bytes, codec: FrameCodec = H264_FRAMES) -> bytes | None:
    """The fragment a received frame stands for, or None when it carries no attestation. Checks no signature.

    Args:
        label, kid: of the session's manifest and key. A compact attestation does not repeat them.

    Raises:
        CarriageInvalid: the frame or its attestation is malformed.
    """
    taken = codec.take(frame)
    carried = taken.carried
    if carried is None:
        return None
    moof, mdat = frame_boxes(carried.sequence, carried.media_time_90k, taken, codec.track)
    signed = carried.content
    if carried.form is Form.COMPACT:
        signed = rebuild_cose(carried.sequence, moof, mdat, carried.content, label=label, kid=kid)
    return fmp4.emsg_box(carried.sequence, signed, codec.track) + moof + mdat
