"""Ed25519 keys, each for one purpose, and signed JSON statements.

A signature covers `trustcore/<purpose>` NUL canonical(body), so that a signature made for one purpose can never be
shown as another. Verification returns the body or raises.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from trustcore.primitives.canonical import canonical_bytes
from trustcore.primitives.errors import SignatureInvalid
from trustcore.primitives.hashing import sha256_hex


def b64(data: bytes) -> str:
    """URL-safe base64 without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """Reverse of `b64`. Raises ValueError on anything else."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("not URL-safe base64") from error


@dataclass(frozen=True)
class VerifyKey:
    """A public Ed25519 key. `kid` is the first 16 hex digits of the key's hash."""

    public_bytes: bytes  # 32

    @property
    def kid(self) -> str:
        return sha256_hex(self.public_bytes)[:16]

    def verify(self, signature: bytes, message: bytes) -> None:
        """Raises SignatureInvalid unless `signature` is this key's over `message`."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public_bytes).verify(signature, message)
        except (InvalidSignature, ValueError) as error:
            raise SignatureInvalid("The signature does not fit. Fetch the original again.", kid=self.kid) from error


class SigningKey:
    """A private Ed25519 key held in memory. It has no text form, so it cannot be logged by mistake."""

    def __init__(self, seed: bytes) -> None:
        if len(seed) != 32:
            raise ValueError("an Ed25519 seed is 32 bytes")
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.verify_key = VerifyKey(self._private.public_key().public_bytes_raw())

    @classmethod
    def generate(cls) -> "SigningKey":
        return cls(Ed25519PrivateKey.generate().private_bytes_raw())

    @property
    def kid(self) -> str:
        return self.verify_key.kid

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message)

    def seed_for_storage(self) -> bytes:
        """The 32 secret bytes, for a key provider that stores them encrypted or with owner-only access."""
        return self._private.private_bytes_raw()

    def __repr__(self) -> str:
        return f"SigningKey(kid={self.kid})"


def statement_bytes(purpose: str, body: Any) -> bytes:
    """The exact bytes a signature for `purpose` covers."""
    return b"trustcore/" + purpose.encode() + b"\x00" + canonical_bytes(body)


def sign_statement(key: SigningKey, purpose: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON object {purpose, kid, body, signature} that `verify_statement` opens."""
    signature = key.sign(statement_bytes(purpose, dict(body)))
    return {"purpose": purpose, "kid": key.kid, "body": dict(body), "signature": b64(signature)}


def verify_statement(signed: Mapping[str, Any], purpose: str, trusted_keys: Mapping[str, VerifyKey]) -> dict[str, Any]:
    """The body of a signed statement, once its signature holds.

    Args:
        signed: what `sign_statement` returned, from anywhere.
        purpose: what the caller will use it for; a statement for another purpose is refused.
        trusted_keys: kid -> key, all trusted for this purpose.

    Raises:
        SignatureInvalid: wrong shape, purpose, key or signature.
    """
    body, kid, signature = signed.get("body"), signed.get("kid"), signed.get("signature")
    if signed.get("purpose") != purpose or not isinstance(body, dict) or not isinstance(signature, str):
        raise SignatureInvalid(f"This is not a signed {purpose} statement.", purpose=purpose)
    key = trusted_keys.get(kid) if isinstance(kid, str) else None
    if key is None:
        raise SignatureInvalid(f"The key that signed this is not trusted for {purpose}.", kid=str(kid), purpose=purpose)
    try:
        raw = unb64(signature)
    except ValueError as error:
        raise SignatureInvalid("The signature is not readable.", purpose=purpose) from error
    key.verify(raw, statement_bytes(purpose, body))
    return body
