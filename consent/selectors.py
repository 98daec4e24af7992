"""What consent knows, for those who ask: never writes."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from consent.errors import (
    ConsentExpired,
    ConsentMissing,
    ConsentOutOfScope,
    ConsentSuspended,
    ConsentWithdrawn,
)
from consent.models import ApprovalRequest, Consent, ConsentClip, IdentityCheck, Subject
from consent.scope import AUDIENCES, PURPOSES, TERRITORIES, Scope
from trustcore.accounts.models import Organisation
from trustcore.primitives.clock import utc_now


@dataclass(frozen=True)
class SubjectFacts:
    """A person, as other parts may show them. A person who withdrew has no picture."""

    public_id: str
    name: str
    initials: str
    tenant: str
    has_consent: bool
    picture_url: str


@dataclass(frozen=True)
class ConsentFacts:
    """A consent in force, as values: what policy, grants and manifests need."""

    public_id: str
    subject_public_id: str
    subject_name: str
    tenant: str
    receipt_sha256: str
    scope: Scope
    agreed_at: datetime
    verified_at: datetime
    expires_at: datetime
    identity_check_id: str

    def emotion_max_milli(self, emotion: str) -> int:
        """The person's own limit; neutral is always whole, what they did not name is nothing."""
        return 1000 if emotion == "neutral" else dict(self.scope.emotions_max_milli).get(emotion, 0)


@dataclass(frozen=True)
class ApprovalFacts:
    """An approval with both signatures, as values, with the evidence that verifies offline."""

    public_id: str
    kind: str
    object_public_id: str
    statement_sha256: str
    approved_at: datetime
    expires_at: datetime
    approvers: tuple[tuple[str, str], ...]  # (name, title)
    evidence: tuple[dict[str, Any], ...]


def consent_in_force(subject_public_id: str, *, now: datetime | None = None) -> ConsentFacts:
    """The consent of this person that holds now, whatever the use.

    Raises:
        ConsentMissing, ConsentWithdrawn, ConsentSuspended, ConsentExpired: the newest consent says which.
    """
    now = now or utc_now()
    rows = Consent.objects.select_related("subject__organisation").filter(subject__public_id=subject_public_id)
    for consent in rows.filter(state="in_force"):
        if consent.is_in_force(now):
            return _facts(consent)
    newest = rows.order_by("-agreed_at").first()
    name = newest.subject.name if newest else "This person"
    if newest is not None and newest.state in {"withdrawn", "key_destruction_begun", "key_destroyed"}:
        raise ConsentWithdrawn(f"{name} withdrew the consent. Nobody can use this replica.")
    if newest is not None and newest.state == "suspended":
        raise ConsentSuspended(f"An officer suspended the consent of {name}. Ask the officer.")
    if newest is not None and newest.state in {"expired", "in_force"}:
        raise ConsentExpired(f"The consent of {name} ended on {newest.expires_at:%-d %B %Y}. Ask for a new one.")
    raise ConsentMissing(f"{name} has not given a verified consent. Invite the person first.")


def live_consent(
    subject_public_id: str,
    *,
    purpose: str,
    audience: str,
    country: str,
    language: str = "",
    now: datetime | None = None,
) -> ConsentFacts:
    """The consent that allows this one use now.

    Args:
        purpose, audience, country: of the use; an unknown value is not in any scope, so it is refused.
        language: checked when given.

    Raises:
        as `consent_in_force`, and ConsentOutOfScope naming what is outside.
    """
    facts = consent_in_force(subject_public_id, now=now)
    scope = facts.scope
    _require(facts, "purpose", purpose, scope.purposes, PURPOSES)
    _require(facts, "audience", audience, scope.audiences, AUDIENCES)
    _require(facts, "country", country, scope.territories, TERRITORIES)
    if language:
        _require(facts, "language", language.split("-")[0], scope.languages, {})
    return facts


def _require(facts: ConsentFacts, what: str, value: str, agreed: tuple[str, ...], names: dict[str, str]) -> None:
    if value not in agreed:
        wanted, given = names.get(value, value or "unknown"), " and ".join(names.get(one, one) for one in agreed)
        raise ConsentOutOfScope(
            f"{facts.subject_name} agreed to the {what} {given}, not {wanted}. Ask to widen it, or use a person.",
            what=what, value=value,
        )  # fmt: skip


def _facts(consent: Consent) -> ConsentFacts:
    check = IdentityCheck.objects.filter(clip__consent=consent, state="accepted").first()
    if check is None or consent.verified_at is None:
        raise ConsentMissing(
            f"Nobody has verified who gave the consent of {consent.subject.name}. Decide the clip first."
        )
    return ConsentFacts(
        public_id=consent.public_id, subject_public_id=consent.subject_public_id, subject_name=consent.subject.name,
        tenant=consent.tenant, receipt_sha256=consent.receipt_sha256, scope=consent.agreed_scope,
        agreed_at=consent.agreed_at, verified_at=consent.verified_at, expires_at=consent.expires_at,
        identity_check_id=check.public_id,
    )  # fmt: skip


def approval_in_force(
    kind: str, object_public_id: str, statement_sha256: str, *, now: datetime | None = None
) -> ApprovalFacts | None:
    """The approval of exactly this statement, or None. An edited object hashes to none."""
    now = now or utc_now()
    request = ApprovalRequest.objects.filter(
        kind=kind, object_public_id=object_public_id, statement_sha256=statement_sha256, state="approved",
        expires_at__gt=now,
    ).first()  # fmt: skip
    if request is None or request.approved_at is None:
        return None
    signatures = list(request.signatures.select_related("user").order_by("signed_at"))
    if len({signature.user_id for signature in signatures}) < 2:
        return None
    return ApprovalFacts(
        public_id=request.public_id, kind=kind, object_public_id=object_public_id, statement_sha256=statement_sha256,
        approved_at=request.approved_at, expires_at=request.expires_at,
        approvers=tuple((signature.user.display_name, signature.role) for signature in signatures),
        evidence=tuple(signature.evidence for signature in signatures),
    )  # fmt: skip


def approvals_stand(public_ids: Collection[str], *, now: datetime) -> bool:
    """Whether each of these approvals is given, not void and not expired. One query: a viewer waits while it is asked.

    That an approval fits its object is not looked at: `approval_in_force` did when the grant was signed, and whatever
    it binds is named in the grant by hash.
    """
    rows = ApprovalRequest.objects.filter(public_id__in=public_ids, state="approved", expires_at__gt=now)
    return rows.count() == len(set(public_ids))


def newest_request(kind: str, object_public_id: str) -> ApprovalRequest | None:
    """The newest request about an object, whatever its state, for the page that shows it."""
    return ApprovalRequest.objects.filter(kind=kind, object_public_id=object_public_id).order_by("-created_at").first()


def subjects(organisation: Organisation) -> list[SubjectFacts]:
    """Everybody this organisation has invited, newest first."""
    rows = Subject.objects.filter(organisation=organisation).order_by("-created_at")
    return [subject_facts(row) for row in rows]


def subject(public_id: str) -> SubjectFacts:
    """Raises Subject.DoesNotExist when nobody has this id."""
    return subject_facts(Subject.objects.select_related("organisation").get(public_id=public_id))


def subject_facts(row: Subject) -> SubjectFacts:
    states = set(row.consents.values_list("state", flat=True))
    in_force = "in_force" in states
    return SubjectFacts(
        public_id=row.public_id, name=row.name, initials=row.initials, tenant=row.tenant, has_consent=in_force,
        picture_url=f"/console/subjects/{row.public_id}/picture.jpg" if in_force else "",
    )  # fmt: skip


def latest_clip(subject_row: Subject) -> ConsentClip | None:
    """The clip whose still stands for this person, while a consent of theirs holds or waits."""
    rows = ConsentClip.objects.filter(
        consent__subject=subject_row, consent__state__in=("in_force", "suspended", "waiting_for_identity")
    )
    return rows.order_by("-received_at").first()
