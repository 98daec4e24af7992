"""Two people's passkeys over one statement. The statement is built by whoever owns the thing that is approved.

What holds: two distinct persons with active approver memberships of different titles, neither the author, each with an
own credential; each signature answers one challenge, once, before it expires; user verification is required; a changed
statement is another statement, and voids what was signed before.
"""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from consent import passkeys
from consent.errors import (
    ApprovalClosed,
    ApproverNotAllowed,
    ChallengeUsed,
    PasskeyMissing,
    StatementChanged,
)
from consent.evidence import AssertionInvalid, SignedBody, build_evidence, challenge_bytes, verify_assertion
from consent.models import Approval, ApprovalChallenge, ApprovalRequest
from consent.states import APPROVAL
from trustcore.accounts.models import Membership, Organisation, User
from trustcore.accounts.permissions import Role
from trustcore.audit.recording import Action, Actor, recording, refused
from trustcore.jobs import wakeups
from trustcore.policy.decisions import SigningFacts, decide_signing
from trustcore.primitives.clock import to_rfc3339, utc_now
from trustcore.primitives.errors import Refusal
from trustcore.primitives.hashing import statement_sha256
from trustcore.primitives.signing import b64
from trustcore.primitives.states import next_state

SIGN_WITHIN = timedelta(hours=48)
LASTS = timedelta(days=365)
CHALLENGE_LIFETIME = timedelta(minutes=5)
OPEN = ("open", "half_signed")


def statement_for(
    kind: str,
    object_public_id: str,
    *,
    question: str,
    text: list[str],
    facts: Mapping[str, Any],
    evidence_url: str = "",
) -> dict[str, Any]:
    """A canonical statement: what a page shows and what a passkey binds to.

    Args:
        kind: "replica", "emotion_policy".
        question: the page's title: "May version 3 of Asha Baruah speak for her?"
        text: whole sentences in the first person, shown in a serif.
        facts: everything the text rests on, as JSON: hashes, versions, figures. Any change is another statement.
        evidence_url: the page that shows the evidence.
    """
    return {"v": 1, "kind": kind, "object": object_public_id, "question": question, "text": list(text),
            "facts": dict(facts), "evidence_url": evidence_url}  # fmt: skip


def begin(
    *,
    actor: Actor,
    organisation: Organisation,
    author: User,
    kind: str,
    object_public_id: str,
    statement: Mapping[str, Any],
    about_subject: str = "",
    expires_at: datetime | None = None,
    now: datetime | None = None,
) -> ApprovalRequest:
    """Ask for two signatures. An open or given approval of another statement about the same object becomes void."""
    now = now or utc_now()
    digest = statement_sha256(dict(statement))
    rows: list[ApprovalRequest] = list(_of_object(kind, object_public_id).filter(state__in=(*OPEN, "approved")))
    for earlier in rows:
        if earlier.statement_sha256 == digest and earlier.state in OPEN:
            return earlier
        _close(actor, earlier, "void", Action.APPROVAL_VOIDED, "The statement changed.")
    request = ApprovalRequest(
        organisation=organisation, kind=kind, object_public_id=object_public_id, about_subject=about_subject,
        statement=dict(statement), statement_sha256=digest, author=author, sign_by=now + SIGN_WITHIN,
        expires_at=expires_at or now + LASTS,
    )  # fmt: skip
    with recording(actor=actor, action=Action.APPROVAL_REQUESTED, obj=request) as event:
        request.save()
        event.add(kind=kind, object=object_public_id, statement_sha256=digest, author=author.public_id)
    return request


def void(*, actor: Actor, kind: str, object_public_id: str, reason: str) -> int:
    """Void every open or given approval of an object, because it was edited. Returns how many."""
    rows = list(_of_object(kind, object_public_id).filter(state__in=(*OPEN, "approved")))
    for request in rows:
        _close(actor, request, "void", Action.APPROVAL_VOIDED, reason)
    return len(rows)


def send_back(*, actor: Actor, user: User, request: ApprovalRequest, reason: str) -> None:
    """An approver says no, with a reason. Raises ApproverNotAllowed for anybody who may not sign."""
    _title_of_approver(actor, user, request)
    _close(actor, request, "send_back", Action.APPROVAL_REJECTED, reason[:400])


def take_back(*, actor: Actor, user: User, request: ApprovalRequest, reason: str) -> None:
    """An approver ends an approval that was given or waits for signatures, with a reason. Sessions that stand on it end
    with it.

    Raises:
        ApproverNotAllowed: this person may not sign such a statement, so they may not end it either.
        InvalidTransition: it is over already.
    """
    _title_of_approver(actor, user, request)
    _close(actor, request, "void", Action.APPROVAL_VOIDED, reason[:400])


def challenge(*, actor: Actor, user: User, request: ApprovalRequest, now: datetime | None = None) -> dict[str, Any]:
    """What this person's browser needs to ask a passkey: PublicKeyCredentialRequestOptions as JSON, and the nonce.

    Raises:
        ApproverNotAllowed, ApprovalClosed, PasskeyMissing.
    """
    now = now or utc_now()
    title = _may_sign(actor, user, request, now)
    keys = passkeys.of_user(user)
    if not keys:
        raise PasskeyMissing("You have no passkey yet. Add one in your account, then sign.")
    expires_at = now + CHALLENGE_LIFETIME
    body = SignedBody(
        approval_id=request.public_id, nonce=secrets.token_hex(16), approver_id=user.public_id,
        approver_name=user.display_name, role=title, expires_at=to_rfc3339(expires_at),
        statement_sha256=request.statement_sha256,
    ).to_dict()  # fmt: skip
    ApprovalChallenge.objects.create(request=request, user=user, body=body, nonce=body["nonce"], expires_at=expires_at)
    return {
        "nonce": body["nonce"],
        "publicKey": {
            "challenge": b64(challenge_bytes(body)), "rpId": passkeys.relying_party().rp_id, "timeout": 120_000,
            "userVerification": "required",
            "allowCredentials": [{"type": "public-key", "id": key.credential_id} for key in keys],
        },
    }  # fmt: skip


def sign(
    *, actor: Actor, user: User, request: ApprovalRequest, nonce: str, shown_sha256: str, assertion: Mapping[str, Any],
    now: datetime | None = None,
) -> Approval:  # fmt: skip
    """Take one person's signature. The second one completes the approval.

    Args:
        shown_sha256: hash of the statement that stood on the page this person read.
        assertion: the browser's PublicKeyCredential as JSON.

    Raises:
        ApproverNotAllowed, ApprovalClosed, StatementChanged, ChallengeUsed, AssertionInvalid, PasskeyMissing.
    """
    now = now or utc_now()
    try:
        return _sign(actor, user, request, nonce, shown_sha256, assertion, now)
    except Refusal as error:
        refused(actor=actor, action=Action.APPROVAL_REFUSED, obj=request, reason=error.code)
        raise


def _sign(
    actor: Actor, user: User, request: ApprovalRequest, nonce: str, shown_sha256: str, assertion: Mapping[str, Any],
    now: datetime,
) -> Approval:  # fmt: skip
    title = _may_sign(actor, user, request, now)
    if shown_sha256 != request.statement_sha256:
        raise StatementChanged("The statement changed while you read it. Your signature was not used. Read it again.")
    # Used up by this very statement, whatever comes after: an answer is looked at once.
    mine = ApprovalChallenge.objects.filter(request=request, user=user, nonce=nonce)
    if not mine.filter(used_at__isnull=True, expires_at__gt=now).update(used_at=now):
        raise ChallengeUsed("This signature was used already or came too late. Sign again.")
    body = mine.get().body
    key = next((key for key in passkeys.of_user(user) if key.credential_id == assertion.get("id")), None)
    if key is None:
        raise AssertionInvalid("This passkey is not one of yours. Use your own.", part="credential")
    verified = verify_assertion(
        body=body, assertion=assertion, public_key=key.public_key, credential_id=key.credential_id,
        last_sign_count=_last_sign_count(key.credential_id), party=passkeys.relying_party(),
    )  # fmt: skip
    evidence = build_evidence(
        statement=request.statement, body=body, assertion=assertion, public_key=key.public_key,
        party=passkeys.relying_party(), signed_at=to_rfc3339(now),
    )  # fmt: skip
    signature = Approval(
        request=request, user=user, role=title, credential_id=key.credential_id, credential_name=key.name,
        sign_count=verified.sign_count, evidence=evidence, signed_at=now,
    )  # fmt: skip
    return _record_signature(actor, request, signature, now)


def _record_signature(actor: Actor, request: ApprovalRequest, signature: Approval, now: datetime) -> Approval:
    is_second = request.signatures.exists()
    action = Action.APPROVAL_COMPLETED if is_second else Action.APPROVAL_SIGNED
    with recording(actor=actor, action=action, obj=request) as event:
        event.covers(signature)
        locked = ApprovalRequest.objects.select_for_update().get(pk=request.pk)
        # Under the lock nobody can void or sign in between; what was read before it is checked again.
        _refuse_second_time(actor, locked, signature)
        locked.state = next_state(APPROVAL, locked.state, "sign")
        locked.approved_at = now if locked.state == "approved" else None
        locked.save(update_fields=["state", "approved_at"])
        signature.save()
        event.add(
            kind=request.kind,
            object=request.object_public_id,
            statement_sha256=request.statement_sha256,
            credential_id=signature.credential_id,
            role=signature.role,
            signature=signature.public_id,
        )
    request.refresh_from_db()
    return signature


def _demand_open(request: ApprovalRequest) -> None:
    if request.state not in OPEN:
        raise ApprovalClosed("This is decided already. See the decision.", state=request.state)


def _refuse_second_time(actor: Actor, locked: ApprovalRequest, signature: Approval) -> None:
    _demand_open(locked)
    signed = list(locked.signatures.select_related("user"))
    _title_of_approver(actor, signature.user, locked, signed)
    if any(other.credential_id == signature.credential_id for other in signed):
        raise ApproverNotAllowed("This passkey signed already. A second person must sign with their own.")


def _may_sign(actor: Actor, user: User, request: ApprovalRequest, now: datetime) -> str:
    """The title under which this person may sign this request now."""
    _title_of_approver(actor, user, request)
    _demand_open(request)
    if request.sign_by <= now:
        _close(Actor.system("clock"), request, "expire", Action.APPROVAL_EXPIRED, "Nobody signed in time.")
        raise ApprovalClosed("The time to sign has passed. Ask the author to send it again.", state="expired")
    return _title_of_approver(actor, user, request, signed=list(request.signatures.select_related("user")))


def why_not(*, actor: Actor, user: User, request: ApprovalRequest) -> str:
    """Why this person cannot sign this open request, in a sentence. "" when they can, and when it is decided."""
    if request.state not in OPEN:
        return ""
    try:
        _title_of_approver(actor, user, request, signed=list(request.signatures.select_related("user")))
    except ApproverNotAllowed as refusal:
        return refusal.message
    return ""


def _title_of_approver(actor: Actor, user: User, request: ApprovalRequest, signed: Sequence[Approval] = ()) -> str:
    """The title under which this person may decide about this request beside those who signed. Cedar decides.

    Raises:
        ApproverNotAllowed
    """
    here = Membership.objects.filter(
        user=user, organisation=request.organisation, is_active=True, user__is_active=True
    )
    membership: Membership | None = here.filter(role=Role.APPROVER).first()
    facts = SigningFacts(
        signer=user.public_id, statement_id=request.public_id, author=request.author.public_id,
        is_person=actor.type == "user" and actor.id == user.public_id, may_sign=membership is not None,
        same_tenant=here.exists(), title=membership.title if membership else "",
        signers=tuple(one.user.public_id for one in signed), titles=tuple(one.role for one in signed),
    )  # fmt: skip
    decision = decide_signing(facts)
    if not decision.allowed:
        raise ApproverNotAllowed(decision.message, reasons=decision.reasons)
    return facts.title


def _last_sign_count(credential_id: str) -> int:
    newest = Approval.objects.filter(credential_id=credential_id).order_by("-sign_count").first()
    return newest.sign_count if newest else 0


def _close(actor: Actor, request: ApprovalRequest, act: str, action: Action, reason: str) -> None:
    with recording(actor=actor, action=action, obj=request, reason=reason):
        locked = ApprovalRequest.objects.select_for_update().get(pk=request.pk)
        locked.state, locked.reason = next_state(APPROVAL, locked.state, act), reason
        locked.save(update_fields=["state", "reason"])
        if request.about_subject:  # whoever streams this person looks again, in the same commit
            wakeups.notify(f"subject:{request.about_subject}")
    request.refresh_from_db()


def _of_object(kind: str, object_public_id: str) -> Any:
    return ApprovalRequest.objects.filter(kind=kind, object_public_id=object_public_id)
