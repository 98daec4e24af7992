"""The embedded default's root key: 32 bytes in a secrets file. Whoever reads the disk has it, and it says so."""

import warnings

from trustcore.primitives.envelope import unwrap_key, wrap_key


class InsecureProviderWarning(UserWarning):
    """Keys are protected by a plain file on this machine. For development and the demo only."""


class FileRoot:
    """Wraps keys under a root key that lies in a file."""

    is_secure = False

    def __init__(self, root_kek_hex: str) -> None:
        self._key = bytes.fromhex(root_kek_hex)
        if len(self._key) != 32:
            raise ValueError("the root key is 32 bytes, written as 64 hex digits")
        warnings.warn(
            "The root key lies in a plain file (TRUSTCORE_KEY_PROVIDER=file). Anyone who reads this disk can read "
            "every replica on it. Use an HSM or a KMS in production.",
            InsecureProviderWarning,
            stacklevel=3,
        )

    def wrap(self, context: str, key: bytes) -> bytes:
        return wrap_key(self._key, context, key)

    def unwrap(self, context: str, wrapped: bytes) -> bytes:
        return unwrap_key(self._key, context, wrapped)
