"""A part of a conversation that failed is told to control: written down for good, closed to strangers."""

from typing import get_args

import pytest
from django.test import Client

from rendering import protocol
from rendering.dialogue import seams
from tests.functional.rendering.test_sessions import Talk
from trustcore.audit.models import Event

pytestmark = pytest.mark.django_db
STALLED = {"part": "brain", "trouble": "stalled", "media_time_s": 3.25}


@pytest.fixture
def talk(stage):
    return Talk(stage)


@pytest.fixture
def lease(stage, talk):
    assert talk.join().status_code == 200
    return stage.slot.claim("session").json()


def tell(stage, lease, troubles):
    return stage.slot.call("POST", f"/leases/{lease['lease_id']}/troubles", {"troubles": troubles})


def test_a_trouble_is_one_event_about_the_conversation(stage, talk, lease):
    assert tell(stage, lease, [STALLED, {**STALLED, "part": "voice", "trouble": "broken"}]).status_code == 200
    events = Event.objects.filter(action="conversation.part_failed", object_id=talk.id).order_by("id")
    told = [event.details["open"] for event in events]
    assert [(one["part"], one["trouble"], one["media_time_ms"]) for one in told] == [
        ("brain", "stalled", 3250), ("voice", "broken", 3250)]


@pytest.mark.parametrize(
    "change",
    [{"part": "legs"}, {"trouble": "what the viewer said"}, {"media_time_s": -1}, {"media_time_s": "1"},
     {"said": "a secret"}, {"part": None}, {"trouble": ["broken"]}],
)  # fmt: skip
def test_a_malformed_trouble_is_refused(stage, talk, lease, change):
    assert tell(stage, lease, [STALLED, {**STALLED, **change}]).status_code == 400
    assert not Event.objects.filter(action="conversation.part_failed").exists()


def test_too_many_at_once_are_refused(stage, talk, lease):
    assert tell(stage, lease, [STALLED] * 101).status_code == 400


def test_mallory_tells_of_no_trouble(stage, talk, lease):
    assert stage.slot.call("POST", "/leases/z0/troubles", {"troubles": [STALLED]}).status_code in (404, 409)
    unsigned = Client().post(
        f"/worker/v1/leases/{lease['lease_id']}/troubles", {"troubles": [STALLED]}, content_type="application/json")
    assert unsigned.status_code in (401, 403)
    assert not Event.objects.filter(action="conversation.part_failed").exists()


def test_the_slot_gets_the_persona_s_flow(stage, lease):
    assert isinstance(lease["facts"]["persona"]["conversational_flow"], dict)


def test_control_and_the_conversation_use_the_same_words():
    assert get_args(seams.Part) == protocol.TROUBLED_PARTS
    assert get_args(seams.Trouble) == protocol.TROUBLES
