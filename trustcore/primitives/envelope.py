"""Encryption at rest and key release.

- Cobblestone-256 (C2SP chunked-encryption): a file under a 32-byte key and a context string. Committing, seekable,
  16 KiB chunks; the last chunk is always shorter, so a cut is seen.
- Key wrap: a 32-byte key under a 32-byte key, bound to a context (AES-256-GCM with a random nonce).
- HPKE (RFC 9180, X25519, HKDF-SHA256, AES-256-GCM, base mode): a key sealed to a worker's ephemeral key.
"""

import os
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.constant_time import bytes_eq
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from trustcore.primitives.errors import EnvelopeInvalid

KEY_BYTES = 32
SALT_BYTES = 24
COMMITMENT_BYTES = 32
CHUNK_BYTES = 16 * 1024
TAG_BYTES = 16
HEADER_BYTES = SALT_BYTES + COMMITMENT_BYTES
LABEL = b"c2sp.org/chunked-encryption@v1 Cobblestone-256"


@dataclass(frozen=True)
class _FileKeys:
    aead: AESGCM
    base_nonce: int
    commitment: bytes


def _derive(key: bytes, salt: bytes, context: str) -> _FileKeys:
    if len(key) != KEY_BYTES:
        raise ValueError("key must be 32 bytes")
    text = context.encode()
    # The lengths make the boundary between salt and context unambiguous.
    info = LABEL + b"\x00" + salt + len(text).to_bytes(8, "big") + text
    material = HKDFExpand(SHA512(), 32 + 12 + COMMITMENT_BYTES, info).derive(key)
    return _FileKeys(AESGCM(material[:32]), int.from_bytes(material[32:44], "big"), material[44:])


def _nonce(keys: _FileKeys, index: int) -> bytes:
    return (keys.base_nonce ^ index).to_bytes(12, "big")


def encrypt(key: bytes, context: str, plaintext: bytes, *, salt: bytes | None = None) -> bytes:
    """Encrypt a whole file. Overhead 56 bytes and 16 per 16 KiB chunk.

    Args:
        key: 32 bytes.
        context: what this file is, e.g. "tenant/replica/3/model/consent"; decryption must name the same.
        salt: 24 random bytes; given only by tests of golden bytes.
    """
    salt = os.urandom(SALT_BYTES) if salt is None else salt
    keys = _derive(key, salt, context)
    view = memoryview(plaintext)
    out = [salt, keys.commitment]
    # A plaintext that is a whole number of chunks is followed by an empty chunk: the last one is always shorter.
    for index in range(len(plaintext) // CHUNK_BYTES + 1):
        out.append(keys.aead.encrypt(_nonce(keys, index), view[index * CHUNK_BYTES : (index + 1) * CHUNK_BYTES], None))
    return b"".join(out)


def decrypt(key: bytes, context: str, ciphertext: bytes) -> bytes:
    """Decrypt a whole file.

    Raises:
        EnvelopeInvalid: another key or context (seen before any chunk is opened), a cut, a swap or a change.
    """
    if len(ciphertext) < HEADER_BYTES + TAG_BYTES:
        raise EnvelopeInvalid("The encrypted file is cut short. Fetch it again.")
    salt, stated = ciphertext[:SALT_BYTES], ciphertext[SALT_BYTES:HEADER_BYTES]
    keys = _derive(key, salt, context)
    if not bytes_eq(stated, keys.commitment):
        raise EnvelopeInvalid("The encrypted file belongs to another key or context.", context=context)
    body, step = memoryview(ciphertext)[HEADER_BYTES:], CHUNK_BYTES + TAG_BYTES
    full, rest = divmod(len(body), step)
    if rest < TAG_BYTES:
        raise EnvelopeInvalid("The encrypted file is cut short. Fetch it again.")
    try:
        parts = [keys.aead.decrypt(_nonce(keys, i), body[i * step : (i + 1) * step], None) for i in range(full + 1)]
    except InvalidTag as error:
        raise EnvelopeInvalid("The encrypted file was changed or its parts were swapped.") from error
    return b"".join(parts)


def new_key() -> bytes:
    return os.urandom(KEY_BYTES)


def wrap_key(wrapping_key: bytes, context: str, key: bytes) -> bytes:
    """`key` under `wrapping_key`, bound to `context`: nonce (12) and AES-256-GCM ciphertext."""
    nonce = os.urandom(12)
    return nonce + AESGCM(wrapping_key).encrypt(nonce, key, b"trustcore/wrap\x00" + context.encode())


def unwrap_key(wrapping_key: bytes, context: str, wrapped: bytes) -> bytes:
    """Reverse of `wrap_key`. Raises EnvelopeInvalid on another key, another context or a change."""
    try:
        return AESGCM(wrapping_key).decrypt(wrapped[:12], wrapped[12:], b"trustcore/wrap\x00" + context.encode())
    except (InvalidTag, ValueError) as error:
        raise EnvelopeInvalid("The wrapped key belongs to another key or context.", context=context) from error


_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def hpke_seal(public_key: bytes, info: bytes, aad: bytes, plaintext: bytes) -> bytes:
    """Seal `plaintext` to a raw X25519 public key (32 bytes). The result starts with the encapsulated key."""
    return _SUITE.encrypt(plaintext, X25519PublicKey.from_public_bytes(public_key), _bound_info(info, aad))


def hpke_open(private_key: X25519PrivateKey, info: bytes, aad: bytes, sealed: bytes) -> bytes:
    """Reverse of `hpke_seal`. Raises EnvelopeInvalid when key, info, aad or bytes differ."""
    try:
        return _SUITE.decrypt(sealed, private_key, _bound_info(info, aad))
    except (InvalidTag, ValueError) as error:
        raise EnvelopeInvalid("The released key was sealed for another slot, lease or grant.") from error


def _bound_info(info: bytes, aad: bytes) -> bytes:
    # The library's one-shot form takes no AAD. `info` enters the key schedule (RFC 9180 5.1), which binds just as hard.
    return len(info).to_bytes(8, "big") + info + aad
