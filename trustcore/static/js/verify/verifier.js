// The live verifier a page uses:
//
//   const verifier = createVerifier({ trustAnchorPem, statusListUrl, sessionFacts: { session_id }, onVerdict });
//   const transceiver = peer.addTransceiver("video", { direction: "recvonly" });
//   verifier.attach(transceiver.receiver);            // BEFORE the offer: a late transform is silently bypassed
//   verifier.attach(soundTransceiver.receiver);       // likewise, when the page plays sound
//   await setLocalOffer(peer);                        // offer.js: key frames come whole or not at all
//   ... post the offer with a fresh viewerNonce, set the answer ...
//   await verifier.useSession({ initSegment, viewerNonce });
//
// `onVerdict` gets {state, share, counts, reason, session, hide, sound, signer}; state is "checking", "verified", "unattested" or
// "invalid", `share` that of the last second's pictures. `sound` is {state, share, counts, reason} of the sound, or null
// when none is attached. `signer` is how the certificate that signed the session stands by the authority's status list,
// asked for when the session begins and every minute: {state, reason, askedAtMs} with state "asking", "good", "unknown"
// (not checked; the session goes on) or "revoked" (from then on every frame counts invalid). It proves that these encoded bytes were signed for this session; it does not prove that pixels
// or samples were left alone after decoding.

import { Invalid, fromBase64 } from "./bytes.js";
import { ChainOfTrust } from "./chain.js";
import { emptyCounts } from "./frames.js";
import { verifySession } from "./session.js";

const ASK_SIGNER_EVERY_MS = 60000;
const SIGNER_REVOKED = "the certificate that signed this session was revoked";
const VENDOR_URL = new URL("../../vendor/c2pa/", import.meta.url).href;

export function isSupported() {
  return typeof RTCRtpScriptTransform === "function";
}

export function createVerifier({
  trustAnchorPem, statusListUrl = "", sessionFacts = {}, onVerdict = () => {}, onKeyFrameNeeded = () => {},
  vendorUrl = VENDOR_URL, askSignerEveryMs = ASK_SIGNER_EVERY_MS,
}) {
  const worker = new Worker(new URL("./transform_worker.js", import.meta.url), { type: "module" });
  const chain = new ChainOfTrust(vendorUrl);
  let transport = null;
  const nothing = () => ({ state: "checking", share: 0, counts: { ...emptyCounts(), withheld: 0 }, reason: "" });
  const signer = { state: "asking", reason: "", askedAtMs: 0 };
  let verdict = { ...nothing(), session: null, hide: true, sound: null, signer };
  let isClosed = false;

  function tell(change) {
    verdict = { ...verdict, ...change };
    onVerdict(verdict);
  }

  function reject(reason) {
    worker.postMessage({ kind: "reject", reason });
    tell({ state: "invalid", reason });
  }

  // Beside everything else: no picture waits for a list. One that names the signer ends the trust at once, for good.
  async function watchSigner(init) {
    while (!isClosed) {
      const told = await chain.signerStanding(init, trustAnchorPem, statusListUrl);
      if (isClosed) return;
      tell({ signer: told });
      if (told.state === "revoked") return reject(SIGNER_REVOKED);
      await new Promise((resolve) => setTimeout(resolve, askSignerEveryMs));
    }
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
        watchSigner(init);
        const { label, claimSha256, facts, codec, key } = await verifySession({
          init, chain, trustAnchorPem, viewerNonce, expectedFacts: sessionFacts, transport: transport(),
          nowMs: Date.now(),
        });
        if (verdict.signer.state === "revoked") throw new Invalid(SIGNER_REVOKED);
        const { publicBytes, kid, minimumSequence, createdAtMs, validityS } = key;
        worker.postMessage({
          kind: "session", session: { label, codec, publicBytes, kid, minimumSequence, createdAtMs, validityS },
        });
        const session = { label, claimSha256, facts };
        tell({ session });
        return session;
      } catch (error) {
        reject(error instanceof Invalid ? error.message : "the session could not be checked");
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
      isClosed = true;
      worker.terminate();
      chain.close();
    },
  };
}
