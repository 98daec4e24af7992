"""The keystore: one wrapped key per file, in a folder of its own that no database backup holds. PURE.

Deleting a file is erasure, so a file is written once, flushed to disk with its folder, and never rewritten in place.
"""

import os
import re
from pathlib import Path

from trustcore.keys.errors import KeyExists, KeyMissing, KeystoreUnusable

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,100}")


def path_of(folder: Path, kind: str, name: str) -> Path:
    """Where a key lies. Raises ValueError on a name that could leave the folder."""
    if not _NAME.fullmatch(kind) or not _NAME.fullmatch(name):
        raise ValueError(f"{kind}/{name} is not a keystore name")
    return folder / kind / f"{name}.key"


def write_once(path: Path, wrapped: bytes) -> None:
    """Store a wrapped key for its owner only.

    Raises:
        KeyExists: there is one already.
        KeystoreUnusable: the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
        _write_synced(temporary, wrapped)
        try:
            os.link(temporary, path)  # unlike rename, a link never replaces the key that another process just made
        except FileExistsError as error:
            raise KeyExists("This key exists already.", key=path.stem) from error
        finally:
            temporary.unlink()
        _sync_folder(path.parent)
    except OSError as error:
        raise KeystoreUnusable(f"The keystore cannot be written: {error}") from error


def _write_synced(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def read(path: Path) -> bytes:
    """The wrapped key. Raises KeyMissing when it was never made or is destroyed."""
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise KeyMissing("This key does not exist or was destroyed.", key=path.stem) from error
    except OSError as error:
        raise KeystoreUnusable(f"The keystore cannot be read: {error}") from error


def remove(path: Path) -> bool:
    """Destroy a key: its file is gone from the folder, and the folder is flushed. False when it was gone already."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise KeystoreUnusable(f"The key cannot be removed: {error}") from error
    _sync_folder(path.parent)
    return True


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
