"""Where a clip waits between the web process and the process that checks it: encrypted, in memory, for minutes.

The key lies in the row of the check, the bytes in a memory file system: who has one of them has nothing. Whoever takes
a clip removes it first, so a process that dies while it looks leaves nothing behind.
"""

import secrets
import time
from pathlib import Path

from django.conf import settings

from provenance.errors import CheckUnfinished
from trustcore.primitives.envelope import KEY_BYTES, decrypt, encrypt
from trustcore.primitives.errors import EnvelopeInvalid
from trustcore.primitives.files import write_whole

MAX_AGE_S = 900.0
SUFFIX = ".clip"


def put(public_id: str, content: bytes) -> bytes:
    """Keep a clip until it is taken. Returns the key, which is kept nowhere here.

    Raises:
        CheckUnfinished: the place cannot be written.
    """
    key = secrets.token_bytes(KEY_BYTES)
    try:
        _folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(_path(public_id), encrypt(key, _context(public_id), content))
    except OSError as error:
        raise CheckUnfinished(f"The clip could not wait in {settings.CHECK_SPOOL_DIR}: {error.strerror}.") from error
    return key


def take(public_id: str, key: bytes) -> bytes:
    """The clip, once: its file is gone when this returns.

    Raises:
        CheckUnfinished: it is not there any more, or is not what was put there.
    """
    try:
        encrypted = _path(public_id).read_bytes()
        drop(public_id)
        return decrypt(key, _context(public_id), encrypted)
    except (OSError, EnvelopeInvalid, ValueError) as error:
        raise CheckUnfinished("The clip that waited is gone.") from error


def drop(public_id: str) -> None:
    """Remove a clip that waits, if it does."""
    _path(public_id).unlink(missing_ok=True)


def drop_old(now_s: float | None = None) -> int:
    """Remove what waited too long, whatever became of its check. Returns how many files."""
    oldest_s = (time.time() if now_s is None else now_s) - MAX_AGE_S
    old = [path for path in _folder().glob("*") if _is_older(path, oldest_s)]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def _is_older(path: Path, than_s: float) -> bool:
    try:
        return path.stat().st_mtime < than_s
    except FileNotFoundError:
        return False  # taken in this moment


def _folder() -> Path:
    return Path(settings.CHECK_SPOOL_DIR)


def _path(public_id: str) -> Path:
    return _folder() / f"{public_id}{SUFFIX}"


def _context(public_id: str) -> str:
    return f"check/{public_id}"
