"""The one write door: `with recording.recording(actor=..., action=..., obj=...) as event:`.

It opens the transaction, reads the governed fields before and after (the caller does not get to say what changed), and
inserts the event. The sequencer numbers it later: no request waits for another one's place in the log.
"""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils.module_loading import import_string

from trustcore.audit import commitments
from trustcore.audit.actions import Action
from trustcore.audit.actors import Actor, ObjectRef, reference_to
from trustcore.audit.context import request_id
from trustcore.audit.guards import AuditedModel, open_objects
from trustcore.primitives.canonical import canonical_bytes
from trustcore.primitives.clock import to_rfc3339, utc_now
from trustcore.primitives.ids import new_uuid7
from trustcore.primitives.log_entries import details_commitment

__all__ = ["Action", "Actor", "ObjectRef", "OpenEvent", "recording", "refused", "together"]

BODY_VERSION = 1
# The transaction's id is filled in by a trigger (trustcore/audit/triggers.py).
INSERT_EVENT = """
INSERT INTO trustcore_audit_event (
    public_id, xid, at, tenant, actor_type, actor_id, action, object_type, object_id, objects_covered,
    subject_commitment, outcome, body, details
) VALUES (%s, 0, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


class OpenEvent:
    """An event being written. Add to it inside the `with`; nothing can be added after."""

    def __init__(self, actor: Actor, action: Action, reference: ObjectRef, reason: str) -> None:
        self.public_id = new_uuid7()
        self.actor, self.action, self.reference, self.reason = actor, action, reference, reason
        self.covered: list[str] = [reference.key]
        self._open: dict[str, Any] = {}
        self._personal: dict[str, Any] = {}

    def add(self, **details: Any) -> None:
        """Add details that say nothing personal: counts, hashes, public ids, verdicts. JSON values only."""
        self._open.update(details)

    def add_personal(self, **details: Any) -> None:
        """Add personal details. They are encrypted under the subject's key, so the object must name its subject."""
        if not self.reference.subject:
            raise ValueError(f"{self.reference.key} names no subject to encrypt personal details for")
        self._personal.update(details)

    def covers(self, *objects: Any) -> None:
        """Name further objects that change in this same act (a lease with its conversation)."""
        for obj in objects:
            key = reference_to(obj).key
            if key not in self.covered:
                self.covered.append(key)
        open_objects.set((*open_objects.get(), *self.covered))

    def details(self) -> dict[str, Any]:
        """What is stored beside the body: a salt, the open details, the encrypted personal ones."""
        sealed = None
        if self._personal:
            cipher = import_string(f"{settings.AUDIT_PERSONAL_DETAIL_CIPHER}.encrypt")
            sealed = cipher(self.reference.subject, self.public_id, canonical_bytes(self._personal))
        return {"salt": secrets.token_hex(16), "open": self._open, "personal": sealed}


@contextmanager
def recording(*, actor: Actor, action: Action, obj: Any, reason: str = "") -> Iterator[OpenEvent]:
    """Do something governed. Everything inside is one transaction with its event; if either fails, neither happened.

    Args:
        actor: who acts.
        action: what happens to the object.
        obj: the governed row (saved or about to be), or an ObjectRef where there is no row.
        reason: the person's own words, when the act asks for them. Not personal data.

    Yields:
        The event, to add details to.
    """
    event = OpenEvent(actor, action, reference_to(obj), reason)
    token = open_objects.set((*open_objects.get(), event.reference.key))
    try:
        with transaction.atomic():
            before = _governed_values(obj, lock=True)
            yield event
            _add_change(event, obj, before)
            _insert(event, outcome="done")
    finally:
        open_objects.reset(token)


@contextmanager
def together() -> Iterator[None]:
    """Several acts as one: every recording inside is written with its change, or none is."""
    with transaction.atomic():
        yield


def refused(*, actor: Actor, action: Action, obj: Any, reason: str, details: dict[str, Any] | None = None) -> str:
    """Record that the rule said no, in a transaction of its own. Call it outside any other. Returns the event's id.

    Args:
        reason: the refusal's code, such as `consent.withdrawn`.
    """
    event = OpenEvent(actor, action, reference_to(obj), reason)
    event.add(**(details or {}))
    # Durable: inside a transaction that is about to roll back, the record of the refusal would vanish with it.
    with transaction.atomic(durable=True):
        _insert(event, outcome="refused")
    return event.public_id


def _governed_values(obj: Any, *, lock: bool = False) -> dict[str, Any] | None:
    """The row's governed fields as the database has them; None when there is no such row.

    `lock`: until commit, so that nobody changes the row between what the event calls before and after.
    """
    if not isinstance(obj, AuditedModel) or not obj.audited_fields or obj.pk is None:
        return None
    rows = type(obj)._base_manager.filter(pk=obj.pk).values(*obj.audited_fields)
    return next(iter(rows.select_for_update() if lock else rows), None)


def _add_change(event: OpenEvent, obj: Any, before: dict[str, Any] | None) -> None:
    after = _governed_values(obj)
    names = [name for name in (before or after or {}) if (before or {}).get(name) != (after or {}).get(name)]
    if names:
        event.add(changed={name: [_plain((before or {}).get(name)), _plain((after or {}).get(name))] for name in names})


def _plain(value: Any) -> Any:
    """A JSON value for a column's value."""
    if value is None or isinstance(value, bool | str | list | dict):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**53 else str(value)
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return to_rfc3339(value) if hasattr(value, "tzinfo") else str(value)


def _insert(event: OpenEvent, *, outcome: str) -> None:
    reference, details = event.reference, event.details()
    now = utc_now()
    subject_commitment = commitments.of_subject(reference.subject) if reference.subject else ""
    body = {
        "v": BODY_VERSION,
        "id": event.public_id,
        "tenant": reference.tenant,
        "ts": to_rfc3339(now),
        "actor": event.actor.body(),
        "action": event.action.value,
        "object": {"type": reference.type, "id": reference.id},
        "also": event.covered[1:],
        "outcome": outcome,
        "reason": event.reason,
        "request_id": request_id.get(),
        "policy_version": settings.AUDIT_POLICY_VERSION,
        "subject_commitment": subject_commitment,
        "details_hash": details_commitment(details),
    }
    # Plain SQL: every governed act comes through here, and the ORM's insert costs it several times as much CPU.
    with connection.cursor() as cursor:
        cursor.execute(
            INSERT_EVENT,
            [
                event.public_id, now, reference.tenant, event.actor.type, event.actor.id, event.action.value,
                reference.type, reference.id, event.covered, subject_commitment, outcome, canonical_bytes(body),
                json.dumps(details),
            ],
        )  # fmt: skip
