// The live verifier a page uses:
//
//   const verifier = createVerifier({ trustAnchorPem, sessionFacts: { session_id }, onVerdict });
//   const transceiver = peer.addTransceiver("video", { direction: "recvonly" });
//   verifier.attach(transceiver.receiver);            // BEFORE the offer: a late transform is silently bypassed
//   verifier.attach(soundTransceiver.receiver);       // likewise, when the page plays sound
//   await setLocalOffer(peer);                        // offer.js: key frames come whole or not at all
//   ... post the offer with a fresh viewerNonce, set the answer ...
//   await verifier.useSession({ initSegment, viewerNonce });
//
// `onVerdict` gets {state, share, counts, reason, session, hide, sound}; state is "checking", "verified", "unattested" or
// "invalid", `share` that of the last second's pictures. `sound` is {state, share, counts, reason} of the sound, or null
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
  const worker = new Worker(new URL("./transform_worker.js", import.meta.url), { type: "module" });
  const chain = new ChainOfTrust(vendorUrl);
  let transport = null;
  const nothing = () => ({ state: "checking", share: 0, counts: { ...emptyCounts(), withheld: 0 }, reason: "" });
  let verdict = { ...nothing(), session: null, hide: true, sound: null };

  function tell(change) {
    verdict = { ...verdict, ...change };
    onVerdict(verdict);
  }

  worker.onmessage = ({ data }) => {
    if (data.kind === "key-frame-needed") onKeyFrameNeeded();
    if (data.kind === "frames") {
      const { lane, counts, share, state, hide } = data;
      const told = { counts, share, state, reason: state === "verified" ? "" : data.reason };
      tell(lane === "sound" ? { sound: told, hide } : { ...told, hide });
    }
  };
  worker.onerror = () => tell({ state: "invalid", reason: "the frame verifier could not be started" });

  return {
    // The receiver of the pictures, and that of the sound.
    attach(receiver) {
      const lane = receiver.track.kind === "audio" ? "sound" : "picture";
      receiver.transform = new RTCRtpScriptTransform(worker, { lane });
      if (lane === "picture") transport = () => receiver.transport;
      else tell({ sound: nothing() });
    },

    // Judge the session. Resolves to {label, claimSha256, facts}; throws Invalid, and then every frame counts invalid.
    async useSession({ initSegment, viewerNonce }) {
      const init = typeof initSegment === "string" ? fromBase64(initSegment) : initSegment;
      try {
        if (!transport?.()) throw new Invalid("attach the verifier before the offer");
        const { label, claimSha256, facts, codec, key } = await verifySession({
          init, chain, trustAnchorPem, viewerNonce, expectedFacts: sessionFacts, transport: transport(),
          nowMs: Date.now(),
        });
        const { publicBytes, kid, minimumSequence, createdAtMs, validityS } = key;
        worker.postMessage({
          kind: "session", session: { label, codec, publicBytes, kid, minimumSequence, createdAtMs, validityS },
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

    // Only the viewer's own click may call this with false.
    setHide(hide) {
      worker.postMessage({ kind: "hide", hide });
      tell({ hide });
    },

    verdict() {
      return verdict;
    },

    close() {
      worker.terminate();
      chain.close();
    },
  };
}
