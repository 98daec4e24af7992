"""Legal holds as an officer places and lifts them: the key stays, and rendering stays impossible."""

from consent.errors import HoldMissing
from consent.models import Subject
from trustcore.audit.recording import Actor
from trustcore.keys.models import Hold
from trustcore.keys.services import holds


def place(*, actor: Actor, subject: Subject, reason: str) -> None:
    """Forbid destroying the subject's key. Placing a second one changes nothing."""
    if not holds.in_force(subject.public_id):
        holds.place(subject.public_id, tenant=subject.tenant, actor=actor, reason=reason)


def lift(*, actor: Actor, subject: Subject, reason: str) -> None:
    """Lift every hold of this subject. Raises HoldMissing when there is none."""
    open_holds = list(Hold.objects.filter(subject_public_id=subject.public_id, lifted_at=None))
    if not open_holds:
        raise HoldMissing("There is no legal hold to lift.")
    for hold in open_holds:
        holds.lift(hold, actor=actor, reason=reason)
