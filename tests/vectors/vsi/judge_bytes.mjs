// What the browser's parsers make of given bytes, for a comparison with Python's. stdin: a JSON list of [parser, base64];
// stdout: a JSON list, one word each: what was read, or null when it was refused. usage: node judge_bytes.mjs VERIFY_DIR
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const load = (name) => import(new URL(name, pathToFileURL(`${process.argv[2]}/`)));
const { Invalid, hex, sha256 } = await load("bytes.js");
const { emsgBox, frameBoxes, parseSei, takeSei } = await load("access_unit.js");
const { decode, parseSign1 } = await load("cbor.js");
const { readSessionManifest } = await load("manifest.js");

const PARSERS = {
  // The SHA-256 of the fragment that the unit stands for: sender, recorder and both verifiers must build the very same.
  async unit(bytes) {
    const { nals, payload } = takeSei(bytes);
    if (payload === null) return "none";
    const { moof, mdat } = frameBoxes(payload.sequence, payload.mediaTime, nals);
    return hex(await sha256(Buffer.concat([emsgBox(payload.sequence, payload.cose), moof, mdat])));
  },
  sei: (bytes) => `${parseSei(bytes).sequence}`,
  cose: (bytes) => hex(parseSign1(decode(bytes, { canonical: true })).signature),
  store: async (bytes) => (await readSessionManifest(bytes)).claimSha256,
};

const told = [];
for (const [name, text] of JSON.parse(readFileSync(0, "utf8"))) {
  try {
    told.push(await PARSERS[name](new Uint8Array(Buffer.from(text, "base64"))));
  } catch (error) {
    told.push(error instanceof Invalid ? null : `crashed: ${error.stack}`.slice(0, 200));
  }
}
console.log(JSON.stringify(told));
