// The viewer page. Disclosure first, then connect, then only frames that verified.
//
// At page load: verifier, peer connection and its offer are prepared. When the viewer connects: the offer is posted with
// a fresh nonce, the answer and the signed session manifest come back, and the verifier judges the session before any
// frame is shown.

import { Invalid } from "../verify/bytes.js";
import { createVerifier, isSupported } from "../verify/verifier.js";
import { postOffer, prepare } from "./connection.js";
import { createEmbedding, verdictMessage } from "./embedding.js";
import { createFigures } from "./figures/reporter.js";
import { createLine } from "./line.js";
import { createMeasures } from "./measures.js";
import { createMicrophone } from "./microphone.js";
import { createPrecall } from "./precall/panel.js";
import { createFallback, createReading } from "./reading.js";
import { createRejoin, isLost } from "./rejoin.js";
import { createTalk } from "./talk.js";
import { startTurnHints } from "./turns/hints.js";
import { createVerdictView } from "./verdict.js";

const LEFT_BY_VIEWER = "viewer_left";
const STATE_OF = { checking: "checking", verified: "live", partial: "live", hidden: "hidden", unverified: "live" };
const ASK_STATE_EVERY_MS = 1000;
const CONNECT_WITHIN_MS = 20000;
const STALLED_AFTER_MS = 2000;
const LOOK_EVERY_MS = 250;
const FLOWING_MS = 500;
const CONNECT_AGAIN_WITHIN_MS = 6000;
const FINAL_CODES = ["conversation.ended", "conversation.rejoin_refused", "conversation.join_refused"];

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
let isOver = false;
let lastFrameAtMs = 0;
let lastSoundAtMs = 0;
let lastEventAtMs = 0;
let isWatching = false;

const verifier = isSupported() ? createVerifier({
  trustAnchorPem: `${find("trust-anchor").textContent.trim()}\n`,
  statusListUrl: settings.statusListUrl,
  sessionFacts: { session_id: settings.conversationId },
  onVerdict,
  onKeyFrameNeeded: () => sendChannel("key-frame"),
}) : null;

const rejoin = createRejoin({
  ask: askState,
  connect: connectAgain,
  isOver: () => isOver,
  isFlowing: () => lastFrameAtMs > 0 && performance.now() - lastFrameAtMs < FLOWING_MS,
  withhold: () => {
    fallback.soon();
    setState("reconnecting");
    verdictView.reconnect();
    tellVerdict("checking", "reconnecting");
  },
  end: (reason) => (reason === "line_lost" ? fallback.settleOrEnd(reason) : end(reason)),
});
const reading = createReading({
  url: settings.captionsUrl, headers,
  onEvent: (text) => {
    lastEventAtMs = performance.now();
    measures.captionsRead = (measures.captionsRead ?? 0) + 1;
    talk.receive(text);
  },
  onEnded: (reason) => (reason ? end(reason) : askReason("ended")),
});
const fallback = createFallback(reading, find("try-again"), {
  mayRead: () => !isOver && root.dataset.state !== "hidden",
  settle: () => {
    root.dataset.line = "none";
    setState("live");
    verdictView.rest();
  },
  unsettle: () => { delete root.dataset.line; },
  end,
});
const figures = createFigures(root, {
  measures, url: settings.figuresUrl, headers, peerNow: () => connection?.peer,
});
const microphone = createMicrophone(root, {
  onState: (state) => { measures.microphone = state; },
  listen: listenTo,
});
const talk = createTalk(root, {
  sendChannel, messageUrl: settings.messageUrl, headers, onEnded: end, onRung, onSaid: figures.typed,
});
const line = createLine(root, { send: sendChannel, measures, peerNow: () => connection?.peer });
const embedding = createEmbedding(root, {
  onSize: (isSmall) => {
    sound.muted = isSmall;
    if (isSmall) microphone.mute();
    tellVerdict();
  },
  onLeave: () => { if (!isOver) leave(); },
  onTest: () => precall.start({ hasDevices: false }),
});
const precall = createPrecall(root, {
  headers, measures, servers: JSON.parse(settings.iceServers || "[]"), isRelayed: settings.relayOnly === "yes",
  tell: (result) => embedding.tell("precall", result),
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

// When something of what the rung carries came last. A rung without picture has sound, and one without either its events.
function lastSignAtMs() {
  const { has_picture: hasPicture, has_sound: hasSound } = line.now();
  if (hasPicture || lastFrameAtMs === 0) return lastFrameAtMs;
  return Math.max(lastFrameAtMs, hasSound ? lastSoundAtMs : lastEventAtMs);
}

function isStalled() {
  return lastSignAtMs() > 0 && performance.now() - lastSignAtMs() > STALLED_AFTER_MS;
}

// The service changed what it sends. Whatever comes next is given the time that a first frame has.
function onRung(told) {
  const before = line.now();
  line.turn(told);
  if (told.has_picture && !before.has_picture) lastFrameAtMs = performance.now();
  if (told.has_sound && !before.has_sound) lastSoundAtMs = performance.now();
  if (connection?.isPosted && !told.has_picture && !told.has_sound) verdictView.rest();
}

// The sound of a verdict with the time since its last packet came, in ms.
function heardNow(told) {
  if (told && told.counts.received > (measures.sound?.counts.received ?? 0)) lastSoundAtMs = performance.now();
  return told && { ...told, stillMs: performance.now() - lastSoundAtMs };
}

function onVerdict(told) {
  const verdict = { ...told, sound: heardNow(told.sound), carries: line.now() };
  // Sound tells its verdicts too, and goes on when the picture does not.
  const isNewPicture = verdict.counts.received > (measures.counts?.received ?? 0);
  measures.counts = verdict.counts;
  measures.fresh = verdict.fresh;
  measures.connections = verdict.connections;
  measures.sound = verdict.sound;
  measures.verdictReason = verdict.reason;
  measures.signer = verdict.signer.state;
  if (isNewPicture) lastFrameAtMs = performance.now();
  if (isOver || isStalled() || (rejoin.isBusy() && verdict.fresh.received === 0)) return;
  if (verdict.counts.verified > 0) measure.verified();
  const shown = verdictView.update(verdict);
  if (connection?.isPosted) setState(shown === "checking" && verdict.fresh.verified > 0 ? "live" : STATE_OF[shown]);
  tellVerdict(shown);
}

function sendChannel(text) {
  if (connection?.channel?.readyState !== "open") return false;
  connection.channel.send(text);
  return true;
}

// Two listen to the viewer's own voice: what tells ends of turns, and what tells how long an answer took.
async function listenTo(track) {
  const stream = new MediaStream([track]);
  const unhear = figures.hear("viewer", stream);
  const unhint = await startTurnHints(stream, { weightsUrl: settings.turnWeightsUrl, send: sendHint }).catch(() => () => {});
  return () => {
    unhear();
    unhint();
  };
}

function sendHint(text) {
  if (sendChannel(text)) measures.turnHints = (measures.turnHints ?? 0) + 1;
}

async function prepareConnection() {
  const made = { stateSinceMs: performance.now(), isClosed: false };
  const isMine = () => made === connection && !isOver;
  Object.assign(made, await prepare({
    attach: (receiver) => verifier.attach(receiver),
    onTrack: (picture, voice) => { made.streams = [new MediaStream([picture]), new MediaStream([voice])]; },
    onEvent: (data) => {
      lastEventAtMs = performance.now();
      if (isMine()) reading.had(talk.receive(data));
    },
    onOpen: () => measure.mark("channel_open_ms"),
    onState: (state) => { if (isMine()) noteState(made, state); },
    iceServers: JSON.parse(settings.iceServers || "[]"),
    isRelayed: settings.relayOnly === "yes",
  }));
  return made;
}

function noteState(made, state) {
  made.stateSinceMs = performance.now();
  if (state === "closed") made.isClosed = true;
  if (state === "connected") measure.mark("connected_ms");
}

async function connect() {
  precall.stop();
  find("connect").disabled = true;
  setState("checking");
  measure.posted();
  if (await offer()) watchLine();
  else watchEnd();
}

// A session that is not trusted is not watched, but its end is told: the worker's own word of it may come too soon to be
// heard, and no line is made again here that would ask.
async function watchEnd() {
  while (!isOver) {
    const over = await endedReason();
    if (over) end(over);
    await new Promise((resolve) => setTimeout(resolve, ASK_STATE_EVERY_MS));
  }
}

// Post the offer of the connection at hand and have its session judged. Resolves to whether it stands.
async function offer() {
  connection.isPosted = true;
  rejoin.posted(connection.viewerNonce);
  // Not before: a media element that waits for its stream holds up the page's load event.
  [video.srcObject, sound.srcObject] = connection.streams;
  // The click allows sound; playing is asked for while it still counts as the viewer's own act.
  video.play().catch(() => {});
  sound.play().catch(({ name }) => { find("sound-on").hidden = name !== "NotAllowedError"; });
  figures.begin();
  figures.hear("replica", connection.streams[1]);
  try {
    const answer = await postOffer(settings.offerUrl, connection, headers);
    measure.mark("post_to_answer_ms");
    await connection.peer.setRemoteDescription({ type: "answer", sdp: answer.sdp });
    microphone.use(connection.voice);
    const judged = verifier.useSession({ initSegment: answer.manifest_b64, viewerNonce: connection.viewerNonce });
    if (!rejoin.isBusy()) {
      fallback.soon();
      setTimeout(() => { if (!isOver && measures.framesPresented === 0) fallback.settleOrEnd("not_connected"); }, CONNECT_WITHIN_MS);
    }
    await (rejoin.isBusy() ? within(judged, CONNECT_AGAIN_WITHIN_MS) : judged);
    measure.mark("session_judged_ms");
    fallback.stop();
    lastFrameAtMs = performance.now();
    return true;
  } catch (error) {
    measures.error = String(error.message ?? error);
    if (error instanceof Invalid) setState("hidden"); // it stands, and is not trusted: another try changes nothing
    else if (rejoin.isBusy() && !FINAL_CODES.includes(error.code)) return false;
    else if (error.code) await askReason(error.code);
    else setState("hidden");
    return rejoin.isBusy();
  }
}

async function tryAgain() {
  fallback.resume();
  await rejoin.run();
  watchLine();
}

function within(promise, limitMs) {
  const late = new Promise((resolve, reject) => setTimeout(() => reject(new Error("no line in time")), limitMs));
  return Promise.race([promise, late]);
}

// A new connection in place of the one at hand, which is closed first: only one is live at any time.
async function connectAgain() {
  if (connection.isPosted) {
    connection.peer.close();
    verifier.renew();
    lastFrameAtMs = 0;
    connection = await prepareConnection();
  }
  return offer();
}

// What the service says of the session, or null when it cannot be asked; then the line is what was lost.
async function askState() {
  try {
    const response = await fetch(settings.stateUrl, { credentials: "same-origin", headers });
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

// Why the conversation is over, or "" while it is not, or nobody can be asked.
async function endedReason() {
  const told = await askState();
  return told?.status === "ended" ? told.reason || "ended" : "";
}

// The offer was refused.
async function askReason(otherwise) {
  end((await endedReason()) || otherwise);
}

function end(reason) {
  if (isOver) return;
  isOver = true;
  fallback.stop();
  figures.finish();
  microphone.end();
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
  if (known.dataset.title) find("ended-title").textContent = known.dataset.title;
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
// A line that is lost is made again.
async function watchLine() {
  if (isWatching) return;
  isWatching = true;
  let askedAtMs = 0;
  while (!isOver) {
    const nowMs = performance.now();
    // Counted by the verifier, not by the screen: a hidden tab shows no frames and loses none.
    const stillMs = lastSignAtMs() > 0 ? nowMs - lastSignAtMs() : 0;
    const state = connection.isClosed ? "closed" : connection.peer.connectionState;
    if (!fallback.isSettled() && isLost(state, nowMs - connection.stateSinceMs, stillMs)) await rejoin.run();
    else if (!fallback.isSettled() && isStalled() && nowMs - askedAtMs > ASK_STATE_EVERY_MS) {
      askedAtMs = nowMs;
      setState("checking");
      verdictView.stall();
      tellVerdict("checking", "no_frames");
      const over = await endedReason();
      if (over) end(over);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

// Before the viewer connects, the slot is being prepared; the page says how far it is and when the link has gone stale.
// Where this viewer's conversation is live already, this page was loaded again, and goes on without being asked.
async function watchSlot(prepared) {
  while (!isOver && !connection?.isPosted) {
    const told = await askState();
    root.dataset.slot = measures.slotState = told?.slot_state ?? "";
    if (told?.status === "ended") return end(told.reason || "ended");
    if (told?.state === "live" && !connection?.isPosted) return joinAgain(prepared);
    await new Promise((resolve) => setTimeout(resolve, ASK_STATE_EVERY_MS));
  }
  return undefined;
}

async function joinAgain(prepared) {
  find("connect").disabled = true;
  setState("reconnecting");
  await prepared;
  measure.posted();
  await rejoin.run();
  watchLine();
}

// Where perception may be asked for, its panel has a few words to send; elsewhere nobody dispatches this.
root.addEventListener("trustcore:send", ({ detail }) => sendChannel(detail));
find("connect").addEventListener("click", connect);
find("leave").addEventListener("click", leave);
find("try-again").addEventListener("click", tryAgain);
// A page that is loaded again finds its conversation waiting for some seconds; in a frame its secret is gone with it.
window.addEventListener("pagehide", () => {
  figures.finish();
  if (embedding.isEmbedded && connection?.isPosted && !isOver) tellLeft();
  connection?.peer.close();
});
find("sound-on").addEventListener("click", ({ currentTarget }) => {
  currentTarget.hidden = true;
  sound.play().catch(() => {});
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
  const prepared = prepareConnection().then((made) => {
    connection = made;
    measure.watch(video, line.shown);
    find("connect").disabled = root.dataset.state !== "ready";
    measures.isPrepared = true;
    embedding.tell("ready");
  }).catch((error) => {
    measures.error = String(error);
    setState("unsupported");
  });
  watchSlot(prepared);
}
