"""What is said goes to control only while somebody reads, whole, in order, and past a control that stumbles."""

import asyncio
from typing import Any

from rendering import protocol
from rendering.worker import captions as module
from rendering.worker.app_events import AppEvents
from rendering.worker.captions import KEPT, Captions
from rendering.worker.control import ControlRefused, ControlUnreachable

LEASE: Any = object()


class Control:
    """Takes captions; `answers` are raised first, one for each call."""

    def __init__(self, *answers: Exception) -> None:
        self.answers = list(answers)
        self.told: list[int] = []

    async def post(self, lease: Any, what: str, body: dict[str, Any]) -> dict[str, Any]:
        assert lease is LEASE and what == "captions"
        if self.answers:
            raise self.answers.pop(0)
        self.told += [one["seq"] for one in body["captions"]]
        return {}


class Scene:
    def __init__(self, *answers: Exception) -> None:
        self.control, self.changes = Control(*answers), 0
        self.captions = Captions(self.control, LEASE, self.change)  # type: ignore[arg-type]
        self.events = AppEvents("c1", self.captions.take)

    def change(self) -> None:
        self.changes += 1

    def say(self, count: int = 1) -> None:
        for _ in range(count):
            self.events.send("conversation.utterance", {"role": "replica", "speech": "Yes."})

    def reads(self, reader: str) -> Any:
        return lambda: self.captions.note_reader(reader)

    async def play(self, *steps: Any) -> list[list[int]]:
        """What control has been told after each step."""
        running, found = asyncio.create_task(self.captions.run()), []
        for step in steps:
            step()
            await asyncio.sleep(0.05)
            found.append(list(self.control.told))
        assert not running.done()
        running.cancel()
        return found


def test_nothing_is_told_while_nobody_reads_and_then_what_was_said_before_too() -> None:
    scene = Scene()
    steps = [scene.say, scene.say, scene.reads("viewer"), scene.say, scene.reads(""), scene.say, scene.reads("app")]
    found = asyncio.run(scene.play(*steps))
    assert found == [[], [], [1, 2], [1, 2, 3], [1, 2, 3], [1, 2, 3], [1, 2, 3, 4]]


def test_only_what_is_said_is_told_and_the_newest_when_there_is_too_much() -> None:
    scene = Scene()
    scene.events.send("trustcore.counts", {"sent": 1})
    scene.events.send("trustcore.rung", {"rung": "captions"})
    scene.say(KEPT + 5)
    (told,) = asyncio.run(scene.play(scene.reads("viewer")))
    assert told == list(range(8, KEPT + 8)) and set(protocol.CAPTION_EVENTS) >= {"trustcore.rung"}


def test_a_control_that_does_not_answer_is_asked_again_and_a_refusal_is_not_repeated(monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "TRY_AGAIN_S", 0.001)
    scene = Scene(ControlUnreachable("gone"), ControlUnreachable("gone"))
    assert asyncio.run(scene.play(scene.reads("viewer"), scene.say))[-1] == [1]
    scene = Scene(ControlRefused("no"))
    assert asyncio.run(scene.play(scene.reads("viewer"), scene.say, scene.say))[-1] == [2]


def test_only_a_viewer_who_reads_lets_the_conversation_go_on_without_a_line() -> None:
    scene = Scene()
    seen = []
    for reader in ("app", "viewer", "viewer", "", "nonsense"):
        scene.captions.note_reader(reader)
        seen.append((scene.captions.is_viewer_reading, scene.changes))
    assert seen == [(False, 0), (True, 1), (True, 1), (False, 2), (False, 2)]
