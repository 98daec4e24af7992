"""A viewer whose network lets no line through reads the conversation over plain HTTP. Real worker, real Chromium."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.common.live_rig import Rig, rigged, wait_until

pytestmark = pytest.mark.timeout(240)
# A relay that is not there, and nothing but it: no packet of a call leaves this browser.
NO_LINE = {"is_relayed": True, "ice_servers_json": json.dumps([
    {"urls": ["turn:127.0.0.1:9?transport=udp"], "username": "u", "credential": "c"}])}


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("line") / "cut"


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, cut: Path) -> Iterator[Rig]:
    with rigged(tmp_path_factory.mktemp("worker"), "tests.common.cut_worker", CUT_FILE=str(cut)) as rig:
        yield rig


def spoken(session: object) -> list[str]:
    events = [json.loads(one["event"]) for one in session.captions]  # type: ignore[attr-defined]
    return [event["properties"]["speech"] for event in events if event["event_type"] == "conversation.utterance"]


def test_without_any_line_the_conversation_goes_on_in_words(rig: Rig) -> None:
    session, viewer = rig.session(page=NO_LINE)
    viewer.connect()
    viewer.wait_for("m.captionsRead > 0", 30)
    viewer.say("Are you a real person?")
    transcript = "document.querySelector('[data-part=transcript]').textContent"
    viewer.wait_for(f"{transcript}.includes('real person') && {transcript}.split('AI replica').length > 2", 20)
    assert viewer.page.is_visible("h1")  # who one reads is said all the time
    # The page gives the line up at last, and stays.
    seen = viewer.wait_for("m.state === 'live' && m.rung === 'captions'", 25)
    viewer.page.wait_for_selector("[data-part=try-again]", timeout=25_000)
    assert viewer.page.inner_text("[data-part=chip-text]") == "Captions only"
    assert "typing" in viewer.page.inner_text("[data-part=line]") and not viewer.page.is_visible("[data-part=picture]")
    assert session.renewals[-1]["state"] == "reading" and session.finished is None
    assert [(one["rung"], one["why"]) for one in session.rungs][-1] == ("captions", "no_line")
    lines = viewer.page.eval_on_selector_all("[data-part=transcript] li", "all => all.map((one) => one.textContent)")
    assert [line.split(": ", 1)[1] for line in lines] == spoken(session)  # the very words, once each
    assert seen["framesPresented"] == 0 and session.renewals[-1]["counters"]["sent"] == 0
    rig.control.revoke(session)
    assert viewer.wait_for("m.state === 'ended'", 8)["reason"] == "consent_withdrawn"
    wait_until(lambda: session.finished, 10)
    viewer.close()
    assert (session.finished or {})["counters"]["unsealed_sent"] == 0


def test_a_reader_who_goes_ends_it_and_one_whose_line_comes_back_sees_again(rig: Rig, cut: Path) -> None:
    session, viewer = rig.session()
    viewer.connect()
    viewer.wait_for("m.framesPresented > 20")
    assert session.captions == []  # nobody reads: nothing of what is said is told
    viewer.wait_for("document.querySelectorAll('[data-part=transcript] li').length >= 1", 20)
    cut.touch()
    wait_until(lambda: session.renewals[-1]["state"] == "reading", 30)
    viewer.say("Are you a real person?")
    viewer.wait_for("document.querySelector('[data-part=transcript]').textContent.includes('real person')", 20)
    cut.unlink()
    if not viewer.page.is_visible("[data-part=try-again]"):
        viewer.wait_for("m.state === 'live' || !document.querySelector('[data-part=try-again]').hidden", 20)
    if viewer.page.is_visible("[data-part=try-again]"):
        viewer.page.click("[data-part=try-again]")
    viewer.wait_for("m.state === 'live' && m.fresh.verified > 30", 25)
    wait_until(lambda: session.streams == 0, 5)  # with a line nothing is read twice
    told = len(session.captions)
    lines = viewer.page.eval_on_selector_all("[data-part=transcript] li", "all => all.map((one) => one.textContent)")
    # A clause that the cut line interrupted is said, and told, once more; what the viewer wrote is there once.
    assert lines.count("You: Are you a real person?") == 1, lines
    viewer.say("Where is my claim?")
    time.sleep(2.0)
    assert len(session.captions) == told
    rig.control.revoke(session)
    viewer.wait_for("m.state === 'ended'", 5)
    wait_until(lambda: session.finished, 10)
    viewer.close()
