"""What became of a consent since a session was made, read from the audit log: the log is the evidence."""

from dataclasses import dataclass

from trustcore.audit.actions import Action
from trustcore.audit.models import Entry, Event
from trustcore.keys.services import subject_keys
from trustcore.primitives.clock import to_rfc3339

ENDED = {Action.CONSENT_WITHDRAWN.value: "withdrawn", Action.CONSENT_EXPIRED.value: "expired"}
STATES = {
    **ENDED, Action.CONSENT_SUSPENDED.value: "suspended", Action.CONSENT_RESUMED.value: "in_force",
    Action.CONSENT_GIVEN.value: "in_force",
}
GONE = (Action.KEY_DESTROYED.value, Action.KEY_DESTRUCTION_BEGUN.value)


@dataclass(frozen=True)
class Standing:
    """How something stands, since when, and which event of the audit log says so (`seq`: its place, once numbered)."""

    state: str
    since: str | None = None
    event: str | None = None
    seq: int | None = None


def consent_standing(consent_id: str, subject_public_id: str) -> Standing:
    """in_force, suspended, withdrawn, expired or erased. An end stays an end; a pause may be lifted."""
    if not subject_keys.exists(subject_public_id):
        gone = Event.objects.filter(
            object_type="subject_key", object_id=subject_public_id, action__in=GONE, outcome="done",
        )
        return standing("erased", gone.order_by("-id").first())
    about = Event.objects.filter(object_type="consent", object_id=consent_id, outcome="done").order_by("-id")
    event = about.filter(action__in=ENDED).first() or about.filter(action__in=STATES).first()
    return standing(STATES[event.action] if event else "in_force", event)


def standing(state: str, event: Event | None) -> Standing:
    """A state, as the event of the log says that led to it."""
    if event is None:
        return Standing(state)
    entry = Entry.objects.filter(event=event).first()
    return Standing(state, to_rfc3339(event.at), event.public_id, entry.seq if entry else None)
