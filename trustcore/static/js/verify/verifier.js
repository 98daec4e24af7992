// The live verifier a page uses:
//
//   const verifier = createVerifier({ trustAnchorPem, sessionFacts: { session_id }, onVerdict });
//   const transceiver = peer.addTransceiver("video", { direction: "recvonly" });
//   verifier.attach(transceiver.receiver);            // BEFORE the offer: a late transform is silently bypassed
//   verifier.attach(soundTransceiver.receiver);       // likewise, when the page plays sound
//   await setLocalOffer(peer);                        // offer.js: key frames come whole or not at all
//   ... post the offer with a fresh viewerNonce, set the answer ...
//   await verifier.useSession({ initSegment, viewerNonce });
//   verifier.renew();                                 // a new connection: attach, offer and judge again
//
// `onVerdict` gets {state, share, counts, fresh, connections, reason, session, hide, sound}; `counts` are those of all
// connections, `fresh` those of the one at hand; state is "checking", "verified", "unattested" or
// "invalid", `share` that of the last second's pictures. `sound` is {state, share, counts, fresh, reason} of the sound, or null
// when none is attached. It proves that these encoded bytes were signed for this session; it does not prove that pixels
// or samples were left alone after decoding.

import { Invalid, fromBase64 } from "./bytes.js";
import { ChainOfTrust } from "./chain.js";
import { emptyCounts } from "./frames.js";
import { verifySession } from "./session.js";

const VENDOR_URL = new URL("../../vendor/c2pa/", import.meta.url).href;

export function isSupported() {
  return typeof RTCRtpScriptTransform === "function";
}

export function createVerifier({
  trustAnchorPem, sessionFacts = {}, onVerdict = () => {}, onKeyFrameNeeded = () => {}, vendorUrl = VENDOR_URL,
}) {
  let worker = null;
  const chain = new ChainOfTrust(vendorUrl);
  let transport = null;
  const none = () => ({ ...emptyCounts(), withheld: 0 });
  let before = { picture: none(), sound: none() }; // what earlier connections counted
  const nothing = (lane) => ({ state: "checking", share: 0, counts: { ...before[lane] }, fresh: none(), reason: "" });
  let verdict = { ...nothing("picture"), connections: 1, session: null, hide: true, sound: null };

  function tell(change) {
    verdict = { ...verdict, ...change };
    onVerdict(verdict);
  }

  function hear({ data }) {
    if (data.kind === "key-frame-needed") onKeyFrameNeeded();
    if (data.kind === "frames") {
      const { lane, counts: fresh, share, state, hide } = data;
      const counts = sumOf(before[lane], fresh);
      const told = { counts, fresh, share, state, reason: state === "verified" ? "" : data.reason };
      tell(lane === "sound" ? { sound: told, hide } : { ...told, hide });
    }
  }

  function start() {
    worker = new Worker(new URL("./transform_worker.js", import.meta.url), { type: "module" });
    worker.onmessage = hear;
    worker.onerror = () => tell({ state: "invalid", reason: "the frame verifier could not be started" });
    if (!verdict.hide) worker.postMessage({ kind: "hide", hide: false });
  }

  // With its worker go the key and the transforms: no frame of the connection before is taken any more.
  function stop() {
    worker.onmessage = worker.onerror = null;
    worker.terminate();
    transport = null;
  }

  start();

  return {
    // The receiver of the pictures, and that of the sound.
    attach(receiver) {
      const lane = receiver.track.kind === "audio" ? "sound" : "picture";
      receiver.transform = new RTCRtpScriptTransform(worker, { lane });
      if (lane === "picture") transport = () => receiver.transport;
      else tell({ sound: nothing("sound") });
    },

    // Judge the session. Resolves to {label, claimSha256, facts}; throws Invalid, and then every frame counts invalid.
    async useSession({ initSegment, viewerNonce }) {
      const init = typeof initSegment === "string" ? fromBase64(initSegment) : initSegment;
      try {
        if (!transport?.()) throw new Invalid("attach the verifier before the offer");
        const { label, claimSha256, facts, mediaStartMs, codec, key } = await verifySession({
          init, chain, trustAnchorPem, viewerNonce, expectedFacts: sessionFacts, transport: transport(),
          nowMs: Date.now(),
        });
        const { publicBytes, kid, minimumSequence, createdAtMs, validityS } = key;
        worker.postMessage({
          kind: "session",
          session: { label, codec, publicBytes, kid, minimumSequence, createdAtMs, validityS, mediaStartMs },
        });
        const session = { label, claimSha256, facts };
        tell({ session });
        return session;
      } catch (error) {
        worker.postMessage({ kind: "reject" });
        tell({ state: "invalid", reason: error instanceof Invalid ? error.message : "the session could not be checked" });
        throw error;
      }
    },

    // The connection is over, and another one will be made. What was counted stays; nothing is verified for now.
    renew() {
      stop();
      before = { picture: verdict.counts, sound: verdict.sound?.counts ?? before.sound };
      const connections = verdict.connections + 1;
      start();
      tell({ ...nothing("picture"), connections, session: null, sound: verdict.sound && nothing("sound") });
    },

    // Only the viewer's own click may call this with false.
    setHide(hide) {
      worker.postMessage({ kind: "hide", hide });
      tell({ hide });
    },

    verdict() {
      return verdict;
    },

    close() {
      stop();
      chain.close();
    },
  };
}

function sumOf(counts, fresh) {
  return Object.fromEntries(Object.keys(counts).map((name) => [name, counts[name] + (fresh[name] ?? 0)]));
}
