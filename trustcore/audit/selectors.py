"""Reading the log: entries, proofs, searches. Never writes; who may ask is the caller's question."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from trustcore.audit import commitments, nodes
from trustcore.audit.errors import EntryMissing
from trustcore.audit.models import Checkpoint, Entry
from trustcore.primitives import merkle
from trustcore.primitives.canonical import from_canonical
from trustcore.primitives.log_entries import ScopeHead, proof_text, scope_leaf, scopes_tree

MAX_ROWS = 500


@dataclass(frozen=True)
class LogEntry:
    """One entry with its event, as plain values."""

    seq: int
    leaf: bytes
    leaf_hash: bytes
    body_bytes: bytes
    details: dict[str, Any]
    tenant_scope: str
    subject_scope: str
    at: datetime

    @property
    def body(self) -> dict[str, Any]:
        value: dict[str, Any] = from_canonical(self.body_bytes)
        return value


@dataclass(frozen=True)
class InclusionProof:
    """That an entry stands in the log of a checkpoint. `hashes`: the path, lowest sibling first."""

    seq: int
    size: int
    hashes: tuple[bytes, ...]
    note: str

    def to_text(self) -> str:
        """The proof as one text file (C2SP tlog-proof)."""
        return proof_text(self.seq, self.hashes, self.note)


def size() -> int:
    """How many entries the log has."""
    last = Entry.objects.order_by("-seq").values_list("seq", flat=True).first()
    return 0 if last is None else last + 1


def entry(seq: int) -> LogEntry:
    """Raises EntryMissing."""
    return _view(_one(Entry.objects.filter(seq=seq), f"entry {seq}"))


def latest_checkpoint() -> Checkpoint | None:
    return Checkpoint.objects.order_by("-size").first()


def checkpoint_covering(seq: int) -> Checkpoint:
    """The newest checkpoint, if it covers the entry. Raises EntryMissing when the entry is not under one yet."""
    newest = latest_checkpoint()
    if newest is None or newest.size <= seq:
        raise EntryMissing(f"Entry {seq} is not under a checkpoint yet. Try again in a second.", seq=seq)
    return newest


def inclusion_proof(seq: int, checkpoint: Checkpoint | None = None) -> InclusionProof:
    """Proof that entry `seq` is in the log of a checkpoint (the newest by default). Raises EntryMissing."""
    under = checkpoint or checkpoint_covering(seq)
    if not 0 <= seq < under.size:
        raise EntryMissing(f"There is no entry {seq} under this checkpoint.", seq=seq)
    path = nodes.with_nodes(lambda node: merkle.inclusion_proof(node, seq, under.size))
    return InclusionProof(seq, under.size, tuple(path), under.note)


def consistency_proof(old_size: int, new_size: int) -> list[bytes]:
    """Proof that the log of `old_size` entries is the beginning of the one of `new_size`. Raises EntryMissing."""
    if not 0 < old_size <= new_size <= size():
        raise EntryMissing("The log has no two such states.", old=old_size, new=new_size)
    return nodes.with_nodes(lambda node: merkle.consistency_proof(node, old_size, new_size))


def scope_heads(at_size: int) -> dict[str, ScopeHead]:
    """The map scope -> (last n, last leaf) as it stood when the log had `at_size` entries."""
    heads: dict[str, ScopeHead] = {}
    for column in ("tenant_scope", "subject_scope"):
        newest = Entry.objects.filter(seq__lt=at_size).exclude(**{column: ""}).order_by(column, "-seq").distinct(column)
        for row in newest:
            links = {link["scope"]: link["n"] for link in from_canonical(bytes(row.leaf))["scopes"]}
            scope = getattr(row, column)
            heads[scope] = ScopeHead(links[scope], bytes(row.leaf_hash))
    return heads


def scope_proof(scope: str, checkpoint: Checkpoint) -> dict[str, Any]:
    """Proof of a scope's last n under a checkpoint: with the scope's chain it shows that an export is whole.

    Returns:
        {"scope", "n", "last", "index", "size", "hashes"}: the map's leaf and its path to `scopes_root`; hex.
    """
    heads = scope_heads(checkpoint.size)
    if scope not in heads:
        raise EntryMissing("This scope has no entries under the checkpoint.", scope=scope)
    tree, index = scopes_tree(heads), sorted(heads).index(scope)
    head = heads[scope]
    return {
        "scope": scope,
        "n": head.n,
        "last": head.last_leaf.hex(),
        "index": index,
        "size": tree.size,
        "hashes": [value.hex() for value in tree.inclusion_proof(index)],
        "leaf": scope_leaf(scope, head).decode(),
    }


def scope_of_subject(subject_public_id: str) -> str:
    return commitments.subject_scope(commitments.of_subject(subject_public_id))


def scope_of_tenant(slug: str) -> str:
    return commitments.tenant_scope(slug)


def entries_of_scope(scope: str, at_size: int | None = None) -> list[LogEntry]:
    """Every entry of a tenant or subject, oldest first: its whole chain."""
    column = "tenant_scope" if scope.startswith("tenant/") else "subject_scope"
    rows = Entry.objects.filter(**{column: scope}).select_related("event").order_by("seq")
    if at_size is not None:
        rows = rows.filter(seq__lt=at_size)
    return [_view(row) for row in rows]


def search(
    *,
    tenant: str,
    actor_id: str = "",
    action: str = "",
    object_type: str = "",
    object_id: str = "",
    subject_public_id: str = "",
    outcome: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    before_seq: int | None = None,
    limit: int = 50,
) -> list[LogEntry]:
    """Entries of one tenant, newest first, at most 500. `action` may end with `.` to mean a whole noun."""
    rows = Entry.objects.filter(event__tenant=tenant).select_related("event").order_by("-seq")
    exact = {
        "event__actor_id": actor_id,
        "event__object_type": object_type,
        "event__object_id": object_id,
        "event__outcome": outcome,
    }
    rows = rows.filter(**{column: value for column, value in exact.items() if value})
    if action:
        rows = rows.filter(
            **({"event__action__startswith": action} if action.endswith(".") else {"event__action": action})
        )
    if subject_public_id:
        rows = rows.filter(subject_scope=scope_of_subject(subject_public_id))
    rows = _between(rows, since, until)
    if before_seq is not None:
        rows = rows.filter(seq__lt=before_seq)
    return [_view(row) for row in rows[: max(1, min(limit, MAX_ROWS))]]


def log_origin() -> str:
    return str(settings.LOG_ORIGIN)


def _between(rows: QuerySet[Entry], since: datetime | None, until: datetime | None) -> QuerySet[Entry]:
    if since is not None:
        rows = rows.filter(event__at__gte=since)
    if until is not None:
        rows = rows.filter(event__at__lt=until)
    return rows


def _one(rows: QuerySet[Entry], what: str) -> Entry:
    row = rows.select_related("event").first()
    if row is None:
        raise EntryMissing(f"The log has no {what}.")
    return row


def _view(row: Entry) -> LogEntry:
    return LogEntry(
        seq=row.seq,
        leaf=bytes(row.leaf),
        leaf_hash=bytes(row.leaf_hash),
        body_bytes=bytes(row.event.body),
        details=row.event.details,
        tenant_scope=row.tenant_scope,
        subject_scope=row.subject_scope,
        at=row.event.at,
    )
