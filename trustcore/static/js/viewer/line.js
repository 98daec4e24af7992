// What the line carries: which rung of the ladder the viewer gets, said in words, and how long the picture stood still.

const FROZEN_AFTER_MS = 200;
const REPORT_EVERY_MS = 1000;
const NEAR_MS = 80;
const LONGEST_WAIT_MS = 450;
const SMOOTH_FROM_FPS = 10; // below it a picture stands still by plan

// Of the time between two pictures, the part that a viewer sees as a freeze. Pure.
export function frozenMs(gapMs) {
  return gapMs > FROZEN_AFTER_MS ? gapMs : 0;
}

// The words for a rung, from the page's data attributes; "" where there is nothing to say. Pure.
export function wordsFor({ rung, why, is_top: isTop }, words) {
  if (why === "no_line") return words.noLine;
  if (why === "start" && !isTop) return ""; // every conversation begins low
  if (isTop) return rung === "full" ? "" : words.wanted;
  return words[rung] ?? "";
}

// How long pictures should wait for a packet that is sent again, in ms: on a line where one comes back quickly, not at
// all, or the answer would be seen later for nothing. Pure.
export function waitMs(roundTripMs) {
  if (!(roundTripMs > NEAR_MS)) return 0;
  return Math.min(LONGEST_WAIT_MS, Math.round(1.3 * roundTripMs + 60));
}

async function roundTripMs(peer) {
  for (const one of (await peer.getStats()).values()) {
    if (one.type === "candidate-pair" && one.nominated && one.currentRoundTripTime) return 1000 * one.currentRoundTripTime;
  }
  return 0;
}

// `send(text)` hands one message to the service.
export function createLine(root, { send, measures, peerNow }) {
  const words = root.querySelector('[data-part="line"]');
  const since = { frozen: 0, told: performance.now(), picture: 0 };
  let now = { rung: "", has_picture: true, has_sound: true, frames_per_s: 30 };
  Object.assign(measures, { rung: "", rungs: [], rungMs: {}, frozenMs: 0, watchedMs: 0, smoothFrames: 0, waitMs: 0 });

  function isSmooth() {
    return now.has_picture && now.frames_per_s >= SMOOTH_FROM_FPS && root.dataset.state === "live";
  }

  async function waitForPictures(peer) {
    if (!peer || peer.connectionState !== "connected") return;
    const wanted = waitMs(await roundTripMs(peer));
    // Each change moves the picture in time, so a little more or less is left alone.
    if (wanted <= measures.waitMs && wanted >= measures.waitMs / 2) return;
    measures.waitMs = wanted;
    const pictures = peer.getReceivers().find((receiver) => receiver.track.kind === "video");
    if (pictures && "jitterBufferTarget" in pictures) pictures.jitterBufferTarget = measures.waitMs;
  }

  function add(gapMs) {
    if (!isSmooth()) return;
    since.frozen += frozenMs(gapMs);
    measures.frozenMs += frozenMs(gapMs);
    measures.watchedMs += gapMs;
    measures.smoothFrames += 1;
  }

  setInterval(() => {
    if (now.rung === "" || root.dataset.state === "ended") return;
    const nowMs = performance.now();
    const passedMs = nowMs - since.told;
    measures.rungMs[now.rung] = (measures.rungMs[now.rung] ?? 0) + passedMs;
    const running = isSmooth() && since.picture > 0 ? frozenMs(nowMs - since.picture) : 0;
    send(`line ${Math.min(1, (since.frozen + Math.min(running, passedMs)) / passedMs).toFixed(3)}`);
    since.frozen = 0;
    since.told = nowMs;
    waitForPictures(peerNow()).catch(() => {}); // a connection that closes meanwhile needs no waiting
  }, REPORT_EVERY_MS);

  return {
    now: () => now,
    // A picture was presented.
    shown(atMs) {
      if (since.picture > 0) add(atMs - since.picture);
      since.picture = atMs;
    },
    turn(told) {
      now = told;
      since.picture = 0;
      root.dataset.rung = measures.rung = told.rung;
      measures.rungs.push(told.rung);
      words.textContent = wordsFor(told, words.dataset);
    },
  };
}
