"""Training as a leased job: what the slot is told, what it hands in, and what becomes of the version.

All a worker hands in is ciphertext under one data key of the version. Control keeps the blobs, and opens only the
manifest, the report and the pictures, because people have to decide about them.
"""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from consent import selectors as consents
from rendering import protocol
from rendering.errors import TrainingRefused
from rendering.models import Artefact, Footage, Replica, ReplicaVersion, TrainingStep
from rendering.services import quality
from rendering.services.release_terms import ReleaseTerms
from rendering.states import REPLICA_VERSION
from trustcore.accounts.models import User
from trustcore.audit import recording
from trustcore.audit.actions import Action
from trustcore.audit.actors import Actor, reference_to
from trustcore.jobs.errors import LeaseLost
from trustcore.jobs.models import Job
from trustcore.jobs.services import leases
from trustcore.keys.services import blobs, data_keys
from trustcore.primitives.errors import EnvelopeInvalid, Refusal
from trustcore.primitives.hashing import sha256_hex, statement_sha256
from trustcore.primitives.states import next_state
from trustcore.web.errors import RequestInvalid

LEASE_LIFETIME_S = 6.0
MAX_ATTEMPTS = 5
REQUIRED_FILES = ("model.safetensors", "manifest.json", "report.json")
DONE_WORDS = ("done", "finished", "completed")
MAX_ARTEFACTS = 64
DEFAULT_ITERATIONS = 12_000  # about as many as two cores make in the time that a fit may take
STAGES = ("fetch", "track", "fit", "report", "upload")


def start(
    *, actor: Actor, author: User, replica: Replica, footage: Footage, iterations: int, now: datetime
) -> ReplicaVersion:
    """Make a new version of a replica from accepted footage and queue its training.

    Raises:
        TrainingRefused: the footage is not accepted or not this person's.
        Refusal: no live consent, or no verified identity.
    """
    if footage.state != "accepted" or footage.subject_public_id != replica.subject_public_id:
        raise TrainingRefused("This footage cannot be used. Choose footage of this person that passed its checks.")
    consents.consent_in_force(replica.subject_public_id, now=now)
    number = replica.versions.count() + 1
    version = ReplicaVersion(
        public_id=f"{replica.public_id}.{number}", replica=replica, number=number, footage=footage, author=author,
        iterations=iterations,
    )
    with recording.recording(actor=actor, action=Action.TRAINING_REQUESTED, obj=version) as event:
        version.output_data_key_id = data_keys.new(replica.subject_public_id, version.key_context, actor=actor).id
        job = leases.enqueue(
            kind="training", tenant=version.tenant, object_id=version.public_id,
            subject_public_id=replica.subject_public_id,
            idempotency_key=f"training:{version.public_id}", lease_lifetime_s=LEASE_LIFETIME_S, is_repeatable=True,
            max_attempts=MAX_ATTEMPTS,
        )
        version.job_public_id = job.public_id
        version.save(force_insert=True)
        event.add(footage=footage.public_id, iterations=iterations, job=job.public_id)
    return version


def version_of(job: Job) -> ReplicaVersion:
    return ReplicaVersion.objects.select_related("replica__organisation", "footage", "author").get(
        public_id=job.object_id
    )


# --- what the slot is told --------------------------------------------------------------------------------------------


def job_statement(version: ReplicaVersion) -> dict[str, Any]:
    """The canonical statement of a training job; its hash stands where a session has its grant's hash."""
    return {
        "job_id": version.job_public_id, "subject_id": version.subject_public_id,
        "footage_blob": version.footage.blob_public_id,
        "checkpoint_blob": version.checkpoint_blob_id or None, "config": {"iterations": version.iterations},
    }


def make_lease(job: Job, lease_id: str, *, now: datetime) -> protocol.Lease | None:
    """What the slot gets with its lease. None when the person no longer agrees; the training has failed then."""
    version = version_of(job)
    try:
        consents.consent_in_force(version.subject_public_id, now=now)
    except Refusal as refusal:
        fail(job, reason=refusal.code, now=now)
        return None
    action = Action.TRAINING_RESUMED if job.attempt > 1 else Action.TRAINING_STARTED
    with recording.recording(actor=_worker(job), action=action, obj=version) as event:
        event.add(
            job=job.public_id, epoch=job.epoch, attempt=job.attempt, has_checkpoint=bool(version.checkpoint_blob_id)
        )
    return protocol.Lease(
        lease_id=lease_id, kind="training", epoch=job.epoch, nonce=job.nonce, grant=None, job=job_statement(version),
        blobs=_files(version),
        facts={"lease_lifetime_s": job.lease_lifetime_s},
    )


def release_terms(job: Job, *, now: datetime) -> ReleaseTerms:
    """What the keys of this job are bound to, and which they are. An artefact without a context of its own is encrypted
    in the context `contexts["*"] + name`. Raises Refusal when the person no longer agrees.
    """
    version = version_of(job)
    consents.consent_in_force(version.subject_public_id, now=now)
    contexts = {name: version.file_context(name) for name in (*REQUIRED_FILES, "checkpoint")}
    return ReleaseTerms(
        grant_sha256=statement_sha256(job_statement(version)), replica_version=version.job_public_id,
        reference=reference_to(version),
        read=_files(version), write_key_id=version.output_data_key_id,
        write_contexts={"*": version.file_context(""), **contexts},
    )


def _files(version: ReplicaVersion) -> dict[str, str]:
    files = {"footage": version.footage.blob_public_id}
    if version.checkpoint_blob_id:
        files["checkpoint"] = version.checkpoint_blob_id
    return files


def end_if_not_allowed(job: Job, *, now: datetime) -> str:
    """Fail a training whose person no longer agrees, at the slot's next word. Returns the reason, or ""."""
    try:
        consents.consent_in_force(job.subject_public_id, now=now)
    except Refusal as refusal:
        fail(job, reason=refusal.code, now=now)
        return refusal.code
    return ""


def _demand_consent(job: Job, *, now: datetime) -> None:
    """Raises LeaseLost when the person no longer agrees; the training has failed then."""
    reason = end_if_not_allowed(job, now=now)
    if reason:
        raise LeaseLost("The person no longer agrees to this training. Stop the work.", reason=reason)


# --- what the slot hands in -------------------------------------------------------------------------------------------


def note_progress(job: Job, body: Mapping[str, Any], *, now: datetime) -> bool:
    """Keep one word about the progress and renew the lease. True when the slot must stop."""
    try:
        told = protocol.TrainingProgress(**body)
    except TypeError as error:
        raise RequestInvalid("Progress has missing or unknown fields.") from error
    if told.stage not in STAGES:
        raise RequestInvalid("The stage is none of fetch, track, fit, report, upload.")
    if not _are_numbers(told.done, told.iteration, *(n for n in (told.psnr_db, told.eta_s) if n is not None)):
        raise RequestInvalid("Progress is told in numbers.")
    TrainingStep.objects.create(
        version=version_of(job), epoch=job.epoch, stage=told.stage, done=min(1.0, max(0.0, float(told.done))),
        iteration=int(told.iteration),
        psnr_db=told.psnr_db, eta_s=told.eta_s, note=str(told.note)[:200], told_at=now,
    )
    return bool(job.stop_reason or end_if_not_allowed(job, now=now)) or not leases.renew(job, now=now)


def _are_numbers(*values: Any) -> bool:
    return all(type(value) in (int, float) and math.isfinite(value) for value in values)


def store_checkpoint(job: Job, ciphertext: bytes, *, now: datetime) -> None:
    """Keep a checkpoint; the one before it goes. The next lease of this job starts from it."""
    _demand_consent(job, now=now)
    version, actor = version_of(job), _worker(job)
    old = version.checkpoint_blob_id
    with recording.recording(actor=actor, action=Action.TRAINING_CHECKPOINTED, obj=version) as event:
        version.checkpoint_blob_id = blobs.put_ciphertext(
            version.output_data_key_id, version.file_context("checkpoint"), ciphertext, actor=actor)
        version.save(update_fields=["checkpoint_blob_id"])
        event.add(job=job.public_id, epoch=job.epoch, blob=version.checkpoint_blob_id, size_bytes=len(ciphertext))
    if old:
        blobs.delete(old, actor=actor, reason="a newer checkpoint took its place")
    leases.renew(job, now=now)


def store_artefact(job: Job, name: str, ciphertext: bytes, *, now: datetime) -> None:
    """Keep one encrypted file of the result."""
    _demand_consent(job, now=now)
    version, actor = version_of(job), _worker(job)
    if not version.artefacts.filter(name=name).exists() and version.artefacts.count() >= MAX_ARTEFACTS:
        raise RequestInvalid(f"A version has at most {MAX_ARTEFACTS} files.")
    blob = blobs.put_ciphertext(version.output_data_key_id, version.file_context(name), ciphertext, actor=actor)
    Artefact.objects.update_or_create(
        version=version, name=name,
        defaults={"blob_public_id": blob, "sha256": sha256_hex(ciphertext), "size_bytes": len(ciphertext)})
    leases.renew(job, now=now)


def finish(job: Job, body: Mapping[str, Any], *, now: datetime) -> None:
    """The slot's last words about a training: done, or why not. Raises LeaseLost when the lease has
    moved on to another slot.
    """
    reason = str(body.get("reason") or "")[:64]
    if job.state != "leased" or (job.leased_until and job.leased_until <= now):
        raise LeaseLost("This training's lease is over. Claim again.", lease=job.public_id)
    _demand_consent(job, now=now)
    if reason not in DONE_WORDS:
        fail(job, reason=reason or "internal", now=now)
        return
    try:
        _complete(job, now=now)
    except (EnvelopeInvalid, TrainingRefused, ValueError) as error:
        fail(job, reason="training.result_unreadable", now=now)
        raise RequestInvalid(
            "The result cannot be read. Hand in model, manifest and report again in a new lease."
        ) from error


def _complete(job: Job, *, now: datetime) -> None:
    version, actor = version_of(job), _worker(job)
    missing = [name for name in REQUIRED_FILES if not version.artefacts.filter(name=name).exists()]
    if missing:
        raise TrainingRefused(f"The result lacks {missing[0]}.")
    manifest = open_file(version, "manifest.json", purpose="name the replica", actor=actor)
    report = quality.read_report(open_file(version, "report.json", purpose="quality report", actor=actor))
    quality.check_manifest(manifest, report)
    with recording.recording(actor=actor, action=Action.TRAINING_COMPLETED, obj=version) as event:
        version.state = next_state(REPLICA_VERSION, version.state, "finish")
        version.replica_sha256, version.report, version.finished_at = sha256_hex(manifest), report, now
        version.save(update_fields=["state", "replica_sha256", "report", "finished_at"])
        leases.finish(job, action="finish", reason="done", now=now)
        event.add(job=job.public_id, replica_sha256=version.replica_sha256,
                  files={a.name: a.sha256 for a in version.artefacts.all()})
    if version.checkpoint_blob_id:
        blobs.delete(version.checkpoint_blob_id, actor=actor, reason="training is done")


def open_file(version: ReplicaVersion, name: str, *, purpose: str, actor: Actor) -> bytes:
    """One file of a version in the clear, on the record. Raises Artefact.DoesNotExist, or what `blobs.get` raises."""
    return blobs.get(
        version.artefacts.get(name=name).blob_public_id, version.file_context(name), purpose=purpose, actor=actor
    )


def fail(job: Job, *, reason: str, now: datetime, action: str = "fail") -> None:
    """The training cannot be finished: the version failed, the job is over."""
    version = version_of(job)
    if version.state != "training":
        leases.finish(job, action=action, reason=reason, now=now)
        return
    with recording.recording(actor=_worker(job), action=Action.TRAINING_FAILED, obj=version, reason=reason) as event:
        version.state = next_state(REPLICA_VERSION, version.state, "fail")
        version.failure, version.finished_at = reason[:64], now
        version.save(update_fields=["state", "failure", "finished_at"])
        leases.finish(job, action=action, reason=reason, now=now)
        event.add(job=job.public_id, attempt=job.attempt)


def _worker(job: Job) -> Actor:
    return Actor.worker(job.slot.worker.public_id) if job.slot else Actor.system("reaper")
