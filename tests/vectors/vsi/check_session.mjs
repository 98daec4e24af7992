// Judges an init segment for a live session with the browser's code, in node. The chain of trust and the transport are
// given: their own tests run in Chromium. usage: node check_session.mjs INIT.mp4 VERIFY_DIR OPTIONS_JSON
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [file, folder, options] = process.argv.slice(2);
const base = pathToFileURL(`${folder}/`);
const { verifySession } = await import(new URL("session.js", base));
const { Invalid } = await import(new URL("bytes.js", base));
const { readSessionManifest } = await import(new URL("manifest.js", base));
const { label, viewerNonce, expectedFacts, nowMs, certificate, failChain, otherFacts } = JSON.parse(options);

const chain = {
  async demandTrusted() {
    if (failChain) throw new Invalid("session manifest is not trusted");
    return { label, facts: [otherFacts ?? (await readSessionManifest(new Uint8Array(readFileSync(file)))).facts] };
  },
};
const transport = certificate === undefined ? null : {
  state: "connected",
  getRemoteCertificates: () => (certificate === null ? [] : [new Uint8Array(Buffer.from(certificate, "hex")).buffer]),
};
try {
  const session = await verifySession({
    init: new Uint8Array(readFileSync(file)), chain, trustAnchorPem: "", viewerNonce, expectedFacts, transport,
    nowMs: nowMs ?? Date.now(),
  });
  console.log(JSON.stringify({ label: session.label }));
} catch (error) {
  if (!(error instanceof Invalid)) throw error;
  console.log(JSON.stringify({ refused: error.message }));
}
