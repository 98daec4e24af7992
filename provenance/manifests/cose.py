"""Strict COSE_Sign1 and COSE_Key (RFC 9052) in canonical CBOR (RFC 8949 4.2.1).

One meaning, one byte string: whatever is read here must re-encode to the very same bytes. Without that rule an
attacker could change the bytes of an attestation and still have it verify, and a "flip any bit" test would not hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from provenance.manifests.errors import CoseInvalid

ALG_EDDSA = -8
HEADER_ALG = 1
HEADER_KID = 4
TAG_SIGN1 = 18
SIGNATURE_BYTES = 64  # Ed25519, and ES256 as raw r||s
MAX_COSE_BYTES = 4096  # a frame's attestation is about 310 bytes
MAX_CBOR_BYTES = 64 * 1024  # any other canonical value


@dataclass(frozen=True)
class Sign1:
    """A parsed COSE_Sign1 whose signature is NOT yet checked. `payload` is None when detached."""

    protected: bytes
    kid: bytes | None
    payload: bytes | None
    signature: bytes


def canonical_cbor(value: Any) -> bytes:
    """The one canonical encoding of `value`."""
    return cbor2.dumps(value, canonical=True)


def parse_canonical(encoded: bytes) -> Any:
    """Decode CBOR that must be in canonical form with nothing after it.

    Raises:
        CoseInvalid: too large, not CBOR, not canonical, or followed by other bytes.
    """
    if len(encoded) > MAX_CBOR_BYTES:
        raise CoseInvalid("This CBOR is too large.", size=len(encoded))
    try:
        value = cbor2.loads(encoded)
        again = canonical_cbor(value)
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError, MemoryError) as error:
        raise CoseInvalid("This is not readable CBOR.") from error
    if again != encoded:
        raise CoseInvalid("This CBOR is not in its canonical form.")
    return value


def parse_shortest(encoded: bytes) -> Any:
    """Decode CBOR in its shortest form, no key twice and nothing after it: what two readers cannot read in two ways.

    The order of keys is free, because c2pa-python keeps the order that it was given.

    Raises:
        CoseInvalid: not CBOR, or not in that form.
    """
    try:
        value = cbor2.loads(encoded)
        again = cbor2.dumps(value)
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError, MemoryError) as error:
        raise CoseInvalid("This is not readable CBOR.") from error
    if again != encoded:
        raise CoseInvalid("This CBOR is not in its shortest form.")
    return value


def signature_input(protected: bytes, payload: bytes) -> bytes:
    """Sig_structure of RFC 9052 4.4 without external data: the bytes that are signed."""
    return canonical_cbor(["Signature1", protected, b"", payload])


PROTECTED_EDDSA = canonical_cbor({HEADER_ALG: ALG_EDDSA})


def sign1(key: Ed25519PrivateKey, payload: bytes, *, kid: bytes | None, is_detached: bool = False) -> bytes:
    """COSE_Sign1_Tagged by Ed25519. Length depends only on the lengths of `payload` and `kid`."""
    signature = key.sign(signature_input(PROTECTED_EDDSA, payload))
    return assemble_sign1(None if is_detached else payload, kid, signature)


def assemble_sign1(payload: bytes | None, kid: bytes | None, signature: bytes) -> bytes:
    """COSE_Sign1_Tagged from its parts, unverified; `sign1` gives the same bytes for the same parts."""
    unprotected = {} if kid is None else {HEADER_KID: kid}
    return canonical_cbor(cbor2.CBORTag(TAG_SIGN1, [PROTECTED_EDDSA, unprotected, payload, signature]))


def parse_sign1(encoded: bytes) -> Sign1:
    """Read a COSE_Sign1_Tagged strictly: protected {1: -8} only, unprotected {} or {4: kid} only.

    Checks no signature: pass the result to `verify_sign1`.

    Raises:
        CoseInvalid: anything else.
    """
    if len(encoded) > MAX_COSE_BYTES:
        raise CoseInvalid("This COSE object is too large.", size=len(encoded))
    tagged = parse_canonical(encoded)
    if not isinstance(tagged, cbor2.CBORTag) or tagged.tag != TAG_SIGN1:
        raise CoseInvalid("This is not a tagged COSE_Sign1.")
    parts = tagged.value
    if not isinstance(parts, (list, tuple)) or len(parts) != 4:
        raise CoseInvalid("A COSE_Sign1 has four parts.")
    protected, unprotected, payload, signature = parts
    if protected != PROTECTED_EDDSA or not isinstance(protected, bytes):
        raise CoseInvalid("Only Ed25519 is accepted for session keys.")
    if not isinstance(unprotected, Mapping) or set(unprotected) - {HEADER_KID}:
        raise CoseInvalid("This COSE_Sign1 carries unexpected headers.")
    kid = unprotected.get(HEADER_KID)
    if kid is not None and not isinstance(kid, bytes):
        raise CoseInvalid("A key id is a byte string.")
    if payload is not None and not isinstance(payload, bytes):
        raise CoseInvalid("A COSE_Sign1 payload is a byte string or nil.")
    if not isinstance(signature, bytes) or len(signature) != SIGNATURE_BYTES:
        raise CoseInvalid("This signature has the wrong length.")
    return Sign1(protected, kid, payload, signature)


def verify_sign1(key: Ed25519PublicKey, signed: Sign1, *, detached_payload: bytes | None = None) -> bytes:
    """The payload, once its signature holds. Give `detached_payload` exactly when none is carried.

    Raises:
        CoseInvalid: wrong signature, or payload both or neither carried and given.
    """
    payload = detached_payload if signed.payload is None else signed.payload
    if payload is None or (signed.payload is not None and detached_payload is not None):
        raise CoseInvalid("A payload must be either carried or detached.")
    try:
        key.verify(signed.signature, signature_input(signed.protected, payload))
    except InvalidSignature as error:
        raise CoseInvalid("This signature does not verify.") from error
    return payload


def cose_key(key: Ed25519PublicKey, kid: bytes) -> dict[int, int | bytes]:
    """COSE_Key map of an Ed25519 public key."""
    return {1: 1, 2: kid, 3: ALG_EDDSA, -1: 6, -2: key.public_bytes_raw()}


def parse_cose_key(key_map: Any) -> tuple[bytes, Ed25519PublicKey]:
    """(kid, public key) of an Ed25519 COSE_Key map.

    Raises:
        CoseInvalid: any other map.
    """
    if not isinstance(key_map, Mapping) or set(key_map) != {1, 2, 3, -1, -2}:
        raise CoseInvalid("This is not a session key.")
    kid, public = key_map[2], key_map[-2]
    if (key_map[1], key_map[3], key_map[-1]) != (1, ALG_EDDSA, 6) or not isinstance(kid, bytes) or not kid:
        raise CoseInvalid("Only Ed25519 session keys are accepted.")
    if not isinstance(public, bytes) or len(public) != 32:
        raise CoseInvalid("An Ed25519 public key has 32 bytes.")
    return kid, Ed25519PublicKey.from_public_bytes(public)
