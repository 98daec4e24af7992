"""Epoch keys of the watermark: one a year, wrapped under the root key in the keystore."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from django.conf import settings

from trustcore.audit import recording
from trustcore.keys import keystore, providers
from trustcore.keys.errors import KeyExists, KeyMissing
from trustcore.primitives.clock import utc_now
from trustcore.primitives.envelope import new_key


@dataclass(frozen=True)
class EpochKey:
    """A secret of 32 bytes and its public name. Who can read a mark with it can also forge one."""

    name: str
    key: bytes = field(repr=False)


def current(now: datetime | None = None) -> EpochKey:
    """The key of the running year, made at first need."""
    name = str((now or utc_now()).year)
    path = _path(name)
    if not path.exists():
        try:
            keystore.write_once(path, providers.root().wrap(f"mark/{name}", new_key()))
        except KeyExists:
            return get(name)  # another process was first; its key is the one
        epoch = recording.ObjectRef("mark_key", name)
        with recording.recording(actor=recording.Actor.system("keys"), action=recording.Action.KEY_CREATED, obj=epoch):
            pass
    return get(name)


def get(name: str) -> EpochKey:
    """The key of a past or present epoch. Raises KeyMissing."""
    return EpochKey(name, providers.root().unwrap(f"mark/{name}", keystore.read(_path(name))))


def names() -> list[str]:
    """All epochs there are, newest first."""
    folder = Path(settings.KEYSTORE_DIR) / "mark"
    return sorted((path.stem for path in folder.glob("*.key") if not path.name.startswith(".")), reverse=True)


def _path(name: str) -> Path:
    try:
        return keystore.path_of(Path(settings.KEYSTORE_DIR), "mark", name)
    except ValueError as error:
        raise KeyMissing("There is no such mark epoch.") from error
