"""Attacks by those who hold something: a slot with a real lease, a viewer with the cookie, a person who withdraws."""

from datetime import timedelta

import pytest

from consent.services import consents
from rendering.models import Conversation, ReplicaVersion
from rendering.services import footage as footages
from rendering.services import replicas, sessions, training
from tests.common import consenting
from tests.common import replicas as stages
from tests.common.replicas import FILES, MANIFEST, accepted_footage, files_of
from tests.common.simulators.slot import SimulatedSlot
from tests.functional.rendering.test_sessions import OFFER, Talk, job_of, segment
from trustcore.audit.actors import Actor
from trustcore.audit.models import Event
from trustcore.jobs.errors import LeaseLost
from trustcore.jobs.models import Job, LeaseEvent
from trustcore.keys.models import Blob
from trustcore.primitives.clock import from_rfc3339, utc_now

pytestmark = pytest.mark.django_db


@pytest.fixture
def talk(stage):
    return Talk(stage)


@pytest.fixture
def lease(stage, talk):
    assert talk.join().status_code == 200
    return stage.slot.claim("session").json()


def answer(stage, lease, **changed):
    return stage.slot.answer(lease, LeaseEvent.objects.get(kind="offer").body, **changed)


@pytest.fixture
def offered(talk, lease, monkeypatch):
    from rendering.views import viewer

    monkeypatch.setattr(viewer, "ANSWER_WITHIN_S", 0.0)
    talk.post("offer", OFFER)
    return lease


def test_a_slot_gets_no_manifest_after_withdrawal(stage, talk, offered):
    consents.withdraw(actor=Actor.subject(stage.consent.subject_public_id), consent=stage.consent)
    told = answer(stage, offered)
    assert told.status_code == 409 and told.json()["code"] == "lease.lost"
    assert Event.objects.filter(action="manifest.refused", object_id=talk.id).count() == 1
    assert (talk.row.state, talk.row.end_reason) == ("ended", "consent_withdrawn")
    assert LeaseEvent.objects.get(kind="offer").answer is None


@pytest.mark.parametrize(
    "stolen",
    [{"mark_slots": [{"slot_id": "00000000000000ff", "start_ms": 0, "end_ms": 8000}]}, {"viewer_nonce": "m" * 22}],
)
def test_a_slot_cannot_claim_another_sessions_mark_or_viewer(stage, talk, offered, stolen):
    told = answer(stage, offered, **stolen)
    assert told.json()["code"] == "signer.request_invalid", told.content
    assert LeaseEvent.objects.get(kind="offer").answer is None
    assert Event.objects.filter(action="manifest.refused", object_id=talk.id).count() == 1
    assert answer(stage, offered).status_code == 200


def test_an_offer_is_answered_once(stage, talk, offered):
    assert answer(stage, offered).status_code == 200
    again = stage.slot.answer(offered, LeaseEvent.objects.get(kind="offer").body, sdp="v=0 another")
    assert again.json()["code"] == "request.invalid"
    assert LeaseEvent.objects.get(kind="offer").answer["sdp"] == "v=0 answer"


def test_no_key_leaves_under_a_grant_that_has_run_out(talk, lease):
    not_after = from_rfc3339(Conversation.objects.get(public_id=talk.id).grant["body"]["not_after"])
    job = job_of(talk)
    assert sessions.release_terms(job, now=not_after - timedelta(seconds=1)).read
    with pytest.raises(LeaseLost):
        sessions.release_terms(job, now=not_after)


@pytest.mark.parametrize(
    "changed",
    [{"last_sequence": 10**15}, {"first_sequence": "1"}, {"number": True}, {"last_sequence": 0}, {"root": "a" * 9000}],
)
def test_a_slot_cannot_log_a_second_that_no_verifier_could_walk(stage, talk, lease, changed):
    path = f"/leases/{lease['lease_id']}/segments"
    answer = stage.slot.call("POST", path, {"segments": [segment(1) | changed]})
    assert answer.status_code == 400 and answer.json()["code"] == "request.invalid"
    assert not Event.objects.filter(action="segment.recorded").exists()


def test_a_crash_between_number_and_event_loses_no_second(stage, talk, lease, monkeypatch):
    path = f"/leases/{lease['lease_id']}/segments"
    with monkeypatch.context() as patch:
        patch.setattr(sessions.recording, "recording", lambda **_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            stage.slot.call("POST", path, {"segments": [segment(0)]})
    assert stage.slot.call("POST", path, {"segments": [segment(0)]}).status_code == 200
    assert Event.objects.filter(action="segment.recorded", object_id=talk.id).count() == 1


# --- a worker that shows people one replica and hands in another ------------------------------------------------------


@pytest.mark.parametrize(("part", "said"), [
    ("calibration", {"emotion_caps_milli": {"joy": 700, "anger": 1000}}),
    ("quality", {**MANIFEST["quality"], "gain_full_db": 0.1}), ("quality", None), ("calibration", None),
])  # fmt: skip
def test_a_manifest_that_says_other_than_the_report_ends_in_no_version(cast, monkeypatch, part, said):
    monkeypatch.setattr(stages, "FILES", files_of(manifest={**MANIFEST, part: said}))
    with pytest.raises(AssertionError, match="cannot be read"):
        stages.set_stage(cast, monkeypatch, is_approved=False)
    assert [(row.state, row.failure) for row in ReplicaVersion.objects.all()] == [
        ("failed", "training.result_unreadable")]


# --- a person withdraws -----------------------------------------------------------------------------------------------


@pytest.fixture
def trained(cast, monkeypatch):
    """A training under way: its slot holds the footage's key, and then the person withdraws."""
    consent = consenting.in_force(cast, monkeypatch)
    slot = SimulatedSlot()
    slot.announce()
    actor = Actor.user(cast.farah)
    replica = replicas.create(
        actor=actor, user=cast.farah, organisation=cast.organisation, subject_public_id=consent.subject_public_id,
        now=utc_now())  # fmt: skip
    version = training.start(
        actor=actor, author=cast.farah, replica=replica, iterations=500, now=utc_now(),
        footage=accepted_footage(cast, consent.subject_public_id))  # fmt: skip
    lease = slot.claim("training").json()
    slot.hand_in(lease, slot.open_keys(slot.ask_for_keys(lease).json()), FILES)
    consents.withdraw(actor=Actor.subject(consent.subject_public_id), consent=consent)
    return slot, f"/leases/{lease['lease_id']}", version


@pytest.mark.parametrize("said", ["renew", "progress", "checkpoint", "artefact/report.json", "finish"])
def test_no_training_goes_on_after_withdrawal(trained, said):
    slot, base, version = trained
    step = {"epoch": 1, "stage": "fit", "done": 0.5}
    asked = {
        "renew": ("POST", {"epoch": 1, "state": "live"}), "progress": ("POST", step), "checkpoint": ("PUT", b"x"),
        "artefact/report.json": ("PUT", b"x"), "finish": ("POST", {"reason": "finished", "counters": {}}),
    }  # fmt: skip
    method, body = asked[said]
    answer = slot.call(method, f"{base}/{said}", body)
    told = answer.json()
    assert told.get("live") is False or told.get("cancelled") is True or told.get("code") == "lease.lost", told
    version.refresh_from_db()
    assert (version.state, version.failure) == ("failed", "consent.withdrawn")


def test_footage_that_waited_is_not_opened_after_withdrawal(cast, monkeypatch):
    consent = consenting.in_force(cast, monkeypatch)
    row = footages.receive(
        actor=Actor.user(cast.farah), user=cast.farah, organisation=cast.organisation, data=b"a video" * 100,
        subject_public_id=consent.subject_public_id, was_recorded_here=False, now=utc_now())  # fmt: skip
    consents.withdraw(actor=Actor.subject(consent.subject_public_id), consent=consent)
    monkeypatch.setattr(footages, "track_clip", lambda *_, **__: pytest.fail("it was decoded"))
    footages.run_check(Job.objects.get(object_id=row.public_id), now=utc_now())
    row.refresh_from_db()
    assert row.state == "refused" and Blob.objects.get(public_id=row.blob_public_id).deleted_at


# --- a viewer with the cookie -----------------------------------------------------------------------------------------


def test_a_viewer_cannot_flood_control(talk, lease):
    answers = [talk.post("message", {"text": "hi"}).status_code for _ in range(32)]
    assert answers[:30] == [200] * 30 and answers[30:] == [429, 429]
    assert talk.post("offer", OFFER).json()["code"] == "conversation.too_fast"
    assert LeaseEvent.objects.count() == 30


def test_deep_json_is_refused_and_not_a_crash(talk, lease):
    answer = talk.viewer.post(f"/c/{talk.id}/message", "[" * 8000, content_type="application/json")
    assert answer.status_code == 400 and answer.json()["code"] == "request.invalid"
