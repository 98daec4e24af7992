"""Every action the log can hold: noun, dot, what happened to it. `.refused` is written when the rule said no.

Append to the list of your noun; `docs/events.md` has a line for each (tests/architecture).
"""

from enum import StrEnum


class Action(StrEnum):
    # people and programs
    ORGANISATION_CREATED = "organisation.created"
    USER_CREATED = "user.created"
    MEMBERSHIP_GRANTED = "membership.granted"
    MEMBERSHIP_REVOKED = "membership.revoked"
    SESSION_STARTED = "session.started"
    SESSION_REFUSED = "session.refused"
    PASSKEY_ADDED = "passkey.added"
    PASSKEY_REMOVED = "passkey.removed"
    API_KEY_CREATED = "api_key.created"
    API_KEY_REVOKED = "api_key.revoked"
    API_KEY_REFUSED = "api_key.refused"
    PERMISSION_REFUSED = "permission.refused"
    # the person depicted
    SUBJECT_CREATED = "subject.created"
    SUBJECT_CHANGED = "subject.changed"
    INVITATION_SENT = "invitation.sent"
    INVITATION_OPENED = "invitation.opened"
    INVITATION_EXPIRED = "invitation.expired"
    INVITATION_CANCELLED = "invitation.cancelled"
    INVITATION_DECLINED = "invitation.declined"
    NOTICE_PUBLISHED = "notice.published"
    CONSENT_GIVEN = "consent.given"
    CONSENT_WITHDRAWN = "consent.withdrawn"
    CONSENT_EXPIRED = "consent.expired"
    CONSENT_SUSPENDED = "consent.suspended"
    CONSENT_RESUMED = "consent.resumed"
    CLIP_SUBMITTED = "clip.submitted"
    CLIP_REFUSED = "clip.refused"
    IDENTITY_CHECK_FINISHED = "identity_check.finished"
    IDENTITY_CHECK_FAILED = "identity_check.failed"
    IDENTITY_VERIFIED = "identity.verified"
    IDENTITY_REJECTED = "identity.rejected"
    IDENTITY_REFUSED = "identity.refused"
    IDENTITY_CLIP_REQUESTED = "identity.clip_requested"
    # approvals
    APPROVAL_REQUESTED = "approval.requested"
    APPROVAL_SIGNED = "approval.signed"
    APPROVAL_COMPLETED = "approval.completed"
    APPROVAL_REJECTED = "approval.rejected"
    APPROVAL_VOIDED = "approval.voided"
    APPROVAL_EXPIRED = "approval.expired"
    APPROVAL_REFUSED = "approval.refused"
    # replica and training
    FOOTAGE_STARTED = "footage.started"
    FOOTAGE_UPLOADED = "footage.uploaded"
    FOOTAGE_CHECKED = "footage.checked"
    FOOTAGE_REFUSED = "footage.refused"
    TRAINING_REQUESTED = "training.requested"
    TRAINING_STARTED = "training.started"
    TRAINING_CHECKPOINTED = "training.checkpointed"
    TRAINING_RESUMED = "training.resumed"
    TRAINING_COMPLETED = "training.completed"
    TRAINING_FAILED = "training.failed"
    REPLICA_CREATED = "replica.created"
    REPLICA_SUBMITTED = "replica.submitted"
    REPLICA_SUSPENDED = "replica.suspended"
    REPLICA_RESUMED = "replica.resumed"
    # emotion policy
    POLICY_CREATED = "policy.created"
    POLICY_EDITED = "policy.edited"
    POLICY_SUBMITTED = "policy.submitted"
    # live use
    PERSONA_CREATED = "persona.created"
    CONVERSATION_CREATED = "conversation.created"
    CONVERSATION_REFUSED = "conversation.refused"
    CONVERSATION_JOINED = "conversation.joined"
    CONVERSATION_STARTED = "conversation.started"
    CONVERSATION_REJOINED = "conversation.rejoined"
    REJOIN_REFUSED = "rejoin.refused"
    CONVERSATION_CHANGED = "conversation.changed"
    CONVERSATION_ENDED = "conversation.ended"
    CONVERSATION_KILLED = "conversation.killed"
    WORKER_REGISTERED = "worker.registered"
    LEASE_CLAIMED = "lease.claimed"
    SEGMENT_RECORDED = "segment.recorded"
    EMOTION_CLAMPED = "emotion.clamped"
    RUNG_CHANGED = "rung.changed"
    PART_FAILED = "conversation.part_failed"
    FRAME_UNSEALED = "frame.unsealed"
    PERCEPTION_CONSENTED = "perception.consented"
    PERCEPTION_REVOKED = "perception.revoked"
    PERCEPTION_REFUSED = "perception.refused"
    MANIFEST_SIGNED = "manifest.signed"
    MANIFEST_REFUSED = "manifest.refused"
    CLAIM_CERTIFICATE_ISSUED = "claim_certificate.issued"
    CLAIM_CERTIFICATE_RETIRED = "claim_certificate.retired"
    CLAIM_CERTIFICATE_REVOKED = "claim_certificate.revoked"
    STATUS_LIST_ISSUED = "status_list.issued"
    KILL_SWITCH_PULLED = "kill_switch.pulled"
    KILL_SWITCH_LIFT_ASKED = "kill_switch.lift_asked"
    KILL_SWITCH_LIFTED = "kill_switch.lifted"
    SERVICE_TARGETS_CHANGED = "service_targets.changed"
    # keys and stored things
    KEY_CREATED = "key.created"
    KEY_UNWRAPPED = "key.unwrapped"
    KEY_RELEASED = "key.released"
    KEY_REFUSED = "key.refused"
    KEY_DESTRUCTION_BEGUN = "key.destruction_begun"
    KEY_DESTROYED = "key.destroyed"
    BLOB_STORED = "blob.stored"
    BLOB_DELETED = "blob.deleted"
    HOLD_PLACED = "hold.placed"
    HOLD_LIFTED = "hold.lifted"
    # after
    RECORDING_CREATED = "recording.created"
    RECORDING_SIGNED = "recording.signed"
    RECORDING_VIEWED = "recording.viewed"
    STILL_SIGNED = "still.signed"
    EXPORT_REQUESTED = "export.requested"
    EXPORT_COMPLETED = "export.completed"
    EXPORT_DOWNLOADED = "export.downloaded"
    EXPORT_FAILED = "export.failed"
    LATENCY_REPORT_MADE = "latency_report.made"
    FILE_VERIFIED = "file.verified"
    LOG_SEARCHED = "log.searched"


# Where "The noun was verb" does not say it.
_MEANINGS: dict[Action, str] = {
    Action.SESSION_STARTED: "Somebody signed in.",
    Action.SESSION_REFUSED: "A sign-in failed.",
    Action.PERMISSION_REFUSED: "Somebody asked for what their roles do not allow.",
    Action.API_KEY_REFUSED: "A request came with an unknown, wrong or revoked API key.",
    Action.CONVERSATION_REFUSED: "The rules did not allow a conversation; the reasons are in the event.",
    Action.CONVERSATION_REJOINED: "The viewer of a conversation connected again, after a reload or a lost line.",
    Action.REJOIN_REFUSED: "Somebody tried to connect again and was refused; the reason is in the event.",
    Action.CONVERSATION_KILLED: "An officer stopped a conversation with the kill switch.",
    Action.APPROVAL_COMPLETED: "The second approver signed, so the approval is in force.",
    Action.EMOTION_CLAMPED: "An emotion was asked for above its limit and shown at the limit.",
    Action.PART_FAILED: "A part of a conversation (ears, brain, voice) failed and was spoken around.",
    Action.FRAME_UNSEALED: "Alarm: frames held for sending were not both marked and signed. The session ends.",
    Action.PERCEPTION_CONSENTED: "A viewer read the notice and agreed to be perceived; the event says how far.",
    Action.PERCEPTION_REVOKED: "A viewer took that back. It ended at once.",
    Action.PERCEPTION_REFUSED: "Perception was asked for and not loaded; the event names the rule and the law.",
    Action.RUNG_CHANGED: "A viewer gets more or less picture and sound than before, as the line carries.",
    Action.SEGMENT_RECORDED: "One second of sent frames: the Merkle root over their hashes.",
    Action.KEY_UNWRAPPED: "A key was opened for the purpose that the event states.",
    Action.KEY_RELEASED: "Keys were sealed to one render slot for one lease.",
    Action.KEY_REFUSED: "A slot asked for keys and did not get them.",
    Action.KEY_DESTRUCTION_BEGUN: "A subject's key is about to be destroyed. From here on it counts as gone.",
    Action.KEY_DESTROYED: "A subject's key is gone; what it protected cannot be read again.",
    Action.STILL_SIGNED: "One picture of a recording was signed as a JPEG and handed out.",
    Action.CLAIM_CERTIFICATE_ISSUED: "The claim signer got a new certificate.",
    Action.CLAIM_CERTIFICATE_RETIRED: "A claim signer's certificate gave way to another; what it signed stays good.",
    Action.CLAIM_CERTIFICATE_REVOKED: "A claim signer's certificate was revoked. What it signed is not to be trusted.",
    Action.STATUS_LIST_ISSUED: "The authority signed a fresh list of revoked certificates.",
    Action.SERVICE_TARGETS_CHANGED: "An officer changed what viewers are promised; the event has both.",
    Action.LATENCY_REPORT_MADE: "A report on what viewers measured was made; the event names its hash.",
    Action.LOG_SEARCHED: "Somebody searched the audit log.",
}


def meaning(action: Action) -> str:
    """What the event says happened, in one sentence."""
    if action in _MEANINGS:
        return _MEANINGS[action]
    noun, _, verb = action.value.partition(".")
    text = f"{noun} was {verb}".replace("_", " ").replace("api key", "API key")
    return f"A{'n' if text[0] in 'aeiAEI' else ''} {text}."
