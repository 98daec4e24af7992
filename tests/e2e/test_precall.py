"""The test before a call in a real browser, with a real relay: what works, what does not, why, and what to expect."""

import json
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.template.loader import render_to_string
from playwright.sync_api import Browser, Page

from rendering.services.turn import credential
from tests.common.coturn import SECRET, Turn, serving_turn
from tests.common.embedding_page import EmbeddingPage, serving_page
from tests.common.live_rig import wait_until
from tests.common.simulators.control import ControlSimulator, serving
from tests.common.viewer import chromium

pytestmark = pytest.mark.timeout(240)
NOBODY = "turn:127.0.0.1:9?transport="  # the discard port, where nothing listens


@pytest.fixture(scope="module")
def turn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Turn]:
    with serving_turn(tmp_path_factory.mktemp("turn")) as turn:
        yield turn


@pytest.fixture(scope="module")
def site() -> Iterator["Site"]:
    control = ControlSimulator({})
    with serving(control) as url:
        yield Site(control, url)


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A microphone that hears a loud hum in bursts."""
    at = np.arange(48_000) / 48_000
    return written(tmp_path_factory.mktemp("mic") / "speech.wav", 0.4 * np.sin(2 * np.pi * 180 * at) * (at % 0.4 < 0.3))


@pytest.fixture(scope="module")
def silence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("mic") / "silence.wav", np.zeros(48_000))


def written(path: Path, samples: Any) -> Path:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(48_000)
        out.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


class Site:
    """Conversations whose page stands, and no worker behind them: a test before the call needs none."""

    def __init__(self, control: ControlSimulator, url: str) -> None:
        self.control, self.url, self._count = control, url, 0

    def conversation(self, **more: Any) -> str:
        """The path of a new one. `more`: of what the page says."""
        self._count += 1
        conversation_id = f"c{self._count:016x}"
        self.control.sessions[conversation_id] = self.control.new_session(conversation_id)
        base = f"/c/{conversation_id}"
        calls = f"{base}/embed" if more.get("is_embedded") else base
        self.control.page = render_to_string("rendering/viewer.html", {
            "conversation_id": conversation_id, "person_name": "Asha Baruah", "organisation_name": "Brahmaputra Mutual",
            "trust_anchor_pem": self.control.signer.anchor_pem, "status_list_url": "/check/claim-signers.crl",
            "speed_url": f"{calls}/line",
            **{f"{what}_url": f"{calls}/{what}" for what in ("offer", "message", "state", "leave")}, **more}).encode()
        return base

    @contextmanager
    def page(self, browser: Browser, **more: Any) -> Iterator[Page]:
        context = browser.new_context(viewport={"width": 1280, "height": 860})
        page = context.new_page()
        page.goto(f"{self.url}{self.conversation(**more)}/")
        page.wait_for_selector("[data-part=connect]:enabled")
        try:
            yield page
        finally:
            context.close()


def servers(*urls: str, secret: str = SECRET) -> str:
    user, password = credential(secret, "c1", until=datetime.now(UTC) + timedelta(minutes=5))
    return json.dumps([{"urls": list(urls), "username": user, "credential": password}])


def outcome_of(page: Page, within_s: float = 20.0) -> dict[str, Any]:
    """Run the test by its button, with the keyboard, and return what it found; lines as {line: (verdict, reason)}."""
    page.focus("[data-part=precall-start]")
    page.keyboard.press("Enter")
    assert page.is_visible("[data-part=precall-progress]")
    page.wait_for_selector("[data-precall][data-state=done]", timeout=within_s * 1000)
    found: dict[str, Any] = page.evaluate("window.__trustcore.precall")
    return found | {"lines": {one["line"]: (one["verdict"], one["reason"]) for one in found["lines"]}}


def said(page: Page, line: str) -> str:
    return page.inner_text(f"[data-line={line}]")


def test_a_good_line_is_told_line_by_line_and_a_viewer_may_just_connect(site: Site, turn: Turn, speech: Path) -> None:
    with chromium(speech) as browser:
        with site.page(browser, ice_servers_json=servers(turn.url, turn.tcp_url)) as page:
            found = outcome_of(page)
            assert found["lines"] == {
                "microphone": ("pass", "heard"), "udp": ("pass", "reached"), "relay-udp": ("pass", "reached"),
                "relay-tcp": ("pass", "reached"), "relay-tls": ("not_run", "no_server"), "speed": ("pass", "fast")}
            assert found["is_complete"] and found["expected_rung"] == "full" and found["round_trip_ms"] < 1000
            assert page.inner_text("[data-part=precall-outcome]") == "You can expect the full picture with sound."
            assert page.get_attribute("[data-part=precall-outcome]", "role") == "status"
            assert "good" in said(page, "relay-tcp") and "answered after" in said(page, "relay-tcp")
            assert page.inner_text("[data-part=precall-start]") == "Test again"
            assert page.is_enabled("[data-part=connect]")

        # Connecting ends a test that runs, and so does its own button. A relay that is not there keeps it running.
        with site.page(browser, ice_servers_json=servers(f"{NOBODY}udp")) as page:
            page.click("[data-part=precall-start]")
            assert page.is_enabled("[data-part=connect]")
            page.click("[data-part=precall-start]")
            assert page.get_attribute("[data-precall]", "data-state") == "stopped"
            stopped = page.evaluate("window.__trustcore.precall")
            assert not stopped["is_complete"] and stopped["expected_rung"] == "unknown"
            page.click("[data-part=precall-start]")
            page.click("[data-part=connect]")
            assert page.get_attribute("[data-precall]", "data-state") == "stopped"
            assert page.get_attribute("[data-viewer]", "data-state") == "checking"

        # Only where a face may be read is there a camera to test, by a button of its own.
        with site.page(browser, perception_level="full", reads_face=True) as page:
            assert outcome_of(page)["lines"]["camera"] == ("not_run", "not_tested")
            page.click("[data-part=precall-camera]")
            page.wait_for_selector("[data-line=camera][data-verdict=pass]")


def test_a_relay_only_conversation_asks_the_relay_and_nobody_else(site: Site, turn: Turn, speech: Path) -> None:
    with chromium(speech) as browser:
        with site.page(browser, is_relayed=True, ice_servers_json=servers(turn.url, turn.tcp_url)) as page:
            found = outcome_of(page)
            assert found["lines"]["udp"] == ("not_run", "relay_only") and found["expected_rung"] == "full"
        with site.page(browser, is_relayed=True, ice_servers_json=servers(turn.url, secret="another")) as page:
            found = outcome_of(page)
            assert found["lines"]["relay-udp"] == ("fail", "refused") and found["expected_rung"] == "captions"
            assert "Ask for a new link" in said(page, "relay-udp")


def test_a_relay_that_is_not_there_is_said_in_bounded_time(site: Site, turn: Turn, speech: Path) -> None:
    with chromium(speech) as browser:
        with site.page(browser, ice_servers_json=servers(f"{NOBODY}udp", f"{NOBODY}tcp")) as page:
            began_s = time.monotonic()
            found = outcome_of(page)
            assert time.monotonic() - began_s < 15
            for line in ("relay-udp", "relay-tcp"):
                assert found["lines"][line] == ("fail", "unreachable") and "firewall" in said(page, line)
            assert found["lines"]["udp"] == ("fail", "blocked") and found["expected_rung"] == "captions"
            assert page.is_enabled("[data-part=connect]")  # it never stands in the way
        with site.page(browser, ice_servers_json=servers(f"{NOBODY}udp", turn.tcp_url)) as page:
            found = outcome_of(page)
            assert found["lines"]["relay-udp"] == ("warn", "unreachable")  # another road is open
            assert found["lines"]["relay-tcp"] == ("pass", "reached") and found["expected_rung"] == "full"


def test_a_microphone_that_is_refused_or_silent_is_told_in_words(site: Site, speech: Path, silence: Path) -> None:
    with chromium(speech, is_allowed=False) as browser, site.page(browser) as page:
        found = outcome_of(page)
        assert found["lines"]["microphone"] == ("fail", "denied")
        assert "did not allow the microphone" in said(page, "microphone") and page.is_enabled("[data-part=connect]")
        # Nobody to ask about calls: the speed alone is told, and that nothing was tested.
        assert found["lines"]["udp"] == ("not_run", "no_server") and found["expected_rung"] == "full"
        assert "not tested" in said(page, "udp")
    with chromium(silence) as browser, site.page(browser) as page:
        assert outcome_of(page)["lines"]["microphone"] == ("warn", "silent")
    with chromium() as browser, site.page(browser) as page:
        assert outcome_of(page)["lines"]["microphone"] == ("fail", "none")


def test_the_page_around_a_frame_asks_for_the_network_and_is_told(site: Site, speech: Path) -> None:
    with chromium(speech) as browser:
        base = f"/c/c{site._count + 1:016x}"
        with serving_page(f"{site.url}{base}/", site.url) as address:
            origin = address.rstrip("/")
            site.control.frame_ancestors = origin
            site.conversation(is_embedded=True, embed_origins=origin, viewer_secret="s")
            host = EmbeddingPage(browser, address)
            frame = host.frame_with("m.isPrepared")
            host.page.evaluate("document.querySelector('trustcore-player').testLine()")
            wait_until(lambda: host.of_kind("precall"), 15)
            (told,) = host.of_kind("precall")
            kept = host.page.evaluate("document.querySelector('trustcore-player').precall")
            lines = {one["line"]: one["reason"] for one in told["lines"]}
            assert kept == told and told["is_complete"] and told["down_kbps"] > 0
            assert lines["microphone"] == "not_tested" and lines["speed"] == "fast"
            assert frame.evaluate("document.querySelector('[data-part=precall-lines]').hidden") is False
            frame.click("[data-part=precall-start]")
            wait_until(lambda: len(host.of_kind("precall")) == 2, 20)
            assert {one["line"]: one["reason"] for one in host.of_kind("precall")[1]["lines"]}["microphone"] == "heard"
            host.close()
