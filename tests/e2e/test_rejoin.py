"""A page that is loaded again, a line that is cut, a second tab: the same conversation goes on, and each frame verifies
under a manifest and a key of its own connection. Real worker, real Chromium.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provenance.manifests import fmp4
from provenance.manifests.session_manifest import read_session_manifest
from provenance.verify import __main__ as command
from provenance.verify import video
from provenance.verify.reports import Outcome
from rendering import protocol
from tests.common.live_rig import Rig, rigged, wait_until
from tests.common.simulators.control import SimulatedSession

pytestmark = pytest.mark.timeout(240)
BACK_WITHIN_S = 12.0  # with half a busy machine to itself; an idle one needs two


class Line:
    """The worker's line to its viewers."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def cut(self) -> None:
        self._file.touch()

    def mend(self) -> None:
        self._file.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Line:
    return Line(tmp_path_factory.mktemp("line") / "cut")


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, line: Line) -> Iterator[Rig]:
    with rigged(tmp_path_factory.mktemp("worker"), "tests.common.cut_worker", CUT_FILE=str(line._file)) as rig:
        yield rig


def judged(rig: Rig, session: SimulatedSession, runs: int, tmp_path: Path) -> None:
    """The one recording holds every run, each under its own nonce and key, and verifies with the offline command."""
    anchor = rig.control.signer.anchor_pem
    found = [read_session_manifest(fmp4.split_recording(run)[0], anchor) for run in fmp4.split_runs(session.recording)]
    assert len(found) == runs
    for fact in ("viewer_nonce", "dtls_fingerprint"):
        assert len({manifest.facts[fact] for manifest in found}) == runs
    assert len({manifest.key.kid for manifest in found}) == runs
    report = video.verify_fragment_file("recording", session.recording, anchor)
    assert report.outcome is Outcome.VERIFIED, report.sentences
    counters = (session.finished or {})["counters"]
    assert report.facts["frames"]["verified"] == counters["sent"] and counters["unsealed_sent"] == 0
    assert {segment["manifest_label"] for segment in session.segments} == {manifest.label for manifest in found}
    (tmp_path / "recording.mp4").write_bytes(session.recording)
    (tmp_path / "ca.pem").write_text(anchor)
    assert command.main([str(tmp_path / "recording.mp4"), "--trust", str(tmp_path / "ca.pem")]) == 0


def ended(rig: Rig, session: SimulatedSession, viewer: Any) -> dict[str, Any]:
    rig.control.revoke(session)
    seen: dict[str, Any] = viewer.wait_for("m.state === 'ended'", 5)
    wait_until(lambda: session.finished, 10)
    viewer.close()
    assert (session.finished or {})["reason"] == seen["reason"] == "consent_withdrawn"
    return seen


def test_a_page_that_is_loaded_again_goes_on_with_the_same_conversation(rig: Rig, tmp_path: Path) -> None:
    session, viewer = rig.session()
    viewer.connect()
    viewer.wait_for("m.framesPresented > 30")
    viewer.say("Are you a real person?")
    viewer.wait_for("document.querySelectorAll('[data-part=transcript] li').length >= 3")
    viewer.page.reload()
    assert viewer.page.is_visible("h1")  # who one talks with is said at once, and nothing is asked again
    again = viewer.wait_for("m.state === 'live' && m.framesPresented > 30", BACK_WITHIN_S)
    assert again["counts"]["verified"] == again["counts"]["received"] > 20, again["counts"]
    viewer.wait_for("document.querySelector('[data-part=transcript]').textContent.includes('real person')", 10)
    ended(rig, session, viewer)
    assert not viewer.errors
    assert len(session.answers) == 2 and session.claim is not None
    judged(rig, session, 2, tmp_path)


def test_a_line_that_is_cut_for_six_seconds_is_made_again(rig: Rig, line: Line, tmp_path: Path) -> None:
    session, viewer = rig.session()
    viewer.connect()
    before = viewer.wait_for("m.framesPresented > 40")
    line.cut()
    cut_at_s = time.monotonic()
    viewer.wait_for("m.state !== 'live'", 5)  # a picture that stands still is not called verified
    wait_until(lambda: session.renewals[-1]["state"] == "away", 6)
    viewer.wait_for("m.state === 'reconnecting'", 8)
    assert not viewer.page.is_visible("[data-part=picture]") and viewer.page.is_visible("h1")
    sent = session.renewals[-1]["counters"]["sent"]
    time.sleep(max(0.0, cut_at_s + 6.0 - time.monotonic()))
    assert session.renewals[-1]["counters"]["sent"] == sent  # nothing goes to a line that is not there
    line.mend()
    viewer.wait_for("m.state === 'live' && m.fresh.verified > 30", BACK_WITHIN_S)
    after = ended(rig, session, viewer)
    counts = after["counts"]
    assert counts["verified"] == counts["received"] > before["counts"]["verified"] + 30, counts
    judged(rig, session, len(fmp4.split_runs(session.recording)), tmp_path)


def test_a_connection_that_breaks_in_the_page_is_made_again(rig: Rig, tmp_path: Path) -> None:
    session, viewer = rig.session()
    viewer.page.add_init_script("""
        window.peers = [];
        window.RTCPeerConnection = class extends RTCPeerConnection {
          constructor(...told) { super(...told); window.peers.push(this); }
        };""")
    viewer.page.reload()
    viewer.wait_ready()
    viewer.connect()
    viewer.wait_for("m.framesPresented > 20")
    viewer.page.evaluate("window.peers.at(-1).close()")  # no event tells the page
    viewer.wait_for("m.connections === 2 && m.state === 'live' && m.fresh.verified > 20", BACK_WITHIN_S)
    viewer.page.reload()
    viewer.wait_for("m.state === 'live' && m.fresh.verified > 20", BACK_WITHIN_S)
    ended(rig, session, viewer)
    judged(rig, session, 3, tmp_path)


def test_a_second_tab_takes_over_and_the_first_one_says_so(rig: Rig, tmp_path: Path) -> None:
    session, viewer = rig.session()
    viewer.connect()
    viewer.wait_for("m.framesPresented > 20")
    first, second = viewer.page, viewer.another_tab()
    seen = viewer.wait_for("m.state === 'ended'", BACK_WITHIN_S)
    assert seen["reason"] == "moved"
    assert "another tab" in first.inner_text(".viewer-state[data-for=ended]")
    viewer.page = second
    viewer.wait_for("m.state === 'live' && m.fresh.verified > 20", BACK_WITHIN_S)
    time.sleep(2.5)  # the first tab does not take it back
    assert len(session.answers) == 2 and viewer.seen()["state"] == "live"
    ended(rig, session, viewer)
    judged(rig, session, 2, tmp_path)


def test_a_withdrawal_while_the_page_is_gone_ends_it_at_once(rig: Rig) -> None:
    session, viewer = rig.session()
    viewer.connect()
    viewer.wait_for("m.framesPresented > 20")
    address = viewer.page.url
    viewer.page.goto("about:blank")
    wait_until(lambda: session.renewals[-1]["state"] == "away", 6)
    rig.control.revoke(session)
    wait_until(lambda: session.finished, 5)
    assert (session.finished or {})["reason"] == "consent_withdrawn"
    viewer.page.goto(address)
    assert viewer.wait_for("m.state === 'ended'", 10)["reason"] == "consent_withdrawn"
    assert len(session.answers) == 1
    viewer.close()


def test_a_viewer_who_does_not_come_back_gives_the_slot_back(rig: Rig) -> None:
    session, viewer = rig.session()
    viewer.connect()
    viewer.wait_for("m.framesPresented > 10")
    viewer.close()
    gone_at_s = time.monotonic()
    wait_until(lambda: session.finished, protocol.REJOIN_WITHIN_S + 8)
    assert time.monotonic() - gone_at_s > protocol.REJOIN_WITHIN_S - 1
    assert (session.finished or {})["reason"] == "not_rejoined"
