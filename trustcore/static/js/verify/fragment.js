// The one-sample fragment that a frame stands for, and the attestation over it. Mirrors provenance/manifests/fmp4.py and
// attest.py: the receiver must rebuild the very bytes that the sender signed.

import { ascii, concat, equal, u32, u64 } from "./bytes.js";
import { assembleSign1, encodeBytes, encodeList, encodeMap, encodeText, encodeUint } from "./cbor.js";

export const TIMESCALE = 90000;
// Which track a fragment belongs to. The id is under every signature, so no sound can pass as a picture.
export const PICTURE = { id: 1, duration: 3000 };
export const SOUND = { id: 2, duration: 1800 };
const SCHEME_URI = ascii("urn:c2pa:verifiable-segment-info");
const EMSG_URI_OFFSET = 12;
const EMSG_HEAD_BYTES = 66;
const MOOF_BYTES = 100;

function box(kind, ...contents) {
  const content = concat(...contents);
  return concat(u32(8 + content.length), ascii(kind), content);
}

function moofBox(sequence, mediaTime, sampleBytes, isKey, track) {
  const flags = isKey ? 0x02000000 : 0x01010000;
  const trun = box("trun", u32(0x701), u32(1), u32(MOOF_BYTES + 8), u32(track.duration), u32(sampleBytes), u32(flags));
  const tfdt = box("tfdt", u32(0x01000000), u64(mediaTime));
  const traf = box("traf", box("tfhd", u32(0x020000), u32(track.id)), tfdt, trun);
  return box("moof", box("mfhd", u32(0), u32(sequence)), traf);
}

// The fragment (moof, mdat) that a frame maps to.
export function frameBoxes(sequence, mediaTime, { sample, isKey }, track = PICTURE) {
  return { moof: moofBox(sequence, mediaTime, sample.length, isKey, track), mdat: box("mdat", sample) };
}

// What the frame hash covers: moof and mdat, each behind its 8-byte offset counted from the start of the emsg.
export function hashInput(moof, mdat, coseBytes) {
  const emsgBytes = EMSG_HEAD_BYTES + coseBytes;
  return concat(u64(emsgBytes), moof, u64(emsgBytes + moof.length), mdat);
}

// The emsg box, for a recorder or an independent validator that wants the whole fragment.
export function emsgBox(sequence, cose, track = PICTURE) {
  return box(
    "emsg", u32(0), SCHEME_URI, Uint8Array.of(0), ascii("fseg"), Uint8Array.of(0), u32(TIMESCALE), u32(0),
    u32(track.duration), u32(sequence), cose,
  );
}

export function isOurExclusion(exclusions) {
  if (!Array.isArray(exclusions) || exclusions.length !== 1 || !(exclusions[0] instanceof Map)) return false;
  const [only] = exclusions;
  const data = only.get("data");
  if (only.size !== 2 || only.get("xpath") !== "/emsg" || !Array.isArray(data) || data.length !== 1) return false;
  const [where] = data;
  return where instanceof Map && where.size === 2 && where.get("offset") === EMSG_URI_OFFSET
    && where.get("value") instanceof Uint8Array && equal(where.get("value"), SCHEME_URI);
}

// The exclusion as every frame's hash names it, in canonical CBOR. Map keys stand in canonical order: shorter ones first.
const EXCLUSIONS = encodeList([encodeMap([
  ["data", encodeList([encodeMap([["value", encodeBytes(SCHEME_URI)], ["offset", encodeUint(EMSG_URI_OFFSET)]])])],
  ["xpath", encodeText("/emsg")],
])]);

// `segment-info-map` of section 19.4.
function segmentInfo(sequence, hash, label) {
  const bmffHash = encodeMap([
    ["alg", encodeText("sha256")], ["hash", encodeBytes(hash)], ["exclusions", EXCLUSIONS],
  ]);
  return encodeMap([
    ["bmffHash", bmffHash], ["manifestId", encodeText(label)], ["sequenceNumber", encodeUint(sequence)],
  ]);
}

// The COSE_Sign1 that a compact attestation stands for, once the frame's hash is known. Checks no signature.
export function rebuildCose({ label, kid }, sequence, hash, signature) {
  return assembleSign1(segmentInfo(sequence, hash, label), kid, signature);
}

// Its length, which the hash covers: it depends on the frame number's width only.
export function rebuiltCoseBytes(session, sequence) {
  const width = encodeUint(sequence).length;
  const known = lengths.get(session) ?? new Map();
  lengths.set(session, known);
  if (!known.has(width)) {
    known.set(width, rebuildCose(session, sequence, new Uint8Array(32), new Uint8Array(64)).length);
  }
  return known.get(width);
}

const lengths = new WeakMap(); // session -> width of a frame number -> length
