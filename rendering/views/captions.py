"""Captions as server-sent events (`text/event-stream`): for a viewer whose network lets no call pass, and for the app.

    id: 17                              event: session                  event: ended
    data: {conversation.utterance ...}  data: {who speaks, as an AI}    data: {"reason": "viewer_left"}

`data` of an event without a name is the very text that the data channel carries. A reader who comes back with
`Last-Event-ID` gets what was said since, as far as it is kept. A stream waits on the event loop and keeps no thread.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

from asgiref.sync import SyncToAsync, sync_to_async
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse

from rendering import selectors
from rendering.errors import CaptionsBusy, ConversationOver
from rendering.models import Conversation
from rendering.services import conversations, reading
from rendering.services.reading import Reader
from rendering.views import viewer
from rendering.views.worker_calls import look_and_let_go, problem
from trustcore.accounts.permissions import Permission, public, requires
from trustcore.jobs import wakeups
from trustcore.primitives.clock import utc_now
from trustcore.primitives.errors import TrustcoreError
from trustcore.web.errors import MethodNotAllowed

HEARTBEAT_S = 3.0  # an empty comment: middle boxes close what is silent, and the reader is noted again
STREAM_FOR_S = 900.0  # then the reader comes again, with Last-Event-ID
STREAMS_OF_ONE = 3  # of one conversation and one kind of reader: a page, one that is loaded again, and a slow end
STREAMS_OF_ALL = 400  # of this process
RETRY_MS = 1000
MAX_LAST_ID_CHARS = 10


class Places:
    """How many streams are open, in this process."""

    def __init__(self) -> None:
        self._taken: Counter[tuple[str, Reader]] = Counter()

    def take(self, conversation_id: str, reader: Reader) -> None:
        """Raises CaptionsBusy."""
        if self._taken[conversation_id, reader] >= STREAMS_OF_ONE or self._taken.total() >= STREAMS_OF_ALL:
            raise CaptionsBusy("Too many streams of captions are open. Close one, or wait a moment.")
        self._taken[conversation_id, reader] += 1

    def give_back(self, conversation_id: str, reader: Reader) -> None:
        self._taken[conversation_id, reader] -= 1
        self._taken += Counter()  # forgets what is at zero


PLACES = Places()


class Stream:
    """The lines of one stream. Its place is given back once, whether it was ever read or not."""

    def __init__(self, conversation: Conversation, reader: Reader, after: int) -> None:
        self._conversation = conversation
        self._reader = reader
        self._after = after
        PLACES.take(conversation.public_id, reader)
        self._is_open = True

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            PLACES.give_back(self._conversation.public_id, self._reader)

    async def __aiter__(self) -> AsyncIterator[str]:
        try:
            async for lines in self._lines():
                yield lines
        finally:
            self.close()

    async def _lines(self) -> AsyncIterator[str]:
        yield f"retry: {RETRY_MS}\n{_event('session', reading.opening(self._conversation))}"
        public_id, loop = self._conversation.public_id, asyncio.get_running_loop()
        until_s = loop.time() + STREAM_FOR_S
        with wakeups.waiting([reading.topic(public_id), conversations.topic(self._conversation)]) as waiter:
            await sync_to_async(wakeups.ensure_listening)()
            noted_s = -HEARTBEAT_S
            while loop.time() < until_s:
                is_due = loop.time() - noted_s >= HEARTBEAT_S
                noted_s = loop.time() if is_due else noted_s
                found = await sync_to_async(look_and_let_go)(lambda: self._look(is_due))  # noqa: B023, done at once
                _give_thread_back()
                for caption in found.captions:
                    self._after = caption.seq
                    yield f"id: {caption.seq}\ndata: {caption.event}\n\n"
                if found.ended:
                    yield _event("ended", {"reason": found.ended})
                    return
                if not await waiter.wait(HEARTBEAT_S):
                    yield ": waiting\n\n"

    def _look(self, is_due: bool) -> reading.News:
        if is_due:
            reading.note_reader(self._conversation, self._reader, now=utc_now())
        return reading.news(self._conversation.id, self._after, self._reader)


def _give_thread_back() -> None:
    """End the thread that this request's synchronous code ran in; the next look gets another one.

    Under ASGI each request keeps one until its answer is sent whole, which here takes minutes. asgiref's version is
    pinned, and a test counts the threads.
    """
    context = SyncToAsync.thread_sensitive_context.get(None)
    executor = SyncToAsync.context_to_thread_executor.pop(context, None) if context is not None else None
    if executor is not None:
        executor.shutdown(wait=False)


def _event(name: str, body: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(body, ensure_ascii=False)}\n\n"


def _answer(request: HttpRequest, conversation: Conversation, reader: Reader) -> HttpResponseBase:
    if request.method != "GET":
        raise MethodNotAllowed("This address takes GET only.")
    if conversation.state == "ended":  # an error, not a short stream: a browser would come again for ever
        raise ConversationOver("This conversation is over.", reason=conversation.end_reason)
    last = request.headers.get("Last-Event-ID", "")
    after = int(last) if last.isascii() and last.isdigit() and len(last) <= MAX_LAST_ID_CHARS else 0
    answer = StreamingHttpResponse(Stream(conversation, reader, after), content_type="text/event-stream")
    answer["X-Accel-Buffering"] = "no"  # nginx hands it on as it comes
    return answer


def for_viewer(secret_of: Callable[[HttpRequest, str], str] = viewer.from_cookie) -> Any:
    """The view for the page: who holds the first viewer's secret, and nobody else."""

    @public
    async def view(request: HttpRequest, conversation_id: str) -> HttpResponseBase:
        try:
            secret = secret_of(request, conversation_id)
            conversation = await sync_to_async(viewer.conversation_of_viewer)(conversation_id, secret)
            return _answer(request, conversation, "viewer")
        except TrustcoreError as error:
            return problem(request, error)

    return view


@requires(GET=Permission.CONVERSATION_VIEW)
async def app_stream(request: Any, conversation_id: str) -> HttpResponseBase:
    """GET /v2/conversations/{id}/captions: what the replica says, for the organisation's own API key."""
    try:
        row = await sync_to_async(selectors.conversation)(request.organisation, conversation_id)
        return _answer(request, row, "app")
    except TrustcoreError as error:
        return problem(request, error)


viewer_stream = for_viewer()
