"""Worker identities and the signature on each of their requests."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import connection

from trustcore.audit import recording
from trustcore.audit.actions import Action
from trustcore.jobs.errors import WorkerReplay, WorkerUnknown
from trustcore.jobs.models import Slot, Worker, WorkerNonce
from trustcore.primitives.clock import from_rfc3339
from trustcore.primitives.errors import SignatureInvalid
from trustcore.primitives.ids import new_id
from trustcore.primitives.signing import b64, statement_bytes, unb64

PURPOSE = "worker-request"
MAX_SKEW = timedelta(seconds=30)


def register(*, actor: recording.Actor, name: str, public_key: bytes, public_id: str | None = None) -> Worker:
    """Trust a worker's public key (32 bytes). A key that is already registered is returned as it stands."""
    text = b64(public_key)
    known = Worker.objects.filter(public_key=text).first()
    if known is not None:
        return known
    worker = Worker(public_id=public_id or new_id("worker"), name=name, public_key=text)
    with recording.recording(actor=actor, action=Action.WORKER_REGISTERED, obj=worker):
        worker.save(force_insert=True)
    return worker


def announce(
    *, worker: Worker, slot_id: str, build_sha256: str, capabilities: list[str], size_px: int, frames_per_s: int,
    now: datetime,
) -> Slot:
    """Note that a slot of this worker is there. A slot id of another worker is refused."""
    if Slot.objects.filter(public_id=slot_id).exclude(worker=worker).exists():
        raise WorkerUnknown("This slot belongs to another worker. Choose another slot id.", slot=slot_id)
    slot, _ = Slot.objects.update_or_create(
        public_id=slot_id,
        defaults={
            "worker": worker, "build_sha256": build_sha256, "capabilities": capabilities, "size_px": size_px,
            "frames_per_s": frames_per_s, "seen_at": now,
        },
    )
    return slot


def slot_of(worker: Worker, slot_id: str, *, now: datetime) -> Slot:
    """The announced slot of this worker. Raises WorkerUnknown when it has not announced itself."""
    slot = Slot.objects.filter(public_id=slot_id, worker=worker).first()
    if slot is None:
        raise WorkerUnknown("This slot has not announced itself. Send POST /worker/v1/slots first.", slot=slot_id)
    Slot.objects.filter(id=slot.id).update(seen_at=now)
    return slot


def authenticate(*, worker_id: str, statement: Mapping[str, str], signature: str, now: datetime) -> Worker:
    """The worker that signed this request, once.

    Args:
        statement: {"method", "path", "body_sha256", "sent_at", "nonce"} as the receiver saw them, never as the sender
            claims them.
        signature: b64 Ed25519 over the statement with purpose "worker-request".

    Raises:
        WorkerUnknown: as `signer_of`.
        WorkerReplay: this very request came before.
    """
    worker = signer_of(worker_id=worker_id, statement=statement, signature=signature, now=now)
    _count_once(worker, statement["nonce"], from_rfc3339(statement["sent_at"]))
    return worker


def signer_of(*, worker_id: str, statement: Mapping[str, str], signature: str, now: datetime) -> Worker:
    """The worker whose signature this is, however often it was seen.

    Raises:
        WorkerUnknown: the worker is not registered or not active, the time is off by more than 30 s, or the signature
            does not fit. One message for all.
    """
    unknown = WorkerUnknown("This request is not signed by a worker registered here. Register its public key first.")
    worker = Worker.objects.filter(public_id=worker_id, is_active=True).first()
    if worker is None or not 0 < len(statement["nonce"]) <= 32:
        raise unknown
    try:
        sent_at = from_rfc3339(statement["sent_at"])
        worker.verify_key.verify(unb64(signature), statement_bytes(PURPOSE, dict(statement)))
    except (SignatureInvalid, ValueError) as error:
        raise unknown from error
    if abs(now - sent_at) > MAX_SKEW:
        raise unknown
    return worker


def _count_once(worker: Worker, nonce: str, sent_at: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO trustcore_jobs_worker_nonce (worker_id, nonce, sent_at) VALUES (%s, %s, %s) "
            "ON CONFLICT DO NOTHING",
            [worker.id, nonce, sent_at],
        )
        if cursor.rowcount != 1:
            raise WorkerReplay("This signed request was used before. Sign a new one.")


def forget_old_nonces(now: datetime) -> None:
    """Nonces older than twice the allowed skew cannot be used again anyway: their time is refused first."""
    WorkerNonce.objects.filter(sent_at__lt=now - 2 * MAX_SKEW).delete()
