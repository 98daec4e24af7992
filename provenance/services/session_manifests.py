"""Session manifests and recordings: ask the signer, keep what it signed, write the event."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from provenance.errors import ClaimProofInvalid
from provenance.manifests import jumbf
from provenance.manifests.recording import SignedRecording
from provenance.models import MarkSlot, SessionManifest, SignedFile
from provenance.services import claim_keys, content_traces, pins, time_stamps
from provenance.services.signer import SignedSession, Signer
from trustcore.audit import recording
from trustcore.audit.actions import Action
from trustcore.audit.actors import Actor, ObjectRef
from trustcore.primitives.errors import Refusal
from trustcore.primitives.hashing import sha256_hex
from trustcore.primitives.signing import b64


def signer() -> Signer:
    """The signing service of the embedded default: in process, behind the interface of a process of its own."""
    return Signer(
        claim_keys.current(), pins.current, former=claim_keys.former(), time_stamps=time_stamps.configured,
    )


def certificate_b64() -> str:
    """The signer's certificate (DER, b64), which session keys bind themselves to: Lease.facts["signer_certificate"]."""
    return b64(signer().certificate_der)


def sign_for_session(
    *, actor: Actor, request: Mapping[str, Any], conversation: ObjectRef, lease_id: str, epoch: int,
    mark_epoch: str, now: datetime,
) -> dict[str, Any]:
    """The signed session manifest for a slot, in the worker protocol's shape.

    Args:
        actor: the worker.
        request: ManifestRequest as JSON types.
        conversation: whose lease the worker holds; with its tenant and subject.
        lease_id, epoch: of the lease as control knows it; the claim must be for the same.
        mark_epoch: name of the watermark key that this session embeds with.

    Raises:
        Refusal: grant, claim or request do not hold. Recorded as `manifest.refused`.
        ManifestSigningFailed: what was signed does not read back. Start no media.
    """
    try:
        signed = signer().sign_session(request, now=now)
        _same_lease(signed, conversation, lease_id, epoch)
    except Refusal as refusal:
        recording.refused(actor=actor, action=Action.MANIFEST_REFUSED, obj=conversation, reason=refusal.code)
        raise
    _keep(actor, signed, conversation, mark_epoch)
    return {
        "init_segment_b64": b64(signed.init.encoded), "manifest_label": signed.init.label,
        "claim_sha256": signed.init.claim_sha256, "chain_pem": signed.chain_pem,
    }


def _same_lease(signed: SignedSession, conversation: ObjectRef, lease_id: str, epoch: int) -> None:
    told = (signed.grant.conversation_id, signed.claim["lease_id"], signed.claim["epoch"])
    if told != (conversation.id, lease_id, epoch):
        raise ClaimProofInvalid("This claim is for another lease.")


def _keep(actor: Actor, signed: SignedSession, conversation: ObjectRef, mark_epoch: str) -> None:
    grant, facts = signed.grant, signed.facts
    manifest = SessionManifest(
        public_id=signed.init.label, claim_sha256=signed.init.claim_sha256, tenant=grant.tenant,
        conversation_id=grant.conversation_id, subject_public_id=grant.subject_id, replica_id=grant.replica_id,
        replica_version=grant.replica_version, consent_id=grant.consent_id, grant_sha256=grant.sha256,
        lease_id=signed.claim["lease_id"], facts=facts.to_assertion(), init_segment=signed.init.encoded,
    )
    with recording.recording(actor=actor, action=Action.MANIFEST_SIGNED, obj=manifest) as event:
        event.covers(conversation)
        manifest.save()
        known = set(MarkSlot.objects.filter(public_id__in=[s.hex_id for s in facts.mark_slots])
                    .values_list("public_id", flat=True))
        for slot in facts.mark_slots:
            # A viewer who connects again gets a new manifest over the same lease and so over the same payload.
            if (public_id := slot.hex_id) not in known:
                row = MarkSlot(public_id=public_id, manifest=manifest, epoch=mark_epoch, start_ms=slot.start_ms,
                               end_ms=slot.end_ms)
                event.covers(row)
                row.save()
                known.add(public_id)
        event.add(
            conversation=grant.conversation_id, grant_sha256=grant.sha256, lease=signed.claim["lease_id"],
            epoch=signed.claim["epoch"], build_sha256=signed.claim["build_sha256"],
            mark_slots=[slot.hex_id for slot in facts.mark_slots],
        )


def sign_recording(
    *, actor: Actor, conversation: ObjectRef, fragment_file: bytes,
) -> SignedRecording:
    """The playable copy of a session, signed as a whole; its manifest row keeps the content trace.

    Raises:
        Refusal: the file does not come from a session of ours. Recorded as `manifest.refused`.
        ManifestSigningFailed: what was signed does not read back.
    """
    signed, manifest = _signed(actor, conversation, lambda: signer().sign_recording(fragment_file))
    trace = content_traces.of_video(signed.encoded)
    with recording.recording(actor=actor, action=Action.RECORDING_SIGNED, obj=manifest or conversation) as event:
        event.covers(conversation)
        event.add(conversation=conversation.id, recording_manifest=signed.label, claim_sha256=signed.claim_sha256,
                  is_time_stamped=signed.is_time_stamped)
        if manifest is not None:
            manifest.recording_claim_sha256, manifest.content_hashes = signed.claim_sha256, trace
            manifest.save(update_fields=["recording_claim_sha256", "content_hashes"])
            # A clip of it may name any manifest that the session had; the trace is of the whole session.
            for later in SessionManifest.objects.filter(conversation_id=conversation.id).exclude(pk=manifest.pk):
                event.covers(later)
                later.content_hashes = trace
                later.save(update_fields=["content_hashes"])
            _keep_signed(event, manifest, SignedFile.Kind.RECORDING, signed)
    return signed


def sign_still(
    *, actor: Actor, conversation: ObjectRef, fragment_file: bytes, at_ms: int,
) -> SignedRecording:
    """One picture of a session as a signed JPEG.

    Raises:
        Refusal: the file does not come from a session of ours. Recorded as `manifest.refused`.
        ManifestSigningFailed: what was signed does not read back.
    """
    signed, manifest = _signed(actor, conversation, lambda: signer().sign_still(fragment_file, at_ms))
    with recording.recording(actor=actor, action=Action.STILL_SIGNED, obj=manifest or conversation) as event:
        event.covers(conversation)
        event.add(conversation=conversation.id, still_manifest=signed.label, claim_sha256=signed.claim_sha256,
                  at_ms=signed.mark_slots[0].start_ms, file_sha256=sha256_hex(signed.encoded),
                  is_time_stamped=signed.is_time_stamped)
        if manifest is not None:
            _keep_signed(event, manifest, SignedFile.Kind.STILL, signed)
    return signed


def labels_of(conversation_id: str) -> frozenset[str]:
    """The labels of the session manifests that were signed for a conversation."""
    return frozenset(
        SessionManifest.objects.filter(conversation_id=conversation_id).values_list("public_id", flat=True))


def init_segments_of(conversation_id: str) -> tuple[bytes, ...]:
    """The session manifests that were signed for a conversation, oldest first."""
    rows = SessionManifest.objects.filter(conversation_id=conversation_id).order_by("created_at", "id")
    return tuple(bytes(row.init_segment) for row in rows)


def _signed(
    actor: Actor, conversation: ObjectRef, sign: Callable[[], SignedRecording],
) -> tuple[SignedRecording, SessionManifest | None]:
    """What the signer made, and the session it belongs to. A refusal goes on the record before it is raised."""
    try:
        signed = sign()
    except Refusal as refusal:
        recording.refused(actor=actor, action=Action.MANIFEST_REFUSED, obj=conversation, reason=refusal.code)
        raise
    return signed, SessionManifest.objects.filter(public_id=signed.session_label).first()


def _keep_signed(
    event: recording.OpenEvent, manifest: SessionManifest, kind: SignedFile.Kind, signed: SignedRecording,
) -> None:
    """What was signed, for whoever finds the file's mark later (provenance/services/resolution.py)."""
    row = SignedFile(
        public_id=signed.label, kind=kind, manifest=manifest, claim_sha256=signed.claim_sha256,
        mark_values=[slot.hex_id for slot in signed.mark_slots], store=jumbf.store_of(signed.encoded),
    )
    event.covers(row)
    row.save(force_insert=True)
