// What one attestation is made of on its way here, in two forms that mean the same: the whole COSE_Sign1, or its
// signature only. Mirrors provenance/manifests/carriage.py.

import { Invalid, concat, readU32, u32 } from "./bytes.js";

export const FULL = 0x46; // "F"
export const COMPACT = 0x43; // "C"
const HEAD_BYTES = 10;
const SIGNATURE_BYTES = 64;
const MAX_COSE_BYTES = 4096;

function checkContent(form, content) {
  if (form === COMPACT && content.length !== SIGNATURE_BYTES) throw new Invalid("compact attestation length");
  if (content.length > MAX_COSE_BYTES) throw new Invalid("attestation too large");
}

export function pack({ form, sequence, mediaTime, content }) {
  checkContent(form, content);
  const high = Math.floor(mediaTime / 2 ** 32);
  return concat(Uint8Array.of(form), u32(sequence), Uint8Array.of(high), u32(mediaTime % 2 ** 32), content);
}

// {form, sequence, mediaTime, content}; nothing in it is checked yet.
export function unpack(bytes) {
  if (bytes.length < HEAD_BYTES) throw new Invalid("attestation cut short");
  const form = bytes[0];
  if (form !== FULL && form !== COMPACT) throw new Invalid("attestation of an unknown form");
  const content = bytes.slice(HEAD_BYTES);
  checkContent(form, content);
  return { form, sequence: readU32(bytes, 1), mediaTime: bytes[5] * 2 ** 32 + readU32(bytes, 6), content };
}
