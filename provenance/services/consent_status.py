"""What became of a consent since a session was made, read from the audit log: the log is the evidence."""

from dataclasses import dataclass
from datetime import datetime

from trustcore.audit.actions import Action
from trustcore.audit.models import Event
from trustcore.keys.services import subject_keys

ENDED = {Action.CONSENT_WITHDRAWN.value: "withdrawn", Action.CONSENT_EXPIRED.value: "expired"}


@dataclass(frozen=True)
class ConsentStatus:
    """`state`: in_force, withdrawn, expired or erased (the person's key is destroyed, and with it all pictures)."""

    state: str
    since: datetime | None


def of(consent_id: str, subject_public_id: str) -> ConsentStatus:
    """The status now. "In force" means that the log holds no withdrawal and no expiry of this consent."""
    ended = (
        Event.objects.filter(object_type="consent", object_id=consent_id, action__in=ENDED, outcome="done")
        .order_by("-id").first()
    )
    if not subject_keys.exists(subject_public_id):
        return ConsentStatus("erased", ended.at if ended else None)
    if ended is not None:
        return ConsentStatus(ENDED[ended.action], ended.at)
    return ConsentStatus("in_force", None)
