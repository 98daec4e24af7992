"""One contract for every adapter: a fault ends in PartFailed with the right trouble, and nothing is left open."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rendering.dialogue.brains.brief import brief_of
from rendering.dialogue.brains.chat import ChatBrain
from rendering.dialogue.brains.scripted import ScriptedBrain
from rendering.dialogue.recognisers.transcription_service import TranscriptionService
from rendering.dialogue.seams import Exchange, Line, PartFailed
from rendering.dialogue.service import Bounds, Service
from rendering.dialogue.voices.program import ProgramVoice, piper_command
from rendering.dialogue.voices.speech_service import SpeechService
from rendering.speech.utterance import Utterance
from tests.common.scripted_service import FAULTS, HEARD, SAID, SOUND, Fault, ScriptedService, scripted_service

BOUNDS = Bounds(first_s=8.0, between_s=8.0, total_s=8.0)
SMALL = {  # the bound that each kind of waiting meets; the others stay far away, so that a busy machine changes nothing
    "slow_first": Bounds(0.3, 8.0, 8.0), "stall": Bounds(8.0, 0.3, 8.0), "never_ending": Bounds(8.0, 8.0, 4.0),
}
GENEROUS_S = 40.0  # a fault that takes longer hangs
KEY = "sk-very-secret"
SCRIPT = ScriptedBrain({}, "Asha")
PROGRAM = Path(__file__).parents[4] / "common" / "scripted_voice.py"


@dataclass(frozen=True)
class Adapter:
    """How an adapter is made and used. `pieces` gives what it makes, as it comes."""

    make: Callable[[Service, Bounds], Any]
    pieces: Callable[[Any], AsyncIterator[Any]]
    endless: tuple[str, ...]  # what it may make of a stream without an end


async def _heard(ears: Any) -> AsyncIterator[Any]:
    listening = ears.listen(language="en", expected=("claim number",))
    for _ in range(10):
        listening.push(np.full(320, 100, np.int16))
    yield await listening.finish()


ADAPTERS = {
    "chat": Adapter(
        lambda service, bounds: ChatBrain(service, brief_of({}, "Asha", "en"), SCRIPT, bounds),
        lambda brain: brain.answer(Exchange("Is my claim paid?")), ("garbage", "stalled")),
    "speech": Adapter(
        lambda service, bounds: SpeechService(service, "alloy", bounds=bounds),
        lambda voice: voice.speak("Your claim is paid.", language="en"), ("garbage", "stalled")),
    "transcription": Adapter(TranscriptionService, _heard, ("garbage", "stalled")),
}


async def _all(pieces: AsyncIterator[Any]) -> list[Any]:
    async with aclosing(pieces):  # type: ignore[type-var]
        return [piece async for piece in pieces]


async def _with(name: str, service: ScriptedService, act: Callable[[Any], Awaitable[None]]) -> None:
    adapter = ADAPTERS[name].make(Service(service.base_url, "tiny", KEY), SMALL.get(service.fault, BOUNDS))
    try:
        async with asyncio.timeout(GENEROUS_S):
            await act(adapter)
    finally:
        await adapter.close()
    assert await service.closed(), "a connection was left open"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
@pytest.mark.parametrize("name", ADAPTERS)
async def test_every_fault_ends_in_its_trouble_and_leaves_nothing_open(name: str, fault: Fault) -> None:
    async def act(adapter: Any) -> None:
        with pytest.raises(PartFailed) as failed:
            await _all(ADAPTERS[name].pieces(adapter))
        told = failed.value
        allowed = (fault.trouble,) if fault.trouble else ADAPTERS[name].endless
        assert told.facts["trouble"] in allowed
        assert told.facts["part"] == {"chat": "brain", "speech": "voice", "transcription": "ears"}[name]
        assert ("retry_after_s" in told.facts) == (fault.trouble == "busy")
        assert not any(word in f"{told} {told.facts}" for word in (KEY, "127.0.0.1", "secret", "claim"))

    async with scripted_service(fault.name) as service:
        await _with(name, service, act)
        assert service.elsewhere == 0


@pytest.mark.parametrize("name", ADAPTERS)
async def test_the_next_request_after_a_fault_works(name: str) -> None:
    async with scripted_service("status_500") as service:
        async def act(adapter: Any) -> None:
            with pytest.raises(PartFailed):
                await _all(ADAPTERS[name].pieces(adapter))
            service.fault = "broken_stream"
            with pytest.raises(PartFailed):
                await _all(ADAPTERS[name].pieces(adapter))
            service.fault = ""
            assert await _all(ADAPTERS[name].pieces(adapter))

        await _with(name, service, act)
        assert {request.headers["authorization"] for request in service.requests} == {f"Bearer {KEY}"}


@pytest.mark.parametrize("fault", ["slow_first", "stall", "never_ending"])
@pytest.mark.parametrize("name", ADAPTERS)
async def test_a_cancelled_adapter_lets_go_at_once(name: str, fault: str) -> None:
    async with scripted_service(fault) as service:
        adapter = ADAPTERS[name].make(Service(service.base_url, "tiny", KEY), Bounds(60, 60, 60))
        task = asyncio.create_task(_all(ADAPTERS[name].pieces(adapter)))
        while not service.requests:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        task.cancel()
        with suppress(asyncio.CancelledError, PartFailed):  # an endless stream may have been caught before
            await task
        assert await service.closed(), "the request went on after nobody wanted it"
        await adapter.close()


@pytest.mark.parametrize("name", ["chat", "speech"])
async def test_an_iterator_that_is_closed_half_way_closes_the_connection(name: str) -> None:
    async with scripted_service("stall" if name == "chat" else "never_ending") as service:
        if name == "chat":
            service.fault, service.events = "never_ending", None
        adapter = ADAPTERS[name].make(Service(service.base_url, "tiny", KEY), Bounds(60, 60, 60))
        pieces = ADAPTERS[name].pieces(adapter)
        await anext(pieces)
        await pieces.aclose()  # type: ignore[attr-defined]
        assert await service.closed()
        await adapter.close()


@pytest.mark.parametrize("name", ADAPTERS)
async def test_a_service_that_is_not_there_is_broken(name: str) -> None:
    adapter = ADAPTERS[name].make(Service("http://127.0.0.1:9/v1", "tiny"), BOUNDS)
    with pytest.raises(PartFailed) as failed:
        await _all(ADAPTERS[name].pieces(adapter))
    assert failed.value.facts["trouble"] == "broken"
    await adapter.close()


@pytest.mark.parametrize("name", ADAPTERS)
async def test_warming_up_asks_once_and_is_bounded(name: str) -> None:
    async with scripted_service() as service:
        await _with(name, service, lambda adapter: adapter.warm_up())
        assert len(service.requests) == 1


async def test_what_each_adapter_gives_when_all_goes_well() -> None:
    async with scripted_service() as service:
        made = {}
        for name in ADAPTERS:
            async def act(adapter: Any, name: str = name) -> None:
                made[name] = await _all(ADAPTERS[name].pieces(adapter))

            await _with(name, service, act)
    assert [line.text for line in made["chat"]] == SAID
    assert made["chat"][-1] == Line("Good news.", "joy", 600, "tag")
    assert np.array_equal(np.concatenate([piece.pcm for piece in made["speech"]]), SOUND)
    assert all(isinstance(piece, Utterance) and piece.visemes == () for piece in made["speech"])
    assert made["transcription"][0].text == HEARD and made["transcription"][0].is_final


# --- programs -------------------------------------------------------------------------------------


PROGRAM_BOUNDS = Bounds(5.0, 1.0, 10.0)


def program(fault: str, pid_file: Path, bounds: Bounds = PROGRAM_BOUNDS) -> ProgramVoice:
    return ProgramVoice((sys.executable, "-I", str(PROGRAM), fault, str(pid_file), "{language}"), 16_000, bounds)


def runs(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def gone(pid_file: Path) -> bool:
    pid = int(pid_file.read_text().split()[0])  # noqa: ASYNC240
    for _ in range(400):
        if not pid or not runs(pid):
            return True
        await asyncio.sleep(0.01)
    return False


@pytest.mark.parametrize(("fault", "trouble"), [
    ("slow_first", "slow_start"), ("stall", "stalled"), ("status_500", "broken"), ("broken_stream", "broken"),
    ("garbage", "garbage"), ("silent", "garbage"), ("never_ending", "garbage"), ("deaf", "broken"),
])  # fmt: skip
async def test_a_program_s_fault_ends_in_its_trouble_and_no_process_is_left(
    fault: str, trouble: str, tmp_path: Path
) -> None:
    pid_file = tmp_path / "pid"
    with pytest.raises(PartFailed) as failed:
        await _all(program(fault, pid_file).speak("Hello there.", language="en"))
    assert failed.value.facts["trouble"] == trouble
    assert fault == "deaf" or await gone(pid_file), "what the program started goes on without it"


async def test_a_program_that_is_not_installed_is_missing() -> None:
    with pytest.raises(PartFailed) as failed:
        await _all(ProgramVoice(piper_command("no-such-program", "model.onnx"), 22_050).speak("Hi.", language="en"))
    assert failed.value.facts == {"part": "voice", "trouble": "missing"}


async def test_a_cancelled_program_is_ended_with_what_it_started(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    task = asyncio.create_task(_all(program("slow_first", pid_file, Bounds(60, 60, 60)).speak("Hi.", language="en")))
    while not pid_file.exists() or not pid_file.read_text():  # noqa: ASYNC110, ASYNC240
        await asyncio.sleep(0.01)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert await gone(pid_file)


async def test_a_text_is_never_part_of_a_command(tmp_path: Path) -> None:
    pid_file, bait = tmp_path / "pid", tmp_path / "bait"
    text = f"$(touch {bait}); `touch {bait}` && --help\nsecond line"
    pieces = await _all(program("", pid_file).speak(text, language="en; touch x"))
    assert sum(len(piece.pcm) for piece in pieces) == 16_000
    assert not bait.exists()
    assert pid_file.read_text() == "0 " + " ".join(text.split())


async def test_a_program_sees_no_secret_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUSTCORE_CHAT_KEY", KEY)
    code = "import os,sys; sys.stdin.read(); sys.stdout.buffer.write(repr(sorted(os.environ)).encode()*200)"
    pieces = await _all(ProgramVoice((sys.executable, "-c", code), 16_000).speak("Hi.", language="en"))
    told = b"".join(piece.pcm.tobytes() for piece in pieces)
    assert b"PATH" in told and b"TRUSTCORE" not in told and "TRUSTCORE_CHAT_KEY" in os.environ
