"""Keys of the mark, and the secret signs that come from them.

Three kinds of secret come from one epoch key: the layout and sync signs (the *presence* key: who holds it can see that
a mark is there), and payload signs for each of 64 slot numbers. The false-positive bound rests on signs that nobody can
predict, so they come from SHAKE-256 keyed by a 32-byte prefix, never from a statistical generator.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from provenance.marks.errors import MarkKeyUnreadable

SLOT_KEYS: Final = 64  # a detector tries at most this many, however many sessions exist
KEY_BYTES: Final = 32
FILE_KIND: Final = "trustcore-mark-key"
MAX_FILE_BYTES: Final = 4096
PRESENCE_FILE_KIND: Final = "trustcore-presence-key"


@dataclass(frozen=True)
class PresenceKey:
    """What an auditor may hold: it finds a mark but cannot read or make a payload. Never prints itself.

    Still a secret: whoever has it can tell when a mark is gone, and so can learn to take it away.
    """

    key: bytes = field(repr=False)  # 32 bytes
    epoch: str = ""  # public name of the epoch

    def __post_init__(self) -> None:
        if len(self.key) != KEY_BYTES:
            raise ValueError("A presence key has 32 bytes.")

    def presence_key(self) -> bytes:
        """Key of layout and sync signs."""
        return self.key

    def to_file(self) -> bytes:
        """The key as a file for `--mark-key`. Keep it as you keep any secret."""
        return _file(PRESENCE_FILE_KIND, self.epoch, self.key)


@dataclass(frozen=True)
class MarkKey:
    """An epoch key. Symmetric: who can read the mark with it can also forge and erase it. Never prints itself."""

    epoch_key: bytes = field(repr=False)  # 32 bytes
    epoch: str = ""  # public name of the epoch

    def __post_init__(self) -> None:
        if len(self.epoch_key) != KEY_BYTES:
            raise ValueError("An epoch key has 32 bytes.")

    def presence_key(self) -> bytes:
        """Key of layout and sync signs: it finds a mark but cannot read its payload."""
        return self._derive(b"presence")

    def slot_key(self, slot_index: int) -> bytes:
        """Key of the payload signs in slot `slot_index` (counted modulo 64)."""
        return self._derive(b"slot" + (slot_index % SLOT_KEYS).to_bytes(2, "big"))

    def _derive(self, label: bytes) -> bytes:
        return hmac.digest(self.epoch_key, b"trustcore.mark.v1/" + label, "sha256")

    def to_file(self) -> bytes:
        """The key as a file for `--mark-key`. Keep it as you keep any secret."""
        return _file(FILE_KIND, self.epoch, self.epoch_key)

    def presence_only(self) -> PresenceKey:
        """The part of this key that finds a mark and reads nothing."""
        return PresenceKey(self.presence_key(), self.epoch)


AnyMarkKey = MarkKey | PresenceKey


def key_from_file(content: bytes) -> AnyMarkKey:
    """The key in a file, of whichever kind it is.

    Raises:
        MarkKeyUnreadable: the bytes are no key file of version 1.
    """
    if len(content) > MAX_FILE_BYTES:
        raise MarkKeyUnreadable
    try:
        body = json.loads(content)
        kinds: dict[str, type[AnyMarkKey]] = {FILE_KIND: MarkKey, PRESENCE_FILE_KIND: PresenceKey}
        if body["v"] != 1 or not isinstance(body["epoch"], str):
            raise MarkKeyUnreadable
        return kinds[body["kind"]](bytes.fromhex(body["key"]), body["epoch"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise MarkKeyUnreadable from error


def _file(kind: str, epoch: str, key: bytes) -> bytes:
    body = {"kind": kind, "v": 1, "epoch": epoch, "key": key.hex()}
    return json.dumps(body, sort_keys=True, indent=1).encode() + b"\n"


def signs(key: bytes, label: str, count: int) -> NDArray[np.float32]:
    """Secret signs +-1, float32 [count], that depend on key and label alone."""
    stream = np.frombuffer(_stream(key, label, (count + 7) // 8), dtype=np.uint8)
    return np.unpackbits(stream)[:count].astype(np.float32) * 2.0 - 1.0


def words(key: bytes, label: str, count: int) -> NDArray[np.uint64]:
    """Secret 64-bit words, uint64 [count]: sorted, they make a secret order."""
    return np.frombuffer(_stream(key, label, 8 * count), dtype="<u8").astype(np.uint64)


def _stream(key: bytes, label: str, length_bytes: int) -> bytes:
    # The key has a fixed length, so the boundary between key and label cannot be moved.
    return hashlib.shake_256(key + label.encode()).digest(length_bytes)
