"""What a render slot asks of control about its lease: claim, keys, renewal, events.

On the wire a lease is "<job id>-<epoch>", so that each message names the epoch it speaks for and a message of an older
epoch finds nothing.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError

from rendering import protocol
from rendering.services import reading, sessions, training
from trustcore.audit import recording
from trustcore.audit.actions import Action
from trustcore.audit.actors import Actor
from trustcore.jobs.errors import ClaimInvalid, KeyAlreadyReleased, LeaseLost
from trustcore.jobs.models import Job, KeyRelease, Slot, Worker
from trustcore.jobs.services import leases
from trustcore.keys.services import blobs, release
from trustcore.primitives.errors import Refusal, SignatureInvalid
from trustcore.primitives.signing import unb64, verify_statement

LAST_WORDS_WITHIN = timedelta(minutes=10)  # a recording of an hour is on its way for a while


def wire_id(job: Job) -> str:
    return f"{job.public_id}-{job.epoch}"


def held(lease_id: str, *, worker: Worker, now: datetime) -> Job:
    """The job that this worker holds under this wire id. Raises LeaseLost, see `leases.held`."""
    job_id, epoch = _parse(lease_id)
    return leases.held(job_id, worker_id=worker.public_id, epoch=epoch, now=now)


def held_or_just_over(lease_id: str, *, worker: Worker, now: datetime) -> Job:
    """The job of this worker's epoch even when it is just over: for its last words (finish, recording), which may come
    after a revocation. Raises LeaseLost, also once LAST_WORDS_WITHIN has passed.
    """
    job_id, epoch = _parse(lease_id)
    job = Job.objects.select_related("slot__worker").filter(public_id=job_id, epoch=epoch, slot__worker=worker).first()
    if job is None or (job.finished_at is not None and now - job.finished_at > LAST_WORDS_WITHIN):
        raise LeaseLost("This lease is not yours.", lease=lease_id)
    return job


def _parse(lease_id: str) -> tuple[str, int]:
    job_id, _, epoch = lease_id.rpartition("-")
    if not job_id or not epoch.isdigit():
        raise LeaseLost("There is no such lease.", lease=lease_id)
    return job_id, int(epoch)


def claim_next(*, slot: Slot, kinds: list[str], now: datetime) -> protocol.Lease | None:
    """Lease the next piece of work that may still be done to this slot, or None.

    Work whose ground went away while it waited (consent withdrawn, replica stopped) is ended here and never handed out.
    """
    allowed = [kind for kind in kinds if kind in slot.capabilities and kind in ("session", "training")]
    while (job := leases.claim(kinds=allowed, slot=slot, now=now)) is not None:
        lease = _owner(job).make_lease(job, wire_id(job), now=now)
        if lease is not None:
            return lease
    return None


def _owner(job: Job) -> Any:
    """The module that knows what a job of this kind stands on."""
    return sessions if job.kind == "session" else training


def release_keys(*, job: Job, worker: Worker, signed_claim: Mapping[str, Any], now: datetime) -> protocol.KeyRelease:
    """Seal this lease's keys to the slot's ephemeral key, once per epoch.

    Raises:
        ClaimInvalid: the proof is not this worker's, or names another lease, epoch, nonce, build or grant.
        KeyAlreadyReleased: keys of this epoch have left.
        LeaseLost: the ground of a session is gone (`sessions.reason_to_stop`).
        Refusal: a training's consent no longer holds, or a key was destroyed.
    """
    terms = _owner(job).release_terms(job, now=now)
    claim = verify_claim(job=job, worker=worker, signed_claim=signed_claim, grant_sha256=terms.grant_sha256)
    actor = Actor.worker(worker.public_id)
    aad = protocol.release_aad(terms.grant_sha256, wire_id(job), job.epoch, terms.replica_version)
    try:
        with recording.recording(actor=actor, action=Action.LEASE_CLAIMED, obj=terms.reference) as event:
            KeyRelease.objects.create(
                job=job, epoch=job.epoch, ephemeral_public=claim["ephemeral_public"], released_at=now
            )
            Job.objects.filter(id=job.id).update(claim=dict(signed_claim))
            event.add(
                lease=job.public_id,
                epoch=job.epoch,
                slot=job.slot.public_id if job.slot else "",
                build_sha256=claim["build_sha256"],
                grant_sha256=terms.grant_sha256,
                replica_version=terms.replica_version,
            )
            sealed = release.seal_keys(
                actor=actor, lease=terms.reference, info=protocol.RELEASE_INFO, aad=aad,
                ephemeral_public=unb64(claim["ephemeral_public"]), read=terms.read, write_key_id=terms.write_key_id,
                write_contexts=terms.write_contexts, extra={"mark": terms.mark})
    except IntegrityError as error:
        raise KeyAlreadyReleased(
            "The keys of this lease have been released already. Claim again.", lease=job.public_id
        ) from error
    return protocol.KeyRelease(sealed=sealed, aad=aad)


def verify_claim(*, job: Job, worker: Worker, signed_claim: Mapping[str, Any], grant_sha256: str) -> dict[str, Any]:
    """The claim proof's body, once it fits this lease in every field. Raises ClaimInvalid."""
    wrong = ClaimInvalid(
        "The claim proof does not fit this lease. Sign a new one for the lease you hold.", lease=job.public_id
    )
    try:
        claim = verify_statement(signed_claim, protocol.CLAIM_PURPOSE, {worker.verify_key.kid: worker.verify_key})
        ephemeral = claim.get("ephemeral_public")
        if not isinstance(ephemeral, str) or len(unb64(ephemeral)) != 32:
            raise wrong
    except (SignatureInvalid, ValueError) as error:
        raise wrong from error
    build = job.slot.build_sha256 if job.slot else ""
    if claim != protocol.claim_statement(wire_id(job), job.epoch, job.nonce, ephemeral, build, grant_sha256):
        raise wrong
    return claim


def renew(*, job: Job, renewal: Mapping[str, Any], now: datetime) -> protocol.RenewalAnswer:
    """Extend the lease if what it stands on still holds; else say why the slot must stop."""
    reason = job.stop_reason
    if not reason and job.kind == "session":
        reason = sessions.note_renewal(job, renewal, now=now)
    elif not reason and job.kind == "training":
        reason = training.end_if_not_allowed(job, now=now)
    if reason or not leases.renew(job, now=now):
        return protocol.RenewalAnswer(live=False, reason=reason or "lease_expired")
    reader = reading.reader_of(job, now=now) if job.kind == "session" else ""
    return protocol.RenewalAnswer(live=True, reader=reader)


def events_for(job_id: int, after: int, now: datetime) -> list[protocol.LeaseEvent]:
    """What control has to say after event number `after`. A session whose ground went away is ended here, at the
    moment it is noticed.

    Words that wait are handed over first, since a viewer waits for each; the slot asks again at once, and then nothing
    waits and the ground is looked at.
    """
    waiting = leases.events_after(job_id, after)
    if not waiting:
        job = Job.objects.get(id=job_id)
        if job.kind == "session" and not job.stop_reason:
            sessions.end_if_not_allowed(job, now=now)
            waiting = leases.events_after(job_id, after)
    return [protocol.LeaseEvent(number=e.number, kind=e.kind, body=e.body) for e in waiting]  # type: ignore[arg-type]


def topics(job: Job) -> list[str]:
    """What wakes a slot's event poll: words for this lease, and changes around the person or the organisation."""
    return [leases.topic(job.public_id), f"subject:{job.subject_public_id}", f"tenant:{job.tenant}"]


def ciphertext_for(blob_public_id: str, *, worker: Worker, now: datetime) -> bytes:
    """The ciphertext of a blob that a lease this worker holds now may read. Raises LeaseLost for any other."""
    mine = Job.objects.select_related("slot__worker").filter(state="leased", leased_until__gt=now, slot__worker=worker)
    for job in mine:
        try:
            terms = _owner(job).release_terms(job, now=now)
        except Refusal:  # this lease reads nothing any more; another one may
            continue
        if blob_public_id in terms.read.values():
            return blobs.ciphertext(blob_public_id)
    raise LeaseLost("None of your leases reads this file.", blob=blob_public_id)
