"""Per-frame attestation: C2PA 2.4 section 19.4 Verifiable Segment Info over one-sample fragments.

What the standard leaves open and this profile settles: an H.264 access unit maps to a fragment as `fmp4.py` builds it,
and the COSE_Sign1 travels in an SEI of the same access unit (`sei.py`). These are section 19.4 objects over WebRTC;
the standard itself says nothing about RTP.
"""

import hashlib
import struct
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from provenance.manifests import cose, fmp4, sei
from provenance.manifests.errors import AttestationEnded, SeiInvalid
from trustcore.primitives.errors import TrustcoreError

HASH_NAME = "frame"


@dataclass(frozen=True)
class Attested:
    """One attested frame: what is sent and what is recorded, the same bytes in two wrappings."""

    access_unit: bytes  # Annex B, with the attestation SEI
    fragment: bytes  # emsg + moof + mdat
    sequence: int
    media_time_90k: int
    is_key: bool


class SessionKey:
    """The worker's Ed25519 key of one session. Its private half never leaves this object."""

    def __init__(self, private: Ed25519PrivateKey | None = None) -> None:
        self._private = Ed25519PrivateKey.generate() if private is None else private
        self.public: Ed25519PublicKey = self._private.public_key()
        self.kid = hashlib.sha256(self.public.public_bytes_raw()).digest()[:8]

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
    """`segment-info-map` of section 19.4."""
    return {
        "sequenceNumber": sequence,
        "bmffHash": {
            "exclusions": [
                {"xpath": "/emsg", "data": [{"offset": fmp4.EMSG_URI_OFFSET, "value": fmp4.SCHEME_URI}]}
            ],
            "alg": "sha256",
            "hash": frame_sha256,
            "name": HASH_NAME,
        },
        "manifestId": manifest_label,
    }


class Attestor:
    """Signs the frames of one session, in order. After one failure it refuses every later frame (fail closed)."""

    def __init__(self, session_key: SessionKey, manifest_label: str, first_sequence: int = 1) -> None:
        self._key = session_key
        self._label = manifest_label
        self._next = first_sequence
        self._last_time_90k = -1
        self._ended = False

    @property
    def next_sequence(self) -> int:
        return self._next

    def attest(self, access_unit: bytes, media_time_90k: int) -> Attested:
        """Attest one encoded frame.

        Args:
            access_unit: H.264 Annex B, one picture, without an attestation SEI.
            media_time_90k: presentation time in 1/90000 s since the session began; grows with every frame.

        Raises:
            AttestationEnded: now or at an earlier frame something was wrong; the frame must not be sent.
        """
        if self._ended:
            raise AttestationEnded("This session's attestation has ended; start a new session.")
        try:
            return self._attest(access_unit, media_time_90k)
        except (TrustcoreError, struct.error) as error:
            self._ended = True
            raise AttestationEnded(f"This frame could not be attested: {error}") from error

    def _attest(self, access_unit: bytes, media_time_90k: int) -> Attested:
        nals, carried = sei.take_sei(access_unit)
        if carried is not None:
            raise SeiInvalid("This access unit is attested already.")
        if media_time_90k <= self._last_time_90k or self._next > fmp4.MAX_SEQUENCE:
            raise SeiInvalid("Media time and frame number must grow.")
        sequence = self._next
        moof, mdat, is_key = frame_boxes(sequence, media_time_90k, nals)
        signed = self._sign(sequence, moof, mdat)
        sei_nal = sei.build_sei(sei.SeiPayload(sequence, media_time_90k, signed))
        attested = Attested(
            access_unit=sei.join_annex_b(sei.insert_sei(nals, sei_nal)),
            fragment=fmp4.emsg_box(sequence, signed) + moof + mdat,
            sequence=sequence, media_time_90k=media_time_90k, is_key=is_key,
        )
        self._next += 1
        self._last_time_90k = media_time_90k
        return attested

    def _sign(self, sequence: int, moof: bytes, mdat: bytes) -> bytes:
        # The hash covers file offsets that depend on the emsg's length, and the emsg holds the signature over that
        # hash. The length is fixed for a given frame number, so it is measured once with a blank hash.
        head_bytes = fmp4.EMSG_HEAD_BYTES + self._cose_bytes(sequence)
        info = segment_info(sequence, bmff_hash(head_bytes, moof, mdat), self._label)
        signed = self._key.sign(cose.canonical_cbor(info))
        if fmp4.EMSG_HEAD_BYTES + len(signed) != head_bytes:
            raise SeiInvalid("The attestation changed its length while it was made.")
        return signed

    def _cose_bytes(self, sequence: int) -> int:
        payload = len(cose.canonical_cbor(segment_info(sequence, bytes(32), self._label)))
        # tag, array(4), protected (1 + 3), {4: kid} (3 + 8), payload head, payload, signature head and signature.
        return 1 + 1 + 4 + 3 + len(self._key.kid) + _head_bytes(payload) + payload + 2 + cose.SIGNATURE_BYTES


def _head_bytes(length: int) -> int:
    """Size of a CBOR byte-string head."""
    return 1 if length < 24 else 2 if length < 256 else 3


def frame_boxes(sequence: int, media_time_90k: int, nals: list[bytes]) -> tuple[bytes, bytes, bool]:
    """(moof, mdat, is key frame) of the fragment that an access unit maps to."""
    is_key = any(sei.nal_type(nal) == sei.NAL_IDR for nal in nals)
    sample = fmp4.sample_of(nals)
    return fmp4.moof_box(sequence, media_time_90k, len(sample), is_key), fmp4.box(b"mdat", sample), is_key


def rebuild_fragment(access_unit: bytes) -> bytes | None:
    """The fragment a received access unit stands for, or None when it carries no attestation. Checks no signature.

    Raises:
        SeiInvalid: the access unit or its attestation SEI is malformed.
    """
    nals, carried = sei.take_sei(access_unit)
    if carried is None:
        return None
    moof, mdat, _ = frame_boxes(carried.sequence, carried.media_time_90k, nals)
    return fmp4.emsg_box(carried.sequence, carried.cose) + moof + mdat


def utc_text(moment: datetime) -> str:
    """An aware time as RFC 3339 in UTC with whole seconds, as `createdAt` wants it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
