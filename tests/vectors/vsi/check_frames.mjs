// Runs the browser's frame verifier over the golden frames in node. Prints one JSON line; exit 1 on the first difference.
// usage: node check_frames.mjs FRAMES.json VERIFY_DIR
import { bytes, modules, suites, trusted } from "./session.mjs";

const [file, folder] = process.argv.slice(2);
const [{ FrameVerifier }, fragment, { FRAME_CODECS }, { COMPACT }, { concat, sha256 }] = await modules(
  folder, "frames.js", "fragment.js", "frame_codecs.js", "carriage.js", "bytes.js",
);

const wrong = [];
let cases = 0;
for (const suite of suites(file)) {
  const session = await trusted(suite.session);
  const { is_sound: isSound } = suite.session;
  for (const one of suite.cases) {
    const verifier = new FrameVerifier(session, { isSound });
    const got = [];
    for (const unit of one.units) got.push((await verifier.check(bytes(unit), one.now_ms)).counter);
    if (JSON.stringify(got) !== JSON.stringify(one.expect)) wrong.push({ suite: suite.name, name: one.name, got, expect: one.expect });
    cases += 1;
  }
  const { units } = suite.cases.find((one) => one.name === "good");
  for (const [index, recorded] of suite.good_fragments.entries()) {
    const codec = FRAME_CODECS[session.codec];
    const taken = codec.take(bytes(units[index]));
    const { form, sequence, mediaTime, content } = taken.carried;
    const { moof, mdat } = fragment.frameBoxes(sequence, mediaTime, taken, codec.track);
    const hash = await sha256(fragment.hashInput(moof, mdat, fragment.rebuiltCoseBytes(session, sequence)));
    const cose = form === COMPACT ? fragment.rebuildCose(session, sequence, hash, content) : content;
    const rebuilt = concat(fragment.emsgBox(sequence, cose, codec.track), moof, mdat);
    if (Buffer.compare(Buffer.from(rebuilt), Buffer.from(bytes(recorded)))) wrong.push({ suite: suite.name, name: `fragment ${index}` });
  }
}
console.log(JSON.stringify({ cases, wrong }));
process.exit(wrong.length ? 1 : 0);
