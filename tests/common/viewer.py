"""A viewer in headless Chromium: opens a conversation's page, connects, and tells what it saw."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--autoplay-policy=no-user-gesture-required",
    "--disable-backgrounding-occluded-windows", "--disable-renderer-backgrounding",
]


@contextmanager
def chromium(
    microphone: Path | None = None, camera: Path | None = None, *, is_allowed: bool = True,
) -> Iterator[Browser]:
    """`microphone`: a WAV file, `camera`: an MJPEG file that plays in place of a device; the viewer allows its use, or
    does not.
    """
    devices = [] if microphone is None and camera is None else [
        "--use-fake-device-for-media-stream", *(["--use-fake-ui-for-media-stream"] if is_allowed else [])]
    devices += [] if microphone is None else [f"--use-file-for-fake-audio-capture={microphone}"]
    # What looks at a picture draws with WebGL, here on the processor.
    devices += [] if camera is None else [
        f"--use-file-for-fake-video-capture={camera}", "--enable-unsafe-swiftshader", "--use-gl=angle",
        "--use-angle=swiftshader"]
    usual = [one for one in ARGUMENTS if camera is None or one != "--disable-gpu"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*usual, *devices])
        try:
            yield browser
        finally:
            browser.close()


class Viewer:
    """One viewer in a browser context of its own."""

    def __init__(
        self, browser: Browser, url: str, *, width: int = 1280, height: int = 860,
        prepare: Callable[[BrowserContext], None] = lambda _: None,
    ) -> None:
        """`prepare` sees the browser's context before the page is opened."""
        self._context = browser.new_context(viewport={"width": width, "height": height})
        prepare(self._context)
        self.errors: list[str] = []
        self.page: Page = self._open(url)

    def _open(self, url: str) -> Page:
        page = self._context.new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        page.goto(url)
        return page

    def another_tab(self) -> Page:
        """The same address once more, in the same browser."""
        return self._open(self.page.url)

    def seen(self) -> dict[str, Any]:
        """The page's own measures (`trustcore/static/js/viewer/measures.js`)."""
        found: dict[str, Any] = self.page.evaluate("window.__trustcore ?? {}")
        return found

    def wait_for(self, expression: str, timeout_s: float = 20.0) -> dict[str, Any]:
        """Wait until `expression` over `m`, the measures, is true. Asked from outside: the page forbids eval."""
        asked = f"(() => {{ const m = window.__trustcore ?? {{}}; return Boolean({expression}); }})()"
        deadline = time.monotonic() + timeout_s
        while True:
            if self.page.evaluate(asked):
                return self.seen()
            if time.monotonic() > deadline:
                raise TimeoutError(f"the page never saw {expression}: {self.seen()} {self.errors}")
            time.sleep(0.02)

    def wait_ready(self) -> None:
        """The slot is claimed, the replica loaded, the page prepared."""
        self.wait_for("m.isPrepared && m.slotState === 'ready'", 60.0)

    def connect(self) -> None:
        self.page.click("[data-part=connect]")

    def say(self, text: str) -> None:
        self.page.fill("[data-part=message]", text)
        self.page.keyboard.press("Enter")

    def frames_shown_per_s(self, seconds: float) -> float:
        """Measured in the page by the presented frames."""
        ask = "({ frames: __trustcore.framesPresented, ms: performance.now() })"
        before = self.page.evaluate(ask)
        time.sleep(seconds)
        after = self.page.evaluate(ask)
        return float((after["frames"] - before["frames"]) / (after["ms"] - before["ms"]) * 1000)

    def close(self) -> None:
        self._context.close()
