"""What rendering knows, for those who ask: never writes.

A replica's standing is computed here from the approval in force, the consent in force and the stops in force. Nothing
of it is stored.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Value

from consent import selectors as consents
from consent.selectors import ApprovalFacts, ConsentFacts
from rendering.errors import ConversationMissing, GrantOutdated, ReplicaMissing
from rendering.models import Conversation, Footage, KillSwitch, Replica, ReplicaVersion, Suspension, TrainingStep
from rendering.services import statements
from trustcore.accounts.models import Organisation
from trustcore.policy import selectors as policies
from trustcore.policy.models import EmotionPolicyVersion
from trustcore.primitives.errors import Refusal

UNSEALED_SHOWN_FOR = timedelta(days=1)


@dataclass(frozen=True)
class Standing:
    """What a replica version may do now. `word`: training, failed, retired, trained, waiting,
    approved, suspended, no_consent.
    """

    word: str
    sentence: str
    approval: ApprovalFacts | None = None
    consent: ConsentFacts | None = None

    @property
    def may_speak(self) -> bool:
        return self.word == "approved"


def standing(version: ReplicaVersion, *, now: datetime) -> Standing:
    """Where a version stands, worst fact first."""
    if version.state != "trained":
        words = {
            "training": "It is being trained.", "failed": f"Training failed: {version.failure or 'no reason given'}.",
            "retired": "It was retired.",
        }
        return Standing(version.state, words[version.state])
    try:
        consent = consents.consent_in_force(version.subject_public_id, now=now)
    except Refusal as refusal:
        return Standing("no_consent", refusal.message)
    stop = suspension_in_force(version.replica_id)
    if stop is not None:
        return Standing("suspended", f"An officer suspended this replica: {stop.reason}", consent=consent)
    approval = approval_of(version, consent, now=now)
    if approval is not None:
        return Standing("approved", "Two officers approved it.", approval, consent)
    request = consents.newest_request(statements.KIND, version.public_id)
    if request is not None and request.state in ("open", "half_signed"):
        return Standing("waiting", "It waits for signatures.", consent=consent)
    return Standing("trained", "It is trained. Send it for signatures.", consent=consent)


def approval_of(version: ReplicaVersion, consent: ConsentFacts, *, now: datetime) -> ApprovalFacts | None:
    """The approval of exactly this version under exactly this consent."""
    return consents.approval_in_force(
        statements.KIND, version.public_id, statements.sha256_for_replica(version, consent), now=now
    )


def speaking_version(replica: Replica, *, now: datetime) -> ReplicaVersion | None:
    """The newest version that may speak, or None."""
    for version in (
        replica.versions.select_related("replica__organisation", "footage", "author")
        .filter(state="trained")
        .order_by("-number")
    ):
        if standing(version, now=now).may_speak:
            return version
    return None


def policy_in_force(
    replica_public_id: str, subject_name: str, *, now: datetime
) -> tuple[EmotionPolicyVersion, ApprovalFacts] | None:
    """The newest approved version of a replica's emotion policy, with its approval."""
    policy = policies.of_replica(replica_public_id)
    for version in policies.versions_newest_first(policy) if policy else []:
        digest = statements.sha256_for_policy(version, subject_name)
        approval = consents.approval_in_force(statements.POLICY_KIND, version.public_id, digest, now=now)
        if approval is not None:
            return version, approval
    return None


def consent_for(conversation: Conversation, *, now: datetime) -> ConsentFacts:
    """The consent that still allows what this conversation's grant says. Raises a consent refusal,
    also when it is another consent.
    """
    body = conversation.grant["body"]
    facts = consents.live_consent(
        conversation.subject_public_id, purpose=body["purpose"], audience=body["audience"], country=body["country"],
        language=body["language"], now=now)
    if facts.public_id != body["consent_id"]:
        raise GrantOutdated("The consent behind this conversation was replaced. Ask for a new conversation.")
    return facts


def person_name(replica: Replica) -> str:
    return consents.subject(replica.subject_public_id).name


def kill_switch_in_force(organisation_id: int) -> KillSwitch | None:
    return KillSwitch.objects.filter(organisation_id=organisation_id, lifted_at=None).order_by("-created_at").first()


def suspension_in_force(replica_id: int) -> Suspension | None:
    return Suspension.objects.filter(replica_id=replica_id, lifted_at=None).order_by("-created_at").first()


def stop_in_force(conversation: Conversation) -> str:
    """"kill_switch" or "replica_suspended" when one of them is in force over this conversation, else "". One query,
    because a viewer waits while it is asked.
    """
    switch = KillSwitch.objects.filter(organisation_id=conversation.organisation_id, lifted_at=None)
    suspension = Suspension.objects.filter(replica_id=conversation.version.replica_id, lifted_at=None)
    named = [(switch, "kill_switch"), (suspension, "replica_suspended")]
    first, second = (rows.order_by().values_list(Value(name), flat=True) for rows, name in named)
    return min(first.union(second), default="")


# --- fetching is authorising: each of these sees one organisation only
# -------------------------------------------------


def replicas(organisation: Organisation) -> list[Replica]:
    return list(
        Replica.objects.filter(organisation=organisation).select_related("organisation").order_by("-created_at")
    )


def replica(organisation: Organisation, public_id: str) -> Replica:
    found = (
        Replica.objects.filter(organisation=organisation, public_id=public_id).select_related("organisation").first()
    )
    if found is None:
        raise ReplicaMissing("There is no such replica.", replica=public_id)
    return found


def version(organisation: Organisation, replica_id: str, number: int) -> ReplicaVersion:
    found = ReplicaVersion.objects.filter(
        replica__organisation=organisation, replica__public_id=replica_id, number=number,
    ).select_related("replica__organisation", "footage", "author").first()
    if found is None:
        raise ReplicaMissing("There is no such version.", replica=replica_id, version=number)
    return found


def footage(organisation: Organisation, public_id: str) -> Footage:
    found = Footage.objects.filter(organisation=organisation, public_id=public_id).first()
    if found is None:
        raise ReplicaMissing("There is no such footage.", footage=public_id)
    return found


def conversation(organisation: Organisation, public_id: str) -> Conversation:
    found = Conversation.objects.filter(organisation=organisation, public_id=public_id).select_related(
        "organisation", "version__replica", "persona").first()
    if found is None:
        raise ConversationMissing("There is no such conversation.", conversation=public_id)
    return found


def live_conversations(organisation: Organisation) -> list[Conversation]:
    """Sessions that a viewer holds now, oldest first."""
    found = Conversation.objects.filter(organisation=organisation, state__in=("joining", "live"))
    return list(
        found.select_related("organisation", "version__replica", "persona", "live_state").order_by("created_at")
    )


def unsealed_lately(organisation: Organisation, *, now: datetime) -> list[Conversation]:
    """Sessions of the last day that are over and in which a frame without seal was held for sending. Newest first."""
    found = Conversation.objects.filter(
        organisation=organisation, state="ended", ended_at__gt=now - UNSEALED_SHOWN_FOR,
        live_state__counters__unsealed_sent__gt=0)
    return list(found.select_related("organisation", "version__replica", "persona", "live_state").order_by("-ended_at"))


# Where each stage of a training lies in the one bar a person sees: (start, width).
STAGE_SPANS = {
    "fetch": (0.0, 0.02),
    "track": (0.02, 0.28),
    "fit": (0.30, 0.62),
    "report": (0.92, 0.05),
    "upload": (0.97, 0.03),
}


def share_done(step: TrainingStep) -> float:
    """How far a training is, 0..1, from its last word."""
    start, width = STAGE_SPANS.get(step.stage, (0.0, 0.0))
    return start + width * step.done
