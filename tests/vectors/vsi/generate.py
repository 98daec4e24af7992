"""Writes frames.json: golden frames of one session, good and spoilt, with the verdict each must get.

Run `python -m tests.vectors.vsi.generate` after a change of the profile; `test_vectors.py` regenerates and compares.
Keys come from fixed seeds, so the bytes are the same every time. The keys sign nothing else.
"""

import base64
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from provenance.manifests import cose, fmp4, sei
from provenance.manifests.attest import Attested, Attestor, SessionKey, frame_boxes, segment_info
from tests.common.live_session import with_flipped_bit, with_sei, without_attestation

FILE = Path(__file__).parent / "frames.json"
LABEL = "urn:c2pa:00000000-0000-4000-8000-000000000001"
CREATED_AT_MS = 1_790_000_000_000
VALIDITY_S = 600
EXPIRES_AT_MS = CREATED_AT_MS + VALIDITY_S * 1000
SPS = bytes.fromhex("6742c01fda014016ec0440000003004000000f03c60ca8")
PPS = bytes.fromhex("68ce3c80")


def _key(seed: int) -> SessionKey:
    return SessionKey(Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))


def picture(index: int) -> bytes:
    """A made-up access unit: slices of zeros, ones and counting bytes, so that emulation prevention matters."""
    body = bytes((index * 7 + i * i) % 256 or 1 for i in range(200))
    if index % 10 == 0:
        return sei.join_annex_b([SPS, PPS, bytes([0x65]) + body + b"\x80"])
    return sei.join_annex_b([bytes([0x41]) + body + b"\x00\x00\x03\x01\x80"])


def _frames(key: SessionKey, label: str, count: int) -> list[Attested]:
    attestor = Attestor(key, label)
    return [attestor.attest(picture(i), 3000 * i) for i in range(count)]


def _signed_wrong(key: SessionKey, attested: Attested, change: dict[str, Any]) -> bytes:
    """An access unit whose attestation is properly signed but says something else."""
    nals, payload = sei.take_sei(attested.access_unit)
    assert payload is not None
    info = segment_info(payload.sequence, bytes(32), LABEL)
    moof, mdat, _ = frame_boxes(payload.sequence, payload.media_time_90k, nals)
    from provenance.manifests.attest import bmff_hash

    info["bmffHash"]["hash"] = bmff_hash(fmp4.EMSG_HEAD_BYTES + len(payload.cose), moof, mdat)
    for path, value in change.items():
        target, names = info, path.split(".")
        for name in names[:-1]:
            target = target[name]
        target[names[-1]] = value
    return with_sei(attested, cose=key.sign(cose.canonical_cbor(info)))


def _flip(unit: bytes, needle: bytes, offset: int) -> bytes:
    changed = bytearray(unit)
    changed[unit.index(needle) + offset] ^= 1
    return bytes(changed)


def cases() -> list[dict[str, Any]]:
    """Sequences of access units, each with the counter that every one of them must be counted in."""
    key, other = _key(1), _key(2)
    good = _frames(key, LABEL, 70)
    foreign = _frames(key, LABEL.replace("0001", "0002"), 3)
    swapped = _frames(other, LABEL, 3)
    impostor = Attestor(_with_kid(other, key.kid), LABEL).attest(picture(0), 0)
    payload = sei.take_sei(good[1].access_unit)[1]
    assert payload is not None
    late = Attestor(key, LABEL, 5).attest(picture(0), 90_000 * (VALIDITY_S + 1))

    def case(name: str, *units: tuple[bytes, str], now_ms: int | None = None) -> dict[str, Any]:
        return {
            "name": name, "now_ms": now_ms, "units": [base64.b64encode(unit).decode() for unit, _ in units],
            "expect": [counter for _, counter in units],
        }

    def ok(index: int) -> tuple[bytes, str]:
        return good[index].access_unit, "verified"

    def one(name: str, unit: bytes, counter: str = "invalid") -> dict[str, Any]:
        return case(name, ok(0), (unit, counter))

    return [
        case("good", *[ok(i) for i in range(5)]),
        case("good_with_a_gap", ok(0), ok(3), ok(4)),
        case("reordered_inside_the_window", ok(0), ok(3), ok(1), ok(2)),
        case("older_than_the_window", ok(0), ok(1), ok(69), (good[2].access_unit, "late")),
        case("replayed", ok(0), ok(1), (good[1].access_unit, "replayed")),
        one("attestation_stripped", without_attestation(good[1]), "unattested"),
        one("one_bit_of_the_picture", with_flipped_bit(good[1])),
        one("one_bit_of_the_signature", _flip(good[1].access_unit, payload.cose[-64:][:4], 2)),
        one("one_bit_of_the_manifest_label", _flip(good[1].access_unit, LABEL.encode(), 20)),
        one("frame_number_changed", with_sei(good[1], sequence=40)),
        one("media_time_changed", with_sei(good[1], media_time_90k=payload.media_time_90k + 1)),
        one("attestation_of_another_frame", with_sei(good[2], cose=payload.cose, sequence=payload.sequence)),
        one("key_swapped", swapped[1].access_unit),
        one("key_swapped_under_the_same_kid", impostor.access_unit),
        one("other_sessions_manifest", foreign[1].access_unit),
        one("cose_not_canonical", with_sei(good[1], cose=_longer_head(payload.cose))),
        one("cose_cut_short", with_sei(good[1], cose=payload.cose[:-1])),
        one("cose_missing", with_sei(good[1], cose=b"")),
        one("signed_without_exclusion", _signed_wrong(key, good[1], {"bmffHash.exclusions": []})),
        one("signed_with_offset_zero", _signed_wrong(key, good[1], {
            "bmffHash.exclusions": [{"xpath": "/emsg", "data": [{"offset": 0, "value": fmp4.SCHEME_URI}]}]})),
        one("signed_with_a_merkle", _signed_wrong(key, good[1], {"bmffHash.merkle": []})),
        one("signed_with_another_number", _signed_wrong(key, good[1], {"sequenceNumber": 3})),
        one("signed_with_another_hash", _signed_wrong(key, good[1], {"bmffHash.hash": bytes(32)})),
        one("two_attestations", _twice(good[1])),
        one("media_time_after_the_keys_life", late.access_unit),
        case("key_expired_by_the_clock", (good[0].access_unit, "invalid"), now_ms=EXPIRES_AT_MS + 1),
        one("no_start_code", b"\x41\x00\x01\x02"),
        one("empty", b""),
    ]


def _with_kid(key: SessionKey, kid: bytes) -> SessionKey:
    key.kid = kid
    return key


def _longer_head(encoded: bytes) -> bytes:
    """The same COSE object with its array head in a longer form than needed."""
    return encoded[:1] + b"\x98\x04" + encoded[2:]


def _twice(attested: Attested) -> bytes:
    nals = sei.split_annex_b(attested.access_unit)
    ours = next(nal for nal in nals if sei.is_attestation_sei(nal))
    return sei.join_annex_b([ours, *nals])


def document() -> dict[str, Any]:
    key = _key(1)
    return {
        "session": {
            "label": LABEL, "public_key": key.public.public_bytes_raw().hex(), "kid": key.kid.hex(),
            "minimum_sequence": 1, "created_at_ms": CREATED_AT_MS, "validity_s": VALIDITY_S,
        },
        "good_fragments": [base64.b64encode(a.fragment).decode() for a in _frames(key, LABEL, 2)],
        "cases": cases(),
    }


def encoded() -> str:
    return json.dumps(document(), indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(encoded())
