"""A viewer's consent to being perceived: where it may be asked for, what is on the record, and who else tries."""

import json
from datetime import timedelta

import pytest
from django.test import Client

from rendering.models import Conversation
from rendering.services import perceiving, perception_notice, viewing
from tests.common import replicas
from tests.common.replicas import USE
from tests.functional.rendering.test_sessions import Talk
from trustcore.accounts.services.strangers import strangers
from trustcore.audit.models import Event
from trustcore.jobs.models import LeaseEvent
from trustcore.keys.services import signing_keys
from trustcore.primitives.clock import utc_now
from trustcore.primitives.grants import verify_grant

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _every_context_has_a_policy(monkeypatch):
    monkeypatch.setitem(replicas.POLICY, "contexts", ["public", "workplace", "education", "unknown"])
    strangers.forget()


def talk_of(stage, asked="full", **body):
    persona = Client().post(
        "/v2/personas", json.dumps({"persona_name": "Helper", "default_use": {},
                                    "layers": {"perception": {"emotion_recognition": asked}}}),
        content_type="application/json", headers={"x-api-key": stage.api_key}).json()
    return Talk(stage, persona_id=persona["persona_id"], **body)


def grant_of(talk):
    row = Conversation.objects.get(public_id=talk.id)
    return verify_grant(row.grant, signing_keys.trusted("grant"), audience="render-worker", now=utc_now())


def page_of(talk):
    return talk.join().content.decode()


def words(talk):
    return [event.body["consent"] for event in LeaseEvent.objects.filter(kind="perception").order_by("number")]


def test_nobody_may_leave_out_where_the_viewer_is(stage):
    use = {name: value for name, value in USE.items() if name != "context_of_use"}
    for said in ({}, {"context_of_use": "somewhere"}):
        answer = Client().post(
            "/v2/conversations", json.dumps({"replica_id": stage.replica.public_id, **use, **said}),
            content_type="application/json", headers={"x-api-key": stage.api_key})
        assert answer.status_code == 400 and "context_of_use" in answer.json()["fields"], answer.json()
    assert not Conversation.objects.exists()


def test_a_persona_asks_in_known_words(stage):
    answer = Client().post(
        "/v2/personas", json.dumps({"persona_name": "x", "layers": {"perception": {"emotion_recognition": "always"}}}),
        content_type="application/json", headers={"x-api-key": stage.api_key})
    assert answer.status_code == 400 and "layers" in answer.json()["fields"]


def test_it_is_off_unless_a_persona_asks(stage):
    talk = Talk(stage)
    assert grant_of(talk).perception == "off" and "perception" not in talk.row.grant["body"]
    page = talk.join()
    assert "perception" not in page.content.decode() and "camera=()" in page["Permissions-Policy"]
    assert talk.post("perception", {"word": "grant"}).json()["code"] == "perception.not_allowed"
    assert not Event.objects.filter(action="perception.consented").exists()


@pytest.mark.parametrize("level", ["limited", "full"])
def test_where_the_law_lets_the_page_asks_and_the_grant_says_how_far(stage, level):
    talk = talk_of(stage, level)
    assert grant_of(talk).perception == level
    page = talk.join()
    text = page.content.decode()
    assert "js/viewer/perception/panel.js" in text and "face_mesh" not in text
    assert ("camera=(self)" if level == "full" else "camera=()") in page["Permissions-Policy"]
    for sentence in perception_notice.sentences(level):
        assert sentence.replace("'", "&#x27;") in text
    assert ("picture of your camera" in text) == (level == "full")
    assert not Event.objects.filter(action="perception.refused").exists()


@pytest.mark.parametrize("context", ["workplace", "education", "unknown"])
def test_at_work_in_school_and_nowhere_nothing_is_loaded_and_the_refusal_names_the_law(stage, context):
    talk = talk_of(stage, "full", context_of_use=context)
    assert grant_of(talk).perception == "off"
    event = Event.objects.get(action="perception.refused", object_id=talk.id)
    assert event.outcome == "refused" and "Art. 5(1)(f)" in event.details["open"]["rule"]
    assert event.details["open"]["context_of_use"] == context
    created = Event.objects.get(action="conversation.created", object_id=talk.id)
    assert created.details["open"]["perception"] == "off" and created.details["open"]["perception_reason"]
    page = talk.join()
    assert "perception" not in page.content.decode() and "camera=()" in page["Permissions-Policy"]
    told = Client().get(f"/v2/conversations/{talk.id}?verbose=true", headers={"x-api-key": stage.api_key}).json()
    unavailable = [one for one in told["events"] if one["event_type"] == "application.perception_unavailable"]
    assert len(unavailable) == 1 and "Art. 5(1)(f)" in unavailable[0]["properties"]["rule"]
    # Mallory holds the cookie and asks all the same.
    for _ in range(3):
        refused = talk.post("perception", {"word": "grant"})
        assert refused.json()["code"] == "perception.not_allowed"
    assert talk.viewer.get(f"/c/{talk.id}/perception/frame").json()["code"] == "perception.not_allowed"
    assert Event.objects.filter(action="perception.refused", object_id=talk.id).count() == 2  # one a minute
    assert words(talk) == []


def test_a_forged_grant_word_opens_nothing_at_work(stage):
    """Whoever signs grants may be fooled into the word; the law is asked again where it counts."""
    talk = talk_of(stage, "full", context_of_use="workplace")
    row = talk.row
    row.grant["body"]["perception"] = "full"
    assert perceiving.level_of(row) == "off"


def test_consent_and_its_end_are_events_and_words_to_the_slot(stage):
    talk = talk_of(stage)
    page_of(talk)
    assert talk.viewer.get(f"/c/{talk.id}/perception/frame").json()["code"] == "perception.not_allowed"
    token = talk.post("perception", {"word": "grant"}).json()["consent"]
    assert words(talk) == [token]
    event = Event.objects.get(action="perception.consented", object_id=talk.id)
    told = event.details["open"]
    assert told["level"] == "full" and told["notice_language"] == "en"
    assert told["notice_sha256"] == perception_notice.notice_sha256("full", "en")
    assert told["notice_sha256"] != perception_notice.notice_sha256("limited", "en")

    assert talk.viewer.get(f"/c/{talk.id}/perception/frame").status_code == 200
    assert talk.post("perception", {"word": "revoke"}).status_code == 200
    assert words(talk) == [token, ""]
    assert Event.objects.filter(action="perception.revoked", object_id=talk.id).count() == 1
    assert talk.viewer.get(f"/c/{talk.id}/perception/frame").status_code == 409
    talk.post("perception", {"word": "revoke"})  # nothing in force: nothing to record
    assert Event.objects.filter(action="perception.revoked", object_id=talk.id).count() == 1
    assert talk.post("perception", {"word": "grant"}).json()["consent"] != token


def test_the_frame_may_reach_its_model_and_nothing_else(stage):
    talk = talk_of(stage)
    page_of(talk)
    talk.post("perception", {"word": "grant"})
    answer = talk.viewer.get(f"/c/{talk.id}/perception/frame")
    policy = {part.split()[0]: part.split()[1:] for part in answer["Content-Security-Policy"].split("; ")}
    assert policy["connect-src"] == ["http://testserver/static/vendor/face_mesh/"]
    assert policy["default-src"] == ["'none'"] and policy["form-action"] == ["'none'"]
    assert "img-src" not in policy and policy["frame-ancestors"] == ["'self'"]
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    main = talk.viewer.get(f"/c/{talk.id}/")
    assert "unsafe-eval'" not in main["Content-Security-Policy"].replace("wasm-unsafe-eval'", "")


def test_a_limited_frame_loads_no_face_model(stage):
    talk = talk_of(stage, "limited")
    page_of(talk)
    talk.post("perception", {"word": "grant"})
    answer = talk.viewer.get(f"/c/{talk.id}/perception/frame")
    assert answer.status_code == 200 and "face_mesh.js" not in answer.content.decode()
    assert "camera=()" in answer["Permissions-Policy"]


def test_only_the_viewer_may_say_it(stage):
    talk = talk_of(stage)
    page_of(talk)
    assert talk.post("perception", {"word": "grant"}, Client()).status_code == 409
    assert Client().get(f"/c/{talk.id}/perception/frame").status_code == 409
    for body in ({}, {"word": "maybe"}, {"word": ["grant"]}):
        assert talk.post("perception", body).json()["code"] == "request.invalid"
    assert talk.viewer.get(f"/c/{talk.id}/perception").status_code == 405
    assert words(talk) == []


def test_taking_it_back_is_never_too_fast(stage, monkeypatch):
    monkeypatch.setattr(viewing, "PATIENCE", timedelta(hours=1))  # however slow the machine
    talk = talk_of(stage)
    page_of(talk)
    for _ in range(15):
        talk.post("perception", {"word": "grant"})
        assert talk.post("perception", {"word": "revoke"}).status_code == 200
    assert talk.post("perception", {"word": "grant"}).json()["code"] == "conversation.too_fast"
    assert words(talk)[-1] == ""


def test_after_the_end_there_is_nothing_to_agree_to(stage):
    talk = talk_of(stage)
    page_of(talk)
    talk.post("perception", {"word": "grant"})
    talk.post("leave")
    assert talk.post("perception", {"word": "grant"}).json()["code"] == "conversation.ended"
    assert talk.post("perception", {"word": "revoke"}).status_code == 200
    assert talk.viewer.get(f"/c/{talk.id}/perception/frame").status_code == 409
