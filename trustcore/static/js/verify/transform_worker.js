// Runs between the network and the decoders: every received picture and every packet of sound is verified here, and one
// that does not verify never reaches its decoder while "hide" is on. They wait until the session itself has been judged.

import { FrameVerifier, emptyCounts } from "./frames.js";

const REPORT_EVERY_MS = 200;
const KEY_REQUEST_EVERY_MS = 500;
const RECENT = { picture: 30, sound: 50 }; // one second of each

let hide = true;
let rejected = ""; // why nothing of this session is trusted
const judged = withResolvers();
let lastKeyRequestMs = 0;

function withResolvers() {
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
}

// Pictures and sound are numbered, counted and told apart.
class Lane {
  constructor(name) {
    this.name = name;
    this.verifier = null;
    this.untrusted = emptyCounts();
    this.recent = [];
    this.withheld = 0;
    this.lastReason = "";
    this.lastState = "";
    this.trailing = null;
    this.lastReportMs = 0;
  }

  async judge(frame) {
    await judged.promise;
    if (rejected) {
      this.untrusted.received += 1;
      this.untrusted.invalid += 1;
      return { state: "invalid", reason: rejected };
    }
    return this.verifier.check(new Uint8Array(frame.data), Date.now());
  }

  // What stands behind or in a frame for this verifier is not for the decoder.
  forDecoder(frame) {
    const received = new Uint8Array(frame.data);
    const kept = this.verifier === null ? received : this.verifier.codec.forDecoder(received);
    if (kept.length !== received.length) frame.data = kept.slice().buffer;
    return frame;
  }

  report(verdict, nowMs, force) {
    this.recent = [...this.recent.slice(1 - RECENT[this.name]), verdict.state];
    if (verdict.state !== "verified") this.lastReason = verdict.reason;
    this.lastState = verdict.state;
    if (force || nowMs - this.lastReportMs >= REPORT_EVERY_MS) this.send(nowMs);
    else this.trailing ??= setTimeout(() => this.send(Date.now()), REPORT_EVERY_MS); // the last frames are told too
  }

  send(nowMs) {
    clearTimeout(this.trailing);
    this.trailing = null;
    this.lastReportMs = nowMs;
    const share = this.recent.filter((state) => state === "verified").length / this.recent.length;
    const counts = { ...(rejected ? this.untrusted : this.verifier.counts), withheld: this.withheld };
    const { name: lane, lastState: state, lastReason: reason } = this;
    self.postMessage({ kind: "frames", lane, counts, share, state, reason, hide });
  }
}

const lanes = { picture: new Lane("picture"), sound: new Lane("sound") };

function askForKeyFrame(transformer, nowMs) {
  if (nowMs - lastKeyRequestMs < KEY_REQUEST_EVERY_MS) return;
  lastKeyRequestMs = nowMs;
  self.postMessage({ kind: "key-frame-needed" });
  transformer?.sendKeyFrameRequest?.().catch(() => {}); // not every browser has it; the page is told as well
}

function pump(lane, transformer) {
  const gate = new TransformStream({
    async transform(frame, controller) {
      const verdict = await lane.judge(frame);
      const nowMs = Date.now();
      const first = verdict.state === "verified" && lane.verifier?.counts.verified === 1;
      if (verdict.state === "verified" || !hide) controller.enqueue(lane.forDecoder(frame));
      else {
        lane.withheld += 1;
        // A frame that came once more is missing nowhere: the first one was passed on.
        if (lane === lanes.picture && verdict.counter !== "replayed") askForKeyFrame(transformer, nowMs);
      }
      lane.report(verdict, nowMs, first || verdict.state !== "verified");
    },
  });
  // The stream ends with the connection.
  return transformer.readable.pipeThrough(gate).pipeTo(transformer.writable).catch(() => {});
}

self.onrtctransform = ({ transformer }) => {
  pump(lanes[transformer.options.lane], transformer);
};

self.onmessage = async ({ data }) => {
  if (data.kind === "hide") hide = data.hide;
  if (data.kind === "reject") {
    rejected = data.reason;
    // What verified before did; what comes now does not.
    for (const lane of Object.values(lanes)) lane.untrusted = { ...emptyCounts(), ...lane.verifier?.counts };
    judged.resolve();
  }
  if (data.kind === "session") {
    const publicKey = await crypto.subtle.importKey("raw", data.session.publicBytes, { name: "Ed25519" }, false, ["verify"]);
    const session = { ...data.session, publicKey };
    lanes.picture.verifier = new FrameVerifier(session);
    lanes.sound.verifier = new FrameVerifier(session, { isSound: true });
    judged.resolve();
  }
};

self.postMessage({ kind: "ready" });
