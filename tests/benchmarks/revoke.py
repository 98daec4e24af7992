"""How long from a person's "Withdraw" to the last picture on a viewer's screen? Real control, worker and Chromium.

The clock starts before the withdrawal's POST leaves and ends with the last frame that Chromium presented. Every run is
another person, because a consent that was withdrawn does not come back. The baseline is the way without a push: control
is stopped dead, and the lease has to run out by itself.
"""

import argparse
import json
import os
import platform
import re
import signal
import statistics
import tempfile
import time
from pathlib import Path

import httpx
from playwright.sync_api import Browser

from deploy.stack import Stack
from tests.common.live_world import LiveWorld
from tests.common.viewer import Viewer, chromium

LONG_TALK = "What can you do? Tell me everything about the claim, the payment, the photographs and the next steps."
WORKER = {"TRUSTCORE_WORKER_KINDS": "session", "TRUSTCORE_WORKER_SIZE_PX": "256"}


class Person:
    """The person depicted, signed in at their own page."""

    def __init__(self, stack: Stack, world: LiveWorld) -> None:
        self._http = httpx.Client(base_url=stack.base_url, timeout=20, follow_redirects=True)
        path = world.ask("portal")["path"]
        page = self._http.get(path)
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        if found is None:
            raise RuntimeError(f"the private link shows no form: {page.status_code}")
        self._token = found.group(1)
        self._http.post(path, data={"csrfmiddlewaretoken": self._token}, headers={"Referer": str(self._http.base_url)})

    def withdraw(self) -> float:
        """Withdraw; returns the wall time in ms just before the request left."""
        asked_at_ms = time.time() * 1000
        answer = self._http.post("/me/withdraw/", data={"csrfmiddlewaretoken": self._token},
                                 headers={"Referer": str(self._http.base_url) + "/me/"}, follow_redirects=False)
        if answer.status_code != 302:
            raise RuntimeError(f"the withdrawal was refused: {answer.status_code} {answer.text[:300]}")
        return asked_at_ms


def watch(browser: Browser, world: LiveWorld) -> Viewer:
    """A viewer in the middle of a conversation."""
    viewer = Viewer(browser, world.new_conversation()["conversation_url"])
    viewer.wait_ready()
    viewer.connect()
    viewer.wait_for("m.framesPresented > 30")
    viewer.say(LONG_TALK)
    time.sleep(1.0)
    return viewer


def last_frame_ms(viewer: Viewer, since_ms: float) -> tuple[float, str]:
    """Milliseconds from `since_ms` to the last presented frame, and the reason the page gave."""
    seen = viewer.wait_for("m.state === 'ended'", 15)
    time.sleep(0.3)
    seen = viewer.seen()
    viewer.close()
    return float(seen["lastPresentedWallMs"]) - since_ms, str(seen["reason"])


def partition(stack: Stack, browser: Browser, world: LiveWorld) -> float:
    """Stop control dead; the worker's own clock must end the stream."""
    viewer = watch(browser, world)
    control = stack.services["control"].process
    stopped_at_ms = time.time() * 1000
    os.kill(control.pid, signal.SIGSTOP)
    try:
        return last_frame_ms(viewer, stopped_at_ms)[0]
    finally:
        os.kill(control.pid, signal.SIGCONT)


def _say(line: str) -> None:
    print(line, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    given = parser.parse_args()
    taken, reasons = [], set()
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack(state_dir=Path(folder), workers=0, env=WORKER, say=_say) as stack,
        LiveWorld(stack) as world,
    ):
        stack.start_worker(1)
        with chromium() as browser:
            for run in range(given.runs + 1):
                person, viewer = Person(stack, world), watch(browser, world)
                took_ms, reason = last_frame_ms(viewer, person.withdraw())
                world.another_person()
                if run == 0:
                    continue  # warm-up
                taken.append(took_ms)
                reasons.add(reason)
                print(f"run {run} of {given.runs}: {took_ms:.0f} ms, {reason}", flush=True)
            partition_ms = partition(stack, browser, world)
    ordered = sorted(taken)
    p50, p99 = statistics.median(ordered), ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    print(json.dumps({
        "withdraw_to_last_frame_ms_p50": round(p50, 1), "withdraw_to_last_frame_ms_p99": round(p99, 1),
        "runs": given.runs, "reasons": sorted(reasons), "baseline_lease_expiry_ms": round(partition_ms, 1),
        "ratio": round(p50 / partition_ms, 3), "machine": platform.processor() or platform.machine(),
    }))


if __name__ == "__main__":
    main()
