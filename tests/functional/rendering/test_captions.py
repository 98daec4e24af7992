"""Captions as server-sent events: what the slot tells, who may read it, and that it is gone with the conversation."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.test import Client

from rendering.models import LiveState
from rendering.views import captions
from rendering.worker.app_events import AppEvents
from tests.functional.rendering.test_sessions import Talk
from trustcore.accounts.permissions import Permission
from trustcore.accounts.services import api_keys
from trustcore.audit.actors import Actor
from trustcore.audit.models import Event

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _quick(monkeypatch: Any) -> None:
    monkeypatch.setattr(captions, "HEARTBEAT_S", 0.05)
    monkeypatch.setattr(captions, "STREAM_FOR_S", 0.6)
    monkeypatch.setattr(captions, "PLACES", captions.Places())


@pytest.fixture
def talk(stage: Any) -> Talk:
    talk = Talk(stage)
    assert talk.join().status_code == 200
    return talk


@pytest.fixture
def lease(stage: Any, talk: Talk) -> dict[str, Any]:
    found: dict[str, Any] = stage.slot.claim("session").json()
    return found


def said(talk: Talk, *words: str, role: str = "replica", first: int = 1) -> list[dict[str, Any]]:
    """Events as a worker makes them."""
    texts: list[str] = []
    events = AppEvents(talk.id, texts.append)
    events._sequence = first - 1
    for text in words:
        events.send("conversation.utterance", {"role": role, "speech": text})
    return [{"seq": json.loads(text)["seq"], "event": text} for text in texts]


def tell(stage: Any, lease: dict[str, Any], captions: Any) -> Any:
    return stage.slot.call("POST", f"/leases/{lease['lease_id']}/captions", {"captions": captions})


def reader_of(stage: Any, lease: dict[str, Any]) -> str:
    body = {"epoch": 1, "state": "ready"}
    return str(stage.slot.call("POST", f"/leases/{lease['lease_id']}/renew", body).json()["reader"])


def read(answer: Any) -> list[dict[str, str]]:
    """All that a stream says until it ends: {"id", "event", "data"}; comments and the pause between tries left out."""

    async def whole() -> str:
        return b"".join([part async for part in answer.streaming_content]).decode()

    assert answer.status_code == 200 and answer["Content-Type"] == "text/event-stream", answer.content
    blocks = [block for block in async_to_sync(whole)().split("\n\n") if block and not block.startswith(":")]
    found = [dict(line.split(": ", 1) for line in block.split("\n")) for block in blocks]
    return [{"event": "message", **one} for one in found]


def listen(talk: Talk, client: Any = None, **headers: str) -> Any:
    return (client or talk.viewer).get(f"/c/{talk.id}/captions", headers=headers)


def listen_as_app(talk: Talk, secret: str, **headers: str) -> Any:
    return Client().get(f"/v2/conversations/{talk.id}/captions", headers={"x-api-key": secret, **headers})


def test_the_viewer_reads_the_very_words_after_a_word_on_who_speaks(stage: Any, talk: Talk, lease: Any) -> None:
    told = said(talk, "Hello.", "Ich höre zu — एक क्षण।")
    assert tell(stage, lease, told).json() == {}
    first, *words = read(listen(talk))
    opening = json.loads(first["data"])
    assert first["event"] == "session" and opening["ai_label"] == "AI replica" and opening["is_signed"] is False
    assert opening["disclosure"] == talk.row.grant["body"]["disclosure"]
    assert opening["grant_sha256"] == talk.row.grant_sha256
    assert [(one["id"], one["data"]) for one in words] == [(str(one["seq"]), one["event"]) for one in told]


def test_who_comes_back_gets_what_was_said_since(stage: Any, talk: Talk, lease: Any) -> None:
    tell(stage, lease, said(talk, "One.", "Two.", "Three."))
    tell(stage, lease, said(talk, "Three.", "Four.", first=3))  # told twice, kept once
    ids = [one["id"] for one in read(listen(talk, **{"last-event-id": "2"}))[1:]]
    assert ids == ["3", "4"]
    for nonsense in ("-1", "x", "9" * 30, "٣"):
        assert len(read(listen(talk, **{"last-event-id": nonsense}))) == 5


def test_the_slot_learns_who_reads_and_that_nobody_does(stage: Any, talk: Talk, lease: Any) -> None:
    assert reader_of(stage, lease) == ""
    read(listen_as_app(talk, stage.api_key))
    assert reader_of(stage, lease) == "app"  # an app that reads is no viewer without a line
    read(listen(talk))
    assert reader_of(stage, lease) == "viewer"
    LiveState.objects.update(viewer_reads_at="2020-01-01T00:00:00Z", app_reads_at="2020-01-01T00:00:00Z")
    assert reader_of(stage, lease) == ""


def test_the_app_reads_what_the_replica_says_and_not_what_the_viewer_does(stage: Any, talk: Talk, lease: Any) -> None:
    tell(stage, lease, [*said(talk, "Good day."), *said(talk, "My own affair.", role="user", first=2)])
    words = [json.loads(one["data"])["properties"]["speech"] for one in read(listen_as_app(talk, stage.api_key))[1:]]
    assert words == ["Good day."]
    assert "My own affair." in str(read(listen(talk)))


def test_mallory_reads_nothing(stage: Any, talk: Talk, lease: Any, cast: Any) -> None:
    tell(stage, lease, said(talk, "Between us."))
    other = Talk(stage)
    other.join()
    for client in (Client(), other.viewer, Client(headers={"x-api-key": stage.api_key})):
        assert listen(talk, client).json()["code"] == "conversation.join_refused"
    framed = Client().get(f"/c/{talk.id}/embed/captions", headers={"x-viewer-secret": "guess"})
    assert framed.json()["code"] == "conversation.join_refused"
    _, hers = api_keys.create(
        actor=Actor.user(cast.mallory), organisation=cast.elsewhere, created_by=cast.mallory, name="Elsewhere",
        scope=[Permission.CONVERSATION_VIEW])
    assert listen_as_app(talk, hers).json()["code"] == "not_found"
    _, narrow = api_keys.create(
        actor=Actor.user(cast.dev), organisation=cast.organisation, created_by=cast.dev, name="Replicas",
        scope=[Permission.REPLICA_VIEW])
    assert listen_as_app(talk, narrow).status_code == 403
    assert Client().get(f"/v2/conversations/{talk.id}/captions").status_code in (401, 403)
    assert talk.viewer.post(f"/c/{talk.id}/captions").status_code == 405
    LiveState.objects.update(viewer_reads_at=None, app_reads_at=None)
    assert reader_of(stage, lease) == ""  # nobody who was refused counts as a reader


def test_another_slot_tells_nothing_and_nonsense_is_refused(stage: Any, talk: Talk, lease: Any) -> None:
    good = said(talk, "Hello.")[0]
    event = json.loads(good["event"])
    bad = [
        {"seq": 0, "event": good["event"]}, {"seq": True, "event": good["event"]}, {"seq": 2**31, "event": "{}"},
        {"seq": 1, "event": "not json"}, {"seq": 1, "event": "[]"}, {"seq": 1}, {"seq": 1, "event": {"a": 1}},
        {"seq": 1, "event": good["event"] + "\n\nevent: ended\ndata: {}"},  # a line of its own in the stream
        {"seq": 1, "event": json.dumps(event | {"conversation_id": "another"})},
        {"seq": 1, "event": json.dumps(event | {"event_type": "trustcore.counts"})},
        {"seq": 1, "event": json.dumps(event | {"properties": {"speech": "x" * 9000}})},
    ]
    for caption in bad:
        assert tell(stage, lease, [caption]).json()["code"] == "request.invalid", caption
    assert tell(stage, lease, [good] * 101).json()["code"] == "request.invalid"
    assert LiveState.objects.get(conversation__public_id=talk.id).captions == []


def test_words_are_kept_in_no_event_are_bounded_and_end_with_the_conversation(
    stage: Any, talk: Talk, lease: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(captions, "STREAM_FOR_S", 30.0)
    for first in (1, 51, 101):
        tell(stage, lease, said(talk, *[f"Word {n}." for n in range(50)], first=first))
    state = LiveState.objects.get(conversation__public_id=talk.id)
    assert [one["seq"] for one in state.captions] == list(range(51, 151))
    assert not any(b"Word " in bytes(event.body) for event in Event.objects.all())

    async def until_over() -> list[str]:
        parts = []
        async for part in captions.Stream(row, "viewer", 150):
            parts.append(part)
            if len(parts) == 2:
                await sync_to_async(talk.post)("leave")
        return parts

    row = talk.row
    parts = async_to_sync(until_over)()
    assert parts[-1] == 'event: ended\ndata: {"reason": "viewer_left"}\n\n'
    state.refresh_from_db()
    assert state.captions == []
    tell(stage, lease, said(talk, "Too late.", first=200))
    state.refresh_from_db()
    assert state.captions == [] and listen(talk).json()["code"] == "conversation.ended"


def test_places_are_few_and_are_given_back(stage: Any, talk: Talk, lease: Any) -> None:
    unread = captions.Stream(talk.row, "viewer", 0)
    opened = [listen(talk) for _ in range(captions.STREAMS_OF_ONE - 1)]
    assert listen(talk).status_code == 429 and listen(talk).json()["code"] == "captions.too_many"
    assert listen_as_app(talk, stage.api_key).status_code == 200  # the app's own places
    unread.close()  # what Django calls on a response that nobody reads
    unread.close()
    assert listen(talk).status_code == 200 and listen(talk).status_code == 429
    assert len(read(opened[0])) == 1  # one that was read to its end
    assert listen(talk).status_code == 200 and listen(talk).status_code == 429


def test_a_reader_who_goes_away_in_the_middle_gives_the_place_back(talk: Talk, lease: Any) -> None:
    async def begin_and_leave(lines: AsyncIterator[Any]) -> None:
        assert b"session" in await anext(lines)
        await lines.aclose()  # type: ignore[attr-defined]

    for _ in range(captions.STREAMS_OF_ONE + 1):
        answer = listen(talk)
        assert answer.status_code == 200
        async_to_sync(begin_and_leave)(aiter(answer.streaming_content))


@pytest.mark.django_db(transaction=True)
def test_open_streams_keep_no_thread(talk: Talk, monkeypatch: Any) -> None:
    """Under ASGI, as in production: Django would keep one thread for each answer that is not sent whole."""
    monkeypatch.setattr(captions, "HEARTBEAT_S", 30.0)
    monkeypatch.setattr(captions, "STREAM_FOR_S", 30.0)
    cookie = "; ".join(f"{name}={one.value}" for name, one in talk.viewer.cookies.items())

    def threads() -> int:
        return sum(one.name.startswith("ThreadPoolExecutor") for one in threading.enumerate())

    async def while_open() -> tuple[int, int, list[int]]:
        over, begun = asyncio.Event(), asyncio.Event()
        sent = [[] for _ in range(captions.STREAMS_OF_ONE)]  # type: ignore[var-annotated]

        async def ask(out: list[dict[str, Any]]) -> None:
            told = iter([{"type": "http.request", "body": b"", "more_body": False}])

            async def receive() -> dict[str, Any]:
                if (message := next(told, None)) is None:
                    await over.wait()
                return message or {"type": "http.disconnect"}

            async def send(message: dict[str, Any]) -> None:
                out.append(message)
                if all(len(one) > 1 for one in sent):  # headers and the first words
                    begun.set()

            await ASGIHandler()({
                "type": "http", "method": "GET", "path": f"/c/{talk.id}/captions", "query_string": b"",
                "headers": [(b"host", b"testserver"), (b"cookie", cookie.encode())]}, receive, send)

        before = threads()
        asking = [asyncio.create_task(ask(out)) for out in sent]
        await asyncio.wait_for(begun.wait(), 30)
        await asyncio.sleep(1.0)
        waiting = threads()
        over.set()
        await asyncio.gather(*asking)
        return before, waiting, [out[0]["status"] for out in sent]

    before, waiting, codes = asyncio.run(while_open())
    assert codes == [200] * captions.STREAMS_OF_ONE and waiting == before
    assert captions.PLACES._taken.total() == 0  # whoever goes gives the place back
