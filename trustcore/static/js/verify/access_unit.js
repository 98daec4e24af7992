// H.264 access units and the SEI that carries a frame's attestation. Mirrors provenance/manifests/sei.py.

import { Invalid, concat, equal } from "./bytes.js";
import { pack, unpack } from "./carriage.js";

// uuid5(NAMESPACE_URL, "urn:trustcore:vsi-over-webrtc:2")
export const PROFILE_UUID = Uint8Array.from(
  [0x93, 0x40, 0x71, 0xb2, 0x7d, 0x14, 0x58, 0x81, 0x9a, 0x83, 0xf7, 0x66, 0x8d, 0xbd, 0xa0, 0x9e],
);
export const MAX_FRAME_BYTES = 4 * 1024 * 1024;
const NAL_SEI = 6;

// NAL units without start codes and without the zeros before a start code.
export function splitAnnexB(unit) {
  if (unit.length > MAX_FRAME_BYTES) throw new Invalid("access unit too large");
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

function buildSei(carried) {
  const body = concat(PROFILE_UUID, pack(carried));
  const size = concat(new Uint8Array(Math.floor(body.length / 255)).fill(0xff), Uint8Array.of(body.length % 255));
  const rbsp = concat(Uint8Array.of(5), size, body, Uint8Array.of(0x80));
  return concat(Uint8Array.of(NAL_SEI), addEmulationPrevention(rbsp));
}

export function parseSei(nal) {
  const message = removeEmulationPrevention(nal.subarray(1));
  const found = messageBody(message);
  if (found === null) throw new Invalid("not an attestation SEI");
  const carried = unpack(message.subarray(found.start + 16, found.start + found.size));
  if (!equal(buildSei(carried), nal)) throw new Invalid("attestation SEI is not in its one form");
  return carried;
}

// {nals without our SEI, carried or null}. More than one attestation is refused.
export function takeSei(unit) {
  const nals = splitAnnexB(unit);
  const ours = nals.filter(isAttestationSei);
  if (ours.length > 1) throw new Invalid("more than one attestation");
  if (ours.length === 0) return { nals, carried: null };
  return { nals: nals.filter((nal) => nal !== ours[0]), carried: parseSei(ours[0]) };
}
