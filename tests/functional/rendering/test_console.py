"""The console's pages about replicas, policies and live sessions, for each of the cast."""

import json
import time
from copy import deepcopy

import pytest
from django.test import Client

from consent.models import ApprovalRequest
from provenance.manifests import c2pa_files
from provenance.models import SignedFile
from provenance.services import claim_keys
from rendering.models import Conversation, Footage, KillSwitch, ReplicaVersion
from rendering.services import recordings
from tests.common import consenting, replicas
from tests.common.replicas import POLICY, USE
from tests.common.simulators import marked_session
from tests.common.simulators.slot import SimulatedSlot
from trustcore.audit.models import Event
from trustcore.jobs.models import Worker
from trustcore.policy.models import EmotionPolicyVersion
from trustcore.primitives.clock import utc_now

pytestmark = pytest.mark.django_db


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


def opened(stage):
    body = {"replica_id": stage.replica.public_id, **USE}
    made = (
        Client()
        .post(
            "/v2/conversations", json.dumps(body), content_type="application/json", headers={"x-api-key": stage.api_key}
        )
        .json()
    )
    return Conversation.objects.get(public_id=made["conversation_id"])


def addresses(stage):
    replica, policy = stage.replica.public_id, EmotionPolicyVersion.objects.get()
    conversation = opened(stage)
    footage = Footage.objects.get()
    return [
        "/console/replicas/", f"/console/replicas/{replica}/", f"/console/replicas/{replica}/v/1/",
        f"/console/replicas/{replica}/v/1/pictures/held_out.png",
        f"/console/replicas/{replica}/v/1/pictures/comparison.mp4", f"/console/replicas/{replica}/training/1/",
        f"/console/replicas/{replica}/training/1/state.json", f"/console/footage/{footage.public_id}/",
        f"/console/footage/{footage.public_id}/state.json", "/console/policies/",
        f"/console/policies/{policy.policy.public_id}/v/1/",
        "/console/live/", f"/console/live/{conversation.public_id}/",
        f"/console/live/{conversation.public_id}/state.json",
    ]


def test_officers_authors_and_approvers_see_every_page_and_strangers_none(stage):
    pages = addresses(stage)
    for name in ("meera", "farah", "jonas", "erin"):
        client = signed_in(getattr(stage.cast, name))
        for page in pages:
            assert client.get(page).status_code == 200, (name, page)
    mallory, lists = signed_in(stage.cast.mallory), {"/console/replicas/", "/console/policies/", "/console/live/"}
    for page in pages:
        answer = mallory.get(page)
        assert answer.status_code == (200 if page in lists else 404), page
        assert b"Asha" not in answer.content
    for page in pages:
        assert Client().get(page).status_code in (302, 401), page


def test_only_the_files_of_the_report_are_shown(stage):
    base, client = f"/console/replicas/{stage.replica.public_id}/v/1/pictures", signed_in(stage.cast.meera)
    film = client.get(f"{base}/comparison.mp4")
    assert (film.status_code, film.headers["Content-Type"]) == (200, "video/mp4")
    for name in ("model.safetensors", "manifest.json", "report.json", "absent.png"):
        assert client.get(f"{base}/{name}").status_code == 404, name
    # Asha agreed to joy and surprise. What she did not agree to is not shown to anybody, though the worker drew it.
    assert client.get(f"{base}/emotion_joy.png").status_code == 200
    assert client.get(f"{base}/emotion_anger.png").status_code == 404
    page = client.get(f"/console/replicas/{stage.replica.public_id}/v/1/").content.decode()
    assert "emotion_joy.png" in page and "emotion_anger.png" not in page
    assert "data-comparison" in page and 'data-worst="1"' in page and "Model card" in page


def test_a_version_too_poor_is_not_put_before_approvers_and_the_page_says_why(cast, monkeypatch):
    poor = deepcopy(replicas.REPORT)
    poor["quality"]["held_out"]["psnr_face_db"] = 19.0
    monkeypatch.setattr(replicas, "FILES", replicas.files_of(poor, {key: poor[key] for key in replicas.MANIFEST}))
    stage = replicas.set_stage(cast, monkeypatch, is_approved=False)
    page = f"/console/replicas/{stage.replica.public_id}/v/1/"
    client = signed_in(cast.farah)
    shown = client.get(page).content.decode()
    assert "Face: 19.0 dB; at least 23 dB is needed." in shown
    assert "Send for signatures" not in shown and "cannot be sent for signatures" in shown
    refused = client.post(f"{page}send/")
    assert refused.status_code in (403, 409, 422)
    assert not ApprovalRequest.objects.filter(object_public_id=stage.version.public_id).exists()


def test_mallory_changes_nothing(stage):
    conversation, policy = opened(stage), EmotionPolicyVersion.objects.get()
    replica, footage = stage.replica.public_id, Footage.objects.get()
    mallory = signed_in(stage.cast.mallory)
    for page in (
        f"/console/replicas/{replica}/v/1/send/", f"/console/replicas/{replica}/suspend/",
        f"/console/replicas/{replica}/resume/",
        f"/console/footage/{footage.public_id}/train/", f"/console/footage/{footage.public_id}/complete/",
        f"/console/footage/{footage.public_id}/piece/0/", f"/console/policies/{policy.policy.public_id}/v/1/send/",
        f"/console/policies/{policy.policy.public_id}/edit/", f"/console/live/{conversation.public_id}/stop/",
        f"/console/live/{conversation.public_id}/recording.mp4",
    ):
        answer = mallory.post(page, {"reason": "mine"}) if not page.endswith(".mp4") else mallory.get(page)
        assert answer.status_code == 404, page
    begun = mallory.post("/console/footage/begin/", {"subject": stage.consent.subject_public_id})
    assert begun.status_code in (403, 409, 422)
    conversation.refresh_from_db()
    assert conversation.state == "waiting"
    assert ReplicaVersion.objects.count() == 1


@pytest.mark.parametrize("name", ["asha", "dev", "erin", "jonas"])
def test_people_without_the_permission_change_nothing(stage, name):
    client, replica = signed_in(getattr(stage.cast, name)), stage.replica.public_id
    footage = Footage.objects.get()
    for page in (
        f"/console/replicas/{replica}/v/1/send/",
        f"/console/footage/{footage.public_id}/train/",
        "/console/footage/begin/",
        f"/console/replicas/{replica}/suspend/",
        "/console/kill/",
        "/console/kill/lift/",
    ):
        assert client.post(page, {"reason": "no"}).status_code == 403, page


def test_footage_goes_up_in_pieces_encrypted_and_in_order(cast, monkeypatch):
    consent = consenting.in_force(cast, monkeypatch)
    farah = signed_in(cast.farah)
    begun = farah.post("/console/footage/begin/", {"subject": consent.subject_public_id, "recorded": "1"}).json()
    base = f"/console/footage/{begun['footage']}"
    piece = b"\x00" * begun["piece_bytes"]
    late = farah.post(
        f"{base}/piece/1/", piece, content_type="application/octet-stream", headers={"accept": "application/json"}
    )
    assert late.status_code == 422 and late.json()["code"] == "footage.refused"
    big = farah.post(
        f"{base}/piece/0/",
        piece + b"x",
        content_type="application/octet-stream",
        headers={"accept": "application/json"},
    )
    assert big.status_code == 422 and big.json()["code"] == "footage.too_large"
    assert farah.post(f"{base}/piece/0/", piece, content_type="application/octet-stream").status_code == 200
    assert farah.post(f"{base}/piece/1/", b"end", content_type="application/octet-stream").status_code == 200
    assert farah.post(f"{base}/complete/").json()["next"] == f"{base}/"
    row = Footage.objects.get()
    assert (row.state, row.size_bytes, row.pieces.count()) == ("received", len(piece) + 3, 0)
    assert "being checked" in farah.get(f"{base}/").content.decode()


def test_an_empty_upload_is_named(cast, monkeypatch):
    consent = consenting.in_force(cast, monkeypatch)
    farah = signed_in(cast.farah)
    begun = farah.post("/console/footage/begin/", {"subject": consent.subject_public_id}).json()
    answer = farah.post(f"/console/footage/{begun['footage']}/complete/", headers={"accept": "application/json"})
    assert answer.status_code == 422 and answer.json()["code"] == "footage.refused"


def test_no_footage_without_a_consent_in_force(cast):
    consent = consenting.agreed(cast)
    answer = signed_in(cast.farah).post(
        "/console/footage/begin/", {"subject": consent.subject_public_id}, headers={"accept": "application/json"})
    assert answer.status_code == 403 and answer.json()["code"].startswith("consent.")
    assert not Footage.objects.exists()


def policy_fields(**changed):
    fields = {f"emotion_{name}": str(milli) for name, milli in POLICY["emotions_max_milli"].items()}
    fields |= {
        "use_support_adults": "on",
        "ceiling_support_adults": "500",
        "contexts": ["public"],
        "session_max_min": "30",
    }
    return fields | changed


def test_a_policy_is_edited_into_a_new_version_and_told_in_words(stage):
    version = EmotionPolicyVersion.objects.get()
    farah, base = signed_in(stage.cast.farah), f"/console/policies/{version.policy.public_id}"
    assert "joy" in farah.get(f"{base}/edit/").content.decode().lower()
    answer = farah.post(f"{base}/edit/", policy_fields(emotion_joy="300"), follow=True)
    assert answer.redirect_chain[-1][0] == f"{base}/v/2/"
    page = answer.content.decode()
    assert "Joy is lowered from 600 to 300." in page and "No version is in force" in page
    sent = farah.post(f"{base}/v/2/send/", follow=True).content.decode()
    assert "You wrote this, so you cannot sign it." in sent


@pytest.mark.parametrize(
    "wrong", [{"emotion_joy": "1001"}, {"emotion_joy": "much"}, {"contexts": []}, {"session_max_min": "0"}]
)
def test_a_wrong_policy_field_is_told_and_nothing_is_kept(stage, wrong):
    version = EmotionPolicyVersion.objects.get()
    answer = signed_in(stage.cast.farah).post(
        f"/console/policies/{version.policy.public_id}/edit/", policy_fields(**wrong)
    )
    assert answer.status_code == 400 and 'role="alert"' in answer.content.decode()
    assert EmotionPolicyVersion.objects.count() == 1


def test_the_officer_stops_one_session_with_a_reason(stage):
    conversation = opened(stage)
    meera = signed_in(stage.cast.meera)
    without = meera.post(f"/console/live/{conversation.public_id}/stop/", headers={"accept": "application/json"})
    assert without.status_code == 400
    assert meera.post(f"/console/live/{conversation.public_id}/stop/", {"reason": "wrong words"}).status_code == 302
    conversation.refresh_from_db()
    assert (conversation.state, conversation.end_reason) == ("ended", "stopped_by_officer")


def test_the_kill_switch_ends_all_refuses_new_ones_and_takes_two_to_lift(stage):
    conversation = opened(stage)
    meera = signed_in(stage.cast.meera)
    asked_again = meera.post("/console/kill/", {"reason": "drill"})
    assert asked_again["Location"].startswith("/accounts/reauthenticate/") and not KillSwitch.objects.exists()
    session = meera.session
    session["account_authentication_methods_user"] = str(stage.cast.meera.pk)
    session["account_authentication_methods"] = [
        {"method": "mfa", "type": "webauthn", "reauthenticated": True, "at": time.time()}
    ]
    session.save()
    assert meera.post("/console/kill/", {"reason": "drill"}).status_code == 302
    conversation.refresh_from_db()
    assert conversation.end_reason == "kill_switch"
    body = {"replica_id": stage.replica.public_id, **USE}
    refused = Client().post(
        "/v2/conversations", json.dumps(body), content_type="application/json", headers={"x-api-key": stage.api_key}
    )
    assert refused.json()["code"] == "kill_switch.pulled"
    meera.post("/console/kill/lift/")
    again = meera.post("/console/kill/lift/", headers={"accept": "application/json"})
    assert again.json()["code"] == "kill_switch.refused"
    assert KillSwitch.objects.get().lifted_at is None


def test_a_suspended_replica_may_not_speak_until_resumed(stage):
    meera, base = signed_in(stage.cast.meera), f"/console/replicas/{stage.replica.public_id}"
    body = {"replica_id": stage.replica.public_id, **USE}

    def ask():
        return Client().post(
            "/v2/conversations", json.dumps(body), content_type="application/json", headers={"x-api-key": stage.api_key}
        )

    meera.post(f"{base}/suspend/", {"reason": "complaint"})
    assert ask().json()["code"] == "replica.suspended"
    meera.post(f"{base}/resume/", {"reason": "settled"})
    assert ask().status_code == 200


def test_a_second_slot_of_another_worker_cannot_take_a_slot_id(stage):
    other = SimulatedSlot("other-worker")
    other.slot_id = stage.slot.slot_id
    assert other.announce().status_code == 403


def recorded(stage):
    """A conversation whose recording is a real marked session's, handed in as a worker does."""
    conversation = opened(stage)
    sent = marked_session.play(
        tenant="studio", subject_id=conversation.subject_public_id, now=utc_now(), frames=40,
        conversation_id=conversation.public_id).fragment_file
    worker = Worker.objects.order_by("id").last()
    recordings.store(conversation=conversation, worker=worker, fragments=sent, now=utc_now())
    return conversation


def test_an_officer_saves_one_signed_picture_of_a_recording_and_mallory_none(stage):
    conversation = recorded(stage)
    address = f"/console/live/{conversation.public_id}/still.jpg"
    meera = signed_in(stage.cast.meera)
    assert "still.jpg" in meera.get(f"/console/live/{conversation.public_id}/").content.decode()
    answer = meera.get(address, {"at_s": "1"})
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
    trusted = c2pa_files.read_trusted(answer.content, claim_keys.anchor_pem(), c2pa_files.JPEG)
    assert [file.kind for file in SignedFile.objects.order_by("id")] == ["recording", "still"]
    footage = Footage.objects.get().sha256
    assert footage and conversation.grant["body"]["footage_sha256"] == footage
    event = Event.objects.get(action="still.signed")
    assert event.details["open"]["still_manifest"] == trusted.label == SignedFile.objects.get(kind="still").public_id
    assert event.actor_id == stage.cast.meera.public_id
    assert meera.get(address, {"at_s": "soon"}).status_code == 400
    assert signed_in(stage.cast.mallory).get(address).status_code == 404
    assert signed_in(stage.cast.asha).get(address).status_code == 403
    assert Client().get(address).status_code == 302
    assert Event.objects.filter(action="still.signed").count() == 1
