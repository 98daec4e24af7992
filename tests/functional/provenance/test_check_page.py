"""The public check page, as a stranger with a file uses it."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from provenance.models import ClipCheck, SessionManifest
from provenance.services import checks, session_manifests
from tests.common.moving_frames import talking_frames
from tests.common.simulators import marked_session
from tests.common.simulators.marked_session import SETUP, MarkedSession, as_mp4, decoded
from trustcore.audit import recording
from trustcore.audit.actions import Action
from trustcore.audit.actors import ObjectRef
from trustcore.audit.models import Event
from trustcore.keys.services import signing_keys, subject_keys
from trustcore.primitives.clock import utc_now
from trustcore.primitives.ids import new_id
from trustcore.primitives.signing import verify_statement

pytestmark = pytest.mark.django_db


@pytest.fixture
def session() -> MarkedSession:
    return marked_session.play(tenant="studio", subject_id=new_id("subject"), now=utc_now())


@pytest.fixture
def recorded(session: MarkedSession) -> bytes:
    signed = session_manifests.sign_recording(
        actor=SETUP, conversation=session.conversation, fragment_file=session.fragment_file)
    return signed.encoded


def ask(client: Client, content: bytes, name: str = "clip.mp4") -> Any:
    answer = client.post("/check/", {"clip": SimpleUploadedFile(name, content, "video/mp4")})
    return client.get(answer["Location"]) if answer.status_code == 302 else answer


def test_form_needs_no_sign_in(client: Client) -> None:
    page = client.get("/check/")
    assert page.status_code == 200
    assert "Did this clip come from a Trustcore replica?" in page.content.decode()


def test_signed_recording_is_intact(client: Client, recorded: bytes) -> None:
    page = ask(client, recorded).content.decode()
    assert "Intact." in page
    assert "in force" in page
    assert "Asha Baruah" in page


def test_sent_fragments_are_intact(client: Client, session: MarkedSession) -> None:
    assert "Intact." in ask(client, session.fragment_file).content.decode()


def test_reencoded_clip_is_recovered_by_its_watermark(client: Client, recorded: bytes) -> None:
    page = ask(client, as_mp4(decoded(recorded))).content.decode()
    assert "Recovered by watermark, content matches." in page
    assert "Intact" not in page.split("What the answers mean")[0]


def test_mark_on_another_picture_differs(client: Client, session: MarkedSession, recorded: bytes) -> None:
    other = list(marked_session.marked(session.slot_id, talking_frames(30, 256, seed=9)))
    assert "Recovered by watermark, content differs." in ask(client, as_mp4(other)).content.decode()


def test_unrecorded_session_cannot_be_compared(client: Client, session: MarkedSession) -> None:
    frames = list(marked_session.marked(session.slot_id, talking_frames(30, 256, seed=1)))
    page = ask(client, as_mp4(frames)).content.decode()
    assert "Recovered by watermark." in page
    assert "Nothing was compared." in page


def test_payload_that_nobody_was_given_is_no_session(client: Client, session: MarkedSession) -> None:
    frames = list(marked_session.marked(session.slot_id ^ 1, talking_frames(30, 256, seed=1)))
    assert "Mark present, session unknown." in ask(client, as_mp4(frames)).content.decode()


def test_unmarked_clip_proves_nothing(client: Client) -> None:
    page = ask(client, as_mp4(list(talking_frames(20, 256, seed=5)))).content.decode()
    assert "No mark found. This proves nothing." in page


def test_cut_recording_is_not_intact(client: Client, recorded: bytes) -> None:
    changed = bytearray(recorded)
    changed[-2000] ^= 0x55
    page = ask(client, bytes(changed)).content.decode()
    assert "does not hold" in page
    assert "Intact." not in page


def test_withdrawal_shows_on_the_next_check(client: Client, session: MarkedSession, recorded: bytes) -> None:
    consent = ObjectRef("consent", session.grant.consent_id, tenant="studio", subject=session.grant.subject_id)
    with recording.recording(actor=SETUP, action=Action.CONSENT_WITHDRAWN, obj=consent):
        pass
    page = ask(client, recorded).content.decode()
    assert "withdrawn" in page
    assert "The person withdrew on" in page


def test_erased_person_is_not_named(client: Client, session: MarkedSession, recorded: bytes) -> None:
    subject_keys.destroy(session.grant.subject_id, actor=SETUP)
    page = ask(client, recorded).content.decode()
    assert "Asha" not in page
    assert "had everything erased" in page


@pytest.mark.parametrize("content", [b"not a video at all", b"\x00" * 5000, b"\x1aE\xdf\xa3" + b"\x00" * 300])
def test_unreadable_files_are_named_as_such(client: Client, content: bytes) -> None:
    page = ask(client, content)
    assert page.status_code == 422
    assert "We cannot read this file." in page.content.decode()
    assert not ClipCheck.objects.exists()


def test_missing_and_oversized_files_are_refused(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Choose a file first." in client.post("/check/", {}).content.decode()
    monkeypatch.setattr(checks, "MAX_BYTES", 10)
    assert ask(client, b"0123456789a").status_code == 413


def test_too_many_questions_are_refused(client: Client, monkeypatch: pytest.MonkeyPatch, recorded: bytes) -> None:
    monkeypatch.setattr(checks, "MAX_CHECKS_A_MINUTE", 1)
    assert ask(client, recorded).status_code == 200
    assert ask(client, recorded).status_code == 429


def test_many_questions_at_once_do_not_pass_the_limit(
    client: Client, monkeypatch: pytest.MonkeyPatch, recorded: bytes
) -> None:
    """A clip that is still being decoded has no row yet; whoever asks in that moment is refused all the same."""
    meanwhile: list[int] = []
    real = checks._answer

    def slow(content: bytes) -> Any:
        meanwhile.append(ask(Client(), recorded).status_code)
        return real(content)

    monkeypatch.setattr(checks, "_answer", slow)
    assert ask(client, recorded).status_code == 200
    assert meanwhile == [429, 200]
    assert ClipCheck.objects.count() == 2


def test_answer_is_signed_logged_and_tells_no_score(client: Client, recorded: bytes) -> None:
    ask(client, recorded)
    row = ClipCheck.objects.get()
    saved = json.loads(client.get(f"/check/{row.public_id}/answer.json").content)
    body = verify_statement(saved, "attestation", signing_keys.trusted("attestation"))
    assert body["answer"]["verdict"] == "intact"
    assert body["file_sha256"] == row.file_sha256
    assert "z" not in json.dumps(body["answer"]).split('"')
    assert Event.objects.filter(action="file.verified", object_id=row.public_id).exists()


def test_unknown_answer_is_not_there(client: Client) -> None:
    assert client.get("/check/V-20261124-000000000000/").status_code == 404


def test_keys_and_authority_are_public(client: Client) -> None:
    assert {"grant", "log", "claim_signer_sha256", "mark"} <= set(client.get("/check/keys/").json())
    assert client.get("/check/authority.pem").content.startswith(b"-----BEGIN CERTIFICATE-----")


def test_recording_of_another_house_is_not_signed(session: MarkedSession) -> None:
    changed = bytearray(session.fragment_file)
    changed[-100] ^= 1
    with pytest.raises(Exception, match="frame"):
        session_manifests.sign_recording(
            actor=SETUP, conversation=session.conversation, fragment_file=bytes(changed))
    assert Event.objects.filter(action="manifest.refused").exists()
    assert SessionManifest.objects.get().content_hashes == []

