// Tells the service how well the line carries the conversation: a few numbers every 12 s and at the end. The viewer can
// end it, and a browser that asks not to be followed (Global Privacy Control) has ended it already.

import { createAnswers } from "./answers.js";
import { atLeast, median, networkOf, nothing, readStats, reportOf, sumOf, totalsOf } from "./totals.js";

const LOOK_EVERY_MS = 4000;
const REPORT_EVERY_LOOKS = 3;
const MAX_ROUND_TRIPS = 900;
const CLOSED = [403, 410]; // the service takes no more of this page

function newVisit() {
  return [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// `peerNow()`: the connection at hand, or undefined.
export function createFigures(root, { measures, url, headers, peerNow }) {
  const panel = root.querySelector('[data-part="figures"]');
  const answers = createAnswers();
  const visit = newVisit();
  const roundTrips = [];
  const streams = new Map(); // who -> whose voice may be listened to
  const ears = new Map(); // who -> the source that is
  let state = panel?.dataset.state ?? "off"; // on, ask, off
  let context = null;
  let opened = null; // resolves to the context when it can listen
  let timer = null;
  let looks = 0;
  let number = 0;
  let taken = 0; // answers that the service has
  let told = null; // the newest totals
  let line = { rttMs: null, path: "unknown", transport: "unknown" };
  let earlier = nothing(); // of connections that are gone
  let newest = nothing();
  let peer = null;
  let isDone = false;

  if (state !== "off" && navigator.globalPrivacyControl) setState("ended");

  function setState(next) {
    state = next;
    if (panel) panel.dataset.state = next;
  }

  async function look() {
    const at = peerNow();
    if (!at || at.connectionState !== "connected") return;
    const found = readStats((await at.getStats()).values());
    if (at !== peer) {
      earlier = sumOf(earlier, newest);
      newest = nothing();
      peer = at;
    }
    newest = atLeast(newest, { samples: found.samples, concealed: found.concealed, packets: found.packets, lost: found.lost });
    if (found.rttMs !== null && roundTrips.length < MAX_ROUND_TRIPS) roundTrips.push(found.rttMs);
    line = { rttMs: median(roundTrips), path: found.path, transport: found.transport };
  }

  async function report(isLast) {
    number += 1;
    if (context) answers.tick(1000 * context.currentTime);
    told = atLeast(told, totalsOf(measures, sumOf(earlier, newest), answers.cutOffs()));
    const fresh = answers.found.slice(taken);
    const body = reportOf({
      visit, number, isLast, network: networkOf(navigator.connection), measures, totals: told, line, answers: fresh,
    });
    const response = await fetch(url, {
      method: "POST", credentials: "same-origin", keepalive: true,
      headers: { "Content-Type": "application/json", ...headers }, body: JSON.stringify(body),
    });
    if (response.ok) taken += body.answers.length;
    else if (CLOSED.includes(response.status)) stop();
  }

  function stop() {
    isDone = true;
    clearInterval(timer);
    timer = null;
    for (const who of [...ears.keys()]) deafen(who);
    context?.close().catch(() => {});
    context = null;
  }

  function deafen(who) {
    ears.get(who)?.disconnect();
    ears.delete(who);
  }

  async function open() {
    context = new AudioContext();
    const made = context;
    await made.audioWorklet.addModule(new URL("./loudness.js", import.meta.url));
    return made;
  }

  async function listen(who) {
    if (timer === null || typeof AudioWorkletNode === "undefined") return;
    opened ??= open();
    const at = await opened;
    const stream = streams.get(who);
    if (isDone || stream === undefined) return;
    deafen(who);
    const source = at.createMediaStreamSource(stream);
    const node = new AudioWorkletNode(at, "trustcore-loudness", {
      numberOfInputs: 1, numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit",
    });
    node.port.onmessage = ({ data }) => answers.heard(who, data.isLoud, data.atMs);
    source.connect(node);
    ears.set(who, source);
  }

  // The last report, at once: the page may be gone in a moment.
  function finish() {
    if (isDone || timer === null) return;
    report(true).catch(() => {});
    stop();
  }

  function begin() {
    if (isDone || timer !== null || state !== "on") return;
    timer = setInterval(() => {
      looks += 1;
      const isTime = looks % REPORT_EVERY_LOOKS === 0;
      look().then(() => (isTime && timer !== null ? report(false) : undefined)).catch(() => {}); // the next one tells it all
    }, LOOK_EVERY_MS);
    for (const who of streams.keys()) listen(who).catch(() => {}); // then nothing is known of how long answers take
  }

  for (const button of panel?.querySelectorAll("[data-act]") ?? []) {
    button.addEventListener("click", () => {
      setState(button.dataset.act === "allow" ? "on" : "ended");
      if (state === "on") begin();
      else stop();
    });
  }

  return {
    begin,
    finish,
    // Whose voice a stream carries: "viewer" or "replica". Returns a function that ends the listening.
    hear(who, stream) {
      streams.set(who, stream);
      listen(who).catch(() => {});
      return () => {
        if (streams.get(who) !== stream) return;
        streams.delete(who);
        deafen(who);
      };
    },
    typed() {
      if (context) answers.typed(1000 * context.currentTime);
    },
  };
}
