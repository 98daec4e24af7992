"""The viewer's microphone: when it is on, muted, refused or gone. The page's own code, in node."""

import json
from typing import Any

from tests.common.in_node import address, in_node, needs_node

MICROPHONE = address("viewer/microphone.js")
pytestmark = needs_node

# A page with the four parts that the module looks for, and devices that do what the scene says.
STORY = """
import { createMicrophone, levelOf, troubleOf } from MICROPHONE;
const { refused, steps, unheard } = SCENE;
const setAttribute = function (name, value) { this[name] = value; };
const part = (dataset = {}) => Object.assign(new EventTarget(), { dataset, setAttribute });
const parts = { microphone: part({ open: "open", mute: "mute", unmute: "unmute" }), "microphone-level": part(),
  "microphone-note": part({ on: "on!", denied: "denied!", lost: "lost!", muted: "muted!" }) };
const root = { dataset: {}, querySelector: (wanted) => parts[wanted.match(/"(.*)"/)[1]] };
globalThis.AudioContext = class { createMediaStreamSource() { return { connect() {} }; } close() {} };
globalThis.AnalyserNode = class { constructor(_, { fftSize }) { this.fftSize = fftSize; } getFloatTimeDomainData() {} };
globalThis.MediaStream = class {};
let wishes = null, tracks = [];
const devices = { async getUserMedia(asked) {
  wishes = asked;
  if (refused) throw new DOMException("no", refused);
  const track = Object.assign(new EventTarget(), { enabled: true, stopped: false, stop() { this.stopped = true; } });
  tracks.push(track);
  return { getAudioTracks: () => [track] };
} };
const replaceTrack = async function (track) { this.sent.push(track ? tracks.indexOf(track) : null); };
const senders = [0, 1].map(() => ({ sent: [], replaceTrack }));
const states = [];
const heard = [];
const microphone = createMicrophone(root, { devices, onState: (state) => states.push(state), listen: async (track) => {
  if (unheard) throw new Error("no worklet");
  heard.push(tracks.indexOf(track));
  return () => heard.push("stop");
} });
microphone.use(senders[0]);
for (const step of steps) {
  if (step === "click") parts.microphone.dispatchEvent(new Event("click"));
  if (step === "unplug") tracks.at(-1).dispatchEvent(new Event("ended"));
  if (step === "rejoin") microphone.use(senders[1]);
  if (step === "mute") microphone.mute();
  if (step === "end") microphone.end();
  await new Promise((done) => setTimeout(done, 1));
}
console.log(JSON.stringify({ states, sent: senders.map(({ sent }) => sent), wishes, label: parts.microphone.textContent,
  heard,
  note: parts["microphone-note"].textContent, tracks: tracks.map(({ enabled, stopped }) => ({ enabled, stopped })),
  levels: [[0, 0], [1, -1], [0.03, -0.03]].map(levelOf),
  trouble: troubleOf({ name: "NotFoundError" }) }));
process.exit(0);
"""


def page(*steps: str, refused: str = "", unheard: bool = False) -> Any:
    script = STORY.replace("MICROPHONE", MICROPHONE, 1)
    script = script.replace("SCENE", json.dumps({"refused": refused, "steps": steps, "unheard": unheard}))
    return in_node(script)


def test_nothing_is_asked_before_the_click_and_the_browser_cancels_echo() -> None:
    assert page()["wishes"] is None
    seen = page("click")
    assert seen["states"] == ["asking", "on"] and seen["sent"][0] == [0] and seen["note"] == "on!"
    wanted = seen["wishes"]["audio"]
    assert all(wanted[name] is True for name in ("echoCancellation", "noiseSuppression", "autoGainControl"))
    assert seen["levels"][:2] == [0, 1] and 0.3 < seen["levels"][2] < 0.6


def test_mute_and_unmute_need_no_new_track() -> None:
    seen = page("click", "click")
    assert (seen["states"][-1], seen["label"], seen["tracks"]) == (
        "muted", "unmute", [{"enabled": False, "stopped": False}])
    assert page("click", "click", "click")["tracks"] == [{"enabled": True, "stopped": False}]


def test_a_page_that_hides_it_mutes_it_until_the_viewer_unmutes() -> None:
    assert page("mute")["states"] == []
    assert page("click", "mute", "mute")["states"] == ["asking", "on", "muted"]
    assert page("click", "mute", "click")["tracks"] == [{"enabled": True, "stopped": False}]


def test_a_refusal_and_a_lost_device_are_said_and_can_be_tried_again() -> None:
    seen = page("click", refused="NotAllowedError")
    assert (seen["states"], seen["label"], seen["note"]) == (["asking", "denied"], "open", "denied!")
    assert seen["trouble"] == "none"
    seen = page("click", "unplug", "click")
    assert seen["states"] == ["asking", "on", "lost", "asking", "on"] and seen["sent"][0] == [0, None, 1]


def test_it_goes_on_in_the_next_connection_and_is_off_at_the_end() -> None:
    seen = page("click", "rejoin", "end")
    assert seen["sent"] == [[0], [0, None]] and seen["tracks"][0]["stopped"]
    assert page("end", "click")["wishes"] is None


def test_who_listens_on_the_page_hears_each_track_until_it_is_closed_and_may_fail() -> None:
    assert page("click", "click", "click")["heard"] == [0]
    assert page("click", "unplug", "click", "end")["heard"] == [0, "stop", 1, "stop"]
    assert page(refused="NotAllowedError")["heard"] == []
    assert page("click", "end", unheard=True)["states"] == ["asking", "on", "off"]
