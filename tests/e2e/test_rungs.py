"""A real worker and Chromium on rungs below the full picture: what comes is verified, and the page says what comes."""

from collections.abc import Iterator

import pytest

from tests.common.live_rig import Rig, rigged, wait_until

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with rigged(tmp_path_factory.mktemp("worker")) as rig:
        yield rig


def test_sound_only_begins_with_one_picture_and_stays_verified_by_its_sound(rig: Rig) -> None:
    rig.control.facts["max_rung"] = "audio"
    session, viewer = rig.session()
    del rig.control.facts["max_rung"]
    viewer.connect()
    # Five seconds of sound in packets of 60 ms: a page that waited for pictures would have given up.
    viewer.wait_for("m.sound && m.sound.counts.verified > 85", 40)
    seen = viewer.wait_for("m.rung === 'audio' && m.state === 'live'")
    chip, line = (viewer.page.text_content(f"[data-part={part}]") or "" for part in ("chip-text", "line"))
    is_picture_shown = viewer.page.is_visible("[data-part=picture]")
    rig.control.revoke(session)
    viewer.wait_for("m.state === 'ended'", 5)
    wait_until(lambda: session.finished, 10)
    viewer.close()
    assert 1 <= seen["counts"]["received"] == seen["counts"]["verified"] <= 3
    assert seen["sound"]["counts"]["received"] == seen["sound"]["counts"]["verified"]
    assert chip.startswith("Sound verified") and line == "This conversation was opened without more than this."
    assert not is_picture_shown and seen["connections"] == 1
    assert (session.finished or {})["counters"]["unsealed_sent"] == 0


def test_captions_only_sends_text_and_claims_nothing(rig: Rig) -> None:
    rig.control.facts["max_rung"] = "captions"
    session, viewer = rig.session()
    del rig.control.facts["max_rung"]
    viewer.connect()
    viewer.wait_for("m.rung === 'captions' && m.state === 'live'", 20)
    viewer.say("Are you a real person?")
    wait_until(lambda: "AI replica" in (viewer.page.text_content("[data-part=transcript]") or ""), 20)
    chip = viewer.page.text_content("[data-part=chip-text]")
    seen = viewer.seen()
    rig.control.revoke(session)
    viewer.wait_for("m.state === 'ended'", 5)
    viewer.close()
    assert chip == "Captions only" and (seen["sound"] or {"counts": {"received": 0}})["counts"]["received"] == 0
