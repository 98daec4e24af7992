// H.264 access units and the SEI that carries a frame's attestation. Mirrors provenance/manifests/sei.py and fmp4.py:
// the receiver must rebuild the very bytes that the sender signed.

import { Invalid, ascii, concat, equal, readU32, readU64, u32, u64 } from "./bytes.js";

// uuid5(NAMESPACE_URL, "urn:trustcore:vsi-over-webrtc:1")
export const PROFILE_UUID = Uint8Array.from(
  [0xe4, 0xdd, 0xa0, 0x3b, 0x9d, 0xd1, 0x55, 0x2c, 0x80, 0x1d, 0xe2, 0x56, 0x4f, 0x21, 0x31, 0x6b],
);
export const TIMESCALE = 90000;
const FRAME_DURATION = 3000;
const SCHEME_URI = ascii("urn:c2pa:verifiable-segment-info");
const EMSG_URI_OFFSET = 12;
const EMSG_HEAD_BYTES = 66;
const MOOF_BYTES = 100;
const MAX_ACCESS_UNIT_BYTES = 4 * 1024 * 1024;
const NAL_IDR = 5;
const NAL_SEI = 6;

// NAL units without start codes and without the zeros before a start code.
export function splitAnnexB(unit) {
  if (unit.length > MAX_ACCESS_UNIT_BYTES) throw new Invalid("access unit too large");
  const starts = [];
  for (let i = unit.indexOf(1, 2); i !== -1; i = unit.indexOf(1, i + 1)) {
    if (unit[i - 1] === 0 && unit[i - 2] === 0) starts.push(i - 2);
  }
  if (starts.length === 0) throw new Invalid("no start code");
  for (let i = 0; i < starts[0]; i += 1) if (unit[i] !== 0) throw new Invalid("bytes before the first start code");
  return starts.map((start, index) => {
    let end = index + 1 < starts.length ? starts[index + 1] : unit.length;
    while (end > start + 3 && unit[end - 1] === 0) end -= 1;
    if (end === start + 3) throw new Invalid("empty NAL unit");
    return unit.subarray(start + 3, end);
  });
}

export function addEmulationPrevention(rbsp) {
  const out = new Uint8Array(rbsp.length + (rbsp.length >> 1) + 1);
  let zeros = 0;
  let at = 0;
  for (const byte of rbsp) {
    if (zeros === 2 && byte <= 3) {
      out[at] = 3;
      at += 1;
      zeros = 0;
    }
    out[at] = byte;
    at += 1;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return out.slice(0, at);
}

export function removeEmulationPrevention(nal) {
  const out = new Uint8Array(nal.length);
  let zeros = 0;
  let at = 0;
  for (const byte of nal) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    out[at] = byte;
    at += 1;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return out.slice(0, at);
}

function messageBody(message) {
  if (message.length === 0 || message[0] !== 5) return null;
  let at = 1;
  while (at < message.length && message[at] === 0xff) at += 1;
  if (at >= message.length) return null;
  return { start: at + 1, size: (at - 1) * 255 + message[at] };
}

export function isAttestationSei(nal) {
  if ((nal[0] & 31) !== NAL_SEI) return false;
  const message = removeEmulationPrevention(nal.subarray(1, 64));
  const body = messageBody(message);
  return body !== null && equal(message.subarray(body.start, body.start + 16), PROFILE_UUID);
}

function buildSei(sequence, mediaTime, cose) {
  const body = concat(PROFILE_UUID, u32(sequence), u64(mediaTime), cose);
  const size = concat(new Uint8Array(Math.floor(body.length / 255)).fill(0xff), Uint8Array.of(body.length % 255));
  const rbsp = concat(Uint8Array.of(5), size, body, Uint8Array.of(0x80));
  return concat(Uint8Array.of(NAL_SEI), addEmulationPrevention(rbsp));
}

export function parseSei(nal) {
  const message = removeEmulationPrevention(nal.subarray(1));
  const found = messageBody(message);
  if (found === null) throw new Invalid("not an attestation SEI");
  const body = message.subarray(found.start, found.start + found.size);
  if (body.length < 28) throw new Invalid("attestation SEI cut short");
  const payload = { sequence: readU32(body, 16), mediaTime: readU64(body, 20), cose: body.slice(28) };
  if (!equal(buildSei(payload.sequence, payload.mediaTime, payload.cose), nal)) {
    throw new Invalid("attestation SEI is not in its one form");
  }
  return payload;
}

// {nals without our SEI, payload or null}. More than one attestation is refused.
export function takeSei(unit) {
  const nals = splitAnnexB(unit);
  const ours = nals.filter(isAttestationSei);
  if (ours.length > 1) throw new Invalid("more than one attestation");
  if (ours.length === 0) return { nals, payload: null };
  return { nals: nals.filter((nal) => nal !== ours[0]), payload: parseSei(ours[0]) };
}

function box(kind, ...contents) {
  const content = concat(...contents);
  return concat(u32(8 + content.length), ascii(kind), content);
}

function moofBox(sequence, mediaTime, sampleBytes, isKey) {
  const flags = isKey ? 0x02000000 : 0x01010000;
  const trun = box("trun", u32(0x701), u32(1), u32(MOOF_BYTES + 8), u32(FRAME_DURATION), u32(sampleBytes), u32(flags));
  const tfdt = box("tfdt", u32(0x01000000), u64(mediaTime));
  const traf = box("traf", box("tfhd", u32(0x020000), u32(1)), tfdt, trun);
  return box("moof", box("mfhd", u32(0), u32(sequence)), traf);
}

// The fragment (moof, mdat) that an access unit maps to.
export function frameBoxes(sequence, mediaTime, nals) {
  const isKey = nals.some((nal) => (nal[0] & 31) === NAL_IDR);
  const sample = concat(...nals.flatMap((nal) => [u32(nal.length), nal]));
  return { moof: moofBox(sequence, mediaTime, sample.length, isKey), mdat: box("mdat", sample) };
}

// What the frame hash covers: moof and mdat, each behind its 8-byte offset counted from the start of the emsg.
export function hashInput(moof, mdat, coseBytes) {
  const emsgBytes = EMSG_HEAD_BYTES + coseBytes;
  return concat(u64(emsgBytes), moof, u64(emsgBytes + moof.length), mdat);
}

// The emsg box, for a recorder or an independent validator that wants the whole fragment.
export function emsgBox(sequence, cose) {
  return box(
    "emsg", u32(0), SCHEME_URI, Uint8Array.of(0), ascii("fseg"), Uint8Array.of(0), u32(TIMESCALE), u32(0),
    u32(FRAME_DURATION), u32(sequence), cose,
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
