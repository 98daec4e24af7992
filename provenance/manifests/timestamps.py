"""RFC 3161 time stamps in a claim signature (C2PA 2.4 section 10.3.2.5, header `sigTst2`).

A certificate lives 90 days; a time stamp says that the signature is older than the certificate's end, so the file stays
good. c2pa-python can ask an authority itself, but only for the signature that it makes: here assertions are replaced
and the claim is signed again afterwards (provenance/manifests/jumbf.py), so the token is asked for last of all. It
takes the place of padding in the signature box, so that nothing changes its length.
"""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cbor2

from provenance.manifests import c2pa_files, jumbf
from provenance.manifests.errors import ManifestInvalid, TimestampFailed

HEADER = "sigTst2"
GRANTED = {0, 1}  # PKIStatus granted, grantedWithMods
SHA256_ALGORITHM = bytes.fromhex("300d06096086480165030402010500")  # AlgorithmIdentifier: OID and NULL
NONCE_BITS = 63  # a positive DER INTEGER


@dataclass(frozen=True)
class TimeStamps:
    """Where time stamps come from and what happens without one.

    `ask` sends a TimeStampReq (DER) and returns the answer's body, raising TimestampFailed. `anchor_pem` names the
    authorities whose time is believed; without it a token is kept, but nobody vouches for it here.
    """

    ask: Callable[[bytes], bytes]
    anchor_pem: str = ""
    is_required: bool = False

    def stamp(self, encoded: bytes, signer_anchor_pem: str, media_type: str) -> tuple[bytes, bool]:
        """The signed file with a time stamp, and whether it has one.

        Raises:
            TimestampFailed: there is none, and one is required.
        """
        try:
            return self._stamped(encoded, signer_anchor_pem, media_type), True
        except TimestampFailed:
            if self.is_required:
                raise
            return encoded, False

    def _stamped(self, encoded: bytes, signer_anchor_pem: str, media_type: str) -> bytes:
        digest = hashlib.sha256(countersigned(encoded)).digest()
        stamped = with_token(encoded, token_of(self.ask(request_for(digest, secrets.randbits(NONCE_BITS)))))
        try:
            read = c2pa_files.read_trusted(stamped, signer_anchor_pem, media_type, self.anchor_pem)
        except ManifestInvalid as error:
            raise TimestampFailed(f"The time-stamped file does not read back: {error}") from error
        if not ("timeStamp.validated" in read.codes if not self.anchor_pem else read.is_time_trusted):
            raise TimestampFailed("The authority's answer is no time stamp over this signature, or nobody knows it.")
        return stamped


def request_for(digest: bytes, nonce: int) -> bytes:
    """A TimeStampReq (RFC 3161 section 2.4.1) for a SHA-256 digest that asks for the authority's certificates too."""
    imprint = _der(0x30, SHA256_ALGORITHM + _der(0x04, digest))
    return _der(0x30, _der_int(1) + imprint + _der_int(nonce) + bytes.fromhex("0101ff"))


def token_of(response: bytes) -> bytes:
    """The TimeStampToken of a TimeStampResp that was granted. Whether it fits is for whoever reads the file.

    Raises:
        TimestampFailed: refused, or not such a response.
    """
    try:
        body, _ = _read_der(response, 0x30)
        status, token = _read_der(body, 0x30)
        granted, _ = _read_der(status, 0x02)
        _read_der(token, 0x30)
    except (IndexError, ValueError) as error:
        raise TimestampFailed("The time-stamp authority's answer does not parse.") from error
    if int.from_bytes(granted, "big") not in GRANTED:
        raise TimestampFailed("The time-stamp authority refused.")
    return token


def countersigned(encoded: bytes) -> bytes:
    """What a `sigTst2` token is over: a Sig_structure "CounterSignature" around the claim's signature."""
    protected, _, _, signature = _signature_box(encoded)[2]
    return cbor2.dumps(["CounterSignature", protected, b"", cbor2.dumps(signature)])


def with_token(encoded: bytes, token: bytes) -> bytes:
    """The file with the token in its claim signature, as long as before.

    Raises:
        TimestampFailed: the padding has no room for it.
    """
    start, end, (protected, unprotected, payload, signature) = _signature_box(encoded)
    kept = {name: value for name, value in unprotected.items() if name not in {"pad", HEADER}}

    def box(padding: int) -> bytes:
        headers = {**kept, HEADER: {"tstTokens": [{"val": token}]}, "pad": bytes(padding)}
        return cbor2.dumps(cbor2.CBORTag(18, [protected, headers, payload, signature]))

    room = end - start - len(box(0))
    for padding in range(max(0, room - 4), room + 1):  # the head of a longer byte string is longer, too
        if len(made := box(padding)) == end - start:
            return encoded[:start] + made + encoded[end:]
    raise TimestampFailed("The signature has no room for this time stamp.", token_bytes=len(token))


def _signature_box(encoded: bytes) -> tuple[int, int, Any]:
    manifest = jumbf.active_manifest(jumbf.parse_store(encoded, jumbf.find_store(encoded)))
    start, end = manifest.child("c2pa.signature").content(b"cbor")
    try:
        parts = cbor2.loads(encoded[start:end]).value
        protected, _, _, signature = parts
    except (cbor2.CBORError, ValueError, TypeError, AttributeError) as error:
        raise ManifestInvalid("The claim signature is not a COSE_Sign1.") from error
    if not isinstance(protected, bytes) or not isinstance(signature, bytes):
        raise ManifestInvalid("The claim signature is not a COSE_Sign1.")
    return start, end, parts


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def _der_int(value: int) -> bytes:
    return _der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _read_der(encoded: bytes, tag: int) -> tuple[bytes, bytes]:
    """(content of the first element, what follows it). Raises ValueError or IndexError for another tag or cut bytes."""
    size, at = encoded[1], 2
    if size >= 0x80:
        at, size = 2 + size - 0x80, int.from_bytes(encoded[2 : 2 + size - 0x80], "big")
    if encoded[0] != tag or at + size > len(encoded):
        raise ValueError("not the element that was looked for")
    return encoded[at : at + size], encoded[at + size :]
