"""One session between viewer, control and slot: no grant no key, keys once, one viewer, and an end for every lease."""

import json
from datetime import timedelta

import pytest
from django.test import Client

from consent.services import consents
from rendering.models import Conversation, LiveState
from rendering.services import reaping
from tests.common.replicas import FILES, USE
from tests.common.simulators.slot import SimulatedSlot
from tests.functional.rendering.test_console import signed_in
from trustcore.audit.actors import Actor
from trustcore.audit.models import Event
from trustcore.jobs.models import Job, KeyRelease, LeaseEvent
from trustcore.primitives.clock import utc_now
from trustcore.primitives.envelope import decrypt
from trustcore.primitives.signing import unb64

pytestmark = pytest.mark.django_db
OFFER = {"sdp": "v=0", "viewer_nonce": "n" * 22}


class Talk:
    """A conversation as its viewer holds it."""

    def __init__(self, stage, **body):
        made = Client().post(
            "/v2/conversations", json.dumps({"replica_id": stage.replica.public_id, **USE, **body}),
            content_type="application/json",
            headers={"x-api-key": stage.api_key}).json()
        self.id, self.link = made["conversation_id"], made["conversation_url"].removeprefix("http://testserver")
        self.viewer = Client()

    @property
    def row(self):
        return Conversation.objects.get(public_id=self.id)

    def join(self, client=None):
        return (client or self.viewer).get(self.link, follow=True)

    def post(self, what, body=None, client=None):
        return (client or self.viewer).post(
            f"/c/{self.id}/{what}", json.dumps(body or {}), content_type="application/json"
        )


@pytest.fixture
def talk(stage):
    return Talk(stage)


@pytest.fixture
def lease(stage, talk):
    assert talk.join().status_code == 200
    return stage.slot.claim("session").json()


def run_out(job):
    """Let the lease's time pass."""
    Job.objects.filter(id=job.id).update(leased_until=utc_now() - timedelta(seconds=1))


def job_of(talk):
    return Job.objects.get(public_id=talk.row.lease_id)


# --- the viewer -------------------------------------------------------------------------------------------------------


def test_the_first_viewer_gets_in_and_nobody_after(talk):
    answer = talk.join()
    assert answer.status_code == 200 and "You are talking with an AI replica of Asha Baruah" in answer.content.decode()
    assert "t=" not in answer.request["QUERY_STRING"]
    assert talk.row.state == "joining"
    stranger = Client()
    assert talk.join(stranger).status_code == 409
    assert talk.post("offer", OFFER, stranger).status_code == 409
    assert talk.post("message", {"text": "hi"}, stranger).status_code == 409
    assert talk.post("leave", client=stranger).status_code == 409
    assert stranger.get(f"/c/{talk.id}/state").status_code == 409
    assert talk.viewer.get(f"/c/{talk.id}/").status_code == 200
    assert talk.row.state == "joining"


@pytest.mark.parametrize("token", ["", "?t=", "?t=wrong"])
def test_without_the_token_nobody_gets_in(talk, token):
    assert Client().get(f"/c/{talk.id}/{token}").status_code == 409
    assert talk.row.state == "waiting"


def test_a_link_nobody_opens_runs_out(talk):
    reaping.reap(utc_now() + timedelta(seconds=301))
    assert talk.row.end_reason == "participant_absent_timeout"
    assert talk.join().status_code == 409


def test_a_page_that_never_connects_gives_its_place_back(stage, talk, lease):
    reaping.reap(utc_now() + timedelta(seconds=61))
    assert talk.row.state == "ended"
    assert (
        stage.slot.call("POST", f"/leases/{lease['lease_id']}/renew", {"epoch": 1, "state": "ready"}).json()["live"]
        is False
    )


@pytest.mark.parametrize(
    "body", [{}, {"sdp": "v=0"}, {"sdp": "", "viewer_nonce": "n" * 22}, {"sdp": "x" * 50_000, "viewer_nonce": "n" * 22}]
)
def test_a_malformed_offer_is_refused(talk, lease, body):
    assert talk.post("offer", body).status_code == 400
    assert not LeaseEvent.objects.filter(kind="offer").exists()


@pytest.mark.parametrize(
    "body",
    [{}, {"text": "x" * 1001}, {"text": "hi", "emotion": "glee"}, {"text": "hi", "emotion": "joy", "milli": 1001}],
)
def test_a_malformed_message_is_refused(talk, lease, body):
    assert talk.post("message", body).status_code == 400


# --- keys -------------------------------------------------------------------------------------------------------------


def test_the_slot_gets_the_replica_under_its_grant(stage, talk, lease):
    assert lease["grant"]["body"]["conversation_id"] == talk.id
    assert lease["facts"]["person_name"] == "Asha Baruah" and lease["facts"]["signer_certificate"]
    keys = stage.slot.open_keys(stage.slot.ask_for_keys(lease).json())
    for name in ("model.safetensors", "manifest.json"):
        ciphertext = stage.slot.call("GET", f"/blobs/{lease['blobs'][name]}").content
        assert FILES[name] not in ciphertext
        assert decrypt(unb64(keys["read"][name]), keys["contexts"][name], ciphertext) == FILES[name]
    assert keys["write"] is None and set(keys["mark"]) == {"epoch_key", "slot_id", "first_index"}
    kept = LiveState.objects.get().mark
    assert [keys["mark"][name] for name in ("slot_id", "first_index")] == [kept["slot_id"], kept["first_index"]]
    assert Event.objects.filter(action="key.released", object_id=talk.id).count() == 1


def test_keys_leave_once_per_lease_epoch(stage, lease):
    assert stage.slot.ask_for_keys(lease).status_code == 200
    again = stage.slot.ask_for_keys(lease)
    assert again.status_code == 409 and again.json()["code"] == "key.already_released"
    assert KeyRelease.objects.filter(job__kind="session").count() == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"lease_id": "z0-1"},
        {"epoch": 2},
        {"nonce": "AAAA"},
        {"build_sha256": "c" * 64},
        {"grant_sha256": "0" * 64},
        {"ephemeral_public": "AA"},
        {"extra": 1},
    ],
)
def test_a_claim_that_does_not_fit_gets_no_key(stage, lease, changed):
    answer = stage.slot.ask_for_keys(lease, **changed)
    assert answer.status_code == 409 and answer.json()["code"] == "claim.invalid"
    assert not KeyRelease.objects.filter(job__kind="session").exists()


def test_no_grant_no_key(stage, lease):
    consents.withdraw(actor=Actor.subject(stage.consent.subject_public_id), consent=stage.consent)
    answer = stage.slot.ask_for_keys(lease)
    assert answer.status_code == 409 and answer.json()["code"] == "lease.lost"
    assert stage.slot.call("GET", f"/blobs/{lease['blobs']['manifest.json']}").status_code == 409
    assert not KeyRelease.objects.filter(job__kind="session").exists()


def test_another_worker_gets_nothing_of_a_lease(stage, lease):
    other = SimulatedSlot("other-worker")
    other.announce()
    base = f"/leases/{lease['lease_id']}"
    for method, path, body in (
        ("POST", f"{base}/key", {"claim": other.proof(lease)}),
        ("POST", f"{base}/renew", {"epoch": 1, "state": "live"}),
        ("GET", f"{base}/events?after=0", None), ("POST", f"{base}/answer", {"offer_id": "x", "sdp": "v=0"}),
        ("POST", f"{base}/segments", {"segments": []}), ("POST", f"{base}/clamps", {"clamps": []}),
        ("PUT", f"{base}/recording", b"x"),
        ("POST", f"{base}/finish", {"reason": "mine"}),
        ("POST", f"{base}/progress", {}),
        ("PUT", f"{base}/checkpoint", b"x"), ("PUT", f"{base}/artefact/manifest.json", b"x"),
        ("GET", f"/blobs/{lease['blobs']['manifest.json']}", None),
    ):
        answer = other.call(method, path, body)
        assert answer.status_code == 409 and answer.json()["code"] == "lease.lost", path


def test_an_unregistered_or_replayed_request_is_refused(stage, talk):
    stranger = SimulatedSlot("stranger", is_registered=False)
    assert stranger.announce().json()["code"] == "worker.unknown"
    body = json.dumps({"slot_id": stage.slot.slot_id, "kinds": ["session"]}).encode()
    headers = stage.slot.sign("POST", "/worker/v1/slots", body)
    wrong_path = stage.slot.client.generic(
        "POST", "/worker/v1/claim", body, content_type="application/json", headers=headers
    )
    assert wrong_path.json()["code"] == "worker.unknown"
    talk.join()
    headers = stage.slot.sign("POST", "/worker/v1/claim", body)
    first, second = (
        stage.slot.client.generic("POST", "/worker/v1/claim", body, content_type="application/json", headers=headers)
        for _ in range(2)
    )
    assert first.status_code == 200
    assert second.status_code == 403 and second.json()["code"] == "worker.replay"


# --- while it runs ----------------------------------------------------------------------------------------------------


def test_offer_answer_message_and_counters(stage, talk, lease, monkeypatch):
    from rendering.services import viewing
    from rendering.views import viewer

    monkeypatch.setattr(viewer, "ANSWER_WITHIN_S", 0.0)
    waited = talk.post("offer", OFFER)
    assert waited.status_code == 409 and waited.json()["code"] == "conversation.no_free_slot"
    base = f"/leases/{lease['lease_id']}"
    offer = stage.slot.call("GET", f"{base}/events?after=0").json()["events"][0]
    assert offer["kind"] == "offer" and offer["body"]["viewer_nonce"] == OFFER["viewer_nonce"]
    signed = stage.slot.answer(lease, offer["body"]).json()
    event = LeaseEvent.objects.get(kind="offer")
    answer = viewing.answer_to(talk.row.id, event.id)
    assert (answer["sdp"], answer["manifest_b64"]) == ("v=0 answer", signed["init_segment_b64"])
    assert answer["session_facts"] == {
        "size_px": 256, "manifest_label": signed["manifest_label"], "claim_sha256": signed["claim_sha256"]}
    assert talk.row.state == "live"
    assert talk.viewer.get(f"/c/{talk.id}/state").json() == {
        "status": "active",
        "state": "live",
        "reason": "",
        "slot_state": "live",
        "viewer_nonce": OFFER["viewer_nonce"],
    }
    assert talk.post("message", {"text": "Hello", "emotion": "joy", "milli": 900}).status_code == 200
    said = stage.slot.call("GET", f"{base}/events?after=1").json()["events"][0]
    assert (said["kind"], said["body"]["text"], said["body"]["milli"], said["number"]) == ("message", "Hello", 900, 2)
    renewal = {"epoch": 1, "state": "live", "counters": {"sent": 30, "unsealed_sent": 0}, "marks_ms": {"first": 12.5}}
    assert stage.slot.call("POST", f"{base}/renew", renewal).json() == {"live": True, "reason": "", "reader": ""}
    assert LiveState.objects.get().counters["sent"] == 30
    clamp = {"clamps": [{"emotion": "joy", "asked_milli": 900, "shown_milli": 500, "media_time_s": 1.5}]}
    assert stage.slot.call("POST", f"{base}/clamps", clamp).status_code == 200
    told = Event.objects.get(action="emotion.clamped").details["open"]
    assert (told["asked_milli"], told["shown_milli"]) == (900, 500)


def test_a_frame_without_seal_is_an_alarm_and_the_end(stage, talk, lease):
    path = f"/leases/{lease['lease_id']}/renew"
    counters = {"rendered": 40, "sent": 30, "dropped": 10, "unsealed_sent": 2}
    renewal = {"epoch": 1, "state": "live", "counters": counters}
    assert stage.slot.call("POST", path, renewal).json() == {"live": False, "reason": "unsealed_frame", "reader": ""}
    assert stage.slot.call("POST", path, renewal).json() == {"live": False, "reason": "unsealed_frame", "reader": ""}
    alarm = Event.objects.get(action="frame.unsealed", object_id=talk.id)  # one, however often it is told
    assert alarm.details["open"]["counters"] == {**counters, "clamped": 0}
    assert alarm.actor_type == "worker"
    assert (talk.row.state, talk.row.end_reason) == ("ended", "unsealed_frame")
    last = {"reason": "unsealed_frame", "counters": {**counters, "unsealed_sent": 3}}
    assert stage.slot.call("POST", f"/leases/{lease['lease_id']}/finish", last).status_code == 200
    assert Event.objects.filter(action="frame.unsealed", object_id=talk.id).count() == 2
    wall = signed_in(stage.cast.meera).get("/console/live/").content.decode()
    assert "3 sent unsigned" in wall and f"/console/live/{talk.id}/" in wall


def test_a_conversation_may_name_the_codec_of_its_pictures(stage):
    talk = Talk(stage, properties={"video_codec": "vp8"})
    assert talk.join().status_code == 200
    assert stage.slot.claim("session").json()["facts"]["video_codec"] == "vp8"


def segment(number):
    return {"number": number, "first_sequence": number * 30 + 1, "last_sequence": number * 30 + 30, "root": "ab" * 32,
            "manifest_label": "urn:c2pa:x", "mark_slot_id": "0" * 16, "mark_slot_index": 3,
            "mark_slot_from": 1, "started_at": "2026-11-24T10:00:00.000Z"}


def test_each_second_is_one_event_even_when_told_twice(stage, talk, lease):
    path = f"/leases/{lease['lease_id']}/segments"
    assert stage.slot.call("POST", path, {"segments": [segment(0), segment(1)]}).status_code == 200
    assert stage.slot.call("POST", path, {"segments": [segment(1), segment(2)]}).status_code == 200
    assert Event.objects.filter(action="segment.recorded", object_id=talk.id).count() == 3
    bad = stage.slot.call("POST", path, {"segments": [{"number": 9}]})
    assert bad.status_code == 400 and bad.json()["code"] == "request.invalid"


def test_withdrawal_ends_the_session_and_reaches_the_slot_in_its_next_poll(stage, talk, lease):
    consents.withdraw(actor=Actor.subject(stage.consent.subject_public_id), consent=stage.consent)
    events = stage.slot.call("GET", f"/leases/{lease['lease_id']}/events?after=0").json()["events"]
    assert [(e["kind"], e["body"]["reason"]) for e in events] == [("revoke", "consent_withdrawn")]
    assert stage.slot.call("POST", f"/leases/{lease['lease_id']}/renew", {"epoch": 1, "state": "live"}).json() == {
        "live": False, "reason": "consent_withdrawn", "reader": ""}
    assert (
        stage.slot.call(
            "POST", f"/leases/{lease['lease_id']}/finish", {"reason": "grant.revoked", "counters": {}}
        ).status_code
        == 200
    )
    assert (talk.row.state, talk.row.end_reason, job_of(talk).state) == ("ended", "consent_withdrawn", "done")
    assert Event.objects.filter(action="conversation.killed", object_id=talk.id).count() == 1
    ended = talk.post("message", {"text": "still there?"})
    assert ended.status_code == 409 and ended.json()["code"] == "conversation.ended"


def test_a_killed_worker_loses_the_lease_and_the_conversation_ends_with_a_reason(stage, talk, lease):
    run_out(job_of(talk))
    assert stage.slot.ask_for_keys(lease).json()["code"] == "lease.lost"
    reaping.reap(utc_now())
    assert (talk.row.end_reason, job_of(talk).state) == ("lease_expired", "lost")
    assert (
        stage.slot.call("POST", f"/leases/{lease['lease_id']}/renew", {"epoch": 1, "state": "live"}).json()["live"]
        is False
    )
    assert reaping.reap(utc_now()) == 0


def test_what_a_viewer_typed_does_not_outlive_the_session(stage, talk, lease):
    talk.post("message", {"text": "my account number"})
    stage.slot.call("POST", f"/leases/{lease['lease_id']}/finish", {"reason": "viewer_left", "counters": {}})
    assert "account" not in json.dumps(list(LeaseEvent.objects.values_list("body", flat=True)))


def test_leaving_ends_it(talk, lease):
    assert talk.post("leave").status_code == 200
    assert talk.row.end_reason == "viewer_left"
    assert talk.viewer.get(f"/c/{talk.id}/state").json()["status"] == "ended"
