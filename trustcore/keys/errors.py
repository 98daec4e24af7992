"""The errors of keys and encrypted files."""

from trustcore.primitives.errors import Fault, Refusal


class KeyMissing(Refusal):
    """There is no such key, or it was destroyed. What it protected cannot be read again."""

    code = "key.missing"


class KeyHeld(Refusal):
    """A legal hold forbids destroying this subject's key."""

    code = "key.held"


class KeyExists(Refusal):
    """The subject has a key already, or had one that was destroyed: a key is never made twice."""

    code = "key.exists"


class BlobMissing(Refusal):
    """There is no encrypted file of this id."""

    code = "blob.missing"


class BlobDamaged(Fault):
    """The stored ciphertext is not what was written."""

    code = "blob.damaged"


class KeystoreUnusable(Fault):
    """The keystore cannot be read or written."""

    code = "keystore.unusable"
