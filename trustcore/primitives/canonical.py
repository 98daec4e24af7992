"""One byte encoding for everything that is hashed or signed: JSON Canonicalization Scheme (RFC 8785)."""

import json
from typing import Any

import rfc8785


def canonical_bytes(value: Any) -> bytes:
    """Encode `value` (JSON types only) to its one canonical form.

    Raises:
        ValueError: a value has no canonical form (NaN, an integer beyond 2^53, a non-string key).
    """
    try:
        encoded: bytes = rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise ValueError(f"value has no canonical form: {error}") from error
    return encoded


def from_canonical(data: bytes) -> Any:
    """Decode bytes that must be canonical.

    Raises:
        ValueError: not JSON, nested too deep, or not in canonical form (a second spelling of the same value).
    """
    try:
        value = json.loads(data)
        encoded = canonical_bytes(value)
    except RecursionError as error:
        raise ValueError("bytes are nested too deep") from error
    if encoded != data:
        raise ValueError("bytes are JSON but not in canonical form")
    return value
