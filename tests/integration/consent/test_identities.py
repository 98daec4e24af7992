"""Recordings through the sandbox: which count, which do not, and what the person and the officer are told."""

import json
from datetime import timedelta

import pytest

from consent import selectors
from consent.errors import AcceptClosed, AlreadyDecided, ChallengeClosed
from consent.models import ConsentClip, IdentityCheck, SeenMedia
from consent.services import identities
from tests.common import consent_clips
from tests.common.consenting import DEVICE, agreed, submit
from trustcore.audit.actors import Actor
from trustcore.audit.models import Event
from trustcore.tracker import MediaRefused

pytestmark = pytest.mark.django_db


def hand_in(consent, clip, asked=None, media=None, nonce=None, **changed):
    """Hand in a drawn clip as the answer to a challenge (its own, unless another is named)."""
    challenge = consent_clips.challenge(asked or clip)
    if nonce:
        challenge = consent_clips.challenge(asked or clip, nonce=nonce)
    return submit(
        consent, media or consent_clips.media(clip), challenge, now=challenge.opens_at + timedelta(minutes=1), **changed
    )


def decide(cast, check, decision, **words):
    return identities.decide(actor=Actor.user(cast.meera), officer=cast.meera, check=check, decision=decision, **words)


def reason_of(action):
    return json.loads(bytes(Event.objects.get(action=action).body))["reason"]


def result(check, name):
    return next(one for one in check.results if one["name"] == name)


def test_an_honest_clip_is_accepted_and_a_copy_or_a_stranger_later_is_not(cast):
    consent = agreed(cast)
    check = hand_in(consent, "asha_first")
    assert check.verdicts["turns"] == check.verdicts["one_face"] == check.verdicts["seen_before"] == "pass"
    assert check.verdicts["spoken_phrase"] == check.verdicts["colour_flash"] == "not_run"
    decide(cast, check, "accept")
    assert selectors.consent_in_force(consent.subject_public_id).identity_check_id == check.public_id
    with pytest.raises(AlreadyDecided):
        decide(cast, check, "refuse")

    # The very same file, and a mirrored and cropped copy, for somebody else's invitation.
    other = agreed(cast, name="Ben Lindqvist", email="ben@studio.example")
    again = hand_in(other, "asha_first", nonce="1" * 32)
    assert result(again, "seen_before")["measure"] == f"The same file as {check.clip.public_id}"
    assert "seen this recording before" in result(again, "seen_before")["to_subject"]
    identities.record_again(check=again)
    mirrored = consent_clips.copied(consent_clips.media("asha_first"), is_mirrored=True)
    copy = hand_in(other, "asha_first", media=mirrored, nonce="2" * 32)
    assert result(copy, "seen_before")["measure"].startswith(f"A copy of {check.clip.public_id}")
    with pytest.raises(AcceptClosed):
        decide(cast, copy, "accept")

    # Another person answers Asha's next invitation: the turns are right, the face is not.
    renewed = agreed(cast, subject=consent.subject)
    stranger = hand_in(renewed, "other_first", nonce="3" * 32)
    assert (stranger.verdicts["turns"], stranger.verdicts["same_face"]) == ("pass", "fail")
    with pytest.raises(AcceptClosed, match="Differs by"):
        decide(cast, stranger, "accept")
    # And Asha herself, in another recording, is near enough: a warning, never a pass.
    identities.record_again(check=stranger)
    herself = hand_in(renewed, "asha_second")
    assert (herself.verdicts["turns"], herself.verdicts["seen_before"], herself.verdicts["same_face"]) == (
        "pass",
        "pass",
        "warn",
    )


def test_turns_in_another_order_do_not_count_and_the_person_records_again(cast):
    consent = agreed(cast)
    check = hand_in(consent, "asha_first", asked="asha_second")
    assert check.verdicts["turns"] == "fail"
    assert "Made right, right, left, right; asked left, right, left, right" in result(check, "turns")["measure"]
    with pytest.raises(AcceptClosed):
        decide(cast, check, "accept")
    assert reason_of("identity.refused") == "identity.accept_closed"
    assert Event.objects.filter(action="identity_check.failed", object_id=check.public_id).exists()
    identities.record_again(check=check)
    consent.invitation.refresh_from_db()
    assert (consent.invitation.state, consent.invitation.attempts_left) == ("agreed", 2)
    with pytest.raises(AlreadyDecided):  # the clip that was recorded over is closed
        identities.record_again(check=IdentityCheck.objects.get(pk=check.pk))


def test_an_officer_asks_again_or_refuses_and_the_person_reads_why(cast):
    consent = agreed(cast)
    check = hand_in(consent, "asha_first")
    decide(cast, check, "ask_again", sentence="It was too dark. Please record once more.")
    consent.invitation.refresh_from_db()
    assert (consent.invitation.state, consent.invitation.message) == (
        "agreed",
        "It was too dark. Please record once more.",
    )
    second = hand_in(consent, "asha_second")
    decide(cast, second, "refuse", reason="Not her.")
    consent.refresh_from_db()
    assert consent.state == "refused"
    with pytest.raises(AcceptClosed):  # nothing is open any more
        identities.record_again(check=second)


def test_a_challenge_works_once_in_time_on_one_device(cast):
    consent = agreed(cast)
    challenge = identities.issue_challenge(consent=consent, device_sha256=DEVICE)
    with pytest.raises(ChallengeClosed):
        submit(consent, b"x", challenge, device_sha256="e" * 64)
    with pytest.raises(ChallengeClosed):
        submit(consent, b"x", challenge, now=challenge.closes_at + timedelta(seconds=1))
    with pytest.raises(MediaRefused):
        submit(consent, b"not a video at all", challenge)
    with pytest.raises(ChallengeClosed):  # used up, though the file was refused
        submit(consent, b"not a video at all", challenge)
    other = agreed(cast, name="Ben", email="ben@studio.example")
    with pytest.raises(ChallengeClosed):  # drawn for Asha
        submit(other, b"x", identities.issue_challenge(consent=consent, device_sha256=DEVICE))


BROKEN = {"empty": b"", "zeros": b"\x00" * 5000, "cut off": consent_clips.media("asha_first")[:40_000]}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_file_that_is_no_recording_is_named_as_such_and_nothing_is_kept(cast, fault):
    with pytest.raises(MediaRefused) as refused:
        submit(agreed(cast), BROKEN[fault])
    assert refused.value.code in {"media.empty", "media.not_video", "media.truncated"}
    assert not ConsentClip.objects.exists()
    assert not SeenMedia.objects.exists()
    assert reason_of("clip.refused") == refused.value.code


@pytest.mark.subjects
@pytest.mark.skipif(not consent_clips.SUBJECTS.exists(), reason="the test people are not beside this checkout")
def test_the_test_people(cast):
    """Asha's clip answers what she was asked; Ben's, for her next consent, does not."""
    from consent.identity.challenge import Turn

    asked = {"turns": (Turn("left", 4.0), Turn("right", 6.4)), "words": ("seven", "amber", "river", "lantern", "four")}
    clips = {name: (consent_clips.SUBJECTS / name / "consent_turns.mp4").read_bytes() for name in ("asha", "ben")}
    consent = agreed(cast)
    first = consent_clips.challenge("asha_first", **asked)
    now = first.opens_at + timedelta(minutes=1)
    check = submit(consent, clips["asha"], first, now=now)
    assert (check.verdicts["turns"], check.verdicts["one_face"]) == ("pass", "pass")
    decide(cast, check, "accept")
    renewed = agreed(cast, subject=consent.subject)
    wrong = submit(renewed, clips["ben"], consent_clips.challenge("asha_first", nonce="5" * 32, **asked), now=now)
    assert (wrong.verdicts["turns"], wrong.verdicts["seen_before"], wrong.verdicts["same_face"]) == (
        "pass",
        "pass",
        "fail",
    )
