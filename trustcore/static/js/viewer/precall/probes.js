// The measurements before a call. Each is bounded in time, lets go of what it opened, and resolves to a reason.

import { levelOf, troubleOf } from "../microphone.js";
import { kbps } from "./rules.js";

const ROAD_WITHIN_MS = 6000;
const LISTEN_FOR_MS = 5000;
const HEARD_FROM = 0.35; // of the meter: a voice at arm's length, above the hum of a room
const HEARD_TIMES = 3;
const LOOK_EVERY_MS = 80;
const TRANSFER_WITHIN_MS = 4000;
const QUICK_MS = 500; // what came sooner says little: ask for more
const DOWN_BYTES = [16, 128, 512].map((kib) => kib * 1024);
const UP_BYTES = [8, 64, 256].map((kib) => kib * 1024);
const PINGS = 3;
const REFUSED_CODES = [401, 403, 438, 441, 486, 508]; // RFC 8656: it was reached, and said no

const later = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

// Does this one server answer? A relay has to give an address; one that is asked for our own may find nothing to add.
export async function askServer(server, { isRelay, withinMs = ROAD_WITHIN_MS, signal, connect = (told) => new RTCPeerConnection(told) }) {
  const startedMs = performance.now();
  const peer = connect({ iceServers: [server], iceTransportPolicy: isRelay ? "relay" : "all" });
  const codes = [];
  const answered = new Promise((resolve) => {
    const tell = (reason) => resolve({ reason, ms: Math.round(performance.now() - startedMs) });
    const wanted = isRelay ? "relay" : "srflx";
    peer.addEventListener("icecandidateerror", ({ errorCode }) => codes.push(errorCode));
    peer.addEventListener("icecandidate", ({ candidate }) => {
      if (candidate?.type === wanted) tell("reached");
      // The end. Without a network address translator there is no other address to be told of, and no error either.
      else if (candidate === null) tell(!isRelay && codes.length === 0 ? "reached" : failure(codes, isRelay));
    });
    setTimeout(() => tell(failure(codes, isRelay)), withinMs);
    signal?.addEventListener("abort", () => tell("stopped"));
  });
  try {
    peer.createDataChannel("test");
    await peer.setLocalDescription(await peer.createOffer());
    return await answered;
  } catch {
    return { reason: failure(codes, isRelay), ms: 0 };
  } finally {
    peer.close();
  }
}

function failure(codes, isRelay) {
  if (!isRelay) return "blocked";
  return codes.some((code) => REFUSED_CODES.includes(code)) ? "refused" : "unreachable";
}

// The best of several servers of one road, all asked at once.
export async function askRoad(servers, options) {
  if (servers.length === 0) return { reason: "no_server", ms: 0 };
  const told = await Promise.all(servers.map((server) => askServer(server, options)));
  return told.find(({ reason }) => reason === "reached") ?? told.find(({ reason }) => reason === "refused") ?? told[0];
}

// Opens the microphone, and is done as soon as somebody was heard. `onLevel` gets 0..1.
export async function hearMicrophone({ onLevel = () => {}, signal, devices = navigator.mediaDevices }) {
  let stream = null;
  let context = null;
  try {
    if (!devices?.getUserMedia) return { reason: "none" };
    stream = await devices.getUserMedia({ audio: true });
    context = new AudioContext();
    const analyser = new AnalyserNode(context, { fftSize: 2048 });
    context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const until = performance.now() + LISTEN_FOR_MS;
    for (let times = 0; performance.now() < until && !signal?.aborted;) {
      await later(LOOK_EVERY_MS);
      analyser.getFloatTimeDomainData(samples);
      const level = levelOf(samples);
      onLevel(level);
      times += level >= HEARD_FROM ? 1 : 0;
      if (times >= HEARD_TIMES) return { reason: "heard" };
    }
    return { reason: signal?.aborted ? "stopped" : "silent" };
  } catch (error) {
    return { reason: troubleOf(error) };
  } finally {
    for (const track of stream?.getTracks() ?? []) track.stop();
    context?.close();
    onLevel(0);
  }
}

// The camera gives a picture, which goes nowhere.
export async function seeCamera({ devices = navigator.mediaDevices } = {}) {
  try {
    if (!devices?.getUserMedia) return { reason: "none" };
    const stream = await devices.getUserMedia({ video: true });
    for (const track of stream.getTracks()) track.stop();
    return { reason: "seen" };
  } catch (error) {
    return { reason: troubleOf(error) };
  }
}

// How many kbit/s the line carries each way, and how long it takes there and back: {downKbps, upKbps, roundTripMs}, null
// what could not be measured. Small amounts first; more only on a line that took them quickly.
export async function measureSpeed(url, { headers = {}, signal } = {}) {
  const ask = (bytes, options = {}) => fetch(`${url}?bytes=${bytes}`, {
    credentials: "same-origin", cache: "no-store", headers, signal, ...options });
  try {
    const roundTripMs = await leastOf(PINGS, () => ask(0));
    const downKbps = await growing(DOWN_BYTES, (bytes) => download(ask, bytes, roundTripMs));
    const upKbps = await growing(UP_BYTES, (bytes) => upload(url, headers, signal, bytes, roundTripMs));
    return { downKbps, upKbps, roundTripMs: Math.round(roundTripMs) };
  } catch {
    return { downKbps: null, upKbps: null, roundTripMs: null };
  }
}

async function leastOf(times, act) {
  let least = Infinity;
  for (let i = 0; i < times; i += 1) {
    const startedMs = performance.now();
    const response = await act();
    if (!response.ok) throw new Error(String(response.status));
    await response.arrayBuffer();
    least = Math.min(least, performance.now() - startedMs);
  }
  return least;
}

// `transfer(bytes)` resolves to {bytes that went through, ms}. The last amount that took long enough counts.
async function growing(amounts, transfer) {
  let told = null;
  for (const amount of amounts) {
    told = await transfer(amount);
    if (told.ms >= QUICK_MS) break;
  }
  return kbps(told.bytes, told.ms);
}

async function download(ask, bytes, roundTripMs) {
  const startedMs = performance.now();
  const response = await ask(bytes);
  if (!response.ok) throw new Error(String(response.status));
  const reader = response.body.getReader();
  let taken = 0;
  for (;;) {
    const leftMs = startedMs + TRANSFER_WITHIN_MS - performance.now();
    const { done, value } = await Promise.race([reader.read(), later(leftMs).then(() => ({ done: true }))]);
    if (done) break;
    taken += value.length;
  }
  reader.cancel().catch(() => {});
  return { bytes: taken, ms: Math.max(1, performance.now() - startedMs - roundTripMs) };
}

// A browser does not say how much of a body is under way, so one that does not arrive in time counts as nothing.
async function upload(url, headers, signal, bytes, roundTripMs) {
  const body = crypto.getRandomValues(new Uint8Array(Math.min(bytes, 65536)));
  const whole = new Blob(Array.from({ length: Math.ceil(bytes / body.length) }, () => body));
  const limit = AbortSignal.timeout(TRANSFER_WITHIN_MS);
  const startedMs = performance.now();
  try {
    const response = await fetch(url, {
      method: "POST", credentials: "same-origin", headers: { "Content-Type": "application/octet-stream", ...headers },
      body: whole, signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
    if (!response.ok) throw new Error(String(response.status));
    return { bytes, ms: Math.max(1, performance.now() - startedMs - roundTripMs) };
  } catch (error) {
    if (!limit.aborted) throw error;
    return { bytes: 0, ms: TRANSFER_WITHIN_MS };
  }
}
