"""What does a viewer get on a bad network? Real control, real worker, real Chromium, and a seeded relay between them.

Each profile is one conversation: greeting, typed questions, each answered by voice. Signalling (HTTP) is not slowed, so
`ttff_ms` counts the line from the posted offer on. `frozen_share` is the time in gaps over 200 ms between two pictures,
of the time on rungs with a moving picture (null where there was none); `rung_share` says how much of the time that was.
`verified_share` is that of the different frames and packets of sound that were received; what came a second time,
because it was sent again though it had arrived, is withheld and stands in `received_twice`. The baseline is aiortc as
it comes (its encoder, its rates, a textured picture of the same size and a tone) on the profile "3g".

PROFILE=3g,2g measures these alone. KEEP=FILE keeps each profile's figures as they come, and does not measure again what
the file holds: a run that broke off goes on.
"""

import argparse
import fractions
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
from aiortc.mediastreams import AudioStreamTrack, MediaStreamTrack, VideoStreamTrack
from playwright import sync_api as playwright
from playwright.sync_api import Browser

from deploy.stack import Stack
from tests.benchmarks.start import WORKER, plain_aiortc
from tests.common.live_world import LiveWorld
from tests.common.relay import HEADER_BYTES, PROFILES, Profile, relaying
from tests.common.through_relay import stats, viewer_through
from tests.common.viewer import chromium

QUESTIONS = ("Are you a real person?", "Is this an AI?")
PLAY_S, QUIET_S = 30.0, 1.2
LONGER_S = {"assam": 60.0}  # four outages
FIRST_FRAME_WITHIN_S = 45.0
BASELINE = "aiortc_defaults_3g"
SRTP_BYTES = 10  # its tag, which getStats does not count; nor does it the 28 of UDP and IP
BARS = {"3g": {"frozen_share": 0.05, "audio_concealed_share": 0.04, "response_ms_p50": 1200},
        "good4g": {"response_ms_p50": 520}}
BASELINE_PAGE = b"""<!doctype html><video autoplay muted playsinline></video><audio autoplay></audio><script>
window.run = async (seconds) => {
  const video = document.querySelector("video"), peer = new RTCPeerConnection();
  peer.addTransceiver("video", { direction: "recvonly" });
  peer.addTransceiver("audio", { direction: "recvonly" });
  peer.ontrack = ({ track }) => {
    (track.kind === "video" ? video : document.querySelector("audio")).srcObject = new MediaStream([track]);
  };
  const seen = { frames: 0, frozenMs: 0, watchedMs: 0, last: 0 };
  const shown = (now) => {
    if (seen.last > 0) {
      const gap = now - seen.last;
      seen.watchedMs += gap;
      if (gap > 200) seen.frozenMs += gap;
    } else seen.firstMs = now;
    seen.last = now; seen.frames += 1;
    video.requestVideoFrameCallback(shown);
  };
  video.requestVideoFrameCallback(shown);
  await peer.setLocalDescription(await peer.createOffer());
  await new Promise((resolve) => peer.iceGatheringState === "complete" ? resolve()
    : peer.addEventListener("icegatheringstatechange", () => peer.iceGatheringState === "complete" && resolve()));
  const posted = performance.now();
  const answer = await fetch("/offer", { method: "POST", body: peer.localDescription.sdp });
  await peer.setRemoteDescription({ type: "answer", sdp: await answer.text() });
  await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
  const still = performance.now() - (seen.last || posted);
  if (still > 200) { seen.frozenMs += still; seen.watchedMs += still; }
  let sound = {};
  for (const one of (await peer.getStats()).values()) {
    if (one.type === "inbound-rtp" && one.kind === "audio") sound = one;
  }
  peer.close();
  return { fps: seen.frames / seconds, frozen_share: seen.frozenMs / Math.max(1, seen.watchedMs),
    ttff_ms: seen.firstMs === undefined ? null : seen.firstMs - posted,
    audio_concealed_share: sound.concealedSamples / Math.max(1, sound.totalSamplesReceived) };
};
</script>"""


class Textured(VideoStreamTrack):  # type: ignore[misc]  # aiortc has no types
    """A picture with texture that moves, as a head does: 256x256, 30 a second."""

    def __init__(self) -> None:
        super().__init__()
        random = np.random.default_rng(1)
        self._picture = random.integers(40, 210, (32, 32, 3), np.uint8).repeat(8, 0).repeat(8, 1)
        self._count = 0

    async def recv(self) -> av.VideoFrame:
        pts, time_base = await self.next_timestamp()
        self._count += 1
        frame = av.VideoFrame.from_ndarray(np.roll(self._picture, self._count % 16 - 8, axis=1).copy(), format="rgb24")
        frame.pts, frame.time_base = pts, time_base
        return frame


class Tone(AudioStreamTrack):  # type: ignore[misc]
    """440 Hz, 20 ms at a time."""

    async def recv(self) -> av.AudioFrame:
        silence = await super().recv()
        at = np.arange(silence.samples) + silence.pts
        tone = (8000 * np.sin(2 * np.pi * 440 * at / silence.sample_rate)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(tone[None, :], format="s16", layout="mono")
        frame.sample_rate, frame.pts = silence.sample_rate, silence.pts
        frame.time_base = fractions.Fraction(1, silence.sample_rate)
        return frame


def tracks() -> list[MediaStreamTrack]:
    return [Textured(), Tone()]


def measure(browser: Browser, world: LiveWorld, profile: Profile, play_s: float, seed: int) -> dict[str, Any]:
    """One conversation through a relay of this profile."""
    with relaying(profile, seed) as relay:
        viewer = viewer_through(relay if profile.name != "none" else None, browser,
                                world.new_conversation()["conversation_url"])
        try:
            viewer.wait_ready()
            time.sleep(0.5)
            viewer.connect()
            viewer.wait_for("'first_verified_frame_ms' in m.marks", FIRST_FRAME_WITHIN_S)
            began_s, frames, sound = time.monotonic(), viewer.seen()["framesPresented"], stats(viewer)["audio"]
            responses = []
            for question in QUESTIONS * 10:
                if time.monotonic() - began_s > play_s:
                    break
                answered_ms = ask(viewer, question)
                if answered_ms is not None:
                    responses.append(answered_ms)
            while time.monotonic() - began_s < play_s:
                viewer.page.wait_for_timeout(100)  # the browser's own loop must run for the route of a second offer
            return figures(viewer, time.monotonic() - began_s, frames, responses) | sound_on_the_line(viewer, sound) | {
                "relay_dropped_share": round(relay.count["dropped"] / max(1, relay.count["came"]), 3)}
        finally:
            viewer.close()


def ask(viewer: Any, question: str) -> float | None:
    """Milliseconds from the typed question to the first sound of its answer; None when none came within 12 s."""
    until_s, quiet_since_s = time.monotonic() + 15, time.monotonic()
    while time.monotonic() - quiet_since_s < QUIET_S:  # a greeting and an answer have pauses between their sentences
        viewer.page.wait_for_timeout(50)
        if viewer.page.evaluate("__line.isLoud || document.querySelector('[data-viewer]').dataset.speaking === 'yes'"):
            quiet_since_s = time.monotonic()
        if time.monotonic() > until_s:
            return None
    viewer.page.fill("[data-part=message]", question)
    asked_ms = viewer.page.evaluate("""() => {
      const asked = performance.now();
      document.querySelector("[data-part=message-form]").requestSubmit();
      return asked;
    }""")
    until_s = time.monotonic() + 12
    while time.monotonic() < until_s:
        heard_ms = viewer.page.evaluate("(at) => __line.loudAtMs.find((ms) => ms > at) ?? null", asked_ms)
        if heard_ms is not None:
            return float(heard_ms - asked_ms)
        viewer.page.wait_for_timeout(20)
    return None


def figures(viewer: Any, seconds: float, frames_before: int, responses: list[float]) -> dict[str, Any]:
    seen, browser = viewer.seen(), stats(viewer)
    counts, sound, sound_of = seen["counts"], seen["sound"]["counts"], browser["audio"]
    all_ms = max(1.0, sum(seen["rungMs"].values()))
    twice = counts["replayed"] + sound["replayed"]
    different = counts["received"] + sound["received"] - twice
    return {
        "fps": round((seen["framesPresented"] - frames_before) / seconds, 1),
        "frozen_share": round(seen["frozenMs"] / seen["watchedMs"], 3) if seen["watchedMs"] else None,
        "watched_s": round(seen["watchedMs"] / 1000, 1),  # what `frozen_share` is a share of
        "audio_concealed_share": round(sound_of["concealed"] / max(1, sound_of["samples"]), 3) if sound_of else None,
        "response_ms_p50": round(statistics.median(responses)) if responses else None,
        "answers": len(responses),
        "ttff_ms": round(seen["marks"]["first_verified_frame_ms"]),
        "verified_share": round((counts["verified"] + sound["verified"]) / max(1, different), 4),
        "received_twice": twice,
        "rung_share": {name: round(ms / all_ms, 2) for name, ms in seen["rungMs"].items()},
        "rungs": seen["rungs"][-12:], "connections": seen["connections"], "ended": seen["reason"],
        "key_frames": browser["video"].get("keys"), "nacks": browser["video"].get("nacks"),
        "kbps": round(8 * browser["video"].get("bytes", 0) / seconds / 1000),
    }


def sound_on_the_line(viewer: Any, before: dict[str, Any]) -> dict[str, Any]:
    """What the sound takes of the line, attestations and all headers counted, and in how many packets a second."""
    after, packet_s = stats(viewer)["audio"], {}
    lasted_s = (after.get("samples", 0) - before.get("samples", 0)) / 48_000
    if lasted_s > 1.0 and after["received"] >= before["received"]:  # of one and the same connection
        packets = after["received"] - before["received"]
        sent = sum(after[name] - before[name] for name in ("bytes", "headers")) + packets * (SRTP_BYTES + HEADER_BYTES)
        packet_s = {"sound_kbps": round(8 * sent / lasted_s / 1000, 1), "sound_packets_s": round(packets / lasted_s, 1)}
    return packet_s


def measure_baseline(browser: Browser, profile: Profile, play_s: float, seed: int) -> dict[str, Any]:
    with relaying(profile, seed) as relay, plain_aiortc(BASELINE_PAGE, tracks, relay.rewritten) as url:
        page = browser.new_page()
        page.goto(url)
        found: dict[str, Any] = page.evaluate(f"run({play_s})")
        page.close()
        return {name: round(value, 3) if value is not None else None for name, value in found.items()}


def missed(profiles: dict[str, dict[str, Any]]) -> list[str]:
    """Which bars were not met."""
    found = [f"{name}.{figure} {profiles[name].get(figure)} > {bar}" for name, bars in BARS.items() if name in profiles
             for figure, bar in bars.items() if not _is_within(profiles[name].get(figure), bar)]
    return found + [f"{name}.verified_share {one.get('verified_share')} < 1" for name, one in profiles.items()
                    if one.get("verified_share", 0.0) < 1.0]


def _is_within(figure: float | None, bar: float) -> bool:
    return figure is not None and figure <= bar


class Kept:
    """The figures of each profile, in a file where one is given, so that a run can go on where it broke off."""

    def __init__(self, file: str) -> None:
        self._file = Path(file) if file else None
        self.rows: dict[str, Any] = json.loads(self._file.read_text()) if self._file and self._file.exists() else {}

    def take(self, name: str, measured: Callable[[], dict[str, Any]]) -> None:
        """Measure a profile unless it is there. What broke off is told and not kept; the others go on."""
        if name in self.rows:
            return
        load = round(os.getloadavg()[0], 1)
        try:
            self.rows[name] = measured() | {"load_average": load}
        except (TimeoutError, playwright.Error) as error:
            print(f"{name}: broke off: {str(error)[:400]}", flush=True)
            return
        print(f"{name}: {json.dumps(self.rows[name])}", flush=True)
        if self._file:
            self._file.write_text(json.dumps(self.rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profiles", default=os.environ.get("PROFILE") or ",".join((*PROFILES, BASELINE)))
    parser.add_argument("--seconds", type=float, default=PLAY_S)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", default=os.environ.get("KEEP", ""))
    given = parser.parse_args()
    kept, names = Kept(given.keep), given.profiles.split(",")
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack(state_dir=Path(folder), workers=0, env=WORKER, say=lambda line: print(line, flush=True)) as stack,
        LiveWorld(stack) as world,
    ):
        stack.start_worker(1)
        with chromium() as browser:
            measure(browser, world, PROFILES["none"], 4.0, given.seed)  # warm-up, not counted
            for name in names:
                play_s = max(given.seconds, LONGER_S.get(name, 0.0))
                if name == BASELINE:
                    kept.take(name, lambda: measure_baseline(browser, PROFILES["3g"], given.seconds, given.seed))
                else:
                    kept.take(name, partial(measure, browser, world, PROFILES[name], play_s, given.seed))
    print(json.dumps(summary(kept.rows) | {"seconds": given.seconds, "seed": given.seed}))


def summary(rows: dict[str, Any]) -> dict[str, Any]:
    """The last line: every profile that was measured, the baseline, and which bars were missed."""
    profiles = {name: rows[name] for name in PROFILES if name in rows}
    frozen, plainly = profiles.get("3g", {}).get("frozen_share"), rows.get(BASELINE, {}).get("frozen_share")
    return {
        "name": "network", "profiles": profiles, "baseline": {BASELINE: rows.get(BASELINE)},
        "ratio": round(frozen / plainly, 3) if frozen is not None and plainly else None,
        "missed": missed(profiles), "not_measured": [name for name in (*PROFILES, BASELINE) if name not in rows],
        "size_px": 256, "machine": platform.machine()}


if __name__ == "__main__":
    main()
