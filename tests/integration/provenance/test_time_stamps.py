"""RFC 3161 time stamps from a real authority on this machine, and what happens without it."""

import shutil
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from provenance.manifests import c2pa_files, certs, recording, still, timestamps
from provenance.manifests.errors import SignerUntrusted, TimestampFailed
from provenance.models import SignedFile
from provenance.services import claim_keys, session_manifests, time_stamps
from provenance.verify.__main__ import main
from tests.common.live_session import LiveSession, recording_of
from tests.common.simulators import marked_session, time_stamp_authority
from tests.common.simulators.marked_session import SETUP, MarkedSession
from tests.common.simulators.time_stamp_authority import Authority
from trustcore.audit.models import Event
from trustcore.primitives.clock import utc_now
from trustcore.primitives.ids import new_id

pytestmark = [
    pytest.mark.django_db, pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed"),
]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    with time_stamp_authority.serve(tmp_path_factory.mktemp("tsa")) as running:
        yield running


@pytest.fixture
def session() -> MarkedSession:
    return marked_session.play(tenant="studio", subject_id=new_id("subject"), now=utc_now(), frames=20)


@pytest.fixture
def configured(settings: Any, authority: Authority, tmp_path: Path) -> Path:
    """The settings name the authority; returns the file with its certificate."""
    path = tmp_path / "tsa.pem"
    path.write_text(authority.anchor_pem)
    settings.TSA_URL, settings.TSA_CA, settings.TSA_IS_REQUIRED = authority.url, str(path), True
    return path


def sign(session: MarkedSession) -> recording.SignedRecording:
    return session_manifests.sign_recording(
        actor=SETUP, conversation=session.conversation, fragment_file=session.fragment_file)


def test_recording_and_picture_carry_a_trusted_time(
    session: MarkedSession, configured: Path, authority: Authority, tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    made = sign(session)
    picture = session_manifests.sign_still(
        actor=SETUP, conversation=session.conversation, fragment_file=session.fragment_file, at_ms=0)
    for signed, media_type in ((made, c2pa_files.MP4), (picture, c2pa_files.JPEG)):
        read = c2pa_files.read_trusted(signed.encoded, claim_keys.anchor_pem(), media_type, authority.anchor_pem)
        assert signed.is_time_stamped
        assert read.is_time_trusted
        assert abs(datetime.fromisoformat(read.signed_at) - datetime.now(UTC)) < timedelta(minutes=1)
    assert Event.objects.get(action="recording.signed").details["open"]["is_time_stamped"] is True
    (tmp_path / "whole.mp4").write_bytes(made.encoded)
    (tmp_path / "ca.pem").write_text(claim_keys.anchor_pem())
    command = [str(tmp_path / "whole.mp4"), "--trust", str(tmp_path / "ca.pem")]
    assert main([*command, "--tsa", str(configured)]) == 0
    assert "a time-stamp authority that you trust says so" in capsys.readouterr().out
    assert main(command) == 0
    assert "name the authority's certificate with --tsa FILE" in capsys.readouterr().out


def test_session_manifests_wait_for_no_time_stamp(session: MarkedSession, authority: Authority) -> None:
    before = authority.asked
    marked_session.play(tenant="studio", subject_id=new_id("subject"), now=utc_now(), frames=1)
    assert authority.asked == before


def test_an_authority_that_is_down_is_a_coded_refusal_and_leaves_nothing(session: MarkedSession, settings: Any) -> None:
    settings.TSA_URL, settings.TSA_IS_REQUIRED = "http://127.0.0.1:9/", True
    with pytest.raises(TimestampFailed, match="did not answer"):
        sign(session)
    assert not SignedFile.objects.exists()
    assert not Event.objects.filter(action="recording.signed").exists()


def test_where_it_is_not_required_the_file_is_signed_without_and_the_event_says_so(
    session: MarkedSession, settings: Any,
) -> None:
    settings.TSA_URL, settings.TSA_IS_REQUIRED = "http://127.0.0.1:9/", False
    made = sign(session)
    assert not made.is_time_stamped
    read = c2pa_files.read_trusted(made.encoded, claim_keys.anchor_pem())
    assert "timeStamp.validated" not in read.codes
    assert Event.objects.get(action="recording.signed").details["open"]["is_time_stamped"] is False


@pytest.mark.parametrize("answer", [
    b"", b"no", b"\x30\x05\x30\x03\x02\x01\x02", b"\x30\x03\x30\x03\x02", b"\x30" + b"\xff" * 40, b"x" * 70_000,
])
def test_an_answer_that_is_no_time_stamp_is_refused(
    answer: bytes, session: MarkedSession, configured: Path, authority: Authority,
) -> None:
    authority.garble.append(answer)
    with pytest.raises(TimestampFailed):
        sign(session)


@contextmanager
def answering(parts: Iterable[bytes], pause_s: float = 0.0) -> Iterator[str]:
    """The address of a server that sends these bytes to one caller, with a pause after each part."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        def answer() -> None:
            caller, _ = server.accept()
            with caller, suppress(OSError):  # the caller may have hung up
                caller.recv(65536)
                for part in parts:
                    caller.sendall(part)
                    time.sleep(pause_s)

        threading.Thread(target=answer, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


@pytest.mark.parametrize("head", [b"", b"\r\n", b"Content-Length: 50\r\n\r\n"])
def test_an_authority_that_drips_its_answer_is_given_up(
    head: bytes, settings: Any, monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each byte comes in time, the answer does not."""
    monkeypatch.setattr(time_stamps, "TIMEOUT_S", 0.3)
    parts = [b"HTTP/1.0 200 OK\r\n" + head, *[b"x"] * 8]
    with answering(parts, pause_s=0.1) as settings.TSA_URL, pytest.raises(TimestampFailed, match="too long"):
        time_stamps.ask(b"query")


def test_a_redirect_is_not_followed_and_an_odd_answer_is_refused(settings: Any, authority: Authority) -> None:
    moved = b"HTTP/1.0 302 Found\r\nLocation: " + authority.url.encode() + b"\r\n\r\n"
    before = authority.asked
    for head in (moved, b"no HTTP at all\r\n\r\n"):
        with answering([head]) as settings.TSA_URL, pytest.raises(TimestampFailed):
            time_stamps.ask(b"query")
    assert authority.asked == before


def test_a_time_stamp_over_something_else_is_refused(
    session: MarkedSession, configured: Path, authority: Authority,
) -> None:
    other = time_stamps.ask(timestamps.request_for(bytes(32), 1))
    authority.garble.append(other)
    with pytest.raises(TimestampFailed):
        sign(session)


def test_a_time_nobody_vouches_for_is_refused_where_an_authority_is_named(
    session: MarkedSession, configured: Path,
) -> None:
    configured.write_text(claim_keys.anchor_pem())
    with pytest.raises(TimestampFailed):
        sign(session)


def test_missing_certificate_file_and_odd_address_are_named(session: MarkedSession, settings: Any) -> None:
    settings.TSA_URL, settings.TSA_CA, settings.TSA_IS_REQUIRED = "http://127.0.0.1:9/", "/nowhere", False
    with pytest.raises(TimestampFailed, match="TRUSTCORE_TSA_CA"):
        sign(session)
    settings.TSA_URL = "file:///etc/passwd"
    with pytest.raises(TimestampFailed, match="TRUSTCORE_TSA_URL"):
        time_stamps.ask(b"")


def test_a_stamped_file_outlives_its_certificate(authority: Authority) -> None:
    """Three seconds of life: then the file without a time stamp is untrusted, the one with it is still Trusted."""
    session = LiveSession(signer=_short_lived(seconds=3))
    sent = recording_of(session)
    slot = session.facts.mark_slots[0]
    stamps = timestamps.TimeStamps(_asking(authority), authority.anchor_pem, is_required=True)
    picture = still.picture_at(sent, 0)
    plain, stamped = [
        still.sign_still(session.signer, picture, session.facts, session.init, mark_slot=slot, time_stamps=one)
        for one in (None, stamps)
    ]
    anchor = session.signer.anchor_pem
    time.sleep(4)
    for encoded, tsa in ((plain.encoded, authority.anchor_pem), (stamped.encoded, "")):
        with pytest.raises(SignerUntrusted, match="expired"):
            c2pa_files.read_trusted(encoded, anchor, c2pa_files.JPEG, tsa)
    read = c2pa_files.read_trusted(stamped.encoded, anchor, c2pa_files.JPEG, authority.anchor_pem)
    assert read.is_time_trusted
    # The library would believe a signer under the time-stamp authority's list; we must not.
    with pytest.raises(SignerUntrusted, match="Nobody vouches"):
        c2pa_files.read_trusted(
            stamped.encoded, LiveSession().signer.anchor_pem, c2pa_files.JPEG, authority.anchor_pem + anchor)


def _asking(authority: Authority) -> Any:
    import urllib.request

    def ask(request: bytes) -> bytes:
        with urllib.request.urlopen(authority.url, request) as answer:
            return bytes(answer.read())

    return ask


def _short_lived(seconds: int) -> certs.ClaimSigner:
    now = datetime.now(UTC)
    root = certs.make_ca(now, organisation="Test")
    leaf, key = certs.issue_claim_signer(root, now, organisation="Test", lifetime=timedelta(seconds=seconds))
    return certs.claim_signer(leaf, key, root.certificate_pem)


def test_whoever_may_tell_the_time_may_not_sign_claims(authority: Authority) -> None:
    session = LiveSession()
    made = still.sign_still(
        session.signer, still.picture_at(recording_of(session), 0), session.facts, session.init,
        mark_slot=session.facts.mark_slots[0])
    with pytest.raises(SignerUntrusted):
        c2pa_files.read_trusted(made.encoded, authority.anchor_pem, c2pa_files.JPEG, session.signer.anchor_pem)
