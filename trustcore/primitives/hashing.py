"""SHA-256, and commitments that hide what they commit to."""

import hashlib
import hmac
from typing import Any

from trustcore.primitives.canonical import canonical_bytes


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def sha256_hex(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def statement_sha256(statement: Any) -> str:
    """Hex hash of a statement's canonical bytes: what an approval or a grant binds to."""
    return sha256_hex(canonical_bytes(statement))


def commitment(salt: bytes, value: bytes) -> str:
    """Hex commitment to `value`. Without `salt` (at least 16 bytes) nothing about `value` can be tested."""
    if len(salt) < 16:
        raise ValueError("salt must be at least 16 bytes")
    return hmac.new(salt, value, hashlib.sha256).hexdigest()
