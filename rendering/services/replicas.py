"""Replicas: made for a subject, sent for signatures. What two officers sign is built in `statements`."""

from datetime import datetime
from typing import Any

from consent import selectors as consents
from consent.services import approvals
from rendering.errors import QualityTooLow, ReplicaMissing, TrainingRefused
from rendering.models import Replica, ReplicaVersion
from rendering.services import quality, statements
from trustcore.accounts.models import Organisation, User
from trustcore.audit import recording
from trustcore.audit.actions import Action
from trustcore.audit.actors import Actor
from trustcore.policy import selectors as policies
from trustcore.policy.models import EmotionPolicy, EmotionPolicyVersion
from trustcore.policy.services import emotion_policies
from trustcore.primitives.ids import new_id


def create(*, actor: Actor, user: User, organisation: Organisation, subject_public_id: str, now: datetime) -> Replica:
    """The replica of a subject, made at first need: there is one for each person in an organisation.

    Raises:
        Refusal: no consent in force.
        ReplicaMissing: the person is not one of this organisation's.
    """
    consent = consents.consent_in_force(subject_public_id, now=now)
    if consent.tenant != organisation.tenant:
        raise ReplicaMissing("There is no such person.", subject=subject_public_id)
    known = (
        Replica.objects.filter(organisation=organisation, subject_public_id=subject_public_id)
        .select_related("organisation")
        .first()
    )
    if known is not None:
        return known
    row = Replica(
        public_id=new_id("replica"), organisation=organisation, subject_public_id=subject_public_id,
        name=consent.subject_name, created_by=user)
    with recording.recording(actor=actor, action=Action.REPLICA_CREATED, obj=row):
        row.save(force_insert=True)
    return row


def send_for_signatures(*, actor: Actor, author: User, version: ReplicaVersion, now: datetime) -> Any:
    """Ask two officers to approve a trained version. Returns the approval request.

    Raises:
        TrainingRefused: it is not trained.
        QualityTooLow: it is below the lowest quality that may be approved.
        Refusal: no consent in force.
    """
    if version.state != "trained":
        raise TrainingRefused("This version is not trained, so there is nothing to approve.")
    reasons = quality.reasons_against(version.report)
    if reasons:
        raise QualityTooLow(reasons)
    consent = consents.consent_in_force(version.subject_public_id, now=now)
    statement = statements.for_replica(version, consent)
    with recording.recording(actor=actor, action=Action.REPLICA_SUBMITTED, obj=version) as event:
        request = approvals.begin(
            actor=actor, organisation=version.replica.organisation, author=version.author, kind=statements.KIND,
            object_public_id=version.public_id, statement=statement, about_subject=version.subject_public_id,
            expires_at=consent.expires_at, now=now)
        event.add(statement_sha256=request.statement_sha256, sent_by=author.public_id)
    return request


def edit_policy(
    *, actor: Actor, author: User, policy: EmotionPolicy, content: dict[str, Any]
) -> EmotionPolicyVersion:
    """A new version of a policy. Every approval of the versions before is void in the same commit: an edit says that
    what was signed is not what is meant any more, and sessions that stand on it end.

    Raises:
        PolicyInvalid: the content is not well formed; nothing is void then.
    """
    before = policies.versions_newest_first(policy)
    with recording.together():
        version = emotion_policies.edit(actor=actor, author=author, policy=policy, content=content)
        for earlier in before:
            approvals.void(actor=actor, kind=statements.POLICY_KIND, object_public_id=earlier.public_id,
                           reason=f"The policy was edited: version {version.number} took its place.")
    return version


def send_policy_for_signatures(*, actor: Actor, author: User, version: EmotionPolicyVersion, now: datetime) -> Any:
    """Close a draft of an emotion policy and ask two officers to approve it. Returns the approval request."""
    consent = consents.consent_in_force(version.policy.about_subject, now=now)
    if version.state == EmotionPolicyVersion.State.DRAFT:
        emotion_policies.submit(actor=actor, version=version)
    return approvals.begin(
        actor=actor, organisation=version.policy.organisation, author=version.author, kind=statements.POLICY_KIND,
        object_public_id=version.public_id, statement=statements.for_policy(version, consent.subject_name),
        about_subject=version.policy.about_subject, expires_at=consent.expires_at, now=now)
