// Small byte operations shared by the verifier. Everything works on Uint8Array.

export class Invalid extends Error {}

export function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function equal(a, b) {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}

export function ascii(text) {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

export function u16(value) {
  return Uint8Array.of(value >>> 8, value);
}

export function u32(value) {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

// `value` is a safe integer: media times stay far below 2^53.
export function u64(value) {
  return concat(u32(Math.floor(value / 2 ** 32)), u32(value % 2 ** 32));
}

export function readU32(bytes, at) {
  if (at + 4 > bytes.length) throw new Invalid("cut short");
  return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
}

export function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function fromBase64(text) {
  const standard = text.replace(/-/g, "+").replace(/_/g, "/");
  return Uint8Array.from(atob(standard), (letter) => letter.charCodeAt(0));
}

export async function sha256(bytes) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}
