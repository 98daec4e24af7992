// How long the viewer waited for an answer: from their last sound, or their typed message, to the replica's first sound.
// Pure: it is told who is loud and when, on one clock in ms.

const LEAST_SAID_MS = 150; // of the viewer's voice; a click of the tongue is no turn
const NEW_SPEECH_AFTER_MS = 300; // of the replica's silence; within less it goes on with what it was saying
const CUT_OFF_WITHIN_MS = 600; // the viewer goes on so soon after the replica began: their turn was not over
const SETTLED_AFTER_MS = 800;
const LONGEST_MS = 60000;

// {heard(who, isLoud, atMs), typed(atMs), tick(nowMs), found, cutOffs()}; `found` grows by {number, kind, ms}.
export function createAnswers() {
  const found = [];
  const viewer = { isLoud: false, sinceMs: 0, lastMs: null, saidMs: 0 };
  const replica = { isLoud: false, lastMs: -Infinity };
  let typedMs = null;
  let open = null; // the newest answer, until it is sure that the viewer's turn was over
  let cutOffs = 0;

  function begun(atMs) {
    if (viewer.isLoud || atMs - replica.lastMs < NEW_SPEECH_AFTER_MS) return;
    const isVoice = viewer.lastMs !== null && viewer.saidMs >= LEAST_SAID_MS && (typedMs === null || viewer.lastMs > typedMs);
    const askedMs = isVoice ? viewer.lastMs : typedMs;
    if (askedMs !== null && atMs >= askedMs && atMs - askedMs <= LONGEST_MS) {
      open = { kind: isVoice ? "voice" : "typed", ms: Math.round(atMs - askedMs), atMs };
    }
    typedMs = null;
    viewer.saidMs = 0;
  }

  function tick(nowMs) {
    if (open === null || nowMs - open.atMs < SETTLED_AFTER_MS) return;
    found.push({ number: found.length + 1, kind: open.kind, ms: open.ms });
    open = null;
  }

  function heard(who, isLoud, atMs) {
    tick(atMs);
    if (who === "replica") {
      if (isLoud && !replica.isLoud) begun(atMs);
      if (!isLoud) replica.lastMs = atMs;
      replica.isLoud = isLoud;
      return;
    }
    if (isLoud && !viewer.isLoud) {
      viewer.sinceMs = atMs;
      if (open?.kind === "voice" && atMs - open.atMs <= CUT_OFF_WITHIN_MS) {
        cutOffs += 1;
        open = null;
      }
    }
    if (!isLoud && viewer.isLoud) {
      viewer.saidMs += atMs - viewer.sinceMs;
      viewer.lastMs = atMs;
    }
    viewer.isLoud = isLoud;
  }

  return { heard, tick, found, cutOffs: () => cutOffs, typed: (atMs) => { typedMs = atMs; } };
}
