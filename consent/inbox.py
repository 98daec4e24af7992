"""What waits for a person: identity checks and signatures of ours, and whatever other parts lend."""

from datetime import UTC, datetime, time
from typing import Any

from consent import seams, selectors
from consent.models import Approval, ApprovalRequest, Consent, IdentityCheck, IdentityDecision, Subject
from consent.seams import Waiting
from trustcore.accounts.models import Organisation, User
from trustcore.accounts.permissions import Permission
from trustcore.keys.services import holds
from trustcore.primitives.clock import utc_now

FAR_FUTURE = datetime(9999, 1, 1, tzinfo=UTC)
KINDS = {"replica": "Replica", "emotion_policy": "Emotion policy"}


def waiting(user: User, organisation: Organisation, permissions: frozenset[str], *, only_mine: bool) -> list[Waiting]:
    """Every open decision this person may see, nearest clock first.

    Args:
        only_mine: leave out what they may see but not decide.
    """
    rows: list[Waiting] = []
    if Permission.IDENTITY_DECIDE in permissions or (Permission.IDENTITY_VIEW in permissions and not only_mine):
        rows += [_identity(check) for check in _open_checks(organisation)]
        rows += [_erasure(consent) for consent in _open_erasures(organisation)]
    if Permission.APPROVAL_SIGN in permissions or (Permission.APPROVAL_VIEW in permissions and not only_mine):
        requests = ApprovalRequest.objects.filter(organisation=organisation, state__in=("open", "half_signed"))
        rows += [_approval(one) for one in requests.select_related("author") if not only_mine or _is_mine(one, user)]
    for source in seams.inbox_sources():
        rows += source.waiting(user, organisation)
    return sorted(rows, key=lambda row: row.due_at or FAR_FUTURE)


def live(organisation: Organisation) -> dict[str, Any] | None:
    """Live figures from whoever runs sessions; None when nobody does."""
    for source in seams.inbox_sources():
        return source.live(organisation)
    return None


def decided_today(organisation: Organisation) -> int:
    """How many decisions and signatures people of this organisation made since midnight UTC."""
    midnight = datetime.combine(utc_now().date(), time.min, tzinfo=UTC)
    decisions = IdentityDecision.objects.filter(
        identity_check__clip__consent__subject__organisation=organisation, decided_at__gte=midnight
    )
    signatures = Approval.objects.filter(request__organisation=organisation, signed_at__gte=midnight)
    return int(decisions.count() + signatures.count())


def counts(check: IdentityCheck) -> tuple[tuple[str, int], ...]:
    """Verdicts of a check with how often each, worst first."""
    verdicts = list(check.verdicts.values())
    return tuple(
        (verdict, verdicts.count(verdict)) for verdict in ("fail", "not_run", "warn", "pass") if verdict in verdicts
    )


def _open_checks(organisation: Organisation) -> Any:
    return IdentityCheck.objects.select_related("clip__consent__subject", "clip__consent__invitation").filter(
        clip__consent__subject__organisation=organisation, state="checked"
    )


def _open_erasures(organisation: Organisation) -> Any:
    return Consent.objects.select_related("subject").filter(
        subject__organisation=organisation, state="key_destruction_begun"
    )


def _identity(check: IdentityCheck) -> Waiting:
    subject, clip = check.consent.subject, check.clip
    return Waiting(
        kind="Identity",
        title=f"Decide who recorded this clip: {subject.name}",
        sentence=f"Recorded {clip.received_at:%-d %B, %H:%M} UTC for {check.consent.invitation.asked_for}.",
        url=f"/console/identity/{check.public_id}/",
        due_at=check.decide_by,
        picture_url=f"/console/identity/{check.public_id}/poster.jpg",
        initials=subject.initials,
        verdicts=counts(check),
    )


def _erasure(consent: Consent) -> Waiting:
    held = holds.in_force(consent.subject_public_id)
    sentence = "A legal hold keeps the key." if held else "The key is deleted then, unless a legal hold is placed."
    return Waiting(
        kind="Erasure", title=f"Check for a legal hold: {consent.subject.name}", sentence=sentence,
        url=f"/console/subjects/{consent.subject_public_id}/", due_at=consent.key_destruction_due_at,
    )  # fmt: skip


def _approval(request: ApprovalRequest) -> Waiting:
    signed = request.signatures.select_related("user").first()
    sentence = (
        f"{signed.user.display_name} ({signed.role}) signed at {signed.signed_at:%H:%M} UTC. Yours is the second."
        if signed
        else f"Written by {request.author.display_name}. No signature yet."
    )
    about = Subject.objects.filter(public_id=request.about_subject).first() if request.about_subject else None
    return Waiting(
        kind=KINDS.get(request.kind, request.kind.replace("_", " ").capitalize()),
        title=request.statement["question"],
        sentence=sentence,
        url=f"/console/approvals/{request.public_id}/",
        due_at=request.sign_by,
        picture_url=selectors.subject_facts(about).picture_url if about else "",
        initials=about.initials if about else "",
    )


def _is_mine(request: ApprovalRequest, user: User) -> bool:
    return request.author_id != user.pk and not request.signatures.filter(user=user).exists()
