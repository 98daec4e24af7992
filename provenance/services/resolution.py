"""From a mark's payload to the manifests that name it (C2PA Soft Binding API, "Decoupled", 2.1 to 2.4).

A match needs the algorithm AND the value to be equal. It says where to look things up; whether the picture at hand is
what that session sent, it does not say.
"""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime

from provenance.errors import ManifestUnknown, ManifestWithheld, SoftBindingInvalid
from provenance.manifests import jumbf
from provenance.manifests.assertions import SOFT_BINDING_ALG
from provenance.models import MarkSlot, SessionManifest, SignedFile
from trustcore.keys.services import subject_keys

VALUE_BYTES = 8
MAX_VALUE_CHARACTERS = 400  # longer than any value of ours; what is longer is no question
DEFAULT_RESULTS, MAX_RESULTS = 10, 100


@dataclass(frozen=True)
class KnownManifest:
    """A manifest of ours: a session's own, or that of a file signed from it."""

    label: str
    kind: str  # session, recording or still
    claim_sha256: str
    signed_at: datetime
    store: bytes
    session: SessionManifest


def by_binding(alg: str, value: str, limit: int) -> list[str]:
    """Ids of the manifests that name this soft binding: sessions first, then the files signed from them, newest first.

    Args:
        alg: name and version of the algorithm. Another one than ours matches nothing.
        value: base64, either alphabet.
        limit: how many at most, from 1.

    Raises:
        SoftBindingInvalid: `alg` or `value` is missing or not readable.
    """
    if not alg or not value:
        raise SoftBindingInvalid("A query needs `alg` and `value`.")
    payload = _decoded(value)
    if alg != SOFT_BINDING_ALG or len(payload) != VALUE_BYTES:
        return []
    slot = MarkSlot.objects.select_related("manifest").filter(public_id=payload.hex()).first()
    return _labels(slot)[:limit] if slot else []


def _decoded(value: str) -> bytes:
    if len(value) > MAX_VALUE_CHARACTERS:
        raise SoftBindingInvalid("`value` is longer than a soft binding can be.")
    try:
        return base64.b64decode(value.translate(str.maketrans("-_", "+/")), validate=True)
    except (binascii.Error, ValueError) as error:
        raise SoftBindingInvalid("`value` must be base64. In an address, write + as %2B.") from error


def _labels(slot: MarkSlot) -> list[str]:
    """A viewer who connects again gets another manifest over the same payload, so there may be several."""
    conversation = slot.manifest.conversation_id
    sessions = [
        row.public_id for row in SessionManifest.objects.filter(conversation_id=conversation).order_by("-created_at")
        if any(told["slot_id"] == slot.public_id for told in row.facts["mark"]["slots"])
    ]
    files = SignedFile.objects.filter(
        manifest__conversation_id=conversation, mark_values__contains=[slot.public_id],
    ).order_by("kind", "-created_at").values_list("public_id", flat=True)
    return sessions + list(files)


def find(label: str) -> KnownManifest:
    """Raises ManifestUnknown."""
    # A database takes no zero byte, and nobody else's odd text can be an id of ours.
    is_possible = label.isascii() and label.isprintable()
    session = SessionManifest.objects.filter(public_id=label).first() if is_possible else None
    if session is not None:
        store = jumbf.store_of(bytes(session.init_segment))
        return KnownManifest(label, "session", session.claim_sha256, session.created_at, store, session)
    file = SignedFile.objects.select_related("manifest").filter(public_id=label).first() if is_possible else None
    if file is None:
        raise ManifestUnknown("No manifest of ours has this id.")
    return KnownManifest(label, file.kind, file.claim_sha256, file.created_at, bytes(file.store), file.manifest)


def store(label: str) -> bytes:
    """The manifest store. Ours hold one manifest, so it is also the store of the active manifest alone.

    Raises:
        ManifestUnknown
        ManifestWithheld: the person shown had everything erased, and the manifest's disclosure says their name.
    """
    known = find(label)
    if not subject_keys.exists(known.session.subject_public_id):
        raise ManifestWithheld("This manifest is withheld: the person shown had everything erased. See its status.")
    return known.store
