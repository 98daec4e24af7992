"""Watermark epoch keys: one a calendar month, wrapped under the root key in the keystore.

Whoever holds an epoch key can read and forge every mark of its month, so it leaves control only inside a key release (`release`) and, for a
reader of marks, through `get`. The keys outlive the sessions: a clip found years later must still be readable.
"""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from django.conf import settings

from trustcore.audit import recording
from trustcore.keys import keystore, providers
from trustcore.keys.errors import KeyExists
from trustcore.primitives.envelope import new_key

KIND = "marks"


@dataclass(frozen=True)
class MarkEpoch:
    """One epoch's name ("2026-11") and key. It prints without its key."""

    name: str
    key: bytes = field(repr=False)  # 32 bytes


def current(now: datetime) -> MarkEpoch:
    """The epoch in force at `now`, made at first need."""
    name = now.strftime("%Y-%m")
    path = _path(name)
    if not path.exists():
        _make(path, name)
    return get(name)


def get(name: str) -> MarkEpoch:
    """An epoch by name. Raises KeyMissing when there never was one."""
    return MarkEpoch(name, providers.root().unwrap(f"{KIND}/{name}", keystore.read(_path(name))))


def names() -> list[str]:
    """Every epoch there is, newest first: what a detector has to try."""
    folder = Path(settings.KEYSTORE_DIR) / KIND
    return sorted((path.stem for path in folder.glob("*.key")), reverse=True)


def _path(name: str) -> Path:
    return keystore.path_of(Path(settings.KEYSTORE_DIR), KIND, name)


def _make(path: Path, name: str) -> None:
    try:
        keystore.write_once(path, providers.root().wrap(f"{KIND}/{name}", new_key()))
    except KeyExists:
        return  # another process was first; its key is the one
    with recording.recording(
        actor=recording.Actor.system("keys"), action=recording.Action.KEY_CREATED, obj=recording.ObjectRef("mark_key", name)
    ) as event:
        event.add(epoch=name)
