// The viewer page. Disclosure first, then connect, then only frames that verified.
//
// At page load: verifier, peer connection and its offer are prepared. When the viewer connects: the offer is posted with
// a fresh nonce, the answer and the signed session manifest come back, and the verifier judges the session before any
// frame is shown.

import { createVerifier, isSupported } from "../verify/verifier.js";
import { postOffer, prepare } from "./connection.js";
import { createEmbedding, verdictMessage } from "./embedding.js";
import { createMeasures } from "./measures.js";
import { createTalk } from "./talk.js";
import { createVerdictView } from "./verdict.js";

const LEFT_BY_VIEWER = "viewer_left";
const STATE_OF = { checking: "checking", verified: "live", partial: "live", hidden: "hidden", unverified: "live" };
const ASK_STATE_EVERY_MS = 1000;
const CONNECT_WITHIN_MS = 20000;
const STALLED_AFTER_MS = 2000;
const LOST_AFTER_MS = 10000;

const root = document.querySelector("[data-viewer]");
const settings = root.dataset;
const find = (name) => root.querySelector(`[data-part="${name}"]`);
// In a frame of another site there is no cookie: the viewer's secret goes with each call instead, and not into the DOM.
const headers = settings.viewerSecret !== undefined ? { "X-Viewer-Secret": settings.viewerSecret }
  : { "X-CSRFToken": document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? settings.csrfToken ?? "" };
delete root.dataset.viewerSecret;
const { measures, ...measure } = createMeasures();
const verdictView = createVerdictView(root);
const video = find("picture");
const sound = find("sound");
let connection = null;
let streams = [];
let isOver = false;
let lastFrameAtMs = 0;
let lastSoundAtMs = 0;

const verifier = isSupported() ? createVerifier({
  trustAnchorPem: `${find("trust-anchor").textContent.trim()}\n`,
  statusListUrl: settings.statusListUrl,
  sessionFacts: { session_id: settings.conversationId },
  onVerdict,
  onKeyFrameNeeded: () => sendChannel("key-frame"),
}) : null;

const talk = createTalk(root, { sendChannel, messageUrl: settings.messageUrl, headers, onEnded: end });
const embedding = createEmbedding(root, {
  onSize: (isSmall) => {
    sound.muted = isSmall;
    tellVerdict();
  },
  onLeave: () => { if (!isOver) leave(); },
});

// What the page around a frame is told is what the frame shows.
function tellVerdict(state = verdictView.shown(), reason = "") {
  if (!connection?.isPosted || isOver) return;
  const isSmall = root.dataset.frame === "small";
  embedding.tell("verdict", verdictMessage(verifier.verdict(), isSmall ? "hidden" : state, isSmall ? "frame_too_small" : reason));
}

function setState(state) {
  if (root.dataset.state === state) return;
  root.dataset.state = state;
  measures.state = state;
}

function isStalled() {
  return lastFrameAtMs > 0 && performance.now() - lastFrameAtMs > STALLED_AFTER_MS;
}

// The sound of a verdict with the time since its last packet came, in ms.
function heardNow(told) {
  if (told && told.counts.received > (measures.sound?.counts.received ?? 0)) lastSoundAtMs = performance.now();
  return told && { ...told, stillMs: performance.now() - lastSoundAtMs };
}

function onVerdict(told) {
  const verdict = { ...told, sound: heardNow(told.sound) };
  // Sound tells its verdicts too, and goes on when the picture does not.
  const isNewPicture = verdict.counts.received > (measures.counts?.received ?? 0);
  measures.counts = verdict.counts;
  measures.sound = verdict.sound;
  measures.verdictReason = verdict.reason;
  measures.signer = verdict.signer.state;
  if (isNewPicture) lastFrameAtMs = performance.now();
  if (isOver || isStalled()) return;
  if (verdict.counts.verified > 0) measure.verified();
  const shown = verdictView.update(verdict);
  if (connection?.isPosted) setState(shown === "checking" && verdict.counts.verified > 0 ? "live" : STATE_OF[shown]);
  tellVerdict(shown);
}

function sendChannel(text) {
  if (connection?.channel?.readyState !== "open") return false;
  connection.channel.send(text);
  return true;
}

async function prepareConnection() {
  connection = await prepare({
    attach: (receiver) => verifier.attach(receiver),
    onTrack: (picture, voice) => { streams = [new MediaStream([picture]), new MediaStream([voice])]; },
    onEvent: (data) => talk.receive(data),
    onOpen: () => measure.mark("channel_open_ms"),
    onState,
    iceServers: JSON.parse(settings.iceServers || "[]"),
  });
  measure.watch(video);
  find("connect").disabled = false;
  measures.isPrepared = true;
  embedding.tell("ready");
}

async function connect() {
  find("connect").disabled = true;
  setState("checking");
  connection.isPosted = true;
  // Not before: a media element that waits for its stream holds up the page's load event.
  [video.srcObject, sound.srcObject] = streams;
  // The click allows sound; playing is asked for while it still counts as the viewer's own act.
  video.play().catch(() => {});
  sound.play().catch(() => {});
  measure.posted();
  try {
    const answer = await postOffer(settings.offerUrl, connection, headers);
    measure.mark("post_to_answer_ms");
    await connection.peer.setRemoteDescription({ type: "answer", sdp: answer.sdp });
    const judged = verifier.useSession({ initSegment: answer.manifest_b64, viewerNonce: connection.viewerNonce });
    setTimeout(() => { if (measures.framesPresented === 0) end("not_connected"); }, CONNECT_WITHIN_MS);
    await judged;
    measure.mark("session_judged_ms");
    watchLine();
  } catch (error) {
    measures.error = String(error.message ?? error);
    if (error.code) askReason(error.code);
    else setState("hidden");
  }
}

function onState(state) {
  if (isOver || !connection?.isPosted) return;
  if (state === "connected") measure.mark("connected_ms");
  if (["failed", "closed"].includes(state)) askReason();
}

// Why the conversation is over, or "" while it is not, or nobody can be asked.
async function endedReason() {
  try {
    const response = await fetch(settings.stateUrl, { credentials: "same-origin", headers });
    const body = await response.json();
    return body.status === "ended" ? body.reason || "ended" : "";
  } catch {
    return ""; // the service cannot be reached either; the line is what was lost
  }
}

// The line went without a word, or the offer was refused.
async function askReason(otherwise = "line_lost") {
  end((await endedReason()) || otherwise);
}

function end(reason) {
  if (isOver) return;
  isOver = true;
  measures.reason = reason;
  measures.endedWallMs = Date.now();
  video.pause();
  sound.pause();
  video.srcObject = null;
  sound.srcObject = null;
  connection?.peer.close();
  verdictView.close();
  const known = root.querySelector(`[data-ending="${CSS.escape(reason)}"]`) ?? ending(reason);
  for (const text of root.querySelectorAll("[data-ending]")) text.hidden = text !== known;
  find("announce-now").textContent = known.textContent;
  find("transcript-box").open = find("transcript").children.length > 0;
  for (const control of root.querySelectorAll("[data-live-control]")) control.disabled = true;
  setState("ended");
  embedding.tell("ended", { reason });
}

// Reasons are coded "consent_withdrawn" or "grant.revoked"; the first word chooses the sentence when no own one exists.
function ending(reason) {
  const family = reason.split(/[._]/)[0];
  return root.querySelector(`[data-ending="${CSS.escape(family)}"]`) ?? root.querySelector('[data-ending="ended"]');
}

function tellLeft() {
  return fetch(settings.leaveUrl, { method: "POST", credentials: "same-origin", keepalive: true, headers }).catch(() => {});
}

function leave() {
  end(LEFT_BY_VIEWER);
  tellLeft();
}

// A picture that stands still must not go on saying "verified": it is hidden, and the service is asked what happened.
async function watchLine() {
  while (!isOver) {
    // Counted by the verifier, not by the screen: a hidden tab shows no frames and loses none.
    const stillMs = performance.now() - lastFrameAtMs;
    if (lastFrameAtMs > 0 && stillMs > LOST_AFTER_MS) return askReason();
    if (isStalled()) {
      setState("checking");
      verdictView.stall();
      tellVerdict("checking", "no_frames");
      const over = await endedReason();
      if (over) return end(over);
    }
    await new Promise((resolve) => setTimeout(resolve, ASK_STATE_EVERY_MS));
  }
  return undefined;
}

// Before the viewer connects, the slot is being prepared; the page says how far it is and when the link has gone stale.
async function watchSlot() {
  while (!isOver && !connection?.isPosted) {
    try {
      const response = await fetch(settings.stateUrl, { credentials: "same-origin", headers });
      const body = await response.json();
      root.dataset.slot = body.slot_state ?? "";
      measures.slotState = body.slot_state ?? "";
      if (body.status === "ended") return end(body.reason || "ended");
    } catch {
      root.dataset.slot = "";
    }
    await new Promise((resolve) => setTimeout(resolve, ASK_STATE_EVERY_MS));
  }
  return undefined;
}

find("connect").addEventListener("click", connect);
find("leave").addEventListener("click", leave);
window.addEventListener("pagehide", () => {
  if (connection?.isPosted && !isOver) tellLeft();
});
for (const opener of root.querySelectorAll("[data-opens]")) {
  opener.addEventListener("click", () => {
    const drawer = find("drawer");
    const isOpen = root.dataset.drawer !== "open";
    root.dataset.drawer = isOpen ? "open" : "closed";
    find("chip").setAttribute("aria-expanded", String(isOpen));
    (isOpen ? drawer : find("chip")).focus();
  });
}
// A frame has no such choice: the page around it could lay itself over the box and take the click.
find("hide")?.addEventListener("change", ({ currentTarget }) => verifier.setHide(currentTarget.checked));

if (verifier === null) {
  setState("unsupported");
} else {
  prepareConnection().catch((error) => {
    measures.error = String(error);
    setState("unsupported");
  });
  watchSlot();
}
