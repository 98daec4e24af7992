"""The brain calls a tool, the app answers, the replica says what came of it; nobody else can answer."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from rendering.dialogue.answer import Answer
from rendering.dialogue.seams import Exchange, Guarded, Line, PartFailed, ToolCall, ToolResult
from rendering.dialogue.tool_calls import MAX_RESULTS, CallingBrain
from rendering.protocol import LeaseEvent
from tests.common.scripted_talk import Room

BOOK = ToolCall("book", {"day": "Friday"}, "call_1")


class Booker:
    """Calls tools, then says what they answered."""

    def __init__(self, *calls: ToolCall) -> None:
        self.calls = calls or (BOOK,)
        self.asked: list[Exchange] = []

    async def answer(self, exchange: Exchange) -> AsyncIterator[Line | ToolCall | Guarded]:
        self.asked.append(exchange)
        if exchange.results:
            yield Line(f"It is {exchange.results[0].content}.")
            return
        for call in self.calls:
            yield call


async def until(is_true: Callable[[], Any], seconds: float = 8.0) -> None:
    for _ in range(round(seconds / 0.02)):
        if is_true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come")


async def room_of(booker: Booker, **more: Any) -> Room:
    room = Room(**more)
    room.brain.answer = booker.answer  # type: ignore[assignment,method-assign]
    room.talk.hear("Book Friday, please.")
    await until(lambda: room.events("conversation.tool_call"))
    return room


def result(call_id: str, text: str) -> LeaseEvent:
    return LeaseEvent(1, "tool_result", {"tool_call_id": call_id, "result": text})


async def test_a_tool_s_answer_comes_back_to_the_brain_and_is_said() -> None:
    booker = Booker()
    room = await room_of(booker)
    (told,) = room.events("conversation.tool_call")
    assert (told["name"], told["arguments"]) == ("book", {"day": "Friday"}) and not room.faults
    room.talk.on_control_event(result(told["tool_call_id"], "booked"))
    await until(lambda: "It is booked." in room.said())
    (answer,) = booker.asked[-1].results
    assert (answer.call.name, answer.content, booker.asked[-1].heard) == ("book", "booked", "Book Friday, please.")
    room.talk.on_control_event(result(told["tool_call_id"], "booked twice"))
    await asyncio.sleep(0.1)
    assert len(booker.asked) == 2
    await room.close()


async def test_mallory_s_page_answers_no_tool() -> None:
    booker = Booker()
    room = await room_of(booker)
    call_id = room.events("conversation.tool_call")[0]["tool_call_id"]
    room.talk.on_channel_message(json.dumps({
        "event_type": "conversation.tool_result", "properties": {"tool_call_id": call_id, "result": "a million"}}))
    room.talk.on_control_event(result("call_1", "a million"))
    await asyncio.sleep(0.2)
    assert len(booker.asked) == 1
    await room.close()


async def test_an_app_that_is_silent_leaves_no_silent_replica() -> None:
    room = await room_of(Booker(), tool_within_s=0.1)
    await until(lambda: room.faults)
    assert room.faults[0].facts["trouble"] == "stalled" and room.events("trustcore.part_failed")
    call_id = room.events("conversation.tool_call")[0]["tool_call_id"]
    room.talk.on_control_event(result(call_id, "late"))
    await until(lambda: len(room.said()) >= 2)
    assert "It is late." not in room.said()
    await room.close()


async def test_who_is_interrupted_does_not_come_back_to_it() -> None:
    booker = Booker()
    room = await room_of(booker)
    room.talk.interrupt()
    room.talk.on_control_event(result(room.events("conversation.tool_call")[0]["tool_call_id"], "booked"))
    await asyncio.sleep(0.2)
    assert len(booker.asked) == 1
    await room.close()


async def test_an_answer_that_is_taken_back_asks_nobody_for_anything() -> None:
    async def lines() -> AsyncIterator[Any]:
        yield BOOK
        yield Guarded("no advice", "topic", "said")

    async def pronounce(text: str) -> AsyncIterator[bytes]:
        yield b""

    told: list[Any] = []
    prepared: Answer[bytes] = Answer(lines(), pronounce)
    assert await prepared.piece(0) is None and prepared.has_called and not told
    prepared.tell_asides(told.append)
    prepared.tell_asides(told.append)
    assert told == [BOOK, Guarded("no advice", "topic", "said")]


async def test_the_brain_is_asked_again_when_every_call_is_answered() -> None:
    booker = Booker(BOOK, BOOK)
    brain = CallingBrain(booker)  # type: ignore[arg-type]
    first, second = [item async for item in brain.answer(Exchange("Both."))]
    assert isinstance(first, ToolCall) and isinstance(second, ToolCall) and first.call_id != second.call_id
    assert brain.answered(second.call_id, "two") is None
    again = brain.answered(first.call_id, "one")
    assert again is not None and again.results == (ToolResult(first, "one"), ToolResult(second, "two"))
    assert brain.answered(first.call_id, "one") is None


async def test_a_brain_that_calls_without_an_end_is_stopped() -> None:
    brain = CallingBrain(Booker(*[BOOK] * (MAX_RESULTS + 1)))  # type: ignore[arg-type]
    with pytest.raises(PartFailed) as failed:
        [item async for item in brain.answer(Exchange("Loop."))]
    assert failed.value.facts["trouble"] == "garbage"
