"""A stranger's browser on the check page: the puzzle is solved, progress is shown, the answer comes by itself."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from playwright.sync_api import Browser, Page, sync_playwright

from provenance import tasks
from provenance.models import CheckRun
from provenance.services import check_runs, clip_reading
from tests.common.moving_frames import talking_frames
from tests.common.simulators.marked_session import as_mp4
from trustcore.primitives.clock import utc_now

pytestmark = pytest.mark.django_db(transaction=True)
CHROMIUM = "/usr/bin/chromium"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    path.write_bytes(as_mp4(list(talking_frames(12, 256, seed=5))))
    return path


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip("needs Chromium from Debian")
    # Playwright's loop makes Django take this thread for an asynchronous one.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def checking(monkeypatch: pytest.MonkeyPatch) -> Callable[[], threading.Thread]:
    """Whoever checks: begins when a test says so, and waits at the mark until the test lets it go on."""
    monkeypatch.setattr(tasks.run_checks, "delay", lambda: None)

    def work() -> None:
        check_runs.run_waiting(clock=utc_now)
        connection.close()

    def begin() -> threading.Thread:
        thread = threading.Thread(target=work)
        thread.start()
        return thread

    return begin


def send(page: Page, clip: Path) -> None:
    page.goto("/check/")
    page.set_input_files("#clip", clip)
    page.click("form[data-drop] button")
    page.wait_for_url("**/check/V-*/")


def test_clip_is_sent_followed_and_answered(
    live_server: Any, browser: Browser, clip: Path, checking: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_go_on, real = threading.Event(), clip_reading.look

    def held(frames: Any, closer: Any, would_tell: Any, progress: Any) -> Any:
        progress("mark", 3, 12)
        may_go_on.wait(60)
        return real(frames, closer, would_tell, progress)

    monkeypatch.setattr(clip_reading, "look", held)
    page = browser.new_context(base_url=live_server.url, viewport={"width": 390, "height": 844}).new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    send(page, clip)
    assert CheckRun.objects.get().is_proven  # the browser solved the puzzle
    assert page.inner_text("[data-part=step]") == "Waiting for its turn"
    thread = checking()
    page.wait_for_selector("[data-part=step]:has-text('Looking for the mark')")
    assert page.locator("[aria-current=step]").inner_text() == "Looking for the mark as it lies"
    assert page.locator("progress").evaluate("bar => bar.value") == 23
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")  # nothing sticks out on a phone
    may_go_on.set()
    page.wait_for_selector("[data-verdict=no_mark]")
    thread.join()
    assert page.inner_text("h1") == "No evidence. This proves nothing."
    page.get_by_role("button", name="অসমীয়া").click()
    page.wait_for_selector("html[lang=as]")
    assert page.inner_text("h1") == "কোনো প্ৰমাণ নাই। ইয়ে একো প্ৰমাণ নকৰে।"
    assert complaints == []


def test_everything_works_by_keyboard_and_without_script(
    live_server: Any, browser: Browser, clip: Path, checking: Any
) -> None:
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/check/")
    page.set_input_files("#clip", clip)
    page.focus("#clip")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/check/V-*/")
    assert not CheckRun.objects.get().is_proven
    checking().join()
    page.wait_for_selector("[data-verdict=no_mark]", timeout=20_000)  # the page reloads itself
    page.goto("/check/")
    page.fill("#link", "https://elsewhere.example/")
    page.keyboard.press("Enter")
    assert "no link to a session of ours" in page.inner_text("#link-problem")
    assert page.get_attribute("#link", "aria-invalid") == "true"
