"""Which part does what in a conversation, and why. PURE: settings and persona in, names and reasons out.

The operator's settings choose. A persona may ask for a model of its own by address; that is refused unless the operator
listed the address, for it would make the worker call any machine a persona names. A key that a persona carries is
never used.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from rendering.dialogue import answer, tool_webhook
from rendering.dialogue.brains import chat as chat_brain
from rendering.dialogue.recognisers import transcription_service, whisper
from rendering.dialogue.service import Bounds, Service
from rendering.dialogue.voices import program, speech_service
from trustcore.primitives.errors import Refusal

MARGIN_S = 0.5  # a part that is late says so itself, and says better why


class AddressNotAllowed(Refusal):
    """A persona names a service address that the operator did not list."""

    code = "dialogue.address_not_allowed"


@dataclass(frozen=True)
class DialogueConfig:
    """What the operator set. An absent service or program means the embedded part."""

    chat: Service | None = None
    chat_bounds: Bounds = chat_brain.BOUNDS
    chat_addresses: tuple[str, ...] = ()  # that a persona may name, besides the chat service's own
    speech: Service | None = None
    speech_bounds: Bounds = speech_service.BOUNDS
    speech_voice: str = ""
    speech_form: Literal["pcm", "wav"] = "pcm"
    voice_command: tuple[str, ...] = ()
    voice_rate_hz: int = 22_050
    voice_bounds: Bounds = program.BOUNDS
    transcription: Service | None = None
    transcription_bounds: Bounds = transcription_service.BOUNDS
    whisper_folder: Path | None = None
    whisper_within_s: float = whisper.WITHIN_S
    tools_address: str = ""  # of the app; absent, it learns of tool calls from the viewer's page alone
    tools_key: bytes = field(default=b"", repr=False)
    tools_bounds: Bounds = tool_webhook.BOUNDS


@dataclass(frozen=True)
class Parts:
    """The choice. `why` holds one sentence for each part, for the log."""

    brain: Literal["scripted", "chat"]
    voice: Literal["embedded", "speech", "program"]
    ears: Literal["embedded", "transcription", "whisper"]
    why: tuple[str, ...]
    chat: Service | None = field(default=None, repr=False)


def parts_for(config: DialogueConfig, persona: Mapping[str, Any], language: str) -> Parts:
    """The parts of one conversation.

    Raises:
        AddressNotAllowed: the persona's `layers.llm.base_url` is not the operator's and not on their list.
    """
    chat, brain_why = _chat(config, persona)
    voice, voice_why = _voice(config, language)
    ears, ears_why = _ears(config, language)
    return Parts("chat" if chat else "scripted", voice, ears, (brain_why, voice_why, ears_why), chat)


def answer_bounds(config: DialogueConfig) -> answer.Bounds:
    """How long a conversation waits for its parts: never shorter than the part itself is given."""
    least = answer.BOUNDS
    ears_s = max(
        least.ears_s, config.transcription_bounds.total_s if config.transcription else 0.0,
        config.whisper_within_s if config.whisper_folder and not config.transcription else 0.0)
    voice = config.voice_bounds if config.voice_command and not config.speech else config.speech_bounds
    return answer.Bounds(
        ears_s=ears_s,
        brain_first_s=max(least.brain_first_s, config.chat_bounds.first_s + MARGIN_S),
        brain_next_s=max(least.brain_next_s, config.chat_bounds.between_s + MARGIN_S),
        voice_first_s=max(least.voice_first_s, voice.first_s + MARGIN_S),
        voice_next_s=max(least.voice_next_s, voice.between_s + MARGIN_S))


def _chat(config: DialogueConfig, persona: Mapping[str, Any]) -> tuple[Service | None, str]:
    layers = persona.get("layers")
    llm = layers.get("llm") if isinstance(layers, Mapping) else None
    wanted = str(llm.get("base_url") or "").rstrip("/") if isinstance(llm, Mapping) else ""
    own = config.chat.base_url.rstrip("/") if config.chat else ""
    if wanted and wanted != own:
        if wanted not in {address.rstrip("/") for address in config.chat_addresses}:
            raise AddressNotAllowed(
                "The persona names a language model at an address that this service does not use. Leave "
                "layers.llm.base_url out, or ask the operator to list it.")
        # Without the operator's key: it belongs to the operator's own service.
        model = str(llm.get("model") or "default") if isinstance(llm, Mapping) else "default"
        return Service(wanted, model), "Brain: the persona's own service, which the operator listed."
    if config.chat:
        return config.chat, "Brain: the chat service of the settings."
    return None, "Brain: scripted, as no chat service is set."


def _voice(config: DialogueConfig, language: str) -> tuple[Literal["embedded", "speech", "program"], str]:
    if config.speech:
        return "speech", "Voice: the speech service of the settings."
    if config.voice_command:
        return "program", "Voice: the program of the settings."
    return "embedded", f"Voice: embedded, for {language!r}, as neither service nor program is set."


def _ears(config: DialogueConfig, language: str) -> tuple[Literal["embedded", "transcription", "whisper"], str]:
    if config.transcription:
        return "transcription", "Ears: the transcription service of the settings."
    if config.whisper_folder:
        return "whisper", "Ears: faster-whisper with the model folder of the settings."
    return "embedded", f"Ears: embedded, for {language!r}, as neither service nor model folder is set."
