"""The settings choose the parts; a persona cannot send the worker to an address of its own."""

import pytest

from rendering.dialogue.choice import AddressNotAllowed, DialogueConfig, parts_for
from rendering.dialogue.service import Service

OWN = Service("https://models.example/v1", "large", "sk-secret")


def asking_for(address: str) -> dict[str, object]:
    return {"layers": {"llm": {"base_url": address, "model": "theirs", "api_key": "sk-theirs"}}}


def test_without_settings_everything_is_embedded_and_says_why() -> None:
    parts = parts_for(DialogueConfig(), {}, "en")
    assert (parts.brain, parts.voice, parts.ears) == ("scripted", "embedded", "embedded")
    assert len(parts.why) == 3 and all("as n" in reason for reason in parts.why)


def test_the_settings_choose() -> None:
    config = DialogueConfig(chat=OWN, speech=OWN, voice_command=("piper",), transcription=OWN)
    parts = parts_for(config, {}, "hi")
    assert (parts.brain, parts.voice, parts.ears, parts.chat) == ("chat", "speech", "transcription", OWN)
    assert "sk-secret" not in f"{parts} {config}"


@pytest.mark.parametrize("address", [
    "http://169.254.169.254/latest", "http://localhost:8000/v1", "https://models.example.evil/v1",
    "https://models.example/v1@evil", "file:///etc/passwd",
])  # fmt: skip
def test_mallory_s_persona_cannot_choose_an_address(address: str) -> None:
    for config in (DialogueConfig(), DialogueConfig(chat=OWN, chat_addresses=("https://other.example/v1",))):
        with pytest.raises(AddressNotAllowed) as refused:
            parts_for(config, asking_for(address), "en")
        assert address not in refused.value.message


def test_an_address_on_the_operator_s_list_is_used_without_any_key() -> None:
    config = DialogueConfig(chat=OWN, chat_addresses=("https://other.example/v1/",))
    chat = parts_for(config, asking_for("https://other.example/v1"), "en").chat
    assert chat == Service("https://other.example/v1", "theirs")
    assert parts_for(config, asking_for(OWN.base_url), "en").chat == OWN
