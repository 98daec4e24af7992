"""The sound in a recording of sent frames is judged packet by packet, beside the pictures and apart from them."""

from collections.abc import Callable, Sequence

import pytest

from provenance.manifests import fmp4
from provenance.verify import video
from provenance.verify.reports import Outcome, Report
from tests.common.live_session import LiveSession, as_fragment_list, recording_of, recording_with_sound
from tests.unit.provenance.manifests.test_recording import opus

Sent = list[bytes]


@pytest.fixture(scope="module")
def session() -> LiveSession:
    return LiveSession()


@pytest.fixture(scope="module")
def sent(session: LiveSession) -> Sent:
    return as_fragment_list(recording_with_sound(session, opus(1.0)))


def judged(session: LiveSession, fragments: Sequence[bytes]) -> Report:
    return video.verify_fragment_file("f", session.init.encoded + b"".join(fragments), session.signer.anchor_pem)


def test_every_packet_of_sound_verifies(session: LiveSession, sent: Sent) -> None:
    report = judged(session, sent)
    assert report.outcome is Outcome.VERIFIED
    assert (report.facts["frames"]["verified"], report.facts["sound"]["verified"]) == (30, 50)
    assert "50 of 50 packets of sound were signed by this session's key for this session." in report.sentences


def test_a_recording_without_sound_says_that_it_has_none(session: LiveSession) -> None:
    report = video.verify_fragment_file("f", recording_of(LiveSession()), session.signer.anchor_pem)
    assert report.outcome is Outcome.VERIFIED and "sound" not in report.facts
    assert "It holds no sound. Whether there was some, it cannot say." in report.sentences


def flipped(sent: Sent) -> Sent:
    at = sound_places(sent)[20]
    return [*sent[:at], sent[at][:-5] + bytes([sent[at][-5] ^ 1]) + sent[at][-4:], *sent[at + 1 :]]


def cut_out(sent: Sent) -> Sent:
    gone = set(sound_places(sent)[20:25])
    return [one for number, one in enumerate(sent) if number not in gone]


def begun_late(sent: Sent) -> Sent:
    gone = set(sound_places(sent)[:5])
    return [one for number, one in enumerate(sent) if number not in gone]


def swapped(sent: Sent) -> Sent:
    first, second = sound_places(sent)[20:22]
    changed = list(sent)
    changed[first], changed[second] = sent[second], sent[first]
    return changed


def unattested(sent: Sent) -> Sent:
    at = sound_places(sent)[20]
    return [*sent[:at], sent[at][sent[at].index(b"moof") - 4 :], *sent[at + 1 :]]


def of_another_session(sent: Sent) -> Sent:
    other = as_fragment_list(recording_with_sound(LiveSession(), opus(1.0)))
    places = sound_places(sent)
    return [other[number] if number in places else one for number, one in enumerate(sent)]


def taken_for_a_picture(sent: Sent) -> Sent:
    at = sound_places(sent)[20]
    moof_at = sent[at].index(b"moof") - 4
    where = moof_at + fmp4.TRACK_AT
    return [*sent[:at], sent[at][:where] + b"\0\0\0\1" + sent[at][where + 4 :], *sent[at + 1 :]]


def sound_places(sent: Sent) -> list[int]:
    return [number for number, one in enumerate(sent) if fmp4.track_of(one) is fmp4.SOUND]


@pytest.mark.parametrize(("attack", "words"), [
    (flipped, "bytes differ"), (cut_out, "5 packet(s) between the first and the last are missing"),
    (begun_late, "begins at packet of sound 6"), (swapped, "another order"), (unattested, "no attestation"),
    (of_another_session, "another key"), (taken_for_a_picture, "one form of the live profile"),
])
def test_sound_that_was_tampered_with_does_not_verify_and_says_why(
    session: LiveSession, sent: Sent, attack: Callable[[Sent], Sent], words: str,
) -> None:
    report = judged(session, attack(sent))
    assert report.outcome is Outcome.CHANGED
    assert words in " ".join(report.sentences)
    assert report.facts["frames"]["verified"] == 30
