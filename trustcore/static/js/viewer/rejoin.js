// A page that lost its line, or was loaded again, connects again: when, how often, and when not.

export const LOST_AFTER_MS = 1500; // a line that stutters is left alone this long
export const STILL_AFTER_MS = 4000; // no frame for this long, though the line seems to be there
export const GIVE_UP_AFTER_MS = 15000; // the service waits no longer either (rendering/protocol.py)
const FIRST_PAUSE_MS = 1000; // the service takes one offer a second
const LONGEST_PAUSE_MS = 4000;

const GONE = ["disconnected", "failed", "closed"];

// Is the line lost? `sinceMs`: how long the connection has been in this state; `stillMs`: since the last frame came.
export function isLost(state, sinceMs, stillMs) {
  return (GONE.includes(state) && sinceMs >= LOST_AFTER_MS) || stillMs >= STILL_AFTER_MS;
}

// How long to wait before try number `tries` (0 is the first). They grow, so that a service that is busy gets no more.
export function pauseMs(tries) {
  return tries === 0 ? 0 : Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (tries - 1));
}

// May it be tried again `sinceMs` after the line was lost?
export function mayTry(sinceMs) {
  return sinceMs < GIVE_UP_AFTER_MS;
}

// Makes connections until one stands. `page` does the work: `ask()` resolves to what the service says of the session, or
// null; `connect()` makes a connection and resolves to whether it stands; `isFlowing()`; `withhold()`; `end(reason)`.
export function createRejoin(page, nowMs = () => performance.now()) {
  const known = new Set(); // nonces of this page's offers, and of the one before it
  let isBusy = false;

  // Another offer than ours is the newest: another tab of this viewer went on, and takes no two.
  function isElsewhere({ viewer_nonce: newest }, isFirst) {
    if (isFirst && known.size === 0) known.add(newest);
    return Boolean(newest) && !known.has(newest);
  }

  async function attempt(isFirst) {
    const told = await page.ask();
    if (told === null) return false;
    if (told.status === "ended") page.end(told.reason || "ended");
    else if (isElsewhere(told, isFirst)) page.end("moved");
    else return page.connect();
    return true;
  }

  return {
    posted: (nonce) => known.add(nonce),
    isBusy: () => isBusy,
    async run() {
      if (isBusy) return;
      isBusy = true;
      const lostAtMs = nowMs();
      try {
        for (let tries = 0; !page.isOver(); tries += 1) {
          await new Promise((resolve) => setTimeout(resolve, pauseMs(tries)));
          if (page.isOver() || page.isFlowing()) return;
          if (!mayTry(nowMs() - lostAtMs)) {
            page.end("line_lost");
            return;
          }
          page.withhold();
          if (await attempt(tries === 0)) return;
        }
      } finally {
        isBusy = false;
      }
    },
  };
}
