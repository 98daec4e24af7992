"""Opening a conversation: gather the facts, ask Cedar, then decision, grant and event in one
transaction. A refusal is an event too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError

from consent import selectors as consents
from consent.selectors import ConsentFacts
from provenance.services import session_manifests
from rendering import selectors
from rendering.errors import ConversationRefused, IdempotencyMismatch
from rendering.models import Conversation, Persona, Replica, ReplicaVersion
from trustcore.accounts.models import Organisation
from trustcore.audit import recording
from trustcore.audit.actions import Action
from trustcore.audit.actors import Actor
from trustcore.jobs.models import Slot
from trustcore.keys.services import holds, signing_keys, subject_keys
from trustcore.policy import clamp, perception
from trustcore.policy import content as contents
from trustcore.policy.decisions import MESSAGES, Decision, Facts, decide
from trustcore.policy.models import EmotionPolicyVersion
from trustcore.primitives.clock import to_rfc3339
from trustcore.primitives.errors import Refusal
from trustcore.primitives.grants import Grant, make_times, sign_grant
from trustcore.primitives.hashing import sha256_hex, statement_sha256
from trustcore.primitives.ids import new_id
from trustcore.primitives.signing import b64, sign_statement, statement_bytes, unb64

# How a refusal by the newest consent reads as a fact for Cedar.
CONSENT_STATES = {
    "consent.missing": "missing", "consent.withdrawn": "withdrawn", "consent.suspended": "suspended",
    "consent.expired": "expired",
}
DISCLOSURES = {
    "en": "You are talking with an AI replica of {name}. {name} agreed to this use and is not on this call.",
    "hi": "आप {name} की एआई प्रतिकृति से बात कर रहे हैं। {name} ने इस उपयोग की सहमति दी है और इस कॉल पर नहीं हैं।",
    "bn": "আপনি {name}-এর এআই প্রতিরূপের সঙ্গে কথা বলছেন। {name} এই ব্যবহারে সম্মতি দিয়েছেন এবং এই কলে নেই।",
    "as": "আপুনি {name}ৰ এআই প্ৰতিৰূপৰ সৈতে কথা পাতিছে। {name}এ এই ব্যৱহাৰত সন্মতি দিছে আৰু এই কলত নাই।",
}


@dataclass(frozen=True)
class Wish:
    """What a caller asks for, already checked for shape and size."""

    replica_id: str
    purpose: str
    audience: str
    country: str
    language: str
    context_of_use: str
    persona: Persona | None = None
    conversation_name: str = ""
    conversational_context: str = ""
    custom_greeting: str = ""
    callback_url: str = ""
    emotion: str = "neutral"
    emotion_milli: int = 0
    properties: Mapping[str, Any] = field(default_factory=dict)
    max_duration_s: int = 3600
    absent_timeout_s: int = 300
    is_recorded: bool = True


@dataclass(frozen=True)
class _Ground:
    """Everything the decision was made upon, for the grant."""

    version: ReplicaVersion | None
    consent: ConsentFacts | None
    policy: EmotionPolicyVersion | None
    approvals: dict[str, Any]


def open_conversation(
    *, actor: Actor, caller_id: str, may_converse: bool, organisation: Organisation, wish: Wish, idempotency_key: str,
    request_sha256: str,
    now: datetime,
) -> Conversation:
    """Grant a conversation, or say why not.

    Args:
        idempotency_key: "" for none. The same key with the same request gives the same conversation.

    Raises:
        ReplicaMissing: no such replica in this organisation.
        ConversationRefused: the rules said no; facts: reasons, decision_id.
        IdempotencyMismatch: the key was used for another request.
    """
    known = _known(organisation, idempotency_key, request_sha256)
    if known is not None:
        return known
    replica = selectors.replica(organisation, wish.replica_id)
    ground, facts = _gather(
        replica, wish, caller_id=caller_id, tenant=organisation.tenant, may_converse=may_converse, now=now
    )
    decision, decision_id = decide(facts), new_id("decision")
    if not decision.allowed or ground.version is None or ground.consent is None or ground.policy is None:
        raise _refuse(actor, replica, wish, decision, decision_id)
    conversation = _build(organisation, actor, wish, ground, decision, decision_id, now=now)
    conversation.idempotency_key, conversation.request_sha256 = idempotency_key or None, request_sha256
    try:
        _keep(conversation, actor=actor, decision=decision, wish=wish)
    except IntegrityError:
        # Of two requests with one key at once, the second finds what the first made.
        known = _known(organisation, idempotency_key, request_sha256)
        if known is None:
            raise
        return known
    _note_perception_refused(conversation, actor, wish)
    return conversation


def _keep(conversation: Conversation, *, actor: Actor, decision: Decision, wish: Wish) -> None:
    with recording.recording(actor=actor, action=Action.CONVERSATION_CREATED, obj=conversation) as event:
        conversation.save(force_insert=True)
        body = conversation.grant["body"]
        event.add(
            decision_id=conversation.decision_id, decision="allow", cedar_sha256=decision.policy_sha256,
            grant_id=body["grant_id"],
            grant_sha256=conversation.grant_sha256, replica_id=body["replica_id"],
            replica_version=body["replica_version"],
            consent_id=body["consent_id"], policy_id=body["policy_id"], policy_version=body["policy_version"],
            purpose=wish.purpose,
            audience=wish.audience, country=wish.country, language=wish.language, context_of_use=wish.context_of_use,
            perception=body.get("perception", "off"), perception_reason=ruling_on(wish).reason)


def ruling_on(wish: Wish) -> perception.Ruling:
    """What may be perceived of the viewer, as the persona asks and the law lets."""
    asked = perception.asked_level(wish.persona.layers) if wish.persona else "off"
    return perception.rule(
        asked, context_of_use=wish.context_of_use, audience=wish.audience, purpose=wish.purpose)


def _note_perception_refused(conversation: Conversation, actor: Actor, wish: Wish) -> None:
    """On the record that perception was asked for and is not loaded. The conversation goes on without it."""
    ruling = ruling_on(wish)
    if ruling.is_refused:
        recording.refused(
            actor=actor, action=Action.PERCEPTION_REFUSED, obj=conversation, reason=ruling.reason,
            details={"context_of_use": wish.context_of_use, "audience": wish.audience, "purpose": wish.purpose,
                     "rule": perception.REASONS[ruling.reason]})


def _known(organisation: Organisation, idempotency_key: str, request_sha256: str) -> Conversation | None:
    if not idempotency_key:
        return None
    known = Conversation.objects.select_related("organisation", "version__replica", "persona").filter(
        organisation=organisation, idempotency_key=idempotency_key).first()
    if known is not None and known.request_sha256 != request_sha256:
        raise IdempotencyMismatch("This idempotency key belongs to another request. Use a new key.")
    return known


# --- facts ------------------------------------------------------------------------------------------------------------


def _gather(
    replica: Replica, wish: Wish, *, caller_id: str, tenant: str, may_converse: bool, now: datetime,
) -> tuple[_Ground, Facts]:
    consent, consent_state = _consent(replica.subject_public_id, now=now)
    version = selectors.speaking_version(replica, now=now)
    approval = selectors.approval_of(version, consent, now=now) if version and consent else None
    in_force = selectors.policy_in_force(replica.public_id, selectors.person_name(replica), now=now)
    policy = in_force[0] if in_force else None
    scope = consent.scope if consent else None
    facts = Facts(
        caller_id=caller_id, caller_tenant=tenant, caller_may_converse=may_converse, replica_id=replica.public_id,
        replica_tenant=replica.tenant, replica_version_approved=version is not None,
        key_exists=subject_keys.exists(replica.subject_public_id),
        identity_verified=consent_state != "missing", consent_state=consent_state, purpose=wish.purpose,
        audience=wish.audience,
        language=wish.language, country=wish.country, context_of_use=wish.context_of_use, now_s=int(now.timestamp()),
        consent_expires_s=int(consent.expires_at.timestamp()) if consent else 0,
        consent_purposes=scope.purposes if scope else (), consent_audiences=scope.audiences if scope else (),
        consent_languages=scope.languages if scope else (), consent_countries=scope.territories if scope else (),
        policy_approved=policy is not None, policy_uses=contents.allowed_uses(policy.content) if policy else (),
        policy_contexts=tuple(policy.content["contexts"]) if policy else (),
        replica_suspended=selectors.suspension_in_force(replica.id) is not None,
        kill_switch_pulled=selectors.kill_switch_in_force(replica.organisation_id) is not None,
        hold_in_force=holds.in_force(replica.subject_public_id),
    )
    approvals = {"replica": approval, "policy": in_force[1] if in_force else None}
    return _Ground(version, consent, policy, approvals), facts


def _consent(subject_public_id: str, *, now: datetime) -> tuple[ConsentFacts | None, str]:
    try:
        return consents.consent_in_force(subject_public_id, now=now), "live"
    except Refusal as refusal:
        return None, CONSENT_STATES.get(refusal.code, "missing")


def _refuse(actor: Actor, replica: Replica, wish: Wish, decision: Decision, decision_id: str) -> ConversationRefused:
    """Record the refusal and return the error to raise. Consent and kill switch come first: they
    are what the caller can act upon.
    """
    reasons = list(decision.reasons) or ["replica.unapproved"]
    reasons.sort(
        key=lambda code: (not code.startswith(("permission.", "kill_switch.")), not code.startswith("consent."))
    )
    recording.refused(
        actor=actor,
        action=Action.CONVERSATION_REFUSED,
        obj=replica,
        reason=reasons[0],
        details={
            "decision_id": decision_id,
            "reasons": reasons,
            "cedar_sha256": decision.policy_sha256,
            "purpose": wish.purpose,
            "audience": wish.audience,
            "country": wish.country,
            "language": wish.language,
            "context_of_use": wish.context_of_use,
        },
    )
    message = MESSAGES.get(reasons[0], f"The rules do not allow this ({reasons[0]}).")
    return ConversationRefused(message, reasons=reasons, decision_id=decision_id)


# --- grant and attestation --------------------------------------------------------------------------------------------


def _build(
    organisation: Organisation, actor: Actor, wish: Wish, ground: _Ground, decision: Decision, decision_id: str, *,
    now: datetime,
) -> Conversation:
    assert ground.version is not None and ground.consent is not None and ground.policy is not None
    conversation_id = new_id("conversation")
    max_duration_s = min(wish.max_duration_s, ground.policy.content["session_max_min"] * 60)
    lifetime = timedelta(seconds=max_duration_s + wish.absent_timeout_s)
    grant = _grant(
        conversation_id, organisation, wish, ground.version, ground.consent, ground.policy, decision, now, lifetime
    )
    return Conversation(
        public_id=conversation_id, organisation=organisation, version=ground.version, persona=wish.persona,
        subject_public_id=ground.version.subject_public_id, api_key_id=actor.id if actor.type == "api_key" else "",
        conversation_name=wish.conversation_name, conversational_context=wish.conversational_context,
        custom_greeting=wish.custom_greeting,
        callback_url=wish.callback_url, properties=dict(wish.properties), emotion=wish.emotion,
        emotion_milli=wish.emotion_milli,
        max_duration_s=max_duration_s, is_recorded=wish.is_recorded, grant=sign_grant(signing_keys.get("grant"), grant),
        grant_sha256=grant.sha256, decision_id=decision_id, attestation=_attestation(grant, ground, decision_id, now),
        join_token_sha256=sha256_hex(join_token(conversation_id).encode()), created_at=now,
    )


def _grant(
    conversation_id: str, organisation: Organisation, wish: Wish, version: ReplicaVersion, consent: ConsentFacts,
    policy: EmotionPolicyVersion, decision: Decision, now: datetime, lifetime: timedelta,
) -> Grant:
    ends = min(now + lifetime, consent.expires_at) - now
    issued_at, not_after = make_times(now, ends)
    limits = clamp.limits_for(
        policy.content["emotions_max_milli"], contents.use_ceiling(policy.content, wish.purpose, wish.audience),
        {emotion: consent.emotion_max_milli(emotion) for emotion in clamp.EMOTIONS})
    disclosure = DISCLOSURES.get(wish.language, DISCLOSURES["en"]).format(name=consent.subject_name)
    return Grant(
        grant_id=new_id("grant"), tenant=organisation.tenant, conversation_id=conversation_id,
        subject_id=version.subject_public_id,
        replica_id=version.replica.public_id, replica_version=version.number, replica_sha256=version.replica_sha256,
        consent_id=consent.public_id, consent_receipt_sha256=consent.receipt_sha256, policy_id=policy.policy.public_id,
        policy_version=policy.number, policy_sha256=policy.sha256, cedar_sha256=decision.policy_sha256,
        persona_id=wish.persona.public_id if wish.persona else "", purpose=wish.purpose, audience=wish.audience,
        country=wish.country,
        language=wish.language, context_of_use=wish.context_of_use, disclosure=disclosure, issued_at=issued_at,
        not_after=not_after, footage_sha256=version.footage.sha256,
        emotion_max_milli=limits, perception=ruling_on(wish).level,
    )


def _attestation(grant: Grant, ground: _Ground, decision_id: str, now: datetime) -> dict[str, Any]:
    """What is in force for this conversation, signed: replica, consent, policy, build and keys."""
    assert ground.consent is not None
    replica_approval, policy_approval = ground.approvals["replica"], ground.approvals["policy"]
    key = signing_keys.get("attestation")
    body = {
        "v": 1, "conversation_id": grant.conversation_id, "decision_id": decision_id, "issued_at": to_rfc3339(now),
        "replica": {"id": grant.replica_id, "version": grant.replica_version, "sha256": grant.replica_sha256,
                    "approval": replica_approval.public_id if replica_approval else "",
                    "approval_statement_sha256": replica_approval.statement_sha256 if replica_approval else ""},
        "consent": {"id": grant.consent_id, "receipt_sha256": grant.consent_receipt_sha256,
                    "expires_at": to_rfc3339(ground.consent.expires_at),
                    "identity_check": ground.consent.identity_check_id},
        "policy": {"id": grant.policy_id, "version": grant.policy_version, "sha256": grant.policy_sha256,
                   "approval": policy_approval.public_id if policy_approval else "",
                   "cedar_sha256": grant.cedar_sha256},
        "grant": {"id": grant.grant_id, "sha256": grant.sha256, "not_after": grant.not_after,
                  "emotion_max_milli": dict(grant.emotion_max_milli)},
        "build": {"worker_build_sha256": sorted(set(Slot.objects.filter(
            worker__is_active=True, seen_at__gt=now - timedelta(minutes=2)).values_list("build_sha256", flat=True)))},
        "keys": {"grant_kid": signing_keys.get("grant").kid, "attestation_kid": key.kid,
                 "signer_certificate_sha256": sha256_hex(unb64(session_manifests.certificate_b64()))},
    }
    return sign_statement(key, "attestation", body)


def join_token(conversation_id: str) -> str:
    """The single-use token of a conversation's link. It is a signature, so that an idempotent retry can be given the
    same link without the token being stored.
    """
    return b64(signing_keys.get("join-token").sign(statement_bytes("join-token", {"conversation_id": conversation_id})))


def request_hash(body: Mapping[str, Any]) -> str:
    return statement_sha256(dict(body))
