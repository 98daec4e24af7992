"""Does anything grow, drift or slip while conversations go on? The whole service, so many sessions, so many minutes.

`make bench NAME=soak MINUTES=5 SESSIONS=2`. Each session is a real worker and a viewer in real Chromium who types a
question every so often. Sampled every five seconds, from WARM_UP_S on:

- memory: the proportional set size (PSS) of each worker and of control, each with its children; the slope is a least
  squares line in MB a minute. Over a few minutes it also holds what caches fill: it bounds a leak, and names none.
- drift: at one moment in the browser, how much media time of the picture and how much of the sound has been played, by
  RTP time stamps; the slope of their difference. A constant offset is no drift and is not measured here.
- dropped seals: frames that a worker sent or held for sending without signature or mark, and what arrived and did not
  verify. It has to be 0.
- `reported`: what the pages told the service meanwhile (docs/measuring.md), as a check that they do.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, BrowserContext

from deploy.stack import Stack
from tests.benchmarks.start import WORKER
from tests.common.live_world import LiveWorld
from tests.common.viewer import Viewer, chromium

QUESTIONS = ("Are you a real person?", "Is this an AI?", "Who agreed to this use?")
SAMPLE_EVERY_S, ASK_EVERY_S, WARM_UP_S = 5.0, 15.0, 45.0
MOST_MINUTES = 25.0  # a session of the demo's policy ends after thirty
VIDEO_HZ, AUDIO_HZ = 90_000, 48_000
KEEP_PEERS = """
(() => {
  const Plain = window.RTCPeerConnection;
  window.__peers = [];
  window.RTCPeerConnection = class extends Plain {
    constructor(...given) { super(...given); window.__peers.push(this); }
  };
})();
"""
# What of picture and sound was played last, and when by the page's clock; and what the page counted.
SEEN = """() => {
  const played = {};
  for (const peer of __peers) {
    if (peer.connectionState !== "connected") continue;
    for (const receiver of peer.getReceivers()) {
      const [source] = receiver.getSynchronizationSources();
      if (source) played[receiver.track.kind] = [source.rtpTimestamp, source.timestamp];
    }
  }
  const m = window.__trustcore;
  return { played, nowMs: performance.timeOrigin + performance.now(), frames: m.framesPresented, state: m.state,
    reason: m.reason, counts: m.counts, sound: m.sound?.counts ?? null, worker: m.worker };
}"""


@dataclass
class Series:
    """One session's samples: seconds since the start, and what was seen then."""

    viewer: Viewer
    at_s: list[float] = field(default_factory=list)
    seen: list[dict[str, Any]] = field(default_factory=list)


def process_tree_mb(pid: int) -> float:
    """Proportional set size of a process and its children, in MB; 0 for one that is gone."""
    total_kb = 0
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total_kb = int(line.split()[1])
    children: list[int] = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            children += [int(text) for text in (task / "children").read_text().split()]
    return total_kb / 1024 + sum(process_tree_mb(child) for child in children)


def slope_per_min(at_s: Sequence[float], values: Sequence[float]) -> float:
    """Least squares slope; NaN with fewer than three values."""
    if len(values) < 3:
        return float("nan")
    return float(np.polyfit(np.asarray(at_s) / 60, np.asarray(values), 1)[0])


def offsets_ms(seen: Sequence[dict[str, Any]]) -> list[float]:
    """Per sample, how far the picture is ahead of the sound, in media time and from an unknown zero. RTP time stamps
    wrap at 2^32, so each is taken as the nearest to where the one before would be by now.
    """
    clocks: dict[str, tuple[float, float]] = {}  # kind -> unwrapped media time in ms, at ms
    found = []
    for one in seen:
        media = {}
        for kind, rate_hz in (("video", VIDEO_HZ), ("audio", AUDIO_HZ)):
            if kind not in one["played"]:
                break
            stamp, at_ms = one["played"][kind]
            raw_ms, wrap_ms = 1000 * stamp / rate_hz, 1000 * 2**32 / rate_hz
            if kind in clocks:
                expected_ms = clocks[kind][0] + at_ms - clocks[kind][1]
                raw_ms += round((expected_ms - raw_ms) / wrap_ms) * wrap_ms
            clocks[kind] = raw_ms, at_ms
            media[kind] = raw_ms - at_ms
        else:
            found.append(media["video"] - media["audio"])
            continue
        found.append(float("nan"))
    return found


def start_worker(stack: Stack, number: int) -> None:
    """One more slot of the demo's worker, in a process of its own."""
    name, worker = f"worker-{number}", "demo-worker-1"
    stack.start_service(name, [sys.executable, "-m", "rendering.worker.main"], {
        **stack.worker_env(number), "TRUSTCORE_WORKER_ID": worker, "TRUSTCORE_WORKER_SLOT_ID": f"{worker}-{number}"})
    stack.wait_for(name, lambda: "slot is ready" in stack.services[name].log.read_text(errors="replace"))


def join(browser: Browser, world: LiveWorld) -> Viewer:
    def prepare(context: BrowserContext) -> None:
        context.add_init_script(KEEP_PEERS)

    viewer = Viewer(browser, world.new_conversation()["conversation_url"], prepare=prepare)
    viewer.wait_ready()
    viewer.connect()
    viewer.wait_for("m.framesPresented > 30", 60)
    return viewer


def soak(stack: Stack, series: Sequence[Series], seconds: float) -> dict[str, list[float]]:
    """Play for so long; returns the memory of each process in MB, a value a sample."""
    names = ["control", *(name for name in stack.services if name.startswith("worker-"))]
    memory: dict[str, list[float]] = {name: [] for name in names}
    began, asked = time.monotonic(), 0
    while (passed := time.monotonic() - began) < seconds:
        for one in series:
            one.at_s.append(passed)
            one.seen.append(one.viewer.page.evaluate(SEEN))
        for name in names:
            memory[name].append(process_tree_mb(stack.services[name].process.pid))
        if passed >= asked * ASK_EVERY_S:
            for one in series:
                if one.seen[-1]["state"] == "live":  # one that reconnects or has ended can say nothing
                    one.viewer.say(QUESTIONS[asked % len(QUESTIONS)])
            asked += 1
        if all(one.seen[-1]["state"] == "ended" for one in series):
            break
        time.sleep(max(0.0, SAMPLE_EVERY_S - (time.monotonic() - began - passed)))
    return memory


def figures(series: Sequence[Series], memory: dict[str, list[float]], warm_up_s: float) -> dict[str, Any]:
    """The benchmark's own line."""
    at_s = series[0].at_s
    played_s = at_s[-1] + SAMPLE_EVERY_S
    first = next((n for n, at in enumerate(at_s) if at >= warm_up_s), len(at_s))
    slopes = {name: slope_per_min(at_s[first:], values[first:]) for name, values in memory.items()}
    drifts, fps, unsealed, unverified, dropped, sent = [], [], 0, 0, 0, 0
    for one in series:
        pairs = [(at, offset) for at, offset in zip(one.at_s, offsets_ms(one.seen), strict=True)
                 if at >= warm_up_s and not np.isnan(offset)]
        drifts.append(slope_per_min([at for at, _ in pairs], [offset for _, offset in pairs]))
        for before, after in zip(one.seen[first:-1], one.seen[first + 1 :], strict=True):
            fps.append(1000 * (after["frames"] - before["frames"]) / max(1.0, after["nowMs"] - before["nowMs"]))
        last = one.seen[-1]
        worker = last["worker"] or {}
        unsealed += worker.get("unsealed_sent", 0)
        dropped += worker.get("dropped", 0)
        sent += worker.get("sent", 0)
        for counts in (last["counts"], last["sound"]):
            unverified += sum((counts or {}).get(name, 0) for name in ("unattested", "invalid"))
    workers = {name: value for name, value in slopes.items() if name != "control"}
    return {
        "played_s": round(played_s),
        "rss_slope_mb_per_min": rounded(max(slopes.values())),
        "worker_slope_mb_per_min": rounded(max(workers.values())),
        "control_slope_mb_per_min": rounded(slopes["control"]),
        "memory_mb": {name: [round(values[first]), round(values[-1])] for name, values in memory.items()},
        "av_drift_ms_per_min": rounded(max(drifts, key=abs)), "dropped_seals": unsealed + unverified,
        "unsealed_sent": unsealed, "arrived_unverified": unverified, "frames_sent": sent, "frames_dropped": dropped,
        "fps_p50": rounded(statistics.median(fps)) if fps else None,
        "ended_early": [one.seen[-1]["reason"] for one in series if one.seen[-1]["state"] == "ended"],
    }


def rounded(value: float) -> float:
    return round(value, 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=float(os.environ.get("MINUTES", "5")))
    parser.add_argument("--sessions", type=int, default=int(os.environ.get("SESSIONS", "2")))
    given = parser.parse_args()
    minutes = min(max(given.minutes, 1.0), MOST_MINUTES)
    say = lambda line: print(line, flush=True)  # noqa: E731
    with (
        tempfile.TemporaryDirectory() as folder, ExitStack() as leaving,
        Stack(state_dir=Path(folder), workers=0, env=WORKER, say=say) as stack, LiveWorld(stack) as world,
    ):
        for number in range(1, given.sessions + 1):
            start_worker(stack, number)
        browser = leaving.enter_context(chromium())
        series = [Series(join(browser, world)) for _ in range(given.sessions)]
        say(f"{given.sessions} sessions live, playing {minutes:g} minutes")
        memory = soak(stack, series, 60 * minutes)
        visits = world.ask("visits")["visits"]
        errors = [error for one in series for error in one.viewer.errors]
        for one in series:
            one.viewer.close()
        leaving.close()
    warm_up_s = min(WARM_UP_S, 20 * minutes)
    say(json.dumps({
        "sessions": given.sessions, "minutes": minutes, "warm_up_s": warm_up_s,
        **figures(series, memory, warm_up_s), "page_errors": len(errors),
        "reported": {"visits": len(visits), "reports": sum(one["number"] for one in visits),
                     "answers_ms": sorted(answer["ms"] for one in visits for answer in one["answers"])},
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 1), "machine": platform.processor() or platform.machine()}))


if __name__ == "__main__":
    main()
