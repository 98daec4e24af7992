"""What does a viewer get on a bad network? Real control, real worker, real Chromium, and a seeded relay between them.

Each profile is one conversation: greeting, typed questions, each answered by voice. Signalling (HTTP) is not slowed, so
`ttff_ms` counts the line from the posted offer on. `frozen_share` is the time in gaps over 200 ms between two pictures,
of the time on rungs with a moving picture; `rung_share` says how much of the time that was. The baseline is aiortc as
it comes (its encoder, its rates, a textured picture of the same size and a tone) on the profile "3g".
"""

import argparse
import fractions
import json
import platform
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
from aiortc.mediastreams import AudioStreamTrack, MediaStreamTrack, VideoStreamTrack
from playwright.sync_api import Browser

from deploy.stack import Stack
from tests.benchmarks.start import WORKER, plain_aiortc
from tests.common.live_world import LiveWorld
from tests.common.relay import PROFILES, Profile, relaying
from tests.common.through_relay import stats, viewer_through
from tests.common.viewer import chromium

QUESTIONS = ("Are you a real person?", "Is this an AI?")
PLAY_S, QUIET_S = 30.0, 1.2
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
            viewer.wait_for("'first_verified_frame_ms' in m.marks", 30.0)
            began_s, frames = time.monotonic(), viewer.seen()["framesPresented"]
            responses = []
            for question in QUESTIONS * 10:
                if time.monotonic() - began_s > play_s:
                    break
                answered_ms = ask(viewer, question)
                if answered_ms is not None:
                    responses.append(answered_ms)
            while time.monotonic() - began_s < play_s:
                viewer.page.wait_for_timeout(100)  # the browser's own loop must run for the route of a second offer
            return figures(viewer, time.monotonic() - began_s, frames, responses) | {
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
    received = counts["received"] + sound["received"]
    return {
        "fps": round((seen["framesPresented"] - frames_before) / seconds, 1),
        "frozen_share": round(seen["frozenMs"] / max(1.0, seen["watchedMs"]), 3),
        "audio_concealed_share": round(sound_of["concealed"] / max(1, sound_of["samples"]), 3) if sound_of else None,
        "response_ms_p50": round(statistics.median(responses)) if responses else None,
        "answers": len(responses),
        "ttff_ms": round(seen["marks"]["first_verified_frame_ms"]),
        "verified_share": round((counts["verified"] + sound["verified"]) / max(1, received), 4),
        "rung_share": {name: round(ms / all_ms, 2) for name, ms in seen["rungMs"].items()},
        "rungs": seen["rungs"], "connections": seen["connections"], "ended": seen["reason"],
        "key_frames": browser["video"].get("keys"), "nacks": browser["video"].get("nacks"),
        "kbps": round(8 * browser["video"].get("bytes", 0) / seconds / 1000),
    }


def measure_baseline(browser: Browser, profile: Profile, play_s: float, seed: int) -> dict[str, Any]:
    with relaying(profile, seed) as relay, plain_aiortc(BASELINE_PAGE, tracks, relay.rewritten) as url:
        page = browser.new_page()
        page.goto(url)
        found: dict[str, Any] = page.evaluate(f"run({play_s})")
        page.close()
        return {name: round(value, 3) if value is not None else None for name, value in found.items()}


def missed(profiles: dict[str, dict[str, Any]]) -> list[str]:
    """Which bars were not met."""
    found = [f"{name}.{figure} {profiles[name][figure]} > {bar}" for name, bars in BARS.items() if name in profiles
             for figure, bar in bars.items() if (profiles[name][figure] or 1e9) > bar]
    return found + [f"{name}.verified_share {one['verified_share']} < 1" for name, one in profiles.items()
                    if one["verified_share"] < 1.0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profiles", default=",".join(PROFILES))
    parser.add_argument("--seconds", type=float, default=PLAY_S)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    say = lambda line: print(line, flush=True)  # noqa: E731
    profiles: dict[str, dict[str, Any]] = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack(state_dir=Path(folder), workers=0, env=WORKER, say=say) as stack,
        LiveWorld(stack) as world,
    ):
        stack.start_worker(1)
        with chromium() as browser:
            measure(browser, world, PROFILES["none"], 4.0, given.seed)  # warm-up, not counted
            for name in given.profiles.split(","):
                profiles[name] = measure(browser, world, PROFILES[name], given.seconds, given.seed)
                say(f"{name}: {json.dumps(profiles[name])}")
            baseline = measure_baseline(browser, PROFILES["3g"], given.seconds, given.seed)
    frozen, plainly = profiles.get("3g", {}).get("frozen_share"), baseline["frozen_share"]
    say(json.dumps({
        "profiles": profiles, "baseline": {"aiortc_defaults_3g": baseline},
        "ratio": round(frozen / plainly, 3) if frozen is not None and plainly else None,
        "missed": missed(profiles), "seconds": given.seconds, "seed": given.seed, "size_px": 256,
        "machine": platform.machine()}))


if __name__ == "__main__":
    main()
