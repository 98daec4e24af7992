// Runs between the network and the decoder: every received frame is verified here, and a frame that does not verify
// never reaches the decoder while "hide" is on. Frames wait until the session itself has been judged.

import { FRAME_CODECS } from "./frame_codecs.js";
import { FrameVerifier, emptyCounts } from "./frames.js";

const REPORT_EVERY_MS = 200;
const KEY_REQUEST_EVERY_MS = 500;
const RECENT = 30;

let hide = true;
let verifier = null;
let rejected = false;
const untrusted = emptyCounts();
const judged = withResolvers();
let recent = [];
let withheld = 0;
let lastReason = "";
let lastState = "";
let trailing = null;
let lastReportMs = 0;
let lastKeyRequestMs = 0;

function withResolvers() {
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
}

async function judge(frame) {
  await judged.promise;
  if (rejected) {
    untrusted.received += 1;
    untrusted.invalid += 1;
    return { state: "invalid", reason: "the session is not trusted" };
  }
  return verifier.check(new Uint8Array(frame.data), Date.now());
}

// What stands behind a VP8 frame is for this verifier, not for the decoder.
function forDecoder(frame) {
  const received = new Uint8Array(frame.data);
  const codec = FRAME_CODECS[verifier?.session.codec];
  const kept = codec === undefined ? received : codec.forDecoder(received);
  if (kept.length !== received.length) frame.data = kept.slice().buffer;
  return frame;
}

function askForKeyFrame(transformer, nowMs) {
  if (nowMs - lastKeyRequestMs < KEY_REQUEST_EVERY_MS) return;
  lastKeyRequestMs = nowMs;
  self.postMessage({ kind: "key-frame-needed" });
  transformer?.sendKeyFrameRequest?.().catch(() => {}); // not every browser has it; the page is told as well
}

function report(verdict, nowMs, force) {
  recent = [...recent.slice(1 - RECENT), verdict.state];
  if (verdict.state !== "verified") lastReason = verdict.reason;
  lastState = verdict.state;
  if (force || nowMs - lastReportMs >= REPORT_EVERY_MS) send(nowMs);
  else trailing ??= setTimeout(() => send(Date.now()), REPORT_EVERY_MS); // the last frames are told too
}

function send(nowMs) {
  clearTimeout(trailing);
  trailing = null;
  lastReportMs = nowMs;
  const share = recent.filter((state) => state === "verified").length / recent.length;
  const counts = { ...(rejected ? untrusted : verifier.counts), withheld };
  self.postMessage({ kind: "frames", counts, share, state: lastState, reason: lastReason, hide });
}

function pump(readable, writable, transformer) {
  const gate = new TransformStream({
    async transform(frame, controller) {
      const verdict = await judge(frame);
      const nowMs = Date.now();
      const first = verdict.state === "verified" && verifier?.counts.verified === 1;
      if (verdict.state === "verified" || !hide) controller.enqueue(forDecoder(frame));
      else {
        withheld += 1;
        askForKeyFrame(transformer, nowMs);
      }
      report(verdict, nowMs, first || verdict.state !== "verified");
    },
  });
  return readable.pipeThrough(gate).pipeTo(writable).catch(() => {}); // the stream ends with the connection
}

self.onrtctransform = ({ transformer }) => {
  pump(transformer.readable, transformer.writable, transformer);
};

self.onmessage = async ({ data }) => {
  if (data.kind === "hide") hide = data.hide;
  if (data.kind === "reject") {
    rejected = true;
    judged.resolve();
  }
  if (data.kind === "session") {
    const publicKey = await crypto.subtle.importKey("raw", data.session.publicBytes, { name: "Ed25519" }, false, ["verify"]);
    verifier = new FrameVerifier({ ...data.session, publicKey });
    judged.resolve();
  }
};

self.postMessage({ kind: "ready" });
