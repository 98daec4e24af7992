"""A stranger sends a body without end."""

import asyncio
from typing import Any

import pytest

from trustcore.web import body_limit

RECORDING = "/worker/v1/leases/z-1/recording"


def play(path: str, length: str | None, pieces: int, *, is_signed: bool = False) -> tuple[list[Any], int]:
    """(what was sent back, how many bytes reached the application)"""
    sent: list[Any] = []
    reached = 0

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal reached
        while (message := await receive())["type"] == "http.request":
            reached += len(message["body"])
            if not message["more_body"]:
                break

    left = pieces

    async def receive() -> Any:
        nonlocal left
        left -= 1
        return {"type": "http.request", "body": b"x" * 100, "more_body": left > 0}

    async def send(message: Any) -> None:
        sent.append(message)

    async def signed(scope: Any) -> bool:
        return is_signed

    scope = {"type": "http", "path": path, "headers": [] if length is None else [(b"content-length", length.encode())]}
    asyncio.run(body_limit.limited(app, is_signed_by_worker=signed)(scope, receive, send))
    return sent, reached


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_limit, "MAX_BODY_BYTES", 1000)
    monkeypatch.setattr(body_limit, "MAX_WORKER_BODY_BYTES", 2000)
    monkeypatch.setattr(body_limit, "MAX_UNSIGNED_WORKER_BODY_BYTES", 500)


def test_a_body_that_says_it_is_too_long_is_refused_unread() -> None:
    sent, reached = play("/check/", "1001", 1)
    assert sent[0]["status"] == 413 and b"request.too_large" in sent[1]["body"] and reached == 0
    assert play(RECORDING, "2001", 1, is_signed=True)[0][0]["status"] == 413


def test_a_large_body_for_the_workers_door_needs_a_workers_signature_first() -> None:
    assert play(RECORDING, "501", 1)[0][0]["status"] == 413
    assert play(RECORDING, None, 10**6) == ([], 500)


@pytest.mark.parametrize("length", [None, "5", "x"])
def test_a_body_without_end_is_cut_off(length: str | None) -> None:
    assert play("/check/", length, 10**6)[1] == 1000


def test_bodies_within_the_limit_pass() -> None:
    assert play("/check/", "1000", 10) == ([], 1000)
    assert play(RECORDING, "2000", 20, is_signed=True) == ([], 2000)
    assert play(RECORDING, "500", 5) == ([], 500)
