// Seeded random damage to golden frames and to an init segment: the browser's code may refuse, never crash, and never
// verify what was changed. Prints one JSON line. usage: node fuzz.mjs FRAMES.json INIT.mp4 VERIFY_DIR ROUNDS
import { readFileSync } from "node:fs";
import { bytes, modules, suites, trusted } from "./session.mjs";

const [frames, init, folder, rounds] = process.argv.slice(2);
const [{ FrameVerifier }, { readSessionManifest }, { Invalid }] = await modules(
  folder, "frames.js", "manifest.js", "bytes.js",
);
const good = [];
for (const suite of suites(frames)) {
  const session = await trusted(suite.session);
  const { units } = suite.cases.find((one) => one.name === "good");
  good.push(...units.map((unit) => ({ session, isSound: suite.session.is_sound, unit: bytes(unit) })));
}

let state = 12345;
function random(limit) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state % limit;
}

function damaged(whole) {
  const copy = whole.slice(0, random(4) === 0 ? 1 + random(whole.length) : whole.length);
  for (let i = 0; i <= random(3); i += 1) copy[random(copy.length)] ^= 1 << random(8);
  return copy;
}

const segment = new Uint8Array(readFileSync(init));
const told = { verified: 0, refused: 0, crashed: [] };
for (let i = 0; i < Number(rounds); i += 1) {
  const { session, isSound, unit } = good[i % good.length];
  const changed = damaged(unit);
  const same = Buffer.compare(Buffer.from(changed), Buffer.from(unit)) === 0;
  try {
    const verdict = await new FrameVerifier(session, { isSound }).check(changed, null);
    told[verdict.state === "verified" && !same ? "verified" : "refused"] += 1;
    await readSessionManifest(damaged(segment)).catch((error) => { if (!(error instanceof Invalid)) throw error; });
  } catch (error) {
    told.crashed.push(String(error.stack).slice(0, 300));
  }
}
console.log(JSON.stringify(told));
