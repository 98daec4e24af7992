"""Whether a request with a large body comes from a worker: from its headers, before the body is taken in."""

from typing import Any

from asgiref.sync import sync_to_async
from django.db import connection

from trustcore.jobs.services import workers
from trustcore.primitives.clock import utc_now

BODY_SHA256 = b"x-worker-body-sha256"


async def is_signed(scope: dict[str, Any]) -> bool:
    """Whether a registered worker signed these headers and the body's hash in them. That the body then has this hash,
    and that the request came once, is checked when it is read (`workers.authenticate`).
    """
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    path = scope["raw_path"] or scope["path"].encode()
    query = b"?" + scope["query_string"] if scope["query_string"] else b""
    statement = {
        "method": scope["method"], "path": (path + query).decode("latin-1"),
        "body_sha256": headers.get(BODY_SHA256, ""), "sent_at": headers.get(b"x-worker-time", ""),
        "nonce": headers.get(b"x-worker-nonce", ""),
    }  # fmt: skip
    told = (headers.get(b"x-worker-id", ""), statement, headers.get(b"x-worker-signature", ""))
    return await sync_to_async(_holds)(*told)


def _holds(worker_id: str, statement: dict[str, str], signature: str) -> bool:
    try:
        workers.signer_of(worker_id=worker_id, statement=statement, signature=signature, now=utc_now())
    except workers.WorkerUnknown:
        return False
    finally:
        connection.close()
    return True
