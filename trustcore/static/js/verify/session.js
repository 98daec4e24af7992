// Does this signed init segment speak for this live session? Chain of trust, the viewer's own nonce, the clock, and
// the certificate of the live transport (hashed here, never text from the SDP, which whoever relays it can change).

import { Invalid, hex, sha256 } from "./bytes.js";
import { readSessionManifest } from "./manifest.js";

const CLOCK_SKEW_MS = 60000;
const CONNECT_TIMEOUT_MS = 30000;

export async function verifySession({ init, chain, trustAnchorPem, viewerNonce, expectedFacts = {}, transport, nowMs }) {
  const [trusted, manifest] = await Promise.all([chain.demandTrusted(init, trustAnchorPem), readSessionManifest(init)]);
  // Two parsers, one manifest: what is believed here is what the reader that checked the signature read.
  if (trusted.label !== manifest.label || sorted(trusted.facts) !== sorted([manifest.facts])) {
    throw new Invalid("the init segment's active manifest is ambiguous");
  }
  const { facts, key } = manifest;
  if (!viewerNonce || facts.viewer_nonce !== viewerNonce) throw new Invalid("this manifest was made for another viewer");
  for (const [name, value] of Object.entries(expectedFacts)) {
    if (facts[name] !== value) throw new Invalid(`this manifest names another ${name}`);
  }
  const expiresAtMs = key.createdAtMs + key.validityS * 1000;
  if (nowMs < key.createdAtMs - CLOCK_SKEW_MS || nowMs > expiresAtMs) {
    throw new Invalid("the session key is not valid at this computer's clock");
  }
  if (transport) await checkTransport(transport, facts.dtls_fingerprint);
  return manifest;
}

// JSON with the keys of every map in order.
function sorted(value) {
  if (Array.isArray(value)) return `[${value.map(sorted).join()}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${sorted(value[key])}`).join()}}`;
}

export async function checkTransport(transport, fingerprint) {
  await connected(transport);
  const [certificate] = transport.getRemoteCertificates();
  if (certificate === undefined) throw new Invalid("the live transport shows no certificate");
  const digest = hex(await sha256(new Uint8Array(certificate)));
  if (digest !== plainFingerprint(fingerprint)) throw new Invalid("the live connection is not the signed sender's");
}

// "sha-256 AA:BB:…" as lower-case hex.
function plainFingerprint(fingerprint) {
  const [algorithm, value] = String(fingerprint).trim().split(/\s+/);
  if (algorithm.toLowerCase() !== "sha-256" || !value) throw new Invalid("the manifest names no sha-256 fingerprint");
  return value.replaceAll(":", "").toLowerCase();
}

function connected(transport) {
  if (transport.state === "connected") return Promise.resolve();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Invalid("the live transport did not connect")), CONNECT_TIMEOUT_MS);
    transport.addEventListener("statechange", () => {
      if (transport.state !== "connected") return;
      clearTimeout(timer);
      resolve();
    });
  });
}
