"""What a conversation's line may be: limits of the app, changes on the record, TURN credentials that end."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest
from django.test import Client

from rendering.services import sessions, turn
from tests.common.replicas import USE
from tests.common.simulators.slot import SimulatedSlot
from tests.functional.rendering.test_sessions import Talk
from trustcore.audit.models import Event

pytestmark = pytest.mark.django_db
CHANGE = {"rung": "audio", "before": "small", "why": "receiver", "target_bps": 0, "media_time_s": 12.5}
SECRET = "a secret of at least 32 characters."


def tell(stage, lease, rungs, slot=None):
    return (slot or stage.slot).call("POST", f"/leases/{lease['lease_id']}/rungs", {"rungs": rungs})


@pytest.fixture
def lease(stage):
    assert Talk(stage).join().status_code == 200
    return stage.slot.claim("session").json()


def test_each_change_of_rung_is_an_event(stage, lease):
    small = {**CHANGE, "rung": "small", "before": "audio", "why": "quiet"}
    assert tell(stage, lease, [CHANGE, small]).status_code == 200
    told = [event.details["open"] for event in Event.objects.filter(action="rung.changed").order_by("id")]
    assert [(one["rung"], one["before"], one["why"], one["media_time_ms"]) for one in told] == [
        ("audio", "small", "receiver", 12_500), ("small", "audio", "quiet", 12_500)]


@pytest.mark.parametrize("spoil", [
    {"rung": "best"}, {"before": None}, {"why": "because"}, {"target_bps": -1}, {"target_bps": True},
    {"media_time_s": "soon"}, {"media_time_s": -1}, {"more": 1},
])
def test_a_change_that_makes_no_sense_is_refused_and_leaves_nothing(stage, lease, spoil):
    assert tell(stage, lease, [{**CHANGE, **spoil}]).status_code == 400
    assert tell(stage, lease, [CHANGE] * 121).status_code == 400
    assert not Event.objects.filter(action="rung.changed").exists()


def test_mallorys_slot_tells_no_change_of_another_ones_session(stage, lease):
    mallory = SimulatedSlot("w-mallory")
    assert tell(stage, lease, [CHANGE], mallory).status_code in (401, 403, 404, 409)
    assert not Event.objects.filter(action="rung.changed").exists()


@pytest.mark.parametrize(("properties", "top"), [
    ({}, ""), ({"audio_only": True}, "audio"), ({"audio_only": False}, ""), ({"max_rung": "small"}, "small"),
    ({"max_rung": "captions", "audio_only": True}, "captions"), ({"max_rung": "full", "audio_only": True}, "audio"),
])
def test_the_apps_limit_goes_to_the_slot(stage, properties, top):
    Talk(stage, properties=properties).join()
    facts = stage.slot.claim("session").json()["facts"]
    assert (facts["max_rung"], facts["is_relayed"]) == (top, False)
    assert sessions.max_rung(properties) == top


@pytest.mark.parametrize("properties", [{"max_rung": "huge"}, {"relay_only": True}, {"audio_only": "perhaps"}])
def test_a_wish_that_cannot_be_met_is_refused(stage, properties):
    answer = Client().post(
        "/v2/conversations", json.dumps({"replica_id": stage.replica.public_id, **USE, "properties": properties}),
        content_type="application/json", headers={"x-api-key": stage.api_key})
    assert answer.status_code == 400, answer.content


def test_a_turn_credential_is_what_coturn_computes_and_says_until_when():
    until = datetime(2026, 11, 29, 12, tzinfo=UTC)
    user, password = turn.credential(SECRET, "c1", until=until)
    assert user == f"{int(until.timestamp())}:c1"
    assert base64.b64decode(password) == hmac.new(SECRET.encode(), user.encode(), hashlib.sha1).digest()
    assert turn.credential(SECRET, "c2", until=until)[1] != password


def test_the_page_gets_a_credential_and_never_the_secret(stage, settings):
    settings.TURN_URLS, settings.TURN_SECRET = ["turn:turn.example:3478"], SECRET
    talk = Talk(stage, properties={"relay_only": True})
    page = talk.join().content.decode()
    assert "turn:turn.example:3478" in page and 'data-relay-only="yes"' in page and SECRET not in page
    facts = stage.slot.claim("session").json()["facts"]
    assert facts["is_relayed"] and facts["ice_servers"][0]["username"].endswith(f":{talk.id}")
    assert SECRET not in json.dumps(facts)
