"""A limit on request bodies before anything else sees them. PURE ASGI.

Django takes in a whole body, on disk when it is large, before any view or sign-in is asked: without this a stranger
could fill the disk. The limits of single addresses are tighter and stand with their views. The large bodies of render
workers are let in only after their signature was checked, from the headers alone.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]
Check = Callable[[Message], Awaitable[bool]]

MIB: Final = 1024 * 1024
MAX_BODY_BYTES: Final = 210 * MIB  # footage sent by the form without script
MAX_WORKER_BODY_BYTES: Final = 1025 * MIB  # a recording
MAX_UNSIGNED_WORKER_BODY_BYTES: Final = 1 * MIB  # every other call of a worker
WORKER_PREFIX: Final = "/worker/"
CODE: Final = "request.too_large"


def limited(app: App, *, is_signed_by_worker: Check) -> App:
    """`app` behind the limit. A body that says it is longer gets 413; one that does not say so is cut off.

    Args:
        is_signed_by_worker: whether the headers of a request (an ASGI scope) carry a worker's signature over it.
    """

    async def guarded(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        told, most = _told_length(scope), MAX_BODY_BYTES
        if scope["path"].startswith(WORKER_PREFIX):
            is_large = told > MAX_UNSIGNED_WORKER_BODY_BYTES and await is_signed_by_worker(scope)
            most = MAX_WORKER_BODY_BYTES if is_large else MAX_UNSIGNED_WORKER_BODY_BYTES
        if told > most:
            await _refuse(send, most)
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            return {"type": "http.disconnect"} if taken > most else message

        await app(scope, counted, send)

    return guarded


def _told_length(scope: Message) -> int:
    text = dict(scope["headers"]).get(b"content-length", b"0")
    return int(text) if text.isdigit() else 0


async def _refuse(send: Send, most: int) -> None:
    words = f"The body is larger than {most // MIB} MiB. Send less."
    body = json.dumps({"error": words, "message": words, "code": CODE, "request_id": ""}).encode()
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
