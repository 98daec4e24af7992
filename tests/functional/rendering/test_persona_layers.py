"""A persona's layers: tools and guardrails reach the slot, keys and foreign addresses are never stored."""

import json

import pytest
from django.test import Client, override_settings

from rendering.models import Persona
from rendering.services import persona_layers

pytestmark = pytest.mark.django_db
TOOL = {"type": "function", "function": {
    "name": "call_api", "description": "Calls.", "parameters": {
        "type": "object", "properties": {"api_key": {"type": "string"}, "headers": {"type": "object"}}}}}


def create(stage, layers):
    return Client().post(
        "/v2/personas", json.dumps({"persona_name": "x", "layers": layers}), content_type="application/json",
        headers={"x-api-key": stage.api_key})


@pytest.mark.parametrize("layers", [
    {"llm": {"api_key": "sk-secret"}}, {"tts": {"api_key": "sk-secret"}}, {"llm": {"headers": {"X-Key": "sk-secret"}}},
    {"llm": {"Api-Key": "sk-secret"}}, {"llm": {"extra_body": {"api_key": "sk-secret"}}},
    {"llm": {"tools": [{**TOOL, "delivery": {"headers": {"a": "sk-secret"}}}]}},
])  # fmt: skip
def test_mallory_stores_no_secret(stage, layers):
    before = Persona.objects.count()
    answer = create(stage, layers)
    assert answer.status_code == 409 and "persona.secret_refused" in answer.content.decode()
    assert "sk-secret" not in answer.content.decode() and Persona.objects.count() == before


@pytest.mark.parametrize("address", ["http://169.254.169.254/latest", "https://models.example/v1@evil", ["x"]])
@override_settings(CHAT_ADDRESSES=["https://models.example/v1"])
def test_mallory_names_no_address_of_their_own(stage, address):
    for layer in ("llm", "tts"):
        answer = create(stage, {layer: {"base_url": address}})
        assert answer.status_code == 409 and "persona.address_refused" in answer.content.decode()


@override_settings(CHAT_ADDRESSES=["https://models.example/v1"])
def test_a_listed_address_and_a_tool_with_any_arguments_are_stored(stage):
    layers = {"llm": {"base_url": "https://models.example/v1/", "api_key": "", "tools": [TOOL]}}
    assert create(stage, layers).status_code == 200


def test_a_slot_is_told_what_the_brains_read_and_nothing_secret():
    told = persona_layers.for_slot({
        "llm": {"model": "m", "base_url": "https://a.example/v1", "api_key": "sk", "headers": {"a": "sk"},
                "tools": [{**TOOL, "delivery": {"key": "sk"}}, "no tool", {"type": "function"}]},
        "tts": {"api_key": "sk"}, "guardrails": [{"guardrail_name": "g", "topics": ["t"], "callback_url": "sk"}, 7]})
    assert told == {
        "layers": {"llm": {"model": "m", "base_url": "https://a.example/v1", "tools": [TOOL]}},
        "guardrails": [{"guardrail_name": "g", "topics": ["t"]}]}


@pytest.mark.parametrize("layers", [{}, {"llm": None}, {"llm": {"tools": "all"}, "guardrails": {"a": 1}}])
def test_odd_layers_tell_a_slot_nothing(layers):
    assert persona_layers.for_slot(layers) == {"layers": {"llm": {"tools": []}}, "guardrails": []}
