// Seeded random damage to golden frames and to an init segment: the browser's code may refuse, never crash, and never
// verify what was changed. Prints one JSON line. usage: node fuzz.mjs FRAMES.json INIT.mp4 VERIFY_DIR ROUNDS
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [frames, init, folder, rounds] = process.argv.slice(2);
const base = pathToFileURL(`${folder}/`);
const { FrameVerifier } = await import(new URL("frames.js", base));
const { readSessionManifest } = await import(new URL("manifest.js", base));
const { Invalid } = await import(new URL("bytes.js", base));
const { session, cases } = JSON.parse(readFileSync(frames, "utf8"));
const unhex = (text) => new Uint8Array(Buffer.from(text, "hex"));
const publicKey = await crypto.subtle.importKey("raw", unhex(session.public_key), { name: "Ed25519" }, false, ["verify"]);
const trusted = {
  label: session.label, publicKey, kid: unhex(session.kid), minimumSequence: session.minimum_sequence,
  createdAtMs: session.created_at_ms, validityS: session.validity_s,
};

let state = 12345;
function random(limit) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state % limit;
}

function damaged(bytes) {
  const copy = bytes.slice(0, random(4) === 0 ? 1 + random(bytes.length) : bytes.length);
  for (let i = 0; i <= random(3); i += 1) copy[random(copy.length)] ^= 1 << random(8);
  return copy;
}

const good = cases.find((one) => one.name === "good").units.map((unit) => new Uint8Array(Buffer.from(unit, "base64")));
const segment = new Uint8Array(readFileSync(init));
const told = { verified: 0, refused: 0, crashed: [] };
for (let i = 0; i < Number(rounds); i += 1) {
  const unit = good[i % good.length];
  const changed = damaged(unit);
  const same = Buffer.compare(Buffer.from(changed), Buffer.from(unit)) === 0;
  try {
    const verdict = await new FrameVerifier(trusted).check(changed, null);
    told[verdict.state === "verified" && !same ? "verified" : "refused"] += 1;
    await readSessionManifest(damaged(segment)).catch((error) => { if (!(error instanceof Invalid)) throw error; });
  } catch (error) {
    told.crashed.push(String(error.stack).slice(0, 300));
  }
}
console.log(JSON.stringify(told));
