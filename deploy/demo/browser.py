"""Chromium for the demo's people: virtual passkeys, a fake camera whose pictures are drawn when the
page asks for them.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from deploy.demo.people import StoryError
from rendering.demo import DemoPerson
from rendering.demo.clips import SAMPLE_HZ, record_consent
from rendering.demo.files import repeated, write_wav, write_y4m

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
    "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
    # three people take turns at one browser: a page behind another must not be slowed
    "--disable-background-timer-throttling", "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
]  # fmt: skip
CAMERA_LEAD_S = 0.3  # the camera runs a little before the recorder starts
DESKTOP, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}


def chromium_path() -> str:
    """Where Chromium is. Raises StoryError naming what to install."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    raise StoryError("Chromium is not installed. Run `make setup-browser`, or: sudo apt-get install chromium")


@dataclass
class FakeCamera:
    """The files that Chromium's camera and microphone play. Chromium opens them when a page asks for the camera, so
    they may be drawn after the page has shown its challenge.
    """

    folder: Path

    @property
    def video(self) -> Path:
        return self.folder / "camera.y4m"

    @property
    def sound(self) -> Path:
        return self.folder / "microphone.wav"

    def play_challenge(self, person: DemoPerson, challenge: dict[str, Any]) -> None:
        """Draw `person` doing what `challenge` asks, at its times."""
        clip = record_consent(person, challenge, lead_s=CAMERA_LEAD_S)
        write_y4m(self.video, repeated(clip.frames(), clip.fps), 30.0)
        write_wav(self.sound, clip.pcm, SAMPLE_HZ)


class Chromium:
    """One headless Chromium; every person gets a context of their own.

    with Chromium() as chromium:
        page = chromium.person("meera")
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.camera = FakeCamera(Path(self._folder.name))
        self._contexts: dict[str, BrowserContext] = {}

    def __enter__(self) -> "Chromium":
        self._playwright = sync_playwright().start()
        self._browser: Browser = self._playwright.chromium.launch(
            executable_path=chromium_path(),
            args=[*ARGUMENTS, f"--use-file-for-fake-video-capture={self.camera.video}",
                  f"--use-file-for-fake-audio-capture={self.camera.sound}%noloop"],
        )  # fmt: skip
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._browser.close()
        self._playwright.stop()
        self._folder.cleanup()

    def person(self, name: str, *, viewport: dict[str, int] | None = None, has_passkey: bool = False) -> Page:
        """A page in this person's own browser context."""
        context = self._browser.new_context(viewport=viewport or DESKTOP, permissions=["camera", "microphone"])  # type: ignore[arg-type]
        self._contexts[name] = context
        page = context.new_page()
        page.set_default_timeout(60_000)
        if has_passkey:
            _add_authenticator(context, page)
        return page


def _add_authenticator(context: BrowserContext, page: Page) -> None:
    """A virtual authenticator (WebAuthn Automation) with resident keys that verifies its user."""
    session = context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }})  # fmt: skip


@contextmanager
def expecting(page: Page, what: str, pictures: Path | None) -> Iterator[None]:
    """Turn a browser failure into a sentence, and leave a picture of the page where it happened."""
    from playwright.sync_api import Error

    try:
        yield
    except Error as error:
        where = ""
        if pictures is not None:
            pictures.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=str(pictures / "failed.png"), full_page=True)
            where = f" A picture of the page is in {pictures / 'failed.png'}."
        raise StoryError(f"{what} did not happen: {str(error).splitlines()[0]}{where}") from error
