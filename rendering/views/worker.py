"""The addresses under /worker/v1: parse, call one service, shape the answer. `rendering/protocol.py` lists them."""

from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

from rendering import protocol
from rendering.models import Conversation
from rendering.services import answers, leasing, reading, reaping, recordings, sessions, training
from rendering.views.worker_calls import look_until, parse_object, worker_call, worker_poll
from trustcore.jobs.models import Job, Slot, Worker
from trustcore.jobs.services import leases, workers
from trustcore.primitives.clock import utc_now
from trustcore.web.errors import RequestInvalid

MIB = 1024 * 1024
MAX_RECORDING_BYTES = 1024 * MIB
MAX_CHECKPOINT_BYTES = 256 * MIB
MAX_ARTEFACT_BYTES = 256 * MIB


@worker_call("POST")
def slots(request: HttpRequest, worker: Worker, data: bytes) -> HttpResponseBase:
    body = parse_object(data)
    try:
        hello = protocol.SlotHello(**body)
    except TypeError as error:
        raise RequestInvalid("A slot's hello has missing or unknown fields.") from error
    if hello.worker_id != worker.public_id or hello.version != protocol.PROTOCOL_VERSION:
        raise RequestInvalid("This slot speaks for another worker or another protocol version.")
    workers.announce(
        worker=worker, slot_id=str(hello.slot_id)[:40], build_sha256=str(hello.build_sha256)[:64],
        capabilities=list(hello.capabilities),
        size_px=int(hello.size_px), frames_per_s=int(hello.frames_per_s), now=utc_now(),
    )
    return JsonResponse({"poll_timeout_s": protocol.POLL_TIMEOUT_S})


@worker_poll("POST")
async def claim(request: HttpRequest, worker: Worker, data: bytes) -> HttpResponseBase:
    body = parse_object(data)
    kinds = [kind for kind in body.get("kinds", []) if isinstance(kind, str)]

    def look() -> protocol.Lease | None:
        slot: Slot = workers.slot_of(worker, str(body.get("slot_id", "")), now=utc_now())
        reaping.reap(utc_now())  # an idle slot looks every few seconds; what ran out may be its next work
        return leasing.claim_next(slot=slot, kinds=kinds, now=utc_now())

    lease = await look_until(look, [leases.QUEUE_TOPIC], timeout_s=protocol.POLL_TIMEOUT_S, look_again_s=2.0)
    return HttpResponse(status=204) if lease is None else JsonResponse(protocol.to_json(lease))


@worker_poll("GET")
async def events(request: HttpRequest, worker: Worker, data: bytes, lease_id: str) -> HttpResponseBase:
    text = request.GET.get("after", "0")
    if not text.isdigit():
        raise RequestInvalid("after must be a number.")

    def find() -> Job:
        return leasing.held_or_just_over(lease_id, worker=worker, now=utc_now())

    job = await sync_to_async(find)()
    found = await look_until(
        lambda: leasing.events_for(job.id, int(text), utc_now()) or None, leasing.topics(job),
        timeout_s=protocol.POLL_TIMEOUT_S)
    return JsonResponse({"events": [protocol.to_json(event) for event in found or []]})


@worker_call("POST")
def key(request: HttpRequest, worker: Worker, data: bytes, lease_id: str) -> HttpResponseBase:
    job = leasing.held(lease_id, worker=worker, now=utc_now())
    signed_claim = _object(parse_object(data), "claim")
    release = leasing.release_keys(job=job, worker=worker, signed_claim=signed_claim, now=utc_now())
    return JsonResponse(protocol.to_json(release))


@worker_call("POST")
def renew(request: HttpRequest, worker: Worker, data: bytes, lease_id: str) -> HttpResponseBase:
    job = leasing.held_or_just_over(lease_id, worker=worker, now=utc_now())
    return JsonResponse(protocol.to_json(leasing.renew(job=job, renewal=parse_object(data), now=utc_now())))


@worker_call("POST")
def answer(request: HttpRequest, worker: Worker, data: bytes, lease_id: str) -> HttpResponseBase:
    job = _session(lease_id, worker)
    return JsonResponse(
        answers.answer_offer(job, lease_id=lease_id, worker=worker, body=parse_object(data), now=utc_now())
    )


@worker_call("POST")
def segments(request: HttpRequest, worker: Worker, data: bytes, lease_id: str) -> HttpResponseBase:
    # The last second of a stream that was just revoked is told after the lease has ended; it was sent, so it is
    # recorded.
    job = leasing.held_or_just_over(lease_id, worker=worker, now=utc_now())
    sessions.note_segments(job, _list(parse_object(data), "segments"))
    return JsonResponse({})


@worker_call("POST")
def clamps(request: HttpRequest, worker: Worker, data: bytes, lease_id: str) -> HttpResponseBase:
    job = leasing.held_or_just_over(lease_id, worker=worker, now=utc_now())
    sessions.note_clamps(job, _list(parse_object(data), "clamps"))
    return JsonResponse({})


@worker_call("POST")
def emotions(request: HttpRequest, worker: Worker, data: bytes, lease_id: str) -> HttpResponseBase:
    job = leasing.held_or_just_over(lease_id, worker=worker, now=utc_now())
    sessions.note_emotions(job, _list(parse_object(data), "emotions"))
    return JsonResponse({})


@worker_call("POST")
def rungs(request: HttpRequest, worker: Worker, data: bytes, lease_id: str) -> HttpResponseBase:
    job = leasing.held_or_just_over(lease_id, worker=worker, now=utc_now())
    sessions.note_rungs(job, _list(parse_object(data), "rungs"))
    return JsonResponse({})


@worker_call("POST")
def captions(request: HttpRequest, worker: Worker, data: bytes, lease_id: str) -> HttpResponseBase:
    job = leasing.held_or_just_over(lease_id, worker=worker, now=utc_now())
    reading.note(job, _list(parse_object(data), "captions"))
    return JsonResponse({})


@worker_call("POST")
def troubles(request: HttpRequest, worker: Worker, data: bytes, lease_id: str) -> HttpResponseBase:
    job = leasing.held_or_just_over(lease_id, worker=worker, now=utc_now())
    sessions.note_troubles(job, _list(parse_object(data), "troubles"))
    return JsonResponse({})


@worker_call("PUT", max_bytes=MAX_RECORDING_BYTES)
def recording(request: HttpRequest, worker: Worker, data: bytes, lease_id: str) -> HttpResponseBase:
    job = leasing.held_or_just_over(lease_id, worker=worker, now=utc_now())
    conversation = Conversation.objects.select_related("organisation", "version__replica").get(public_id=job.object_id)
    recordings.store(conversation=conversation, worker=worker, fragments=data, now=utc_now())
    return JsonResponse({})


@worker_call("POST")
def finish(request: HttpRequest, worker: Worker, data: bytes, lease_id: str) -> HttpResponseBase:
    job = leasing.held_or_just_over(lease_id, worker=worker, now=utc_now())
    owner = sessions if job.kind == "session" else training
    owner.finish(job, parse_object(data), now=utc_now())
    return JsonResponse({})


@worker_call("GET")
def blob(request: HttpRequest, worker: Worker, data: bytes, public_id: str) -> HttpResponseBase:
    ciphertext = leasing.ciphertext_for(public_id, worker=worker, now=utc_now())
    return HttpResponse(ciphertext, content_type="application/octet-stream")


@worker_call("POST")
def progress(request: HttpRequest, worker: Worker, data: bytes, lease_id: str) -> HttpResponseBase:
    job = leasing.held(lease_id, worker=worker, now=utc_now())
    return JsonResponse({"cancelled": training.note_progress(job, parse_object(data), now=utc_now())})


@worker_call("PUT", max_bytes=MAX_CHECKPOINT_BYTES)
def checkpoint(request: HttpRequest, worker: Worker, data: bytes, lease_id: str) -> HttpResponseBase:
    training.store_checkpoint(leasing.held(lease_id, worker=worker, now=utc_now()), data, now=utc_now())
    return JsonResponse({})


@worker_call("PUT", max_bytes=MAX_ARTEFACT_BYTES)
def artefact(request: HttpRequest, worker: Worker, data: bytes, lease_id: str, name: str) -> HttpResponseBase:
    training.store_artefact(leasing.held(lease_id, worker=worker, now=utc_now()), name, data, now=utc_now())
    return JsonResponse({})


def _session(lease_id: str, worker: Worker) -> Job:
    job = leasing.held(lease_id, worker=worker, now=utc_now())
    if job.kind != "session":
        raise RequestInvalid("This lease is not a session.")
    return job


def _object(body: dict[str, Any], name: str) -> dict[str, Any]:
    if not isinstance(body.get(name), dict):
        raise RequestInvalid(f"{name} must be an object.")
    return dict(body[name])


def _list(body: dict[str, Any], name: str) -> list[dict[str, Any]]:
    items = body.get(name)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise RequestInvalid(f"{name} must be a list of objects.")
    return items
