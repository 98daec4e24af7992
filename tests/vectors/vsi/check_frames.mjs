// Runs the browser's frame verifier over the golden frames in node. Prints one JSON line; exit 1 on the first difference.
// usage: node check_frames.mjs FRAMES.json VERIFY_DIR
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [file, folder] = process.argv.slice(2);
const base = pathToFileURL(`${folder}/`);
const { FrameVerifier } = await import(new URL("frames.js", base));
const { emsgBox, frameBoxes, takeSei } = await import(new URL("access_unit.js", base));
const { concat } = await import(new URL("bytes.js", base));
const vectors = JSON.parse(readFileSync(file, "utf8"));
const bytes = (text) => new Uint8Array(Buffer.from(text, "base64"));
const unhex = (text) => new Uint8Array(Buffer.from(text, "hex"));

const { session } = vectors;
const publicKey = await crypto.subtle.importKey("raw", unhex(session.public_key), { name: "Ed25519" }, false, ["verify"]);
const trusted = {
  label: session.label, publicKey, kid: unhex(session.kid), minimumSequence: session.minimum_sequence,
  createdAtMs: session.created_at_ms, validityS: session.validity_s,
};

const wrong = [];
for (const one of vectors.cases) {
  const verifier = new FrameVerifier(trusted);
  const got = [];
  for (const unit of one.units) got.push((await verifier.check(bytes(unit), one.now_ms)).counter);
  if (JSON.stringify(got) !== JSON.stringify(one.expect)) wrong.push({ name: one.name, got, expect: one.expect });
}
const units = vectors.cases.find((one) => one.name === "good").units;
vectors.good_fragments.forEach((fragment, index) => {
  const { nals, payload } = takeSei(bytes(units[index]));
  const { moof, mdat } = frameBoxes(payload.sequence, payload.mediaTime, nals);
  const rebuilt = concat(emsgBox(payload.sequence, payload.cose), moof, mdat);
  if (Buffer.compare(Buffer.from(rebuilt), Buffer.from(bytes(fragment)))) wrong.push({ name: `fragment ${index}` });
});
console.log(JSON.stringify({ cases: vectors.cases.length, wrong }));
process.exit(wrong.length ? 1 : 0);
