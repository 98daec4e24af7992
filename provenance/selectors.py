"""What the auditor's pages show. Reads only; takes the organisation whose log it is."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from provenance.models import Export
from trustcore.accounts.models import ApiKey, Organisation, User
from trustcore.audit import selectors
from trustcore.audit.errors import EntryMissing
from trustcore.audit.selectors import LogEntry
from trustcore.keys.services import signing_keys
from trustcore.primitives.signing import b64

PAGE_ROWS = 50
OUTCOME_CHIPS = {"done": "pass", "refused": "fail"}


@dataclass(frozen=True)
class Row:
    """One entry as a person reads it."""

    seq: int
    at: datetime
    action: str
    who: str
    about: str
    note: str  # the reason, or which values changed
    outcome: str
    chip: str


@dataclass(frozen=True)
class LogState:
    """How the log stands."""

    size: int
    signed_size: int
    signed_at: datetime | None


def log_state() -> LogState:
    newest = selectors.latest_checkpoint()
    return LogState(selectors.size(), newest.size if newest else 0, newest.at if newest else None)


def rows_of(entries: Iterable[LogEntry]) -> list[Row]:
    """Entries in words, with the names of the people and programs that acted."""
    entries = list(entries)
    names = _names({entry.body["actor"]["id"] for entry in entries})
    return [_row(entry, names) for entry in entries]


def _row(entry: LogEntry, names: dict[str, str]) -> Row:
    body = entry.body
    actor, thing = body["actor"], body["object"]
    who = names.get(actor["id"]) or f"{actor['type']} {actor['id']}".strip()
    changed = ", ".join(sorted(entry.details.get("open", {}).get("changed", {})))
    return Row(
        seq=entry.seq, at=entry.at, action=body["action"], who=who, about=f"{thing['type']} {thing['id']}",
        note=body["reason"] or changed, outcome=body["outcome"], chip=OUTCOME_CHIPS.get(body["outcome"], "warn"),
    )


def _names(public_ids: set[str]) -> dict[str, str]:
    people = User.objects.filter(public_id__in=public_ids).values_list("public_id", "display_name")
    programs = ApiKey.objects.filter(public_id__in=public_ids).values_list("public_id", "name")
    return {**dict(people), **dict(programs)}


def entry_for(seq: int, organisation: Organisation) -> LogEntry:
    """An entry of this organisation. Raises EntryMissing, also for another organisation's entry."""
    entry = selectors.entry(seq)
    if entry.body["tenant"] != organisation.slug:
        raise EntryMissing(f"The log has no entry {seq} of yours.", seq=seq)
    return entry


def proof_document(entry: LogEntry) -> dict[str, Any]:
    """Everything a stranger needs to check one entry, as JSON. Raises EntryMissing while no checkpoint covers it."""
    proof = selectors.inclusion_proof(entry.seq)
    return {
        "v": 1, "seq": entry.seq, "leaf": entry.leaf.decode(), "body": entry.body_bytes.decode(),
        "details": entry.details, "size": proof.size, "path": [value.hex() for value in proof.hashes],
        "checkpoint": proof.note, "log": settings.LOG_ORIGIN,
        "log_key": b64(signing_keys.verify_key("checkpoint").public_bytes), "tlog_proof": proof.to_text(),
    }


def exports_of(organisation: Organisation) -> QuerySet[Export]:
    """Newest first."""
    found: QuerySet[Export] = Export.objects.filter(organisation=organisation).order_by("-created_at")
    return found
