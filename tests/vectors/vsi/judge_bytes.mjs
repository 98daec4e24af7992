// What the browser's parsers make of given bytes, for a comparison with Python's. stdin: a JSON list of [parser, base64];
// stdout: a JSON list, one word each: what was read, or null when it was refused. usage: node judge_bytes.mjs VERIFY_DIR
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const load = (name) => import(new URL(name, pathToFileURL(`${process.argv[2]}/`)));
const { Invalid, hex, sha256 } = await load("bytes.js");
const { parseSei } = await load("access_unit.js");
const { COMPACT } = await load("carriage.js");
const { emsgBox, frameBoxes, hashInput, rebuildCose, rebuiltCoseBytes } = await load("fragment.js");
const { FRAME_CODECS } = await load("frame_codecs.js");
const { decode, parseSign1 } = await load("cbor.js");
const { readSessionManifest } = await load("manifest.js");

const SESSION = { label: "urn:c2pa:test", kid: new TextEncoder().encode("kkkk") };

// The SHA-256 of the fragment that a frame stands for: sender, recorder and both verifiers must build the very same.
async function fragment(codec, bytes) {
  const taken = codec.take(bytes);
  if (taken.carried === null) return "none";
  const { form, sequence, mediaTime, content } = taken.carried;
  const { moof, mdat } = frameBoxes(sequence, mediaTime, taken);
  const frameHash = async () => sha256(hashInput(moof, mdat, rebuiltCoseBytes(SESSION, sequence)));
  const cose = form === COMPACT ? rebuildCose(SESSION, sequence, await frameHash(), content) : content;
  return hex(await sha256(Buffer.concat([emsgBox(sequence, cose), moof, mdat])));
}

const PARSERS = {
  unit: (bytes) => fragment(FRAME_CODECS.h264, bytes),
  vp8: (bytes) => fragment(FRAME_CODECS.vp8, bytes),
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
