"""Invite one person, let them read, choose and agree."""

import secrets
from datetime import datetime, time, timedelta

from django.conf import settings

from consent.errors import InvitationClosed, InvitationUnknown, KeyGoing, PortalUnknown
from consent.models import Consent, Invitation, Subject
from consent.receipts import ReceiptFacts, receipt_sha256, sign_receipt
from consent.scope import Scope, check_scope
from consent.services import notices
from consent.states import INVITATION
from trustcore.accounts.models import Organisation, User
from trustcore.audit.recording import Action, Actor, recording
from trustcore.keys.services import signing_keys, subject_keys
from trustcore.primitives.clock import utc_now
from trustcore.primitives.hashing import sha256_hex, statement_sha256
from trustcore.primitives.states import next_state

LINK_LIFETIME = timedelta(days=7)
ENDED = {
    "completed": "This invitation is done: you agreed, and the officer accepted your clip.",
    "declined": "You declined this invitation. Ask for a new one if you changed your mind.",
    "cancelled": "This invitation was cancelled. Ask the person who sent it.",
    "expired": "This link is too old. Ask for a new one.",
    "refused": "This invitation ended: the recording was not accepted. Ask the person who sent it.",
}


def send(
    *, actor: Actor, organisation: Organisation, invited_by: User, name: str, email: str, language: str, asked_for: str,
    subject: Subject | None = None, now: datetime | None = None,
) -> tuple[Invitation, str]:  # fmt: skip
    """Invite a person, or an already known one again.

    Returns:
        The invitation and its token. The token is nowhere stored: the link that holds it is shown once.
    """
    now = now or utc_now()
    if subject is not None:
        demand_lasting_key(subject)
    token = secrets.token_urlsafe(24)
    notice = notices.current(language)
    # The same person at the same address is the same subject: two rows would be two keys and two histories.
    subject = subject or Subject.objects.filter(organisation=organisation, email__iexact=email, name=name).first()
    subject = subject or _new_subject(actor, organisation, name, email, language)
    invitation = Invitation(
        subject=subject, notice=notice, token_sha256=sha256_hex(token.encode()), asked_for=asked_for,
        invited_by=invited_by, expires_at=now + LINK_LIFETIME,
    )  # fmt: skip
    with recording(actor=actor, action=Action.INVITATION_SENT, obj=invitation) as event:
        invitation.save()
        event.add(notice=notice.public_id, notice_sha256=notice.sha256, expires_at=invitation.expires_at.isoformat())
    return invitation, token


def _new_subject(actor: Actor, organisation: Organisation, name: str, email: str, language: str) -> Subject:
    subject = Subject(
        organisation=organisation, name=name, email=email, language=language,
        user=User.objects.filter(email__iexact=email).exclude(subjects__organisation=organisation).first(),
    )  # fmt: skip
    with recording(actor=actor, action=Action.SUBJECT_CREATED, obj=subject):
        subject.save()
    # The key comes first: everything that is ever stored about this person is encrypted under it.
    subject_keys.create(subject.public_id, actor=actor, tenant=organisation.slug)
    return subject


def demand_lasting_key(subject: Subject) -> None:
    """Raises KeyGoing when this person's key is destroyed or about to be: a consent under it would not outlive it."""
    if subject.consents.filter(state__in=("key_destruction_begun", "key_destroyed")).exists():
        raise KeyGoing("This person asked for their key to be destroyed. Once it is gone, invite them as a new person.")


def find(token: str, *, now: datetime | None = None) -> Invitation:
    """The invitation behind a link, while the link still works.

    Raises:
        InvitationUnknown, InvitationClosed.
    """
    now = now or utc_now()
    invitation: Invitation | None = (
        Invitation.objects.select_related("subject__organisation", "notice", "invited_by")
        .filter(token_sha256=sha256_hex(token.encode()))
        .first()
    )
    if invitation is None:
        raise InvitationUnknown("No invitation has this link. Check that you copied all of it.")
    if invitation.state in {"sent", "opened", "agreed"} and invitation.expires_at <= now:
        _move(Actor.system("clock"), invitation, "expire", Action.INVITATION_EXPIRED)
    if invitation.state in ENDED:
        raise InvitationClosed(ENDED[invitation.state], state=invitation.state)
    return invitation


def open_once(*, invitation: Invitation) -> None:
    """Note that the person opened the link; later visits change nothing."""
    if invitation.state == "sent":
        _move(Actor.subject(invitation.subject_public_id), invitation, "open", Action.INVITATION_OPENED)


def decline(*, invitation: Invitation) -> None:
    _move(Actor.subject(invitation.subject_public_id), invitation, "decline", Action.INVITATION_DECLINED)


def cancel(*, actor: Actor, invitation: Invitation) -> None:
    _move(actor, invitation, "cancel", Action.INVITATION_CANCELLED)


def agree(*, invitation: Invitation, scope: Scope, now: datetime | None = None) -> Consent:
    """The person agrees to a scope under the notice they read; they get a signed receipt.

    Raises:
        ScopeInvalid: the scope is outside the lists or too long.
        KeyGoing: the person's key is destroyed or about to be.
        InvalidTransition: they agreed already.
    """
    now = now or utc_now()
    check_scope(scope, now.date())
    demand_lasting_key(invitation.subject)
    actor = Actor.subject(invitation.subject_public_id)
    consent = _drafted(invitation, scope, now)
    with recording(actor=actor, action=Action.CONSENT_GIVEN, obj=consent) as event:
        event.covers(invitation)
        locked = Invitation.objects.select_for_update().get(pk=invitation.pk)
        locked.state = next_state(INVITATION, locked.state, "agree")
        locked.save(update_fields=["state"])
        consent.save()
        event.add(scope_sha256=consent.scope_sha256, receipt_sha256=consent.receipt_sha256,
                  notice_sha256=consent.notice.sha256)  # fmt: skip
        event.add_personal(scope=scope.to_dict())
    invitation.refresh_from_db()
    return consent


def _drafted(invitation: Invitation, scope: Scope, now: datetime) -> Consent:
    consent = Consent(
        subject=invitation.subject, invitation=invitation, notice=invitation.notice, scope=scope.to_dict(),
        scope_sha256=statement_sha256(scope.to_dict()), agreed_at=now,
        # To the end of the chosen day, so that "until 30 June" means what a person reads.
        expires_at=datetime.combine(scope.expires_on, time.max, tzinfo=now.tzinfo),
    )  # fmt: skip
    subject, notice = invitation.subject, invitation.notice
    consent.receipt = sign_receipt(
        signing_keys.get("receipt"),
        ReceiptFacts(
            consent_id=consent.public_id, subject_id=subject.public_id, subject_name=subject.name,
            controller=subject.organisation.name, notice_id=notice.public_id, notice_version=notice.version,
            notice_language=notice.language, notice_sha256=notice.sha256, scope=consent.scope, agreed_at=now,
            withdraw_at_url=f"{settings.BASE_URL}/me/",
        ),
    )  # fmt: skip
    consent.receipt_sha256 = receipt_sha256(consent.receipt)
    return consent


def issue_portal_link(*, actor: Actor, subject: Subject) -> str:
    """A new private link to the subject's own page; the one before stops working. Returns the token, kept nowhere."""
    token = secrets.token_urlsafe(24)
    with recording(actor=actor, action=Action.SUBJECT_CHANGED, obj=subject) as event:
        subject.portal_token_sha256 = sha256_hex(token.encode())
        subject.save(update_fields=["portal_token_sha256"])
        event.add(portal_link="issued")
    return token


def subject_of_portal_link(token: str) -> Subject:
    """Raises PortalUnknown unless the link is some subject's newest one."""
    rows = Subject.objects.select_related("organisation")
    found: Subject | None = rows.filter(portal_token_sha256=sha256_hex(token.encode())).first()
    if found is None:
        raise PortalUnknown("This private link is not known. Use the newest one, or ask the person who invited you.")
    return found


def _move(actor: Actor, invitation: Invitation, act: str, action: Action) -> None:
    with recording(actor=actor, action=action, obj=invitation):
        locked = Invitation.objects.select_for_update().get(pk=invitation.pk)
        locked.state = next_state(INVITATION, locked.state, act)
        locked.save(update_fields=["state"])
    invitation.state = locked.state
