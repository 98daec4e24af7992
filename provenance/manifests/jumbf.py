"""Find and replace assertions inside a signed C2PA manifest store (JUMBF, ISO/IEC 19566-5; C2PA 2.4 section 11.1).

Why replace at all: c2pa-python takes assertions as JSON, which cannot say byte string, integer map key or tag. So the
session manifest is signed with placeholders of the right length; then each placeholder's CBOR is overwritten with the
strict one, its hash in the claim is replaced, and the claim is signed again. Nothing changes its length, and the uuid
box is outside the BMFF hash, so the rest of the file stays valid. Whatever comes out is re-read by c2pa-python.
"""

import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

import cbor2

from provenance.manifests.errors import FragmentInvalid, ManifestInvalid
from provenance.manifests.fmp4 import walk_boxes

C2PA_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
MAX_STORE_BYTES = 8 * 1024 * 1024
MAX_DEPTH = 8
MAX_BOXES = 10_000  # in one superbox; a session manifest holds about forty in all
PURPOSE = b"manifest\x00"
# A description box names what its superbox is by a UUID: four letters and these twelve bytes (C2PA 2.4 11.1.4).
TYPE_TAIL = bytes.fromhex("00110010800000aa00389b71")
STORE, MANIFEST, ASSERTIONS, CLAIM, SIGNATURE, CBOR = b"c2pa", b"c2ma", b"c2as", b"c2cl", b"c2cs", b"cbor"
JPEG_START, JPEG_APP11, JPEG_SCAN = b"\xff\xd8\xff", 0xEB, 0xDA


@dataclass(frozen=True)
class Superbox:
    """A `jumb` box: where it stands in the parsed bytes, what it is, its label, and what it holds."""

    kind: bytes  # four letters, as STORE, MANIFEST ...
    label: str
    start: int
    end: int
    children: tuple["Superbox", ...]
    contents: tuple[tuple[bytes, int, int], ...] = field(default=())  # (kind, start, end) of content, headers left out

    def child(self, label: str) -> "Superbox":
        """The one child with this label. Raises ManifestInvalid when there is none or more than one."""
        found = [box for box in self.children if box.label == label]
        if len(found) != 1:
            raise ManifestInvalid(f"The manifest holds {len(found)} boxes named {label}; it must hold one.")
        return found[0]

    def content(self, kind: bytes) -> tuple[int, int]:
        """(start, end) of the one content box of this kind."""
        found = [(start, end) for name, start, end in self.contents if name == kind]
        if len(found) != 1:
            raise ManifestInvalid(f"Box {self.label} must hold exactly one {kind.decode('latin-1')} box.")
        return found[0]


def stores_in(media: bytes) -> list[tuple[int, int]]:
    """(start, end) of what each top-level uuid box of C2PA holds as manifest store (C2PA 2.4 section A.5).

    Raises:
        ManifestInvalid: the file's boxes do not add up.
    """
    try:
        return [
            (start + 28 + len(PURPOSE) + 8, end) for kind, start, end in walk_boxes(media)
            if kind == b"uuid" and media[start + 8 : start + 24] == C2PA_UUID
            and media[start + 28 : start + 28 + len(PURPOSE)] == PURPOSE
        ]
    except FragmentInvalid as error:
        raise ManifestInvalid(error.message) from error


def find_store(media: bytes) -> int:
    """Offset of the manifest store's `jumb` box in an MP4 (C2PA 2.4 section A.5) or in a JPEG (section A.3.1).

    Raises:
        ManifestInvalid: there is none, more than one, or a JPEG's store is spread over several segments; or the file's
            boxes do not add up.
    """
    found = _stores_in_jpeg(media) if media.startswith(JPEG_START) else stores_in(media)
    if len(found) != 1:
        raise ManifestInvalid("This file must hold exactly one C2PA manifest store.", found=len(found))
    # The store must fill its box: a reader that goes by the one and a reader that goes by the other must not differ.
    store, end = found[0]
    if store + int.from_bytes(media[store : store + 4], "big") != end:
        raise ManifestInvalid("The manifest store does not fill its box.")
    return store


def store_of(media: bytes) -> bytes:
    """The manifest store as it stands in an MP4 or JPEG: what travels alone as `application/c2pa`.

    Raises:
        ManifestInvalid: there is none that parses.
    """
    start = find_store(media)
    return media[start : parse_store(media, start).end]


def _stores_in_jpeg(media: bytes) -> list[tuple[int, int]]:
    """(start, end) of each store: JUMBF lies in APP11 segments, which hold marker, length, "JP", box instance, packet
    number, then the box itself.
    """
    found, at = [], 2
    while at + 4 <= len(media) and media[at] == 0xFF and media[at + 1] != JPEG_SCAN:
        end = at + 2 + int.from_bytes(media[at + 2 : at + 4], "big")
        if media[at + 1] == JPEG_APP11 and media[at + 4 : at + 6] == b"JP":
            if media[at + 8 : at + 12] != b"\x00\x00\x00\x01":
                raise ManifestInvalid("This JPEG's manifest store is spread over several segments.")
            found.append((at + 12, end))
        at = end
    return found


def parse_store(encoded: bytes, start: int = 0) -> Superbox:
    """The store's tree; offsets count from the start of `encoded`.

    Raises:
        ManifestInvalid: not JUMBF, too large, too deep.
    """
    try:
        return _parse_superbox(encoded, start, len(encoded), 0)
    except (struct.error, ValueError, IndexError) as error:
        raise ManifestInvalid("This manifest store does not parse.") from error


def _box_at(encoded: bytes, at: int, limit: int) -> tuple[bytes, int]:
    size, kind = struct.unpack_from(">I4s", encoded, at)
    if size < 8 or at + size > limit or size > MAX_STORE_BYTES:
        raise ManifestInvalid("A box in the manifest store has an impossible size.")
    return kind, at + size


def _parse_superbox(encoded: bytes, start: int, limit: int, depth: int) -> Superbox:
    kind, end = _box_at(encoded, start, limit)
    if kind != b"jumb" or depth > MAX_DEPTH:
        raise ManifestInvalid("This is not a JUMBF superbox.")
    kind, at = _box_at(encoded, start + 8, end)
    if kind != b"jumd":
        raise ManifestInvalid("A JUMBF superbox begins with its description.")
    type_at = start + 8 + 8
    label_at = type_at + 17
    if encoded[type_at + 4 : type_at + 16] != TYPE_TAIL:
        raise ManifestInvalid("A box in the manifest store is of no type that C2PA knows.")
    label = encoded[label_at : encoded.index(b"\x00", label_at, at)].decode() if encoded[label_at - 1] & 2 else ""
    children: list[Superbox] = []
    contents: list[tuple[bytes, int, int]] = []
    while at < end:
        if len(children) + len(contents) >= MAX_BOXES:
            raise ManifestInvalid("A box in the manifest store holds too many boxes.")
        kind, after = _box_at(encoded, at, end)
        if kind == b"jumb":
            children.append(_parse_superbox(encoded, at, end, depth + 1))
        else:
            contents.append((kind, at + 8, after))
        at = after
    return Superbox(encoded[type_at : type_at + 4], label, start, end, tuple(children), tuple(contents))


def active_manifest(store: Superbox) -> Superbox:
    """The one manifest of a store of ours.

    Ours hold one manifest with assertions, claim and signature, and nothing beside them. Anything more is refused: a
    reader passes over boxes that it does not know, so a second manifest hidden in one would be read here and not by
    whoever checks the signature.

    Raises:
        ManifestInvalid: the store holds anything else, or less.
    """
    if (store.kind, store.label) != (STORE, "c2pa") or len(store.children) != 1 or store.contents:
        raise ManifestInvalid("This store must hold one C2PA manifest and nothing else.")
    (manifest,) = store.children
    kinds = sorted(box.kind for box in manifest.children)
    if manifest.kind != MANIFEST or manifest.contents or kinds != sorted((ASSERTIONS, CLAIM, SIGNATURE)):
        raise ManifestInvalid("This manifest must hold assertions, claim and signature, and nothing else.")
    assertions = manifest.child("c2pa.assertions")
    labels = [box.label for box in assertions.children]
    if assertions.kind != ASSERTIONS or assertions.contents or len(set(labels)) != len(labels):
        raise ManifestInvalid("This manifest's assertions are ambiguous.")
    if claim_of(manifest).kind != CLAIM or manifest.child("c2pa.signature").kind != SIGNATURE:
        raise ManifestInvalid("This manifest's claim or signature is not where its label says.")
    return manifest


def claim_of(manifest: Superbox) -> Superbox:
    """The claim box: `c2pa.claim.v2` or `c2pa.claim`."""
    for label in ("c2pa.claim.v2", "c2pa.claim"):
        if any(box.label == label for box in manifest.children):
            return manifest.child(label)
    raise ManifestInvalid("This manifest holds no claim.")


def claim_sha256(encoded: bytes, manifest: Superbox) -> str:
    """SHA-256 (hex) of the claim's CBOR. It names a manifest; the manifest's own bytes do not, they hold padding."""
    start, end = claim_of(manifest).content(b"cbor")
    return hashlib.sha256(encoded[start:end]).hexdigest()


def assertion_cbor(encoded: bytes, manifest: Superbox, label: str) -> bytes:
    """The CBOR bytes of one assertion, as they stand."""
    assertion = manifest.child("c2pa.assertions").child(label)
    if assertion.kind != CBOR:
        raise ManifestInvalid(f"Assertion {label} is not CBOR.")
    start, end = assertion.content(b"cbor")
    return encoded[start:end]


def placeholder(length: int) -> dict[str, str]:
    """A JSON assertion whose CBOR is exactly `length` bytes long: a map with text "p" of the rest.

    Just before a longer text head no single text fits; there an empty text "q" takes up three bytes.

    Raises:
        ValueError: `length` is below 4.
    """
    fillers: tuple[dict[str, str], ...] = ({}, {"q": ""})
    for filler in fillers:
        room = length - len(cbor2.dumps({**filler, "p": ""})) + 1
        for head in (1, 2, 3, 5):
            made = {**filler, "p": "0" * max(0, room - head)}
            if len(cbor2.dumps(made)) == length:
                return made
    raise ValueError(f"no placeholder is exactly {length} bytes long")


def replace_assertions(
    media: bytes, replacements: dict[str, bytes], resign: Callable[[bytes], bytes],
) -> bytes:
    """`media` with the CBOR of the named assertions replaced and the claim signed again.

    Args:
        media: an MP4 or JPEG whose active manifest holds placeholders of equal length.
        replacements: assertion label -> strict CBOR.
        resign: signs the COSE Sig_structure, returning a raw 64-byte ES256 signature.

    Raises:
        ManifestInvalid: a length differs, or a hash is not found exactly once in the claim.
    """
    out = bytearray(media)
    manifest = active_manifest(parse_store(media, find_store(media)))
    assertions = manifest.child("c2pa.assertions")
    claim_start, claim_end = claim_of(manifest).content(b"cbor")
    claim = bytes(out[claim_start:claim_end])
    for label, strict in replacements.items():
        box = assertions.child(label)
        start, end = box.content(b"cbor")
        if end - start != len(strict):
            raise ManifestInvalid(f"The placeholder of {label} has another length than its content.")
        # The hash of an assertion covers its jumb box without the 8-byte header (C2PA 2.4 section 8.4.2.3).
        old = hashlib.sha256(out[box.start + 8 : box.end]).digest()
        out[start:end] = strict
        new = hashlib.sha256(out[box.start + 8 : box.end]).digest()
        if claim.count(old) != 1:
            raise ManifestInvalid(f"The claim does not name {label} exactly once.")
        claim = claim.replace(old, new)
    out[claim_start:claim_end] = claim
    _resign(out, manifest, claim, resign)
    return bytes(out)


def _resign(out: bytearray, manifest: Superbox, claim: bytes, resign: Callable[[bytes], bytes]) -> None:
    """Replace the signature in place: COSE_Sign1 with a detached claim (C2PA 2.4 section 13.2)."""
    start, end = manifest.child("c2pa.signature").content(b"cbor")
    try:
        protected, _, payload, signature = cbor2.loads(bytes(out[start:end])).value
    except (cbor2.CBORError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ManifestInvalid("The claim signature is not a COSE_Sign1.") from error
    at = bytes(out[start:end]).rfind(signature) if isinstance(signature, bytes) else -1
    if payload is not None or at < 0 or len(signature) != 64:
        raise ManifestInvalid("The claim signature is not a detached ES256 signature.")
    fresh = resign(cbor2.dumps(["Signature1", protected, b"", claim]))
    out[start + at : start + at + 64] = fresh
