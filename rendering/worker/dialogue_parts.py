"""The parts of one conversation, built as `rendering.dialogue.choice` chose: warmed before it, closed after it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx

from rendering.dialogue.brains.brief import brief_of, guardrails_in
from rendering.dialogue.brains.chat import ChatBrain
from rendering.dialogue.brains.guarded import GuardedBrain
from rendering.dialogue.brains.guardrails import guardrails_of
from rendering.dialogue.brains.scripted import ScriptedBrain
from rendering.dialogue.choice import DialogueConfig, Parts, parts_for
from rendering.dialogue.recognisers.transcription_service import TranscriptionService
from rendering.dialogue.seams import Brain, Ears, Part, PartFailed, StreamingVoice, ToolCall
from rendering.dialogue.tool_webhook import ToolWebhook
from rendering.dialogue.voices.embedded import EmbeddedVoice
from rendering.dialogue.voices.program import ProgramVoice
from rendering.dialogue.voices.speech_service import SpeechService
from rendering.worker.slot import SlotTools
from trustcore.primitives.errors import Fault

WARM_WITHIN_S = 10.0  # a viewer waits meanwhile; a part that is not warm by then is warmed by the first turn
CLOSE_WITHIN_S = 1.0


@dataclass(frozen=True)
class DialogueParts:
    """What a conversation is made of. `why`: one sentence a part. `owned`: what ends with the conversation."""

    brain: Brain
    voice: StreamingVoice
    ears: Ears
    why: tuple[str, ...]
    to_warm: tuple[tuple[Part, Callable[[], Awaitable[None]]], ...]
    owned: tuple[Any, ...]
    ask_app: Callable[[ToolCall], Awaitable[str | None]] | None = None

    async def warm_up(self, note_fault: Callable[[Fault], None], within_s: float = WARM_WITHIN_S) -> None:
        """Make the parts ready, all at once. One that is not will say so again when it is needed."""
        await asyncio.gather(*(_warmed(part, load, note_fault, within_s) for part, load in self.to_warm))

    async def close(self) -> None:
        """Let go of the connections."""
        for part in self.owned:
            with suppress(TimeoutError, httpx.HTTPError):
                async with asyncio.timeout(CLOSE_WITHIN_S):
                    await part.close()


def build_parts(
    tools: SlotTools, config: DialogueConfig, persona: Mapping[str, Any], person_name: str, language: str,
    expected: Sequence[str] = (), conversation_id: str = "",
) -> DialogueParts:
    """The parts for one persona and language.

    Raises:
        AddressNotAllowed: the persona names a service address that the operator did not list.
    """
    chosen = parts_for(config, persona, language)
    thinking = _thinking(chosen, config, persona, person_name, language)
    voice, ears = _voice(tools, config, chosen, language), _ears(tools, config, chosen, language, expected)
    script = ScriptedBrain(persona, person_name, language)
    brain = GuardedBrain(
        thinking or script, script, guardrails_of(guardrails_in(persona)), str(persona.get("system_prompt") or ""),
        language)
    to_warm: list[tuple[Part, Callable[[], Awaitable[None]]]] = [("ears", partial(ears.warm_up, tuple(expected)))]
    if thinking is not None:
        to_warm.append(("brain", brain.warm_up))
    if chosen.voice != "embedded":  # the embedded ones were warmed with the slot
        to_warm.append(("voice", voice.warm_up))
    app = None
    if config.tools_address:
        app = ToolWebhook(config.tools_address, config.tools_key, conversation_id, config.tools_bounds)
    owned = tuple(part for part in (thinking, voice, ears if chosen.ears == "transcription" else None, app)
                  if hasattr(part, "close"))
    return DialogueParts(brain, voice, ears, chosen.why, tuple(to_warm), owned, app.ask if app else None)


def _thinking(
    chosen: Parts, config: DialogueConfig, persona: Mapping[str, Any], person_name: str, language: str,
) -> ChatBrain | None:
    if chosen.chat is None:
        return None
    script = ScriptedBrain(persona, person_name, language)
    return ChatBrain(chosen.chat, brief_of(persona, person_name, language), script, config.chat_bounds)


def _voice(tools: SlotTools, config: DialogueConfig, chosen: Parts, language: str) -> StreamingVoice:
    if chosen.voice == "speech":
        assert config.speech is not None
        return SpeechService(config.speech, config.speech_voice, config.speech_form, config.speech_bounds)
    if chosen.voice == "program":
        return ProgramVoice(config.voice_command, config.voice_rate_hz, config.voice_bounds)
    return EmbeddedVoice(tools.speech_thread, (language,))


def _ears(
    tools: SlotTools, config: DialogueConfig, chosen: Parts, language: str, expected: Sequence[str],
) -> Ears:
    if chosen.ears == "transcription":
        assert config.transcription is not None
        return TranscriptionService(config.transcription, config.transcription_bounds)
    if chosen.ears == "whisper":
        assert config.whisper_folder is not None
        return tools.whisper_in(config.whisper_folder, config.whisper_within_s)
    tools.ears.expect(language=language, expected=expected)
    return tools.ears


async def _warmed(
    part: Part, load: Callable[[], Awaitable[None]], note_fault: Callable[[Fault], None], within_s: float,
) -> None:
    try:
        async with asyncio.timeout(within_s):
            await load()
    except TimeoutError:
        note_fault(PartFailed("A part was not ready when the session began.", part=part, trouble="slow_start"))
    except Fault as fault:
        note_fault(fault)
