"""Signed notes and checkpoints of a transparency log (C2SP signed-note and tlog-checkpoint), with Ed25519.

A checkpoint's text is the log's origin, its size, its root in base64, and extension lines; ours carries one extension,
`scopes <hex>`: the root over the map scope -> entries so far, so that an export for one subject proves that it is
whole.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from trustcore.primitives.errors import ProofInvalid, SignatureInvalid
from trustcore.primitives.signing import SigningKey, VerifyKey

_ED25519 = b"\x01"


def note_key_id(name: str, key: VerifyKey) -> bytes:
    """The four bytes that name a key in a note (signed-note, "Signature types", Ed25519)."""
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + key.public_bytes).digest()[:4]


def verifier_line(name: str, key: VerifyKey) -> str:
    """The key as others write it in their policies: name+hex id+base64."""
    return f"{name}+{note_key_id(name, key).hex()}+{base64.b64encode(_ED25519 + key.public_bytes).decode()}"


def sign_note(text: str, name: str, key: SigningKey) -> str:
    """`text` (ends with a newline) and one signature line."""
    if not text.endswith("\n"):
        raise ValueError("a note's text ends with a newline")
    blob = note_key_id(name, key.verify_key) + key.sign(text.encode())
    return f"{text}\n— {name} {base64.b64encode(blob).decode()}\n"


def open_note(note: str, keys: Mapping[str, VerifyKey]) -> tuple[str, tuple[str, ...]]:
    """The text of a note and the names of those of `keys` that signed it; lines of unknown keys are passed over.

    Raises:
        SignatureInvalid: no known key signed, or a known key's signature is wrong.
    """
    text, separator, lines = note.rpartition("\n\n")
    if not separator or not lines.endswith("\n"):
        raise SignatureInvalid("This is not a signed note.")
    text += "\n"
    signers = []
    for line in lines.splitlines():
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        if dash != "—" or not encoded:
            raise SignatureInvalid("A signature line of this note is malformed.")
        key = keys.get(name)
        if key is None:
            continue
        try:
            blob = base64.b64decode(encoded, validate=True)
        except ValueError as error:
            raise SignatureInvalid("A signature of this note is not base64.", signer=name) from error
        if blob[:4] != note_key_id(name, key):
            continue
        key.verify(blob[4:], text.encode())
        signers.append(name)
    if not signers:
        raise SignatureInvalid("No key we trust signed this note.")
    return text, tuple(signers)


@dataclass(frozen=True)
class Checkpoint:
    """A log's state. `root` and `scopes_root`: 32 bytes."""

    origin: str
    size: int
    root: bytes
    scopes_root: bytes

    def to_text(self) -> str:
        return (f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"
                f"scopes {self.scopes_root.hex()}\n")

    @classmethod
    def from_text(cls, text: str) -> "Checkpoint":
        """Raises ProofInvalid on anything `to_text` does not write."""
        lines = text.split("\n")
        try:
            origin, size, encoded, extension, rest = lines
            label, scopes = extension.split(" ")
            checkpoint = cls(origin, int(size), base64.b64decode(encoded, validate=True), bytes.fromhex(scopes))
        except ValueError as error:
            raise ProofInvalid("This checkpoint is malformed.") from error
        if rest or label != "scopes" or checkpoint.to_text() != text:
            raise ProofInvalid("This checkpoint is not written the one way we write it.")
        return checkpoint


def sign_checkpoint(checkpoint: Checkpoint, key: SigningKey) -> str:
    return sign_note(checkpoint.to_text(), checkpoint.origin, key)


def open_checkpoint(note: str, origin: str, key: VerifyKey) -> Checkpoint:
    """The checkpoint, once the log's own signature holds.

    Raises:
        SignatureInvalid, ProofInvalid
    """
    text, _ = open_note(note, {origin: key})
    checkpoint = Checkpoint.from_text(text)
    if checkpoint.origin != origin:
        raise ProofInvalid("This checkpoint is of another log.", origin=checkpoint.origin)
    return checkpoint
