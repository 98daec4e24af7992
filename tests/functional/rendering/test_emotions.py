"""Emotions through the API: asked for by request and by message, told back as they were shown, closed to strangers."""

import json

import pytest
from django.test import Client

from rendering.models import LiveState
from tests.functional.rendering.test_conversations import get
from tests.functional.rendering.test_sessions import OFFER, Talk
from trustcore.audit.models import Event
from trustcore.jobs.models import LeaseEvent
from trustcore.primitives.clock import from_rfc3339

pytestmark = pytest.mark.django_db
SHOWN = {"emotion": "joy", "shown_milli": 500, "asked": "joy", "asked_milli": 900, "source": "message",
         "limited_by": "policy", "media_time_s": 1.5}  # fmt: skip
CALM = {**SHOWN, "emotion": "neutral", "shown_milli": 0, "asked": "neutral", "asked_milli": 600, "source": "tag",
        "limited_by": "unknown", "media_time_s": 4.25}  # fmt: skip


@pytest.fixture
def talk(stage):
    return Talk(stage, emotion={"name": "joy", "milli": 700})


@pytest.fixture
def lease(stage, talk):
    assert talk.join().status_code == 200
    return stage.slot.claim("session").json()


def interact(stage, talk, event_type, properties=None, client=None):
    body = {"message_type": "conversation", "conversation_id": talk.id, "event_type": event_type}
    headers = {} if client else {"x-api-key": stage.api_key}
    return (client or Client()).post(
        "/v2/interactions", json.dumps(body | ({"properties": properties} if properties is not None else {})),
        content_type="application/json", headers=headers)


def tell(stage, lease, emotions):
    return stage.slot.call("POST", f"/leases/{lease['lease_id']}/emotions", {"emotions": emotions})


def test_the_request_s_emotion_goes_to_the_slot_as_it_was_asked(lease):
    # The slot holds it to the grant itself: control's word is no clamp.
    assert lease["facts"]["emotion"] == {"name": "joy", "milli": 700}
    assert lease["grant"]["body"]["emotion_max_milli"]["joy"] == 500


def test_what_is_shown_is_told_back_with_its_media_time(stage, talk, lease, monkeypatch):
    from rendering.views import viewer

    monkeypatch.setattr(viewer, "ANSWER_WITHIN_S", 0.0)
    path = f"/v2/conversations/{talk.id}"
    assert get(stage, path).json()["emotion_shown"] is None
    talk.post("offer", OFFER)
    offer = stage.slot.call("GET", f"/leases/{lease['lease_id']}/events?after=0").json()["events"][0]
    stage.slot.answer(lease, offer["body"])
    for _ in range(2):  # told again after a lost answer, it counts once
        assert tell(stage, lease, [SHOWN, CALM]).status_code == 200
    shown = get(stage, path).json()["emotion_shown"]
    assert shown == CALM
    told = [e for e in get(stage, f"{path}?verbose=true").json()["events"] if e["event_type"] == "trustcore.emotion"]
    assert [event["properties"] for event in told] == [SHOWN, CALM]
    assert {event["conversation_id"] for event in told} == {talk.id}
    first, second = (from_rfc3339(event["timestamp"]) for event in told)
    assert (second - first).total_seconds() == pytest.approx(2.75, abs=0.01)
    talk.post("leave")
    assert get(stage, path).json()["emotion_shown"] is None
    assert not Event.objects.filter(action="emotion.clamped").exists()  # a clamp is told by itself


def test_the_newest_emotions_are_kept_when_there_are_too_many(stage, talk, lease):
    many = [{**SHOWN, "media_time_s": float(i)} for i in range(150)]
    for part in (many, [{**one, "media_time_s": one["media_time_s"] + 150} for one in many]):
        assert tell(stage, lease, part).status_code == 200
    kept = LiveState.objects.get().emotions
    assert (len(kept), kept[-1]["media_time_s"]) == (200, 299.0)
    assert tell(stage, lease, [SHOWN] * 201).status_code == 400


@pytest.mark.parametrize(
    "change",
    [
        {"emotion": "glee"}, {"asked": "glee"}, {"shown_milli": 1001}, {"shown_milli": True}, {"asked_milli": -1},
        {"source": "viewer"}, {"limited_by": "mood"}, {"media_time_s": "soon"}, {"media_time_s": float("nan")},
        {"media_time_s": float("inf")}, {"media_time_s": 1e300}, {"media_time_s": True}, {"more": 1},
    ],
)  # fmt: skip
def test_a_malformed_report_is_refused(stage, talk, lease, change):
    assert tell(stage, lease, [{**SHOWN, **change}]).status_code == 400
    assert LiveState.objects.get().emotions == []


def test_messages_of_the_application_reach_the_slot(stage, talk, lease):
    asked = [
        ("conversation.set_emotion", {"emotion": "scared", "milli": 300}),
        ("conversation.set_emotion", {"emotion": "happiness"}),
        ("conversation.respond", {"text": "Hello", "emotion": "excited", "milli": 900}),
        ("conversation.interrupt", None),
    ]
    for event_type, properties in asked:
        assert interact(stage, talk, event_type, properties).status_code == 200
    told = [(e.kind, e.body.get("emotion"), e.body.get("milli")) for e in LeaseEvent.objects.order_by("number")]
    assert told == [
        ("emotion", "fear", 300), ("emotion", "joy", 600), ("message", "joy", 900), ("interrupt", None, None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("event_type", "properties"),
    [
        ("conversation.set_emotion", {"emotion": "glee"}), ("conversation.set_emotion", {}),
        ("conversation.set_emotion", {"emotion": "joy", "milli": 1001}), ("conversation.respond", {}),
        ("conversation.set_emotion", {"emotion": "joy", "milli": 0.5}), ("conversation.echo", {"text": "Hi"}),
        ("conversation.respond", {"text": "x" * 1001}), ("conversation.set_emotion", {"emotion": {"a": 1}}),
    ],
)  # fmt: skip
def test_a_malformed_interaction_is_refused(stage, talk, lease, event_type, properties):
    assert interact(stage, talk, event_type, properties).status_code == 400
    assert not LeaseEvent.objects.exists()


def test_a_conversation_that_is_over_takes_no_interaction(stage, talk, lease):
    talk.post("leave")
    for event_type, properties in (("conversation.interrupt", {}), ("conversation.set_emotion", {"emotion": "joy"})):
        assert interact(stage, talk, event_type, properties).status_code == 409


def test_a_flood_of_interactions_is_slowed(stage, talk, lease):
    codes = [interact(stage, talk, "conversation.set_emotion", {"emotion": "joy"}).status_code for _ in range(32)]
    assert codes[:30] == [200] * 30
    assert set(codes[30:]) == {429}


def test_mallory_moves_no_face(stage, talk, lease):
    mallory = Client()
    mallory.force_login(stage.cast.mallory)
    assert interact(stage, talk, "conversation.set_emotion", {"emotion": "anger"}, mallory).status_code == 404
    assert interact(stage, talk, "conversation.set_emotion", {"emotion": "anger"}, Client()).status_code in (401, 403)
    erin = Client()
    erin.force_login(stage.cast.erin)  # who may look may not direct
    assert interact(stage, talk, "conversation.set_emotion", {"emotion": "anger"}, erin).status_code in (403, 404)
    assert not LeaseEvent.objects.exists()
    stranger = stage.slot.call("POST", "/leases/z0/emotions", {"emotions": [SHOWN]})
    assert stranger.status_code in (404, 409)
