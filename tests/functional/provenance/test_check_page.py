"""The public check page, as a stranger with a file uses it."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from django.test import Client

from provenance.manifests import fmp4
from provenance.models import CheckRun, ClipCheck, SessionManifest
from provenance.services import checks, session_lookup, session_manifests
from tests.common.checking import ask, verdict_of
from tests.common.moving_frames import talking_frames
from tests.common.simulators import marked_session
from tests.common.simulators.marked_session import SETUP, MarkedSession, as_mp4, decoded
from trustcore.audit import recording
from trustcore.audit.actions import Action
from trustcore.audit.actors import ObjectRef
from trustcore.audit.models import Event
from trustcore.audit.sequencer import settle
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


def still(i420: Any, cut: int = 0) -> bytes:
    """A PNG of one picture, with as many lines and columns cut off on each side."""
    bgr = cv2.cvtColor(i420, cv2.COLOR_YUV2BGR_I420)
    return cv2.imencode(".png", bgr[cut : bgr.shape[0] - cut, cut : bgr.shape[1] - cut])[1].tobytes()


def test_form_needs_no_sign_in(client: Client) -> None:
    page = client.get("/check/")
    assert page.status_code == 200
    assert "Did this clip come from a Trustcore replica?" in page.content.decode()


def test_signed_recording_is_intact(client: Client, recorded: bytes) -> None:
    page = ask(client, recorded)
    assert verdict_of(page) == "intact"
    assert "Ours and intact." in page.content.decode()
    assert "in force" in page.content.decode()
    assert "Asha Baruah" in page.content.decode()


def test_sent_fragments_are_intact(client: Client, session: MarkedSession) -> None:
    session.log_seconds()
    page = ask(client, session.fragment_file)
    assert verdict_of(page) == "intact"
    assert "60 of 60 frames were signed for this session." in page.content.decode()


def test_sent_fragments_that_end_early_are_not_called_whole(client: Client, session: MarkedSession) -> None:
    init, fragments = fmp4.split_recording(session.fragment_file)
    beginning = init + b"".join(list(fragments)[:10])
    unknown = ask(client, beginning)
    assert verdict_of(unknown) == "intact_beginning"
    assert "10 of 10 frames were signed" in unknown.content.decode()
    assert "Only our log can say how long it was." in unknown.content.decode()
    assert verdict_of(ask(client, session.fragment_file)) == "intact_beginning"  # the log has nothing of it
    session.log_seconds()
    known = ask(client, beginning)
    assert verdict_of(known) == "intact_beginning"
    assert "our log knows 60 frames of this session" in known.content.decode()


def test_sent_fragments_without_a_later_connection_are_not_called_whole(
    client: Client, session: MarkedSession,
) -> None:
    session.log_seconds()
    again = marked_session.come_back(session, now=utc_now(), at_ms=8000)
    later = session_lookup.latest_of(session.grant.conversation_id)
    assert later is not None and later.public_id != session.manifest_label
    replace(session, manifest_label=later.public_id, fragment_file=again).log_seconds()
    alone = ask(client, session.fragment_file)
    assert verdict_of(alone) == "intact_beginning"
    assert "our log knows 80 frames of this session" in alone.content.decode()
    assert verdict_of(ask(client, session.fragment_file + again)) == "intact"


def test_reencoded_clip_is_ours_and_altered(client: Client, recorded: bytes) -> None:
    page = ask(client, as_mp4(decoded(recorded)))
    assert verdict_of(page) == "points_to_manifest_content_matches"
    assert "Ours, altered." in page.content.decode()


def test_recording_with_a_changed_byte_is_ours_and_altered(client: Client, recorded: bytes) -> None:
    changed = bytearray(recorded)
    changed[-2000] ^= 0x55
    page = ask(client, bytes(changed))
    assert verdict_of(page) == "altered"
    assert "It is ours, but the file was changed after it was signed." in page.content.decode()


def test_sent_fragments_with_a_changed_frame_are_ours_and_altered(
    client: Client, session: MarkedSession, recorded: bytes
) -> None:
    changed = bytearray(session.fragment_file)
    changed[-100] ^= 1
    page = ask(client, bytes(changed))
    assert verdict_of(page) == "altered"
    assert "only 59 of 60 frames hold" in page.content.decode()


def test_manifest_that_cannot_be_read_says_nothing_of_whose_it_is(client: Client, recorded: bytes) -> None:
    """Damage inside the manifest itself: whose it was cannot be said any more. The mark still leads back."""
    place = recorded.index(b"c2pa.claim.v2") + 60
    page = ask(client, recorded[:place] + bytes([recorded[place] ^ 0xFF]) + recorded[place + 1 :])
    assert verdict_of(page) == "points_to_manifest_content_matches"
    assert "It cannot be read, or does not say whose it is." in page.content.decode()


def test_mark_on_another_picture_differs(client: Client, session: MarkedSession, recorded: bytes) -> None:
    other = list(marked_session.marked(session.slot_id, talking_frames(30, 256, seed=9)))
    page = ask(client, as_mp4(other))
    assert verdict_of(page) == "points_to_manifest_content_differs"
    assert "Recovered by watermark, content differs." in page.content.decode()


def test_unrecorded_session_cannot_be_compared(client: Client, session: MarkedSession) -> None:
    frames = list(marked_session.marked(session.slot_id, talking_frames(30, 256, seed=1)))
    page = ask(client, as_mp4(frames))
    assert verdict_of(page) == "points_to_manifest"
    assert "Nothing was compared." in page.content.decode()


def test_payload_that_nobody_was_given_is_no_session(client: Client, session: MarkedSession) -> None:
    frames = list(marked_session.marked(session.slot_id ^ 1, talking_frames(30, 256, seed=1)))
    assert verdict_of(ask(client, as_mp4(frames))) == "mark_present"


def test_unmarked_clip_proves_nothing(client: Client) -> None:
    page = ask(client, as_mp4(list(talking_frames(20, 256, seed=5))))
    assert verdict_of(page) == "no_mark"
    assert "No evidence. This proves nothing." in page.content.decode()


def test_one_picture_leads_back_but_is_too_little_to_be_the_same(client: Client, recorded: bytes) -> None:
    page = ask(client, still(decoded(recorded)[4]))
    assert verdict_of(page) == "points_to_manifest"
    assert "one is too little" in page.content.decode()


def test_cut_picture_is_found_by_the_search(client: Client, recorded: bytes, settings: Any) -> None:
    settings.MARK_SEARCH_S = 600  # this machine may be busy
    frames = decoded(recorded)[:30]
    cut = [cv2.cvtColor(cv2.cvtColor(f, cv2.COLOR_YUV2BGR_I420)[16:240, 16:240], cv2.COLOR_BGR2YUV_I420)
           for f in frames]
    page = ask(client, as_mp4(cut, kbps=2000))
    assert verdict_of(page) == "points_to_manifest"
    assert "Found on a picture that was cut, scaled or mirrored." in page.content.decode()


def test_search_has_its_time_and_no_more(client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.MARK_SEARCH_S = 1e-6
    from trustcore.keys.services import mark_keys

    mark_keys.current()
    page = ask(client, still(next(talking_frames(1, 256, seed=5))))
    assert verdict_of(page) == "no_mark"
    assert "The search took too long and was ended." in page.content.decode()


def test_withdrawal_shows_on_the_next_check(client: Client, session: MarkedSession, recorded: bytes) -> None:
    consent = ObjectRef("consent", session.grant.consent_id, tenant="studio", subject=session.grant.subject_id)
    with recording.recording(actor=SETUP, action=Action.CONSENT_WITHDRAWN, obj=consent):
        pass
    page = ask(client, recorded).content.decode()
    assert "withdrawn" in page
    assert "The person withdrew on" in page


def test_erased_person_is_not_named(client: Client, session: MarkedSession, recorded: bytes) -> None:
    before = ask(client, recorded)
    assert "Asha" in before.content.decode()
    subject_keys.destroy(session.grant.subject_id, actor=SETUP)
    for page in (ask(client, recorded), client.get(before.request["PATH_INFO"])):
        assert "Asha" not in page.content.decode()
        assert "had everything erased" in page.content.decode()


def test_saved_answer_names_nobody(client: Client, session: MarkedSession, recorded: bytes) -> None:
    """It stays public after a person had everything erased."""
    ask(client, recorded)
    row = ClipCheck.objects.get()
    saved = client.get(f"/check/{row.public_id}/answer.json").content.decode()
    assert session.manifest_label in saved
    assert "Asha" not in saved and session.grant.subject_id not in saved


def test_answer_of_an_older_form_is_withheld_once_its_person_is_gone(
    client: Client, session: MarkedSession, recorded: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(client, recorded)
    where = f"/check/{ClipCheck.objects.get().public_id}/answer.json"
    monkeypatch.setattr(checks, "VERSION", checks.VERSION + 1)
    assert client.get(where).status_code == 200
    subject_keys.destroy(session.grant.subject_id, actor=SETUP)
    assert client.get(where).status_code == 410


@pytest.mark.parametrize("content", [
    b"not a video at all", b"\x00" * 5000, b"\x1aE\xdf\xa3" + b"\x00" * 300, b"\x89PNG\r\n\x1a\n" + b"\x00" * 99,
])
def test_unreadable_files_are_named_as_such(client: Client, content: bytes) -> None:
    page = ask(client, content)
    assert page.status_code == 422
    assert "We cannot read this file." in page.content.decode()
    assert not ClipCheck.objects.exists()
    assert Event.objects.filter(action="file.verified", outcome="refused").count() == 1


def test_missing_and_oversized_files_are_refused(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Choose a file first" in client.post("/check/", {}).content.decode()
    monkeypatch.setattr(checks, "MAX_BYTES", 10)
    assert ask(client, b"0123456789a").status_code == 413


def test_answer_is_signed_logged_and_tells_no_score(client: Client, recorded: bytes) -> None:
    ask(client, as_mp4(decoded(recorded)))
    row = ClipCheck.objects.get()
    saved = json.loads(client.get(f"/check/{row.public_id}/answer.json").content)
    body = verify_statement(saved, "attestation", signing_keys.trusted("attestation"))
    assert body["answer"]["verdict"] == "points_to_manifest_content_matches"
    assert body["file_sha256"] == row.file_sha256
    assert {name for fact in body["answer"]["found"] for name in fact["facts"]} == {"pictures"}
    assert not re.search(r'"(z|score|share|probability)"', json.dumps(body["answer"]))
    assert Event.objects.filter(action="file.verified", object_id=row.public_id, outcome="done").exists()


def test_nothing_of_the_clip_is_left(client: Client, recorded: bytes, settings: Any, tmp_path: Path) -> None:
    settings.CHECK_SPOOL_DIR = tmp_path / "spool"
    ask(client, recorded)
    assert list(Path(settings.CHECK_SPOOL_DIR).iterdir()) == []
    assert bytes(CheckRun.objects.get().spool_key) == b""


def test_unknown_answer_is_not_there(client: Client) -> None:
    for path in ("", "progress.json", "answer.json"):
        assert client.get(f"/check/V-20261124-000000000000/{path}").status_code == 404
    assert client.post("/check/V-20261124-000000000000/stop/").status_code == 404


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


# --- a link instead of a file -------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["{id}", "http://testserver/c/{id}/token", "http://TESTSERVER/c/{id}/?x=1", "{label}"])
def test_link_to_a_session_shows_what_our_records_say(client: Client, session: MarkedSession, form: str) -> None:
    settle()
    link = form.format(id=session.conversation.id, label=session.manifest_label)
    answer = client.post("/check/", {"link": link})
    page = client.get(answer["Location"]).content.decode()
    for words in ("A session of ours.", "Asha Baruah", "in force", "Entry", session.manifest_label):
        assert words in page
    assert not CheckRun.objects.exists()


@pytest.mark.parametrize("link", [
    "http://elsewhere.example/c/{id}/", "http://testserver@elsewhere.example/c/{id}/", "file:///etc/passwd",
    "http://169.254.169.254/latest/", "http://testserver/c/c0000000000000000/", "c0000000000000000", "x" * 500,
    "http://[::1", "javascript:alert(1)",
])
def test_other_links_are_refused_and_never_opened(client: Client, session: MarkedSession, link: str) -> None:
    page = client.post("/check/", {"link": link.format(id=session.conversation.id)})
    assert page.status_code == 422
    assert "This is no link to a session of ours." in page.content.decode()


# --- one answer for pictures that look alike ---------------------------------------------------------------------


def test_washed_copy_gets_the_answer_of_the_marked_clip(client: Client, recorded: bytes) -> None:
    """Whoever tries how much must be changed until the mark is gone learns nothing from the next answer."""
    washed = as_mp4(list(talking_frames(60, 256, seed=1)))
    first = ask(client, as_mp4(decoded(recorded)))
    again = ask(client, washed)
    assert verdict_of(first) == verdict_of(again) == "points_to_manifest_content_matches"
    for page in (first, again):  # no page says whether its answer is an earlier one
        assert "Nearly identical clips" in page.content.decode()


def test_question_about_a_washed_copy_does_not_hide_the_marked_clip(client: Client, recorded: bytes) -> None:
    assert verdict_of(ask(client, as_mp4(list(talking_frames(60, 256, seed=1))))) == "no_mark"
    assert verdict_of(ask(client, as_mp4(decoded(recorded)))) == "points_to_manifest_content_matches"


def test_other_pictures_have_an_answer_of_their_own(client: Client, recorded: bytes) -> None:
    ask(client, as_mp4(decoded(recorded)))
    assert verdict_of(ask(client, as_mp4(list(talking_frames(20, 256, seed=5))))) == "no_mark"


def test_picture_too_small_for_a_mark_is_not_called_unmarked(client: Client) -> None:
    page = ask(client, still(np.zeros((144, 96), np.uint8)))
    assert verdict_of(page) in ("not_checked", "no_mark")


@pytest.mark.parametrize("rest", ["", "answer.json", "progress.json", "stop/"])
@pytest.mark.parametrize("odd", ["V%00", "%00", "V-%0a", "V-%C3%A9", "V" * 41])
def test_an_id_that_cannot_be_one_is_an_address_that_does_not_exist(client: Client, odd: str, rest: str) -> None:
    ask_for = client.post if rest == "stop/" else client.get
    assert ask_for(f"/check/{odd}/{rest}").status_code == 404
