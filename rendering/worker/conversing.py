"""Puts the parts of a conversation together for one session: which brain, voice, ears and turn taker, by its facts."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from rendering.dialogue.choice import answer_bounds
from rendering.dialogue.flow import flow_settings
from rendering.dialogue.hearing.expected import sentences_for
from rendering.dialogue.seams import FlowSettings, PartFailed, TurnTaker
from rendering.dialogue.turns.model import TurnModelInvalid
from rendering.protocol import Lease
from rendering.worker.audio import SoundLine
from rendering.worker.dialogue_parts import build_parts
from rendering.worker.reports import SessionReports
from rendering.worker.slot import SlotTools
from rendering.worker.stage import Stage
from rendering.worker.talk import Talk
from rendering.worker.turn_marks import TurnMarks
from rendering.worker.turn_weights import turn_taker
from trustcore.primitives.errors import Fault


async def make_talk(
    tools: SlotTools, lease: Lease, *, language: str, conversation_id: str, stage: Stage, line: SoundLine,
    media_now_s: Callable[[], float], emit: Callable[[str], Any], reports: SessionReports, marks: TurnMarks,
    on_first_sound: Callable[[], None], notes: Callable[[], Sequence[str]] = tuple,
) -> Talk:
    """The conversation of one session, its parts chosen, said in the log and warmed.

    Args:
        language: what is spoken, from the grant.
        marks: hears when what happened.
        notes: what perception saw, in plain words; empty where it may not look.

    Raises:
        AddressNotAllowed: the persona names a service address that the operator did not list.
    """
    facts = lease.facts
    persona, person_name = facts.get("persona") or {}, str(facts.get("person_name") or "")

    def note_fault(fault: Fault) -> None:
        tools.log(f"session {lease.lease_id}: part failed: {fault.code}: {fault} {fault.facts}")
        reports.part_failed(fault, media_now_s())

    flow = flow_settings(persona.get("conversational_flow"))
    expected = sentences_for(persona, person_name)
    config = tools.config.dialogue
    parts = build_parts(tools, config, persona, person_name, language, expected, conversation_id)
    for why in parts.why:
        tools.log(f"session {lease.lease_id}: {why}")
    talk = Talk(
        brain=parts.brain, voice=parts.voice, ears=parts.ears, turn_taker=turn_taker_of(flow, tools.log), stage=stage,
        line=line, executor=tools.speech_thread, conversation_id=conversation_id, media_now_s=media_now_s, emit=emit,
        notes=notes, on_shown=reports.emotion, on_first_sound=on_first_sound, on_fault=note_fault, language=language,
        flow=flow, observer=marks, expected=expected, bounds=answer_bounds(config), close_parts=parts.close,
        ask_app=parts.ask_app)
    try:
        await parts.warm_up(note_fault)
    except asyncio.CancelledError:
        await talk.close()
        raise
    return talk


def turn_taker_of(flow: FlowSettings, log: Callable[[str], None]) -> TurnTaker | None:
    """The turn taker of a persona's settings; None where silence decides, by choice or for want of a model."""
    if flow.turn_detection_model == "silence":
        return None
    try:
        return turn_taker(flow)
    except (OSError, TurnModelInvalid, PartFailed) as error:
        log(f"silence decides who has the floor, for there is no turn model: {error}")
        return None
