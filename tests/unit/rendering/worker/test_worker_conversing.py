"""A session's talk is made of the parts of the settings, says why in the log, and lets go of them."""

from typing import Any

import pytest

from rendering.dialogue.choice import AddressNotAllowed, DialogueConfig
from rendering.dialogue.service import Service
from rendering.protocol import Lease
from rendering.worker.audio import SoundLine
from rendering.worker.config import WorkerConfig
from rendering.worker.conversing import make_talk
from rendering.worker.slot import SlotTools
from rendering.worker.stage import Stage
from rendering.worker.talk import Talk
from rendering.worker.turn_marks import TurnMarks
from tests.common.scripted_service import scripted_service
from tests.common.still_face import StillFace


class Reports:
    def __init__(self) -> None:
        self.failed: list[Any] = []

    def emotion(self, *_: Any) -> None: ...

    def part_failed(self, fault: Any, at_s: float) -> None:
        self.failed.append(fault)


async def talk_of(tools: SlotTools, reports: Reports, **persona: Any) -> Talk:
    facts = {"persona": {"name": "Mira", **persona}, "person_name": "Asha"}
    lease = Lease("z1", "session", 1, "", None, None, {}, facts)
    return await make_talk(
        tools, lease, language="en", conversation_id="c1", stage=Stage(StillFace(), {}), line=SoundLine(),
        media_now_s=lambda: 0.0, emit=lambda text: True, reports=reports, marks=TurnMarks(),  # type: ignore[arg-type]
        on_first_sound=lambda: None)


def tools_of(config: DialogueConfig, told: list[str]) -> SlotTools:
    worker = WorkerConfig("http://localhost", "w1", "w1-0", None, {}, dialogue=config)  # type: ignore[arg-type]
    return SlotTools(worker, None, None, None, told.append)  # type: ignore[arg-type]


async def test_a_talk_takes_the_parts_of_the_settings_and_lets_go_of_them() -> None:
    told, reports = list[str](), Reports()
    async with scripted_service() as service:
        tools = tools_of(DialogueConfig(chat=Service(service.base_url, "large", "sk-own")), told)
        talk = await talk_of(tools, reports)
        assert [one.path for one in service.requests] == ["/v1/chat/completions"], "warm before the session is ready"
        assert not [fault for fault in reports.failed if fault.facts["part"] == "brain"]
        await talk.close()
        assert await service.closed()
    assert any("z1: Brain: the chat service" in line for line in told) and "sk-own" not in "".join(told)
    tools.close()


async def test_mallory_s_persona_ends_the_session_before_it_begins() -> None:
    tools = tools_of(DialogueConfig(), [])
    with pytest.raises(AddressNotAllowed):
        await talk_of(tools, Reports(), layers={"llm": {"base_url": "http://169.254.169.254/v1"}})
    tools.close()


async def test_without_settings_the_embedded_parts_talk() -> None:
    told: list[str] = []
    tools = tools_of(DialogueConfig(), told)
    talk = await talk_of(tools, Reports())
    assert sum("embedded" in line or "scripted" in line for line in told) == 3
    await talk.close()
    tools.close()
