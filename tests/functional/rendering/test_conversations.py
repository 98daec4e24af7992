"""The conversation API as an integrator meets it: granted, refused with reasons, idempotent, closed to strangers."""

import json

import pytest
from django.test import Client

from consent.services import consents
from rendering.models import Conversation
from tests.common import replicas
from tests.common.replicas import USE
from trustcore.audit.actors import Actor
from trustcore.audit.models import Event
from trustcore.keys.services import signing_keys
from trustcore.primitives.clock import utc_now
from trustcore.primitives.grants import verify_grant
from trustcore.primitives.signing import verify_statement

pytestmark = pytest.mark.django_db


def post(stage, body=None, key=None, **headers):
    return Client().post(
        "/v2/conversations", json.dumps({"replica_id": stage.replica.public_id, **USE, **(body or {})}),
        content_type="application/json",
        headers={"x-api-key": stage.api_key if key is None else key, **headers})


def get(stage, path, key=None):
    return Client().get(path, headers={"x-api-key": stage.api_key if key is None else key})


def test_a_granted_conversation_carries_url_grant_and_signed_attestation(stage):
    answer = post(stage, {"conversation_name": "Claims", "emotion": "happiness"})
    body = answer.json()
    assert answer.status_code == 200, body
    assert body["status"] == "active" and body["conversation_id"].startswith("c")
    assert body["conversation_url"].startswith(f"http://testserver/c/{body['conversation_id']}/?t=")
    assert body["replica_id"] == body["face_id"] == stage.replica.public_id
    assert body["emotion"] == "joy"
    told = verify_statement(body["attestation"], "attestation", signing_keys.trusted("attestation"))
    assert told["replica"]["version"] == 1 and told["consent"]["id"] == stage.consent.public_id
    row = Conversation.objects.get(public_id=body["conversation_id"])
    grant = verify_grant(row.grant, signing_keys.trusted("grant"), audience="render-worker", now=utc_now())
    assert grant.sha256 == row.grant_sha256 == told["grant"]["sha256"]
    # The least of policy (600), use (500) and consent (700).
    assert grant.emotion_max_milli["joy"] == 500
    assert grant.emotion_max_milli["anger"] == 0
    event = Event.objects.get(action="conversation.created", object_id=row.public_id)
    assert event.details["open"]["decision_id"] == body["decision_id"]


def test_both_spellings_and_a_persona_with_a_default_use_are_accepted(stage):
    made = Client().post(
        "/v2/pals",
        json.dumps(
            {
                "pal_name": "Helper",
                "system_prompt": "Help.",
                "default_face_id": stage.replica.public_id,
                "default_use": USE,
            }
        ),
        content_type="application/json",
        headers={"x-api-key": stage.api_key},
    )
    persona = made.json()
    assert (
        made.status_code == 200
        and persona["persona_name"] == "Helper"
        and persona["data"][0]["pal_id"] == persona["persona_id"]
    )
    answer = Client().post(
        "/v2/conversations", json.dumps({"pal_id": persona["pal_id"]}), content_type="application/json",
        headers={"x-api-key": stage.api_key})
    assert answer.status_code == 200, answer.json()
    assert answer.json()["persona_id"] == persona["persona_id"]
    assert get(stage, f"/v2/personas/{persona['persona_id']}").json()["persona_name"] == "Helper"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"country": "NO"}, "consent.country_not_covered"),
        ({"purpose": "marketing"}, "consent.purpose_not_covered"),
        ({"audience": "minors"}, "consent.audience_not_covered"),
        ({"purpose": "education"}, "policy.use_not_allowed"),
        ({"context_of_use": "workplace"}, "policy.context_not_allowed"),
        ({"language": "sv"}, "consent.language_not_covered"),
        ({"purpose": ""}, None),
    ],
)
def test_a_use_outside_the_scope_is_refused_with_its_reason_and_an_event(stage, changed, reason):
    answer = post(stage, changed)
    body = answer.json()
    if reason is None:
        assert answer.status_code == 400 and body["code"] == "request.invalid" and "purpose" in body["fields"]
        return
    assert answer.status_code == 403, body
    assert body["code"] == reason and body["error"] == body["message"] and body["decision_id"] and body["request_id"]
    event = Event.objects.get(action="conversation.refused", outcome="refused")
    assert event.details["open"]["decision_id"] == body["decision_id"]
    assert not Conversation.objects.exists()


def test_after_withdrawal_nothing_new_begins(stage):
    consents.withdraw(actor=Actor.subject(stage.consent.subject_public_id), consent=stage.consent)
    body = post(stage).json()
    assert body["code"] == "consent.withdrawn"


def test_without_approvals_nothing_begins(cast, monkeypatch):
    stage = replicas.set_stage(cast, monkeypatch, is_approved=False)
    answer = post(stage)
    assert answer.status_code == 403
    assert answer.json()["reasons"] == ["replica.unapproved", "policy.unapproved"]


def test_an_unapproved_policy_alone_refuses(cast, monkeypatch):
    stage = replicas.set_stage(cast, monkeypatch, is_approved=False)
    from rendering.services import replicas as service

    request = service.send_for_signatures(
        actor=Actor.user(cast.farah), author=cast.farah, version=stage.version, now=utc_now()
    )
    for name in ("meera", "jonas"):
        replicas.sign(request, getattr(cast, name), stage.passkeys[name])
    assert post(stage).json()["reasons"] == ["policy.unapproved"]


def test_an_idempotency_key_gives_the_same_conversation_and_refuses_another_request(stage):
    first, second = (post(stage, **{"Idempotency-Key": "one"}).json() for _ in range(2))
    assert (
        first["conversation_id"] == second["conversation_id"]
        and first["conversation_url"] == second["conversation_url"]
    )
    other = post(stage, {"country": "SE"}, **{"Idempotency-Key": "one"})
    assert other.status_code == 409 and other.json()["code"] == "conversation.idempotency_mismatch"
    assert Conversation.objects.count() == 1


def test_list_detail_end_and_attestation(stage):
    made = post(stage).json()
    path = f"/v2/conversations/{made['conversation_id']}"
    assert get(stage, "/v2/conversations").json()["total_count"] == 1
    assert "t=" not in get(stage, path).json()["conversation_url"]
    assert get(stage, f"{path}/attestation").json()["attestation"] == made["attestation"]
    ended = Client().post(f"{path}/end", headers={"x-api-key": stage.api_key})
    assert ended.status_code == 200
    detail = get(stage, f"{path}?verbose=true").json()
    assert detail["status"] == "ended" and detail["end_reason"] == "end_conversation_endpoint_hit"
    assert detail["events"][0]["event_type"] == "system.shutdown"
    assert get(stage, "/v2/conversations?status=active").json()["total_count"] == 0


def test_replicas_say_whether_they_may_speak(stage):
    listed = get(stage, "/v2/replicas").json()["data"][0]
    assert (listed["status"], listed["may_speak"], listed["training_progress"]) == ("ready", True, "100/100")
    assert get(stage, f"/v2/faces/{stage.replica.public_id}").json()["face_name"] == "Asha Baruah"
    consents.withdraw(actor=Actor.subject(stage.consent.subject_public_id), consent=stage.consent)
    assert get(stage, f"/v2/replicas/{stage.replica.public_id}").json()["standing"] == "no_consent"


PATHS = [
    ("GET", "/v2/conversations"), ("POST", "/v2/conversations"), ("GET", "/v2/replicas"), ("GET", "/v2/personas"),
    ("POST", "/v2/personas"),
]


@pytest.mark.parametrize(("method", "path"), PATHS)
@pytest.mark.parametrize("key", ["", "tc_00000000_wrong"])
def test_a_wrong_or_missing_key_gets_401(stage, method, path, key):
    headers = {"x-api-key": key} if key else {}
    answer = Client().generic(method, path, "{}", content_type="application/json", headers=headers)
    assert answer.status_code == 401
    assert {"error", "message", "code", "request_id"} <= set(answer.json())


def test_mallory_sees_and_starts_nothing(stage):
    made = post(stage).json()
    mallory = Client()
    mallory.force_login(stage.cast.mallory)
    own = f"/v2/conversations/{made['conversation_id']}"
    for path in (own, f"{own}/attestation", f"/v2/replicas/{stage.replica.public_id}"):
        assert mallory.get(path).status_code == 404
    assert mallory.post(f"{own}/end").status_code == 404
    assert mallory.get("/v2/conversations").json()["total_count"] == 0
    started = mallory.post(
        "/v2/conversations", json.dumps({"replica_id": stage.replica.public_id, **USE}),
        content_type="application/json")
    assert started.status_code == 404
    assert Conversation.objects.get().state == "waiting"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"emotion": "glee"}, "emotion"), ({"emotion": {"name": "joy", "milli": 1001}}, "emotion"),
        ({"callback_url": "no url"}, "callback_url"),
        ({"properties": {"max_call_duration": 1}}, "properties"),
        ({"properties": {"video_codec": "av1"}}, "properties"),
        ({"conversation_name": "x" * 201}, "conversation_name"),
    ],
)
def test_a_malformed_field_is_named(stage, body, field):
    answer = post(stage, body)
    assert answer.status_code == 400 and field in answer.json()["fields"]
