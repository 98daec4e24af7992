// Seeded damage to the browser's parsers one by one: access unit and SEI, CBOR and COSE, boxes and JUMBF of an init
// segment. Each may refuse with Invalid; what it accepts must stand for exactly those bytes. Prints one JSON line.
// usage: node fuzz_parsers.mjs FRAMES.json INIT.mp4 VERIFY_DIR ROUNDS
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { bytes as unbase64, suites } from "./session.mjs";

const [frames, init, folder, rounds] = process.argv.slice(2);
const load = (name) => import(new URL(name, pathToFileURL(`${folder}/`)));
const { Invalid, concat, equal, u32 } = await load("bytes.js");
const { splitAnnexB, parseSei, takeSei } = await load("access_unit.js");
const { FULL } = await load("carriage.js");
const { FRAME_CODECS } = await load("frame_codecs.js");
const { decode, parseSign1 } = await load("cbor.js");
const { readSessionManifest } = await load("manifest.js");

let state = 2463534242;
function random(limit) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % limit;
}

// One to three steps: flip, cut, duplicate, splice, or set a length field to an extreme.
const EXTREMES = [0, 1, 7, 8, 255, 0x7fffffff, 0xffffffff];
function damaged(sample, other) {
  let bytes = sample.slice();
  for (let left = 1 + random(3); left > 0 && bytes.length > 0; left -= 1) {
    const at = random(bytes.length);
    const piece = bytes.slice(at, at + 1 + random(64));
    const steps = [
      () => { bytes[at] ^= 1 << random(8); },
      () => { bytes = concat(bytes.slice(0, at), bytes.slice(at + piece.length)); },
      () => { bytes = concat(bytes.slice(0, at), piece, bytes.slice(at)); },
      () => { bytes = concat(bytes.slice(0, at), other.slice(random(other.length)).slice(0, 64), bytes.slice(at)); },
      () => { bytes.set(u32(EXTREMES[random(EXTREMES.length)]).slice(0, bytes.length - at), at); },
      () => { bytes = bytes.slice(0, at); },
    ];
    steps[random(steps.length)]();
  }
  return bytes;
}

// The one canonical encoding of what `decode` gives.
function head(major, value) {
  if (value < 24) return Uint8Array.of((major << 5) | value);
  if (value < 256) return Uint8Array.of((major << 5) | 24, value);
  if (value < 65536) return Uint8Array.of((major << 5) | 25, value >> 8, value);
  if (value < 2 ** 32) return concat(Uint8Array.of((major << 5) | 26), u32(value));
  return concat(Uint8Array.of((major << 5) | 27), u32(Math.floor(value / 2 ** 32)), u32(value % 2 ** 32));
}
function encode(value) {
  if (typeof value === "number") return value >= 0 ? head(0, value) : head(1, -1 - value);
  if (value instanceof Uint8Array) return concat(head(2, value.length), value);
  if (typeof value === "string") {
    const text = new TextEncoder().encode(value);
    return concat(head(3, text.length), text);
  }
  if (Array.isArray(value)) return concat(head(4, value.length), ...value.map(encode));
  if (value instanceof Map) return concat(head(5, value.size), ...[...value].flat().map(encode));
  if (value === false || value === true || value === null) return Uint8Array.of({ false: 0xf4, true: 0xf5, null: 0xf6 }[value]);
  return concat(head(6, value.tag), encode(value.value));
}

const goodUnits = (codec) => suites(frames)
  .filter(({ session }) => session.codec === codec)
  .flatMap((suite) => suite.cases.find((one) => one.name === "good").units.map(unbase64));
const units = goodUnits("h264");
const trailers = goodUnits("vp8");
const seis = units.flatMap((unit) => splitAnnexB(unit).filter((nal) => takeSei(concat(u32(1), nal)).carried !== null));
const coses = seis.map((nal) => parseSei(nal)).filter(({ form }) => form === FULL).map(({ content }) => content);
const segment = new Uint8Array(readFileSync(init));
const storeAt = Buffer.from(segment).indexOf(Buffer.from("d8fec3d61b0e483c92975828877ec481", "hex")) - 8;
const store = segment.slice(storeAt);

const PARSERS = {
  unit: [units, (bytes) => { takeSei(bytes); }],
  trailer: [trailers, (bytes) => { FRAME_CODECS.vp8.take(bytes); }],
  sei: [seis, (bytes) => { parseSei(bytes); }],  // compares with the one form by itself
  cbor: [coses, (bytes) => {
    const value = decode(bytes, { canonical: true });
    if (!equal(encode(value), bytes)) throw new Error("another spelling was accepted");
    parseSign1(value);
  }],
  store: [[store], async (bytes) => { await readSessionManifest(bytes); }],
};

const told = {};
for (const [name, [samples, parse]] of Object.entries(PARSERS)) {
  told[name] = { accepted: 0, refused: 0, crashed: [] };
  for (let i = 0; i < Number(rounds); i += 1) {
    const bytes = i === 0 ? samples[0] : damaged(samples[i % samples.length], samples[random(samples.length)]);
    try {
      await parse(bytes);
      told[name].accepted += 1;
    } catch (error) {
      if (error instanceof Invalid) told[name].refused += 1;
      else told[name].crashed.push(`${error.stack}`.slice(0, 300) + Buffer.from(bytes.slice(0, 200)).toString("hex"));
    }
  }
}
console.log(JSON.stringify(told));
