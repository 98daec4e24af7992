from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from provenance.manifests import cose
from provenance.manifests.errors import CoseInvalid

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@given(payload=st.binary(max_size=600), kid=st.binary(min_size=1, max_size=16))
def test_what_is_signed_verifies(payload: bytes, kid: bytes) -> None:
    signed = cose.parse_sign1(cose.sign1(KEY, payload, kid=kid))
    assert signed.kid == kid
    assert cose.verify_sign1(KEY.public_key(), signed) == payload


@given(payload=st.binary(max_size=60), bit=st.integers(min_value=0))
def test_no_single_bit_may_change(payload: bytes, bit: int) -> None:
    """Except in the key id, which is unprotected by design: there the caller's comparison must fail."""
    encoded = bytearray(cose.sign1(KEY, payload, kid=b"12345678"))
    bit %= len(encoded) * 8
    encoded[bit // 8] ^= 1 << bit % 8
    try:
        signed = cose.parse_sign1(bytes(encoded))
        cose.verify_sign1(KEY.public_key(), signed)
    except CoseInvalid:
        return
    assert signed.kid != b"12345678"


def test_detached_payload() -> None:
    signed = cose.parse_sign1(cose.sign1(KEY, b"certificate", kid=None, is_detached=True))
    assert signed.payload is None
    assert cose.verify_sign1(KEY.public_key(), signed, detached_payload=b"certificate") == b"certificate"
    with pytest.raises(CoseInvalid):
        cose.verify_sign1(KEY.public_key(), signed, detached_payload=b"another")
    with pytest.raises(CoseInvalid, match="either carried or detached"):
        cose.verify_sign1(KEY.public_key(), signed)


def test_another_key_is_refused() -> None:
    signed = cose.parse_sign1(cose.sign1(KEY, b"x", kid=b"k"))
    with pytest.raises(CoseInvalid, match="does not verify"):
        cose.verify_sign1(Ed25519PrivateKey.generate().public_key(), signed)


PROTECTED = cose.PROTECTED_EDDSA


@pytest.mark.parametrize(("parts", "why"), [
    ([PROTECTED, {4: b"k"}, b"p"], "four parts"),
    ([cose.canonical_cbor({1: -7}), {4: b"k"}, b"p", bytes(64)], "Only Ed25519"),
    ([PROTECTED, {5: b"k"}, b"p", bytes(64)], "unexpected headers"),
    ([PROTECTED, {4: "k"}, b"p", bytes(64)], "key id"),
    ([PROTECTED, {4: b"k"}, "p", bytes(64)], "byte string or nil"),
    ([PROTECTED, {4: b"k"}, b"p", bytes(63)], "wrong length"),
])
def test_malformed_objects_are_named(parts: list[Any], why: str) -> None:
    with pytest.raises(CoseInvalid, match=why):
        cose.parse_sign1(cose.canonical_cbor(cbor2.CBORTag(18, parts)))


@pytest.mark.parametrize("encoded", [
    b"", b"\x01", cose.sign1(KEY, b"p", kid=b"k") + b"\x00", b"\xd2" * 5000, bytes(5000),
    cose.sign1(KEY, b"p", kid=b"k")[1:], b"\xd2\x9f\xff",
])
def test_other_bytes_are_refused(encoded: bytes) -> None:
    with pytest.raises(CoseInvalid):
        cose.parse_sign1(encoded)


def test_cose_key_round_trip() -> None:
    encoded = cose.canonical_cbor(cose.cose_key(KEY.public_key(), b"kid"))
    kid, public = cose.parse_cose_key(cose.parse_canonical(encoded))
    assert (kid, public.public_bytes_raw()) == (b"kid", KEY.public_key().public_bytes_raw())


@pytest.mark.parametrize("change", [{-1: 7}, {3: -7}, {2: b""}, {-2: b"short"}, {-4: b"private"}])
def test_other_cose_keys_are_refused(change: dict[int, Any]) -> None:
    with pytest.raises(CoseInvalid):
        cose.parse_cose_key({**cose.cose_key(KEY.public_key(), b"kid"), **change})
