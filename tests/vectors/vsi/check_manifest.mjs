// Reads a signed init segment with the browser's code, in node. Prints what it found, or why it refused; always exit 0.
// usage: node check_manifest.mjs INIT.mp4 VERIFY_DIR
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [file, folder] = process.argv.slice(2);
const base = pathToFileURL(`${folder}/`);
const { readSessionManifest } = await import(new URL("manifest.js", base));
const { Invalid, hex } = await import(new URL("bytes.js", base));
try {
  const { label, claimSha256, facts, key } = await readSessionManifest(new Uint8Array(readFileSync(file)));
  console.log(JSON.stringify({
    label, claimSha256, facts, publicKey: hex(key.publicBytes), kid: hex(key.kid), createdAtMs: key.createdAtMs,
    minimumSequence: key.minimumSequence, validityS: key.validityS,
  }));
} catch (error) {
  if (!(error instanceof Invalid)) throw error;
  console.log(JSON.stringify({ refused: error.message }));
}
