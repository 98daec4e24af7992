// What the page in a frame tells the page around it: that it is ready, what a test of the line found, each verdict, and
// the end. Nothing else: not what is said, not a picture. It is told to one origin, which has to be on the list that the
// service put into the page; and the other side may ask for two things only: to leave, and to test the network.

export const SOURCE = "trustcore-player";
const VERSION = 1;
// Below this the disclosure and the verdict cannot be read, and a picture without them is not shown.
const MIN_WIDTH_PX = 240;
const MIN_HEIGHT_PX = 240;

// The origin of the page around this one, if it is on the list; else "".
export function parentOrigin(listed, ancestorOrigins, referrer) {
  let origin = ancestorOrigins?.[0] ?? "";
  if (!origin) {
    try {
      origin = new URL(referrer).origin;
    } catch {
      return "";
    }
  }
  return listed.split(" ").includes(origin) ? origin : "";
}

// {state, share, counts, session, signer, reason} as a parent gets it, from the verifier's verdict and what the page shows.
export function verdictMessage(verdict, state, reason) {
  const { share, counts, session, signer } = verdict;
  return {
    state, share, reason: reason || verdict.reason, counts: { ...counts }, signer: signer.state,
    session: session && { manifest: session.label, claim_sha256: session.claimSha256 },
  };
}

export function createEmbedding(root, { onSize = () => {}, onLeave = () => {}, onTest = () => {} } = {}) {
  if (root.dataset.embedOrigins === undefined) return { isEmbedded: false, tell() {} };
  const target = parentOrigin(root.dataset.embedOrigins, location.ancestorOrigins, document.referrer);

  function tell(type, properties = {}) {
    if (target === "") return;
    const id = root.dataset.conversationId ?? "";
    window.parent.postMessage({ source: SOURCE, v: VERSION, type, conversation_id: id, ...properties }, target);
  }

  window.addEventListener("message", ({ source, origin, data }) => {
    if (source !== window.parent || target === "" || origin !== target) return;
    if (data?.source !== SOURCE) return;
    if (data.type === "leave") onLeave();
    if (data.type === "test") onTest();
  });

  const disclosure = root.querySelector(".viewer-disclosure");
  const watcher = new ResizeObserver(() => {
    // The drawer may lie over everything but the sentence that says what one is looking at.
    const bottom = disclosure?.getBoundingClientRect().bottom ?? 0;
    root.style.setProperty("--below-disclosure", `${Math.ceil(bottom)}px`);
    const isSmall = window.innerWidth < MIN_WIDTH_PX || window.innerHeight < MIN_HEIGHT_PX;
    if (root.dataset.frame === (isSmall ? "small" : "fits")) return;
    root.dataset.frame = isSmall ? "small" : "fits";
    onSize(isSmall);
  });
  watcher.observe(document.documentElement);
  if (disclosure) watcher.observe(disclosure);
  history.replaceState(null, "", location.pathname); // the link in the address is used up
  return { isEmbedded: true, tell };
}
