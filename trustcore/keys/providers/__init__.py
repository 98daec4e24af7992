"""Where the root key is. A provider wraps and unwraps other keys; the root key itself never leaves it."""

import functools
from typing import Protocol

from django.conf import settings

from trustcore.env import SettingInvalid
from trustcore.keys.providers.file import FileRoot


class RootProvider(Protocol):
    """`context` says which key it is; unwrapping under another context fails."""

    is_secure: bool

    def wrap(self, context: str, key: bytes) -> bytes: ...

    def unwrap(self, context: str, wrapped: bytes) -> bytes: ...


@functools.cache
def root() -> RootProvider:
    """The configured provider.

    Raises:
        SettingInvalid: TRUSTCORE_KEY_PROVIDER names none we have.
    """
    if settings.KEY_PROVIDER == "file":
        return FileRoot(settings.ROOT_KEK)
    raise SettingInvalid(f"TRUSTCORE_KEY_PROVIDER must be `file`, not {settings.KEY_PROVIDER!r}")
