"""The sound of a clip on the public check page: ours or not, and whether it belongs to the picture."""

import json
from typing import Any

import numpy as np
import pytest
from django.test import Client

from provenance.manifests import fmp4
from provenance.manifests.assertions import SOFT_BINDING_ALG
from provenance.marks.keys import MarkKey
from provenance.marks.sound.embed import embed_reference
from provenance.models import ClipCheck, ToldAnswer
from provenance.services import clip_sound, resolution, session_manifests
from rendering.speech.voices import FliteVoice
from tests.common.checking import ask, verdict_of
from tests.common.moving_frames import talking_frames
from tests.common.simulators import marked_session
from tests.common.simulators.marked_session import SETUP, MarkedSession, as_mp4, decoded, heard, marked_sound
from tests.common.spoken import Samples, as_file, said, slots_from, speech, through_opus
from tests.functional.provenance.test_resolution import encoded_value
from trustcore.primitives.clock import utc_now
from trustcore.primitives.ids import new_id

pytestmark = pytest.mark.django_db
SIX_S = 6 * 48_000


def spoken() -> Samples:
    return speech()[:SIX_S]


@pytest.fixture
def session() -> MarkedSession:
    return marked_session.play(tenant="studio", subject_id=new_id("subject"), now=utc_now(), spoken=spoken())


@pytest.fixture
def recorded(session: MarkedSession) -> bytes:
    return session_manifests.sign_recording(
        actor=SETUP, conversation=session.conversation, fragment_file=session.fragment_file).encoded


def strangers_pictures() -> list[Any]:
    return list(talking_frames(60, 256, seed=9))


def strangers_voice() -> Samples:
    return through_opus(said(FliteVoice("rms"), "The river rose overnight and the lower road was closed, so the buses "
                             "took the long way round the hill. Nobody was hurt, but the market opened late.")[:SIX_S])


def text_of(page: Any) -> str:
    return str(page.content.decode())


def test_our_picture_with_our_sound_is_ours_in_both(client: Client, recorded: bytes) -> None:
    page = ask(client, as_mp4(decoded(recorded), spoken=heard(recorded)))
    assert verdict_of(page) == "points_to_manifest_content_matches"
    assert "It points to the same session as the picture." in text_of(page)


def test_our_sound_under_a_strangers_picture_is_said_so(
    client: Client, session: MarkedSession, recorded: bytes
) -> None:
    page = ask(client, as_mp4(strangers_pictures(), spoken=heard(recorded)))
    assert verdict_of(page) == "sound_points_to_manifest_picture_differs"
    assert f"The sound is from session {session.conversation.id}, the picture is not." in text_of(page)
    assert "Our sound, but not our picture." in text_of(page) and "Where the sound came from" in text_of(page)
    assert "Asha Baruah" in text_of(page)


def test_our_picture_under_a_strangers_voice_is_said_so(client: Client, recorded: bytes) -> None:
    page = ask(client, as_mp4(decoded(recorded), spoken=strangers_voice()))
    assert verdict_of(page) == "picture_matches_sound_unmarked"
    assert "Our picture, but perhaps not our sound." in text_of(page)
    assert "In the sound none of our marks was found" in text_of(page)


def test_our_picture_without_sound_is_ours_and_silent(client: Client, recorded: bytes) -> None:
    page = ask(client, as_mp4(decoded(recorded)))
    assert verdict_of(page) == "points_to_manifest_content_matches"
    assert "The file holds no sound." in text_of(page)


def test_a_strangers_clip_with_sound_proves_nothing(client: Client, session: MarkedSession) -> None:
    page = ask(client, as_mp4(strangers_pictures(), spoken=strangers_voice()))
    assert verdict_of(page) == "no_mark"
    assert "None of our marks was found in the sound." in text_of(page)


def test_a_mark_of_another_house_is_none_of_ours(client: Client, session: MarkedSession) -> None:
    foreign = embed_reference(spoken(), slots_from(MarkKey(bytes(range(32))), session.slot_id, 3))
    page = ask(client, as_mp4(strangers_pictures(), spoken=through_opus(foreign)))
    assert verdict_of(page) == "no_mark"


@pytest.mark.parametrize(("codec", "bps", "kind"), [
    ("libmp3lame", 64_000, "mp3"), ("libopus", 32_000, "ogg"), ("pcm_s16le", 0, "wav"),
])
def test_a_sound_file_leads_back_to_its_session(
    client: Client, session: MarkedSession, recorded: bytes, codec: str, bps: int, kind: str
) -> None:
    page = ask(client, as_file(heard(recorded), codec, bps, kind))
    assert verdict_of(page) == "sound_points_to_manifest"
    assert session.conversation.id in text_of(page) and "No picture could be read" in text_of(page)


def test_a_strangers_sound_file_proves_nothing(client: Client, session: MarkedSession) -> None:
    page = ask(client, as_file(strangers_voice(), "libmp3lame", 64_000, "mp3"))
    assert verdict_of(page) == "no_mark"
    assert "None of our marks was found in the sound." in text_of(page)


def test_too_little_sound_is_told_apart_from_sound_without_a_mark(client: Client, session: MarkedSession) -> None:
    short = ask(client, as_mp4(strangers_pictures(), spoken=strangers_voice()[: 3 * 48_000]))
    assert "There is too little sound for a mark to be read." in text_of(short)
    silent = ask(client, as_file(strangers_voice()[: 3 * 48_000] * 0, "libmp3lame", 64_000, "mp3"))
    assert verdict_of(silent) == "not_checked"
    assert "too little sound" in text_of(silent)


def test_picture_of_one_session_and_sound_of_another(client: Client, session: MarkedSession, recorded: bytes) -> None:
    other = marked_session.play(
        tenant="studio", subject_id=new_id("subject"), now=utc_now(), frames=5, spoken=spoken())
    page = ask(client, as_mp4(decoded(recorded), spoken=through_opus(marked_sound(other.slot_id, spoken()))))
    assert verdict_of(page) == "picture_and_sound_of_two_sessions"
    assert f"The sound is from session {other.conversation.id}, the picture is from another." in text_of(page)
    assert session.manifest_label in text_of(page)


def test_a_payload_in_sound_that_nobody_was_given_is_no_session(client: Client, session: MarkedSession) -> None:
    unknown = through_opus(marked_sound(session.slot_id ^ 1, spoken()))
    assert verdict_of(ask(client, as_mp4(strangers_pictures(), spoken=unknown))) == "mark_present"


def test_a_payload_read_in_sound_resolves_like_one_read_in_a_picture(session: MarkedSession) -> None:
    found = resolution.by_binding(SOFT_BINDING_ALG, encoded_value(session.slot_id), 10)
    assert found == [session.manifest_label]


def test_signed_recording_with_sound_is_intact_and_its_sound_is_under_the_signature(
    client: Client, session: MarkedSession, recorded: bytes
) -> None:
    page = ask(client, recorded)
    assert verdict_of(page) == "intact" and "The sound is under the signature" in text_of(page)
    session.log_seconds()
    sent = ask(client, session.fragment_file)
    assert verdict_of(sent) == "intact" and "The sound is under the signature" in text_of(sent)
    muted = ask(client, fmp4.pictures_only(session.fragment_file))
    assert "The file holds no sound. Whether there was some, it cannot say." in text_of(muted)


def test_sent_fragments_with_a_changed_packet_of_sound_are_ours_and_altered(
    client: Client, session: MarkedSession, recorded: bytes
) -> None:
    changed = bytearray(session.fragment_file)
    changed[-5] ^= 1  # the sound goes on longer than the pictures
    page = ask(client, bytes(changed))
    assert verdict_of(page) == "altered"
    assert "only 299 of 300 packets of sound hold" in text_of(page)
    assert "It points to the same session as the picture." in text_of(page)


def test_sound_of_one_connection_in_the_run_of_another_is_ours_and_altered(
    client: Client, session: MarkedSession
) -> None:
    again = marked_session.come_back(session, now=utc_now(), at_ms=8000, spoken=spoken()[: 2 * 48_000])
    both = session.fragment_file + again
    signed = session_manifests.sign_recording(actor=SETUP, conversation=session.conversation, fragment_file=both)
    assert verdict_of(ask(client, signed.encoded)) == "intact"
    assert "The sound is under the signature" in text_of(ask(client, both))
    init, fragments = fmp4.split_recording(again)
    first = fmp4.split_recording(session.fragment_file)[1]
    elsewhere = iter([one for one in first if fmp4.track_of(one) is fmp4.SOUND])
    moved = b"".join(next(elsewhere) if fmp4.track_of(one) is fmp4.SOUND else one for one in fragments)
    page = ask(client, session.fragment_file + init + moved)
    assert verdict_of(page) == "altered"
    assert "only 300 of 400 packets of sound hold" in text_of(page)


def test_sound_that_cannot_be_decoded_is_not_called_silent(client: Client, session: MarkedSession) -> None:
    clip = as_mp4(strangers_pictures(), spoken=strangers_voice())
    page = ask(client, clip.replace(b"mp4a", b"xxxx").replace(b"esds", b"xsds"))
    assert "The file holds sound that we cannot read." in text_of(page)


def test_listening_has_its_time_and_no_more(
    client: Client, session: MarkedSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clip_sound, "READ_S", 0.0)
    page = ask(client, as_file(np.tile(strangers_voice(), 2), "libmp3lame", 64_000, "mp3"))
    assert "Listening took too long and was ended." in text_of(page)
    assert "None of our marks" not in text_of(page)


# --- one answer for sounds that are nearly the same --------------------------------------------------------------


def test_a_washed_copy_of_a_sound_gets_the_answer_of_the_marked_one(
    client: Client, session: MarkedSession, recorded: bytes
) -> None:
    """And whatever picture is laid over it: what counts is how it sounds."""
    first = ask(client, as_file(heard(recorded), "libmp3lame", 64_000, "mp3"))
    washed = ask(client, as_file(spoken(), "aac", 96_000, "mp4"))
    assert verdict_of(first) == verdict_of(washed) == "sound_points_to_manifest"
    over = ask(client, as_mp4(strangers_pictures(), spoken=spoken()))
    assert verdict_of(over) == "sound_points_to_manifest_picture_differs"
    stranger = ask(client, as_file(spoken(), "aac", 96_000, "mp4"), address="198.51.100.9")
    assert verdict_of(stranger) == "no_mark"


def test_a_question_about_the_washed_sound_does_not_hide_the_marked_one(
    client: Client, session: MarkedSession, recorded: bytes
) -> None:
    assert verdict_of(ask(client, as_file(spoken(), "aac", 96_000, "mp4"))) == "no_mark"
    assert verdict_of(ask(client, as_file(heard(recorded), "libmp3lame", 64_000, "mp3"))) == "sound_points_to_manifest"


def test_sound_and_pictures_have_neighbourhoods_of_their_own_and_no_answer_tells_a_score(
    client: Client, session: MarkedSession, recorded: bytes
) -> None:
    ask(client, as_mp4(strangers_pictures(), spoken=heard(recorded)))
    kept = {(row.is_sound, row.verdict) for row in ToldAnswer.objects.all()}
    assert kept == {(False, "no_mark"), (True, "payload_read")}
    body = ClipCheck.objects.get().answer["body"]
    assert {name for fact in body["answer"]["found"] for name in fact["facts"]} == {"pictures", "session"}
    assert not any(word in json.dumps(body["answer"]) for word in ('"z"', "least_z", "audible", "share"))
