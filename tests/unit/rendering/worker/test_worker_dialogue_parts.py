"""A worker takes the parts that its operator set, says why, warms them and lets go of them."""

from collections.abc import Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from rendering.dialogue.brains.guarded import GuardedBrain
from rendering.dialogue.choice import AddressNotAllowed, DialogueConfig, answer_bounds
from rendering.dialogue.recognisers.transcription_service import TranscriptionService
from rendering.dialogue.recognisers.whisper import WhisperEars
from rendering.dialogue.seams import Exchange, Guarded, Line, PartFailed
from rendering.dialogue.service import Bounds, Service
from rendering.dialogue.voices.embedded import EmbeddedVoice
from rendering.dialogue.voices.program import ProgramVoice
from rendering.dialogue.voices.speech_service import SpeechService
from rendering.worker.config import WorkerConfigError
from rendering.worker.dialogue_config import dialogue_from
from rendering.worker.dialogue_parts import DialogueParts, build_parts
from rendering.worker.slot import SlotTools
from tests.common.scripted_service import SAID, scripted_service

PERSONA = {"name": "Mira", "context": "Q: When is it paid?\nA: On Friday."}


@pytest.fixture
def tools() -> Any:
    tools = SlotTools(None, None, None, None, print)  # type: ignore[arg-type]
    yield tools
    tools.close()


def parts(tools: SlotTools, config: DialogueConfig, persona: Mapping[str, Any] = PERSONA) -> DialogueParts:
    return build_parts(tools, config, persona, "Asha Roy", "en")


async def said(built: DialogueParts, text: str) -> list[Any]:
    async with aclosing(built.brain.answer(Exchange(text))) as answer:  # type: ignore[type-var]
        return [item async for item in answer]


async def test_nothing_set_is_all_embedded(tools: SlotTools) -> None:
    built = parts(tools, dialogue_from({}, WorkerConfigError))
    assert dialogue_from({}, WorkerConfigError) == DialogueConfig()
    assert isinstance(built.voice, EmbeddedVoice) and built.ears is tools.ears and not built.owned
    assert [line.text for line in await said(built, "When is it paid?")] == ["On Friday."]
    assert [part for part, _ in built.to_warm] == ["ears"] and len(built.why) == 3


async def test_the_services_of_the_settings_are_warmed_used_and_let_go(tools: SlotTools, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-own\n")
    async with scripted_service() as service:
        config = dialogue_from({
            "TRUSTCORE_CHAT_URL": service.base_url, "TRUSTCORE_CHAT_MODEL": "large",
            "TRUSTCORE_CHAT_KEY_FILE": str(tmp_path / "key"), "TRUSTCORE_SPEECH_URL": service.base_url + "/",
            "TRUSTCORE_SPEECH_VOICE": "asha", "TRUSTCORE_TRANSCRIPTION_URL": service.base_url,
        }, WorkerConfigError)
        built = parts(tools, config)
        faults: list[Any] = []
        await built.warm_up(faults.append)
        assert faults == []
        assert {r.path.split("/v1")[1] for r in service.requests} == {
            "/chat/completions", "/audio/speech", "/audio/transcriptions"}
        assert isinstance(built.voice, SpeechService) and isinstance(built.ears, TranscriptionService)
        assert [line.text for line in await said(built, "What about my claim?")] == SAID
        asked = service.requests[-1]
        assert asked.json["model"] == "large" and asked.headers["authorization"] == "Bearer sk-own"
        await built.close()
        assert await service.closed()
        assert "sk-own" not in f"{config}{built.why}"


async def test_a_service_that_is_down_is_told_and_the_session_goes_on(tools: SlotTools) -> None:
    async with scripted_service("slow_first") as service:
        built = parts(tools, DialogueConfig(chat=Service(service.base_url, "m")))
        faults: list[PartFailed] = []
        await built.warm_up(faults.append, within_s=0.2)
        assert [(f.facts["part"], f.facts["trouble"]) for f in faults if f.facts["part"] == "brain"] == [
            ("brain", "slow_start")]
        await built.close()
        assert await service.closed()


async def test_a_program_and_a_model_of_the_operator(tools: SlotTools, tmp_path: Path) -> None:
    built = parts(tools, dialogue_from({
        "TRUSTCORE_VOICE_COMMAND": "piper --model 'my voice.onnx'", "TRUSTCORE_WHISPER_FOLDER": str(tmp_path),
        "TRUSTCORE_VOICE_BOUNDS_S": "7,6,50", "TRUSTCORE_WHISPER_WITHIN_S": "9",
    }, WorkerConfigError))
    assert built.voice._bounds == Bounds(7.0, 6.0, 50.0) and built.ears._within_s == 9.0  # type: ignore[attr-defined]
    assert isinstance(built.voice, ProgramVoice) and isinstance(built.ears, WhisperEars)
    assert parts(tools, DialogueConfig(whisper_folder=tmp_path)).ears is built.ears, "the model is read once"
    assert built.owned == ()


async def test_every_brain_stands_behind_the_persona_s_guardrails(tools: SlotTools) -> None:
    rails = [{"guardrail_name": "no advice", "guardrail_prompt": "Give no medical advice.", "topics": ["dosage"]}]
    built = parts(tools, DialogueConfig(), {**PERSONA, "guardrails": rails})
    assert isinstance(built.brain, GuardedBrain)
    first, *refusal = await said(built, "Which dosage is right?")
    assert isinstance(first, Guarded) and first.guardrail == "no advice" and first.where == "heard"
    assert refusal and all(isinstance(line, Line) for line in refusal)


def test_mallory_s_persona_gets_no_session_with_an_address_of_its_own(tools: SlotTools) -> None:
    mallory = {**PERSONA, "layers": {"llm": {"base_url": "http://169.254.169.254/v1"}}}
    with pytest.raises(AddressNotAllowed):
        parts(tools, DialogueConfig(), mallory)


@pytest.mark.parametrize(("name", "value"), [
    ("TRUSTCORE_CHAT_URL", "ftp://models"), ("TRUSTCORE_CHAT_URL", "https://me:pw@models/v1"),
    ("TRUSTCORE_CHAT_URL", "https://models:99999999/v1"), ("TRUSTCORE_CHAT_URL", "https://[models/v1"),
    ("TRUSTCORE_CHAT_ADDRESSES", "https://a.example/v1, b.example"), ("TRUSTCORE_CHAT_KEY_FILE", "/nowhere"),
    ("TRUSTCORE_CHAT_BOUNDS_S", "3,2"), ("TRUSTCORE_CHAT_BOUNDS_S", "3,nan,9"), ("TRUSTCORE_SPEECH_FORM", "mp3"),
    ("TRUSTCORE_VOICE_COMMAND", "piper 'x"), ("TRUSTCORE_VOICE_RATE_HZ", "7"),
    ("TRUSTCORE_WHISPER_FOLDER", "/nowhere"), ("TRUSTCORE_WHISPER_WITHIN_S", "soon"),
    ("TRUSTCORE_TOOLS_URL", "https://app.example/tools"), ("TRUSTCORE_TOOLS_KEY_FILE", "/nowhere"),
    ("TRUSTCORE_WHISPER_WITHIN_S", "nan"), ("TRUSTCORE_VOICE_BOUNDS_S", "3,2"),
])  # fmt: skip
def test_a_wrong_setting_is_named_and_its_value_with_a_password_is_not_told(name: str, value: str) -> None:
    with pytest.raises(WorkerConfigError, match=name) as wrong:
        dialogue_from({name: value}, WorkerConfigError)
    assert "pw@" not in str(wrong.value)


@pytest.mark.parametrize("content", ["", "two keys", "a\nb", "schlüssel"])
def test_a_key_file_holds_one_key(tmp_path: Path, content: str) -> None:
    (tmp_path / "key").write_text(content)
    settings = {"TRUSTCORE_CHAT_URL": "https://models.example/v1", "TRUSTCORE_CHAT_KEY_FILE": str(tmp_path / "key")}
    with pytest.raises(WorkerConfigError, match="TRUSTCORE_CHAT_KEY_FILE") as wrong:
        dialogue_from(settings, WorkerConfigError)
    assert not content or content not in str(wrong.value)


def test_a_conversation_waits_no_shorter_than_the_part_is_given() -> None:
    slow = DialogueConfig(
        chat_bounds=Bounds(20.0, 9.0, 60.0), transcription=Service("https://a.example", "m"),
        transcription_bounds=Bounds(4.0, 4.0, 8.0))
    bounds = answer_bounds(slow)
    assert bounds.brain_first_s > 20.0 and bounds.brain_next_s > 9.0 and bounds.ears_s == 8.0
    assert answer_bounds(DialogueConfig()).ears_s == 1.5
    own = answer_bounds(DialogueConfig(
        voice_command=("piper",), voice_bounds=Bounds(20.0, 9.0, 60.0), whisper_folder=Path(), whisper_within_s=9.0))
    assert own.voice_first_s > 20.0 and own.voice_next_s > 9.0 and own.ears_s == 9.0
