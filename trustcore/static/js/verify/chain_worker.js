// Chain of trust of a signed init segment, by the C2PA project's own reader (WebAssembly), off the main thread.
// The engine is the one inside @contentauth/c2pa-web; its own loader needs blob: workers or https, which a strict
// content security policy on a local address does not allow. It also asks whether the signer's certificate was revoked.

import { Invalid } from "./bytes.js";
import { signerCertificateOf } from "./manifest.js";
import { MAX_LIST_BYTES, StatusLists } from "./status_list.js";

const SESSION_FACTS = "org.trustcore.session";

const lists = new StatusLists();
let ready = null;

async function load(vendorUrl) {
  const engine = await import(`${vendorUrl}c2pa.js`);
  const response = await fetch(`${vendorUrl}c2pa_bg.wasm`, { integrity: engine.WASM_SRI });
  await engine.default({ module_or_path: await response.arrayBuffer() });
  await warmUp(engine);
  return engine;
}

// The browser compiles the engine's functions when they first run. Reading a sample while the viewer still reads the
// disclosure takes that out of the time to the first picture; what the sample says is looked at by nobody.
async function warmUp(engine) {
  try {
    const sample = await fetch(new URL("./sample_init.mp4", import.meta.url));
    await read(engine, new Uint8Array(await sample.arrayBuffer()), "");
  } catch {
    // Then the session's own manifest is the first that is read, as it would be without a sample.
  }
}

async function read(engine, init, trustAnchorPem) {
  const settings = {
    ...(trustAnchorPem ? { trust: { trust_anchors: trustAnchorPem } } : {}), // without an anchor nothing is Trusted
    verify: { verify_trust: true, verify_after_reading: true, ocsp_fetch: false, remote_manifest_fetch: false },
  };
  const reader = await engine.WasmReader.fromBlob(
    "video/mp4", new Blob([init], { type: "video/mp4" }), JSON.stringify(settings),
  );
  try {
    const report = JSON.parse(reader.json());
    const results = report.validation_results?.activeManifest;
    const said = report.manifests?.[report.active_manifest]?.assertions ?? [];
    return {
      state: report.validation_state,
      label: report.active_manifest,
      facts: said.filter((entry) => entry.label === SESSION_FACTS).map((entry) => entry.data),
      failures: (results?.failure ?? []).map((entry) => entry.code),
    };
  } finally {
    reader.free();
  }
}

// Fetched anew each time: what a cache holds may be older than the revocation.
async function askStatusList({ init, trustAnchorPem, statusListUrl }) {
  const certificate = signerCertificateOf(init);
  if (lists.knowsRevoked(certificate)) return { isRevoked: true };
  const response = await fetch(statusListUrl, { cache: "no-cache", credentials: "omit" });
  const isTooLong = Number(response.headers.get("Content-Length") ?? 0) > MAX_LIST_BYTES;
  if (!response.ok || isTooLong) throw new Invalid("the status list cannot be fetched");
  const list = new Uint8Array(await response.arrayBuffer());
  return { isRevoked: await lists.isRevoked(list, certificate, trustAnchorPem, Date.now()) };
}

self.onmessage = async ({ data }) => {
  if (data.vendorUrl) {
    ready = load(data.vendorUrl);
    ready.catch(() => {}); // reported with the first request
    return;
  }
  try {
    const answer = data.statusListUrl ? await askStatusList(data) : await read(await ready, data.init, data.trustAnchorPem);
    self.postMessage({ id: data.id, answer });
  } catch (error) {
    self.postMessage({ id: data.id, error: String(error?.message ?? error) });
  }
};
