"""Legal holds: place, lift, ask."""

from trustcore.audit import recording
from trustcore.keys.models import Hold
from trustcore.primitives.clock import utc_now


def place(subject_public_id: str, *, tenant: str, actor: recording.Actor, reason: str) -> Hold:
    """Forbid destroying anything of this subject until the hold is lifted."""
    hold = Hold(subject_public_id=subject_public_id, tenant=tenant, reason=reason)
    with recording.recording(actor=actor, action=recording.Action.HOLD_PLACED, obj=hold, reason=reason):
        hold.save()
    return hold


def lift(hold: Hold, *, actor: recording.Actor, reason: str) -> None:
    with recording.recording(actor=actor, action=recording.Action.HOLD_LIFTED, obj=hold, reason=reason):
        hold.lifted_at = utc_now()
        hold.save(update_fields=["lifted_at"])


def in_force(subject_public_id: str) -> bool:
    return Hold.objects.filter(subject_public_id=subject_public_id, lifted_at=None).exists()
