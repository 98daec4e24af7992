"""An app answers a tool call through the API; nobody else does."""

import pytest
from django.test import Client

from tests.functional.rendering.test_emotions import interact
from tests.functional.rendering.test_sessions import Talk

pytestmark = pytest.mark.django_db
KIND = "conversation.tool_result"


@pytest.fixture
def talk(stage):
    return Talk(stage)


@pytest.fixture
def lease(stage, talk):
    assert talk.join().status_code == 200
    return stage.slot.claim("session").json()


def events(stage, lease):
    found = stage.slot.call("GET", f"/leases/{lease['lease_id']}/events?after=0&wait=0").json()["events"]
    return [event["body"] for event in found if event["kind"] == "tool_result"]


def test_the_app_s_answer_goes_to_the_slot(stage, talk, lease):
    assert interact(stage, talk, KIND, {"tool_call_id": "call_1-1", "result": {"paid": True}}).status_code == 200
    assert events(stage, lease) == [{"tool_call_id": "call_1-1", "result": '{"paid": true}'}]


@pytest.mark.parametrize("properties", [
    {}, {"tool_call_id": "c"}, {"result": "x"}, {"tool_call_id": "", "result": "x"}, {"tool_call_id": 7, "result": "x"},
    {"tool_call_id": "c" * 121, "result": "x"}, {"tool_call_id": "c", "result": "x" * 8001},
])  # fmt: skip
def test_a_malformed_answer_is_refused(stage, talk, lease, properties):
    assert interact(stage, talk, KIND, properties).status_code == 400


def test_mallory_answers_no_tool_call(stage, talk, lease):
    answer = {"tool_call_id": "call_1-1", "result": "a million"}
    assert interact(stage, talk, KIND, answer, client=Client()).status_code in (401, 403)
