"""End, pause and erase: what happens to a consent after it was given."""

import json
from datetime import datetime, timedelta

from django.db import connection

from consent.errors import ConsentMissing, DestructionTooEarly, HoldInForce
from consent.models import Consent, SeenMedia, Subject
from consent.states import CONSENT
from trustcore.audit.recording import Action, Actor, recording, refused, together
from trustcore.jobs.wakeups import REVOKED_CHANNEL
from trustcore.keys.services import holds, subject_keys
from trustcore.primitives.clock import to_rfc3339, utc_now
from trustcore.primitives.states import next_state

DESTRUCTION_WINDOW = timedelta(hours=24)


def withdraw(*, actor: Actor, consent: Consent, reason: str = "", now: datetime | None = None) -> None:
    """Withdraw, at once and without a reason. Every live session of this person is told in the same commit.

    The replica's key is not destroyed here: that is a second step, because it cannot be taken back.
    """
    _end(actor, consent, "withdraw", Action.CONSENT_WITHDRAWN, reason, now or utc_now())


def withdraw_all(*, actor: Actor, subject: Subject, reason: str = "", now: datetime | None = None) -> None:
    """What a person means by withdrawing: the consent in force, one an officer paused, one that waits for a decision.

    Raises:
        ConsentMissing: nothing is left to withdraw.
    """
    states = [state for state, act in CONSENT.transitions if act == "withdraw"]
    with together():
        rows = list(subject.consents.select_related("subject__organisation").filter(state__in=states))
        if not rows:
            raise ConsentMissing("There is no consent of yours to withdraw.")
        for consent in rows:
            withdraw(actor=actor, consent=consent, reason=reason, now=now)


def suspend(*, actor: Actor, consent: Consent, reason: str, now: datetime | None = None) -> None:
    """An officer's pause: sessions end, nothing is deleted, and it can be taken back."""
    _end(actor, consent, "suspend", Action.CONSENT_SUSPENDED, reason, now or utc_now())


def resume(*, actor: Actor, consent: Consent, reason: str) -> None:
    with recording(actor=actor, action=Action.CONSENT_RESUMED, obj=consent, reason=reason):
        locked = _locked(consent)
        locked.state = next_state(CONSENT, locked.state, "resume")
        locked.ended_at = None
        locked.save(update_fields=["state", "ended_at"])
    consent.refresh_from_db()


def expire_due(*, now: datetime | None = None) -> list[str]:
    """Close every consent whose end date has passed. Selectors refuse them from that moment anyway."""
    now = now or utc_now()
    due = list(Consent.objects.filter(state__in=("in_force", "suspended"), expires_at__lte=now))
    for consent in due:
        _end(Actor.system("clock"), consent, "expire", Action.CONSENT_EXPIRED, "", now)
    return [consent.public_id for consent in due]


def _end(actor: Actor, consent: Consent, act: str, action: Action, reason: str, now: datetime) -> None:
    with recording(actor=actor, action=action, obj=consent, reason=reason):
        locked = _locked(consent)
        locked.state = next_state(CONSENT, locked.state, act)
        locked.ended_at = now
        locked.save(update_fields=["state", "ended_at"])
        _notify_revoked(locked, act)
    consent.refresh_from_db()


def _notify_revoked(consent: Consent, act: str) -> None:
    # NOTIFY is delivered when, and only when, this transaction commits: a session is never told of a withdrawal
    # that did not happen, and never hears of one later than the next session's gate would.
    told = {"subject": consent.subject_public_id, "consent": consent.public_id, "why": f"consent.{act}"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [REVOKED_CHANNEL, json.dumps(told)])


def begin_key_destruction(
    *, actor: Actor, consent: Consent, is_stepped_up: bool = False, now: datetime | None = None
) -> datetime:
    """Record that the subject's key is about to go. Returns when.

    Args:
        is_stepped_up: the person proved again, just now, who they are; then the 24 h window falls away.

    Raises:
        HoldInForce: a legal hold keeps the key; rendering stays impossible all the same.
    """
    now = now or utc_now()
    _refuse_on_hold(actor, consent)
    due = now if is_stepped_up else now + DESTRUCTION_WINDOW
    with recording(actor=actor, action=Action.KEY_DESTRUCTION_BEGUN, obj=consent) as event:
        locked = _locked(consent)
        locked.state = next_state(CONSENT, locked.state, "begin_key_destruction")
        locked.key_destruction_due_at = due
        locked.save(update_fields=["state", "key_destruction_due_at"])
        event.add(due_at=to_rfc3339(due), is_stepped_up=is_stepped_up)
    consent.refresh_from_db()
    return due


def finish_key_destruction(*, actor: Actor, consent: Consent, now: datetime | None = None) -> None:
    """Destroy the subject's key. Nothing encrypted under it can be opened again, here or anywhere.

    Raises:
        HoldInForce, DestructionTooEarly.
    """
    now = now or utc_now()
    _refuse_on_hold(actor, consent)
    if consent.key_destruction_due_at is None or consent.key_destruction_due_at > now:
        raise DestructionTooEarly("The key may go only after the window that was announced. Come back then.")
    # The event that it is about to happen is committed already. The key goes first, then the word that it went:
    # a crash between the two leaves an announced destruction to repeat, never a claimed one that did not happen.
    subject_keys.destroy(consent.subject_public_id, actor=actor, reason="consent withdrawn")
    with recording(actor=actor, action=Action.KEY_DESTROYED, obj=consent) as event:
        event.covers(consent.subject)
        locked = _locked(consent)
        locked.state = next_state(CONSENT, locked.state, "finish_key_destruction")
        # The receipt names the person. Its hash stays, so that a copy they kept can still be proven.
        locked.receipt = {}
        locked.save(update_fields=["state", "receipt"])
        subject_consents = Consent.objects.filter(subject=consent.subject).exclude(pk=consent.pk)
        event.covers(*subject_consents)
        for other in subject_consents:
            other.receipt = {}
            other.save(update_fields=["receipt"])
        SeenMedia.objects.filter(subject_public_id=consent.subject_public_id).update(fingerprint=b"")
        subject = consent.subject
        subject.name, subject.email, subject.picture_blob_id = "Erased person", "", ""
        subject.save(update_fields=["name", "email", "picture_blob_id"])
    consent.refresh_from_db()


def destroy_due_keys(*, now: datetime | None = None) -> list[str]:
    """Finish every destruction whose window has passed and that no hold stops."""
    now = now or utc_now()
    due = Consent.objects.select_related("subject__organisation").filter(
        state="key_destruction_begun", key_destruction_due_at__lte=now
    )
    done = []
    for consent in due:
        # A consent in force needs the key: `demand_lasting_key` lets none come, this is the second line.
        if holds.in_force(consent.subject_public_id) or consent.subject.consents.filter(state="in_force").exists():
            continue
        finish_key_destruction(actor=Actor.system("clock"), consent=consent, now=now)
        done.append(consent.public_id)
    return done


def _refuse_on_hold(actor: Actor, consent: Consent) -> None:
    if holds.in_force(consent.subject_public_id):
        refused(actor=actor, action=Action.KEY_REFUSED, obj=consent, reason=HoldInForce.code)
        raise HoldInForce("A legal hold keeps this key for now. Nobody can use the replica meanwhile.")


def _locked(consent: Consent) -> Consent:
    locked: Consent = Consent.objects.select_for_update().get(pk=consent.pk)
    return locked
