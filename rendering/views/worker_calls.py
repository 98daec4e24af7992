"""What every address for render workers shares: the signature on the request, the body's limit, JSON errors, long
polls.

A worker has no session and no API key: each request is signed by its identity (rendering/protocol.py) and counts once.
The views declare themselves public to the permission ring because this signature is what they demand instead.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from functools import wraps
from typing import Any, TypeVar

from asgiref.sync import sync_to_async
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from rendering import protocol
from trustcore.accounts.permissions import public
from trustcore.audit.actors import Actor
from trustcore.jobs import wakeups
from trustcore.jobs.models import Worker
from trustcore.jobs.services import workers
from trustcore.primitives.clock import utc_now
from trustcore.primitives.errors import TrustcoreError
from trustcore.primitives.hashing import sha256_hex
from trustcore.web import problems
from trustcore.web.errors import MethodNotAllowed, RequestInvalid

JSON_MAX_BYTES = 512 * 1024
Found = TypeVar("Found")


class BodyTooLarge(RequestInvalid):
    """The body is longer than this address takes."""

    code = "request.too_large"


def read_body(request: HttpRequest, max_bytes: int) -> bytes:
    """The whole body. The stream is read, not `request.body`, because uploads may be larger than
    what forms are allowed.
    """
    data: bytes = request.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise BodyTooLarge(f"The body is larger than {max_bytes} bytes. Send less.")
    return data


def parse_object(data: bytes) -> dict[str, Any]:
    try:
        body = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise RequestInvalid("The body is not JSON that can be read.") from error
    if not isinstance(body, dict):
        raise RequestInvalid("The body is not a JSON object.")
    return body


def _authenticate(request: Any, data: bytes) -> Worker:
    header = request.headers.get
    statement = protocol.request_statement(
        request.method, request.get_full_path(), sha256_hex(data), header("X-Worker-Time", ""),
        header("X-Worker-Nonce", ""),
    )
    worker = workers.authenticate(
        worker_id=header("X-Worker-Id", ""), statement=statement, signature=header("X-Worker-Signature", ""),
        now=utc_now(),
    )
    request.actor = Actor.worker(worker.public_id)
    return worker


def worker_call(
    method: str, *, max_bytes: int = JSON_MAX_BYTES,
) -> Callable[[Callable[..., HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """A view `view(request, worker, data, **path)` behind the worker's signature; `data` is the raw body."""

    def wrap(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @csrf_exempt
        @public
        @wraps(view)
        def checked(request: HttpRequest, **path: Any) -> HttpResponseBase:
            try:
                data = _begin(request, method, max_bytes)
                return view(request, _authenticate(request, data), data, **path)
            except TrustcoreError as error:
                return problem(request, error)

        return checked

    return wrap


def worker_poll(
    method: str,
) -> Callable[[Callable[..., Awaitable[HttpResponseBase]]], Callable[..., Awaitable[HttpResponseBase]]]:
    """The same for a view that waits. It runs on the event loop; each look at the database goes to a thread."""

    def wrap(view: Callable[..., Awaitable[HttpResponseBase]]) -> Callable[..., Awaitable[HttpResponseBase]]:
        @csrf_exempt
        @public
        @wraps(view)
        async def checked(request: HttpRequest, **path: Any) -> HttpResponseBase:
            try:
                data = _begin(request, method, JSON_MAX_BYTES)
                worker = await sync_to_async(_authenticate)(request, data)
                return await view(request, worker, data, **path)
            except TrustcoreError as error:
                return problem(request, error)

        return checked

    return wrap


def _begin(request: HttpRequest, method: str, max_bytes: int) -> bytes:
    if request.method != method:
        raise MethodNotAllowed(f"This address takes {method} only.")
    return read_body(request, max_bytes)


def problem(request: HttpRequest, error: TrustcoreError) -> HttpResponse:
    return JsonResponse(problems.body_of(request, error), status=problems.status_of(error))


async def look_until(
    look: Callable[[], Found | None], topics: Iterable[str], *, timeout_s: float, look_again_s: float = 1.0,
    first: Callable[[], None] | None = None,
) -> Found | None:
    """Call `look` until it finds something: at once, after each wake-up of `topics`, and every `look_again_s` in any
    case. With `first`, the first look is left out: that is called instead, when no wake-up can be missed any more, and
    what is looked for can only be an answer to it.

    No database connection is kept while waiting. Returns None after `timeout_s`.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    with wakeups.waiting(topics) as waiter:
        await sync_to_async(wakeups.ensure_listening)()
        if first is not None:
            await sync_to_async(look_and_let_go)(first)
            await waiter.wait(min(timeout_s, look_again_s))
        while True:
            found = await sync_to_async(look_and_let_go)(look)
            left = deadline - loop.time()
            if found is not None or left <= 0:
                return found
            await waiter.wait(min(left, look_again_s))


def look_and_let_go(look: Callable[[], Found]) -> Found:
    """What `look` finds, and no database connection kept: for who looks again and again, with long pauses."""
    found = look()
    if not connection.in_atomic_block:
        connection.close()
    return found
