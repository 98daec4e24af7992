"""`make demo CHECK=1`: the main flow in headless Chromium as three people, with every kind of refusal, measured.

The subject records her clip with a camera that shows a drawn person doing what her page asks; officers sign with
virtual passkeys; a viewer's browser verifies every frame. The last line printed is one JSON object; the exit code is 0
only if every step held.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from deploy.demo import story
from deploy.demo.browser import PHONE, Chromium, expecting
from deploy.demo.people import StoryError, json_script
from deploy.demo.terminal import Terminal
from deploy.stack import REPOSITORY, Stack, StackError
from rendering.demo import DemoPerson, committed_footage

ITERATIONS = int(os.environ.get("TRUSTCORE_DEMO_ITERATIONS", "500"))
WATCH_S = 12.0
STATE = Path(os.environ.get("TRUSTCORE_STATE_DIR", REPOSITORY / "var" / "check"))


class Check:
    """One run: the stack, the browser, what is measured."""

    def __init__(self, stack: Stack, chromium: Chromium, terminal: Terminal, told: story.Story) -> None:
        self.stack, self.chromium, self.terminal, self.told = stack, chromium, terminal, told
        self.pictures = STATE / "pictures"
        self.files = STATE / "files"
        self.files.mkdir(parents=True, exist_ok=True)
        self.steps: dict[str, float] = {}
        self.measured: dict[str, Any] = {}
        self.meera = chromium.person("meera", has_passkey=True)
        self.jonas = chromium.person("jonas", has_passkey=True)
        self.asha = chromium.person("asha", viewport=PHONE)
        self.viewer = chromium.person("viewer")

    @contextlib.contextmanager
    def step(self, name: str, words: str, page: Page | None = None) -> Iterator[None]:
        self.terminal.step(words)
        started = time.monotonic()
        with expecting(page or self.meera, words, self.pictures):
            yield
        self.steps[name] = round(time.monotonic() - started, 2)

    def picture(self, page: Page, name: str) -> None:
        self.pictures.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(self.pictures / f"{name}.png"), full_page=True)

    def url(self, path: str) -> str:
        return f"{self.told.base_url}{path}"

    # --- consent and identity ----------------------------------------------------------------------------------------

    def sign_in(self) -> None:
        for name, page in (("meera", self.meera), ("jonas", self.jonas)):
            page.goto(self.told.links[name])
            page.goto(self.url("/accounts/passkeys/"))
            page.fill("#name", f"{name.title()}'s key")
            page.click("#add-passkey")
            page.get_by_text(f"{name.title()}'s key").first.wait_for()

    def invite(self) -> None:
        page = self.meera
        page.goto(self.url("/console/subjects/"))
        page.fill("[name=name]", "Asha Baruah")
        page.fill("[name=email]", "asha@brahmaputra.example")
        page.fill("[name=asked_for]", "Claims helpdesk")
        page.select_option("[name=language]", "en")
        page.locator("form:has([name=asked_for]) button").click()
        link = page.locator("#invitation-link").inner_text()
        self.told.invitation_path = "/i/" + link.rstrip("/").rsplit("/", 1)[-1] + "/"
        self.told.subject_id = page.url.rstrip("/").rsplit("/", 1)[-1]

    def agree(self) -> None:
        page = self.asha
        page.goto(self.url(self.told.invitation_path))
        self.picture(page, "notice-phone")
        page.goto(self.url(f"{self.told.invitation_path}?step=limits"))
        for field in ("purposes", "audiences", "languages", "territories", "releases"):
            for value in story.SCOPE[field]:
                page.check(f"[name={field}][value={value}]")
        page.check(f"[name=retention_days][value='{story.SCOPE['retention_days']}']")
        for name, value in story.SCOPE.items():
            if name.startswith("emotion_"):
                page.select_option(f"[name={name}]", str(value))
        page.fill("[name=expires_on]", time.strftime("%Y-%m-%d", time.gmtime(time.time() + 580 * 86400)))
        self.picture(page, "limits-phone")
        page.get_by_role("button", name="Agree to this scope").click()
        page.locator("#start").wait_for()

    def record_clip(self) -> None:
        """The page shows its challenge; the camera's pictures are drawn from what the page shows,
        then the camera opens.
        """
        page = self.asha
        challenge = json_script(page.content(), "challenge")
        self.chromium.camera.play_challenge(DemoPerson("A"), challenge)
        page.click("#start")
        page.locator("#recorder[data-state=recorded]").wait_for(timeout=challenge["duration_ms"] + 60_000)
        page.click("#send")
        page.wait_for_url("**/done/", timeout=180_000)
        self.picture(page, "clip-done-phone")

    def decide(self) -> None:
        page = self.meera
        page.goto(self.url(f"/console/subjects/{self.told.subject_id}/"))
        page.locator("a[href^='/console/identity/']").first.click()
        page.locator("[name=decision][value=accept]").wait_for()
        self.picture(page, "identity")
        page.check("[name=decision][value=accept]")
        page.fill("[name=reason]", "Turns, timing and face hold; I listened to the phrase.")
        page.get_by_role("button", name="Write my decision").click()
        page.wait_for_load_state()
        self.asha.reload()

    # --- approval ----------------------------------------------------------------------------------------------------

    def sign(self, path: str) -> None:
        for name, page in (("meera", self.meera), ("jonas", self.jonas)):
            page.goto(self.url(path))
            page.check("#words-read")
            if name == "meera":
                self.picture(page, "sign-" + path.strip("/").split("/")[1])
            with page.expect_navigation():
                page.click("#sign")

    # --- conversation ------------------------------------------------------------------------------------------------

    def connect(self) -> None:
        page = self.viewer
        page.goto(story.start_conversation(self.told)["conversation_url"])
        page.locator("[data-part=connect]:enabled").click(timeout=90_000)
        # Asked from outside, again and again: the page's own policy forbids evaluating text inside it.
        for _ in range(240):
            if page.evaluate("window.__trustcore ? window.__trustcore.framesPresented : 0") > 30:
                break
            page.wait_for_timeout(250)
        else:
            raise StoryError(
                f"no frames are shown; the page says: {page.evaluate('JSON.stringify(window.__trustcore)')}"
            )
        self.measured["start_ms"] = page.evaluate("window.__trustcore.marks")

    def watch(self) -> None:
        """Ask, hear the answer, and count what was received, verified and shown for a while."""
        page = self.viewer
        before = self._counts(page)
        page.fill("[data-part=message]", "What happened to my claim?")
        page.keyboard.press("Enter")
        page.wait_for_timeout(WATCH_S * 500)
        self.picture(page, "viewer")
        page.wait_for_timeout(WATCH_S * 500)
        after = self._counts(page)
        shown = (after["shown"] - before["shown"]) / ((after["at"] - before["at"]) / 1000)
        self.measured |= {
            "fps_shown": round(shown, 1), "frames_received": after["received"], "frames_verified": after["verified"],
        }  # fmt: skip
        if not after["received"] or after["verified"] != after["received"]:
            raise StoryError(f"{after['verified']} of {after['received']} frames verified")

    def _counts(self, page: Page) -> dict[str, float]:
        return dict(page.evaluate(
            "() => { const t = window.__trustcore, c = t.counts || {};"
            " const received = (c.verified||0) + (c.unattested||0) + (c.invalid||0);"
            " return {at: performance.now(), shown: t.framesPresented, received, verified: c.verified||0}; }"
        ))  # fmt: skip

    def clamp(self) -> None:
        """Ask for more joy than the policy allows; the clamp must become an event."""
        page = self.viewer
        url = page.locator("main[data-viewer]").get_attribute("data-message-url")
        status = page.evaluate(
            "async ([url, token]) => (await fetch(url, {method: 'POST', headers: {'Content-Type': 'application/json',"
            " 'X-CSRFToken': token}, body: JSON.stringify({text: 'Thank you!', emotion: 'joy', milli: 1000})})).status",
            [url, page.locator("main[data-viewer]").get_attribute("data-csrf-token")],
        )  # fmt: skip
        if status >= 300:
            raise StoryError(f"the message was answered with {status}")
        erin = self.told.people["erin"]
        for _ in range(60):
            if "/audit/entries/" in erin.get("/audit/?action=emotion.clamped").text:
                return
            time.sleep(0.25)
        raise StoryError("no clamp was recorded")

    def withdraw(self) -> None:
        """Asha withdraws in her own browser; the viewer's last frame is timed against the moment she pressed."""
        asha, viewer = self.asha, self.viewer
        asha.goto(self.url(f"{self.told.invitation_path}done/"))
        asha.locator(f"form[action='{self.told.invitation_path}page/'] button").click()
        asha.wait_for_url("**/me/")
        self.picture(asha, "portal-phone")
        pressed_ms = time.time() * 1000
        asha.get_by_role("button", name="Withdraw my consent").click()
        viewer.locator("main[data-viewer][data-state=ended]").wait_for(timeout=20_000)
        viewer.wait_for_timeout(1500)
        last_ms = viewer.evaluate("window.__trustcore.lastPresentedWallMs")
        self.measured["withdraw_to_last_frame_ms"] = max(0, round(last_ms - pressed_ms))
        self.picture(viewer, "viewer-ended")

    # --- refusals ----------------------------------------------------------------------------------------------------

    def refused(self, what: str, code: str, **changes: Any) -> None:
        answer = self.told.api.post("/v2/conversations", json=story.conversation_body(self.told, **changes))
        body = answer.json()
        if answer.status_code != 403 or code not in body.get("reasons", [body.get("code")]):
            raise StoryError(f"{what}: expected refusal {code}, got {answer.status_code} {answer.text[:300]}")

    def refuse_without_consent(self) -> None:
        """Nobody may bring footage of a person who has only been invited."""
        farah = self.told.people["farah"]
        farah.post("/console/footage/new/", {"subject": self.told.subject_id},
                   files={"video": ("footage.mp4", b"not even read", "video/mp4")}, expect=403)  # fmt: skip

    def refuse_wrong_key(self) -> None:
        with self.told.api as api:
            answer = api.post("/v2/conversations", json={}, headers={"x-api-key": "tck_wrong"})
        if answer.status_code != 401:
            raise StoryError(f"a wrong API key was answered with {answer.status_code}")

    def refuse_mallory(self) -> None:
        mallory = self.told.people["mallory"]
        for path in (self.told.version_path, self.told.policy_path, f"/console/subjects/{self.told.subject_id}/"):
            mallory.get(path, expect=404)

    # --- afterwards --------------------------------------------------------------------------------------------------

    def recording(self) -> None:
        """The signed recording verifies offline, and its mark leads back to the session."""
        meera = self.told.people["meera"]
        conversation = self.told.conversation["conversation_id"]
        for _ in range(120):
            answer = meera.http.get(f"/console/live/{conversation}/recording.mp4")
            if answer.status_code == 200:
                break
            time.sleep(0.5)
        else:
            raise StoryError("the recording did not arrive")
        (self.files / "recording.mp4").write_bytes(answer.content)
        key = self.files / "mark.key"
        self.stack.manage("export_mark_key", "--out", str(key))
        report = self._verify(self.files / "recording.mp4", "--mark-key", str(key))
        read = report["files"][0]
        # What the pixels carry must be what the signed manifest names.
        self.measured["watermark_read"] = (
            report["outcome"] == "verified" and read["mark"]["payload"] in read["facts"]["mark_payloads"]
        )
        if not self.measured["watermark_read"]:
            raise StoryError(f"the recording does not verify, or its mark was not read: {json.dumps(report)[:800]}")

    def bundle(self) -> None:
        """Erin exports the log of this organisation; the bundle verifies offline."""
        erin = self.told.people["erin"]
        page = erin.post("/audit/exports/", {"title": "Check", "scope_kind": "tenant", "scope_id": ""})
        path = page.url.path
        for _ in range(240):
            if f"{path}bundle" in erin.get(path).text:
                break
            time.sleep(0.5)
        else:
            raise StoryError("the evidence bundle was not made")
        (self.files / "bundle.zip").write_bytes(erin.get(f"{path}bundle").content)
        report = self._verify(self.files / "bundle.zip")
        self.measured["bundle_verified"] = report["outcome"] == "verified"
        if not self.measured["bundle_verified"]:
            raise StoryError(f"the evidence bundle does not verify: {json.dumps(report)[:800]}")

    def _verify(self, file: Path, *more: str) -> dict[str, Any]:
        """`python -m provenance.verify` in a process that knows nothing but the authority's certificate."""
        anchor = self.files / "authority.pem"
        anchor.write_bytes(self.told.people["erin"].get("/check/authority.pem").content)
        done = subprocess.run(
            [sys.executable, "-m", "provenance.verify", str(file), "--trust", str(anchor), "--json", *more],
            cwd=REPOSITORY, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        try:
            return dict(json.loads(done.stdout))
        except ValueError as error:
            raise StoryError(f"the verifier said no JSON: {done.stderr[-500:]}") from error


def check(terminal: Terminal) -> int:
    """Run it all. Returns the exit code; prints the JSON object last."""
    shutil.rmtree(STATE, ignore_errors=True)
    STATE.mkdir(parents=True)
    result: dict[str, Any] = {"ok": False, "steps": {}}
    run: Check | None = None
    try:
        with Stack(state_dir=STATE, say=terminal.step) as stack, Chromium() as chromium:
            cast = json.loads(stack.manage("demo_cast", "--json"))
            told = story.begin(stack.base_url, cast, Path(cast["api_key_file"]).read_text().strip())
            run = Check(stack, chromium, terminal, told)
            play(run, terminal)
        result["ok"] = True
    except (StackError, StoryError) as error:
        print(f"\nThe check stopped: {error}\nLogs and pictures are in {STATE}.", file=sys.stderr)
    if run is not None:
        result |= {"steps": run.steps, **run.measured}
    print(json.dumps(result))
    return 0 if result["ok"] else 1


def play(run: Check, terminal: Terminal) -> None:
    """The story, in order."""
    make_ready(run, terminal)
    go_live(run)
    end(run)


def make_ready(run: Check, terminal: Terminal) -> None:
    """From the invitation to a replica and a policy that two people signed."""
    told = run.told
    with run.step("sign_in", "Meera and Jonas sign in and register passkeys"):
        run.sign_in()
    with run.step("invite", "Meera invites Asha"):
        run.invite()
    with run.step("refuse_no_consent", "Refused: footage of a person who has not consented"):
        run.refuse_without_consent()
    with run.step("agree", "Asha reads the notice on her phone and sets her limits", run.asha):
        run.agree()
    with run.step("clip", "Asha records the clip her page asks for, before her camera", run.asha):
        run.record_clip()
    with run.step("identity", "Meera looks at the evidence and accepts"):
        run.decide()
    with run.step("footage", "Farah uploads footage; it is checked and encrypted"):
        footage = story.upload_footage(told, committed_footage(), terminal.progress)
    with run.step("training", f"A worker trains the replica, {ITERATIONS} steps"):
        story.train(told, footage, ITERATIONS, terminal.progress)
        run.measured["psnr_full_db"] = _psnr(run)
    with run.step("policy", "Farah drafts the emotion policy and asks for signatures"):
        story.draft_policy(told)
        story.send_for_signatures(told)
        story.make_persona(told)
    with run.step("sign_replica", "Meera and Jonas sign the replica with passkeys"):
        run.sign(told.version_path)
    with run.step("refuse_unapproved_policy", "Refused: a conversation under a policy nobody has signed"):
        run.refused("unapproved policy", "policy.unapproved")
    with run.step("sign_policy", "Meera and Jonas sign the emotion policy"):
        run.sign(told.policy_path)


def go_live(run: Check) -> None:
    """Who may not open a conversation, then one that is opened and watched."""
    with run.step("refuse_wrong_key", "Refused: a wrong API key"):
        run.refuse_wrong_key()
    with run.step("refuse_mallory", "Refused: Mallory, who has every right elsewhere"):
        run.refuse_mallory()
    with run.step("connect", "A viewer connects; the first frames are checked", run.viewer):
        run.connect()
    with run.step("watch", "The viewer talks with the replica; every frame is checked", run.viewer):
        run.watch()
    with run.step("clamp", "Too much joy is asked for, lowered, and recorded", run.viewer):
        run.clamp()


def end(run: Check) -> None:
    """The withdrawal, and what can be proven afterwards."""
    with run.step("withdraw", "Asha withdraws; the stream ends", run.asha):
        run.withdraw()
    with run.step("refuse_withdrawn", "Refused: a conversation after the withdrawal"):
        run.refused("withdrawn", "consent.withdrawn")
    with run.step("recording", "The recording verifies offline and its mark is read"):
        run.recording()
    with run.step("bundle", "Erin exports the log; the bundle verifies offline"):
        run.bundle()
    with run.step("audit", "The log verifies from its first entry"):
        run.stack.manage("verify_audit")


def _psnr(run: Check) -> float:
    """The held-out quality, as the API tells it."""
    with run.told.api as api:
        body = api.get(f"/v2/replicas/{run.told.replica_id}").json()
    return float(body["quality"]["psnr_full_db"])
