"""A viewer who comes back: the offer goes to the same slot, for this viewer only, within limits, on the record."""

import base64
import json
from datetime import timedelta

import pytest
from django.test import Client

from consent.services import consents
from provenance.manifests import fmp4
from provenance.manifests.assertions import SOFT_BINDING_ALG
from provenance.models import SessionManifest
from provenance.services import claim_keys, resolution
from provenance.verify import video
from provenance.verify.reports import Outcome
from rendering.errors import RecordingRefused, RejoinRefused
from rendering.models import LiveState
from rendering.services import recordings, viewing
from tests.common.simulators import marked_session
from tests.common.spoken import speech
from tests.functional.rendering.test_sessions import Talk, job_of
from trustcore.audit.actors import Actor
from trustcore.audit.models import Event
from trustcore.jobs.models import LeaseEvent, Worker
from trustcore.primitives.clock import utc_now

pytestmark = pytest.mark.django_db
FIRST, SECOND = ({"sdp": "v=0", "viewer_nonce": letter * 22} for letter in "ns")


@pytest.fixture
def talk(stage, monkeypatch):
    from rendering.views import viewer

    monkeypatch.setattr(viewer, "ANSWER_WITHIN_S", 0.0)
    return Talk(stage)


@pytest.fixture
def lease(stage, talk):
    """A session that is live: the first offer has its answer."""
    assert talk.join().status_code == 200
    lease = stage.slot.claim("session").json()
    talk.post("offer", FIRST)
    assert stage.slot.answer(lease, offers()[0].body).status_code == 200
    return lease


def offers():
    return list(LeaseEvent.objects.filter(kind="offer").order_by("number"))


def wait_a_second():
    """Let the last offer lie a second back."""
    for offer in offers():
        LeaseEvent.objects.filter(id=offer.id).update(created_at=offer.created_at - timedelta(seconds=1.1))


def refusals(talk):
    found = Event.objects.filter(action="rejoin.refused", object_id=talk.id, outcome="refused")
    return [json.loads(bytes(event.body))["reason"] for event in found.order_by("id")]


def test_the_same_viewer_connects_again_under_a_manifest_of_its_own(stage, talk, lease):
    wait_a_second()
    waited = talk.post("offer", SECOND)  # in this test nobody answers while it waits
    assert waited.json()["code"] == "conversation.no_free_slot"
    events = stage.slot.call("GET", f"/leases/{lease['lease_id']}/events?after=1").json()["events"]
    assert [(e["kind"], e["body"]["viewer_nonce"]) for e in events] == [("offer", SECOND["viewer_nonce"])]
    first = SessionManifest.objects.get()
    told = stage.slot.answer(lease, offers()[1].body, media_start_ms=9_000, follows=first.public_id)
    assert told.status_code == 200, told.content
    assert viewing.answer_to(talk.row.id, offers()[1].id)["manifest_b64"] == told.json()["init_segment_b64"]
    second = SessionManifest.objects.exclude(id=first.id).get()
    assert second.facts["viewer_nonce"] == SECOND["viewer_nonce"] != first.facts["viewer_nonce"]
    assert (second.facts["follows"], second.facts["media_start_ms"]) == (first.public_id, 9_000)
    assert second.facts["mark"] == first.facts["mark"] and second.lease_id == first.lease_id
    rejoined = Event.objects.get(action="conversation.rejoined", object_id=talk.id)
    assert (rejoined.actor_type, rejoined.details["open"]["connection"]) == ("viewer", 2)
    assert (talk.row.state, job_of(talk).state) == ("live", "leased")
    assert Event.objects.filter(action="key.released", object_id=talk.id).count() == 0  # nothing new left for it
    state = talk.viewer.get(f"/c/{talk.id}/state").json()
    assert state["viewer_nonce"] == SECOND["viewer_nonce"]  # by this the first tab knows that another went on


def test_mallory_with_the_link_is_refused_and_on_the_record(talk, lease):
    mallory = Client()
    assert talk.join(mallory).status_code == 409
    for cookie in ("", "a guess"):
        mallory.cookies[f"viewer_{talk.id}"] = cookie
        refused = talk.post("offer", SECOND, mallory)
        assert (refused.status_code, refused.json()["code"]) == (409, "conversation.join_refused")
    assert len(offers()) == 1 and refusals(talk) == ["conversation.join_refused"]  # one entry a minute
    assert mallory.get(f"/c/{talk.id}/state").status_code == 409
    wait_a_second()
    assert talk.post("offer", SECOND).json()["code"] == "conversation.no_free_slot"  # the viewer still may
    assert len(offers()) == 2


def test_an_offer_that_was_made_before_is_not_taken_again(talk, lease):
    wait_a_second()
    again = talk.post("offer", FIRST)
    assert (again.status_code, again.json()["code"]) == (409, "conversation.rejoin_refused")
    assert len(offers()) == 1 and refusals(talk) == ["conversation.rejoin_refused"]
    assert not Event.objects.filter(action="conversation.rejoined").exists()


def test_one_try_a_second_and_twenty_in_all(talk, lease):
    LeaseEvent.objects.filter(kind="offer").update(created_at=utc_now() + timedelta(seconds=10))  # the test may be slow
    soon = talk.post("offer", SECOND)
    assert (soon.status_code, soon.json()["code"]) == (429, "conversation.too_fast")
    now, job = utc_now() + timedelta(seconds=20), job_of(talk)
    for number in range(viewing.MAX_REJOINS):
        row = viewing.put_offer(talk.row, {"sdp": "v=0", "viewer_nonce": f"{number:022}"}, now=now)
        LeaseEvent.objects.filter(id=row).update(created_at=now)
        now += timedelta(seconds=1)
    with pytest.raises(RejoinRefused, match="too often"):
        viewing.put_offer(talk.row, {"sdp": "v=0", "viewer_nonce": "z" * 22}, now=now)
    assert len(offers()) == 1 + viewing.MAX_REJOINS
    assert Event.objects.filter(action="conversation.rejoined").count() == viewing.MAX_REJOINS
    assert refusals(talk) == ["conversation.too_fast", "conversation.rejoin_refused"]
    assert job.state == "leased" and talk.row.state == "live"  # the connection there is goes on


def test_nobody_rejoins_what_has_ended(stage, talk, lease):
    stage.slot.call("POST", f"/leases/{lease['lease_id']}/finish", {"reason": "not_rejoined", "counters": {}})
    assert talk.row.end_reason == "not_rejoined"
    refused = talk.post("offer", SECOND)
    assert (refused.status_code, refused.json()["code"]) == (409, "conversation.ended")
    assert len(offers()) == 1


def test_nobody_rejoins_after_a_withdrawal(stage, talk, lease):
    consents.withdraw(actor=Actor.subject(stage.consent.subject_public_id), consent=stage.consent)
    wait_a_second()
    talk.post("offer", SECOND)
    told = stage.slot.answer(lease, offers()[-1].body)
    assert told.status_code == 409 and told.json()["code"] == "lease.lost"
    assert SessionManifest.objects.count() == 1
    assert (talk.row.state, talk.row.end_reason) == ("ended", "consent_withdrawn")
    assert talk.post("offer", {"sdp": "v=0", "viewer_nonce": "t" * 22}).json()["code"] == "conversation.ended"


def test_a_slot_cannot_answer_with_the_nonce_of_the_connection_before(stage, talk, lease):
    wait_a_second()
    talk.post("offer", SECOND)
    told = stage.slot.answer(lease, offers()[1].body, viewer_nonce=FIRST["viewer_nonce"])
    assert told.json()["code"] == "signer.request_invalid"
    assert offers()[1].answer is None


@pytest.mark.parametrize("follows", ["", "urn:c2pa:another-session's", ["urn:c2pa"]])
def test_a_slot_cannot_leave_out_what_it_sent_before(stage, talk, lease, follows):
    """Else a recording that begins with the second connection would verify as the whole session."""
    LiveState.objects.update(last_segment=0)  # a second of frames is in the log
    wait_a_second()
    talk.post("offer", SECOND)
    told = stage.slot.answer(lease, offers()[1].body, media_start_ms=9_000, follows=follows)
    assert told.json()["code"] == "signer.request_invalid", told.content
    assert SessionManifest.objects.count() == 1 and offers()[1].answer is None
    own = SessionManifest.objects.get().public_id
    assert stage.slot.answer(lease, offers()[1].body, media_start_ms=9_000, follows=own).status_code == 200


def test_while_the_viewer_is_away_the_slot_says_so_and_keeps_its_lease(stage, talk, lease):
    path = f"/leases/{lease['lease_id']}/renew"
    renewed = stage.slot.call("POST", path, {"epoch": 1, "state": "away"}).json()
    assert renewed == {"live": True, "reason": "", "reader": ""}
    assert talk.viewer.get(f"/c/{talk.id}/state").json()["slot_state"] == "away"
    consents.withdraw(actor=Actor.subject(stage.consent.subject_public_id), consent=stage.consent)
    answer = stage.slot.call("POST", path, {"epoch": 1, "state": "away"}).json()
    assert answer == {"live": False, "reason": "consent_withdrawn", "reader": ""}


@pytest.mark.django_db(transaction=True)  # the guard of governed rows looks when a transaction ends
def test_both_connections_are_one_recording_and_a_mark_leads_to_the_manifest_of_each(stage, talk, lease):
    session = marked_session.play(
        tenant="studio", subject_id=stage.consent.subject_public_id, now=utc_now(), frames=20, conversation_id=talk.id,
        spoken=speech()[:48_000])
    whole = session.fragment_file + marked_session.come_back(session, now=utc_now(), spoken=speech()[48_000:96_000])
    worker = Worker.objects.order_by("id").last()
    row = recordings.store(conversation=talk.row, worker=worker, fragments=whole, now=utc_now())
    assert recordings.open_fragments(row, actor=Actor.system("tests")) == whole
    signed = recordings.open_signed(row, actor=Actor.system("tests"))
    report = video.verify_whole_file("recording", signed, claim_keys.anchor_pem())
    mine = list(SessionManifest.objects.filter(grant_sha256=session.grant.sha256))
    later = next(one for one in mine if one.public_id != session.manifest_label)
    assert report.facts["session_manifest"] == session.manifest_label
    assert report.facts["later_manifests"] == [later.public_id] and report.facts["frames"] == 40
    assert report.facts["sound_packets"] == 100
    sent = video.verify_fragment_file("fragments", whole, claim_keys.anchor_pem())
    assert sent.outcome is Outcome.VERIFIED and sent.facts["sound"]["verified"] == 100, sent.sentences
    assert all(one.content_hashes for one in mine)
    value = base64.b64encode(session.slot_id.to_bytes(8, "big")).decode()
    found = resolution.by_binding(SOFT_BINDING_ALG, value, 10)
    assert found[:2] == [later.public_id, session.manifest_label]


def test_a_recording_holds_manifests_of_its_own_session_only(stage, talk, lease):
    other = marked_session.play(
        tenant="studio", subject_id=stage.consent.subject_public_id, now=utc_now(), frames=4).fragment_file
    worker = Worker.objects.order_by("id").last()
    own = bytes(SessionManifest.objects.get(conversation_id=talk.id).init_segment)
    for fragments in (other, own + other, b"nothing", fmp4.split_recording(other)[0]):
        with pytest.raises(RecordingRefused):
            recordings.store(conversation=talk.row, worker=worker, fragments=fragments, now=utc_now())
