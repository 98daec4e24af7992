// A strict CBOR reader (RFC 8949): definite lengths, shortest heads, no floats, nothing after the value. With
// `canonical` it also demands sorted, unique map keys, so that one meaning has one byte string: without that an
// attacker could change an attestation's bytes and still have it verify.
//
// Maps become Map (keys: numbers or strings), byte strings Uint8Array, tags {tag, value}.

import { Invalid, concat, equal } from "./bytes.js";

const MAX_DEPTH = 16;

class Reader {
  constructor(bytes, canonical) {
    this.bytes = bytes;
    this.canonical = canonical;
    this.at = 0;
  }

  head() {
    if (this.at >= this.bytes.length) throw new Invalid("CBOR is cut short");
    const first = this.bytes[this.at];
    this.at += 1;
    const major = first >> 5;
    const low = first & 31;
    if (low < 24) return [major, low];
    const size = { 24: 1, 25: 2, 26: 4, 27: 8 }[low];
    if (size === undefined || this.at + size > this.bytes.length) throw new Invalid("CBOR head");
    let value = 0;
    for (let i = 0; i < size; i += 1) value = value * 256 + this.bytes[this.at + i];
    this.at += size;
    const smallest = { 1: 24, 2: 256, 4: 65536, 8: 2 ** 32 }[size];
    if (value < smallest || !Number.isSafeInteger(value)) throw new Invalid("CBOR number is not in its shortest form");
    return [major, value];
  }

  take(length) {
    if (this.at + length > this.bytes.length) throw new Invalid("CBOR is cut short");
    this.at += length;
    return this.bytes.slice(this.at - length, this.at);
  }

  value(depth = 0) {
    if (depth > MAX_DEPTH) throw new Invalid("CBOR is too deep");
    const [major, argument] = this.head();
    if (major === 0) return argument;
    if (major === 1) return -1 - argument;
    if (major === 2) return this.take(argument);
    if (major === 3) return new TextDecoder("utf-8", { fatal: true }).decode(this.take(argument));
    if (major === 4) return this.list(argument, depth);
    if (major === 5) return this.map(argument, depth);
    if (major === 6) return { tag: argument, value: this.value(depth + 1) };
    const simple = { 20: false, 21: true, 22: null }[argument];
    if (simple === undefined) throw new Invalid("CBOR value is not allowed here");
    return simple;
  }

  list(length, depth) {
    if (length > this.bytes.length) throw new Invalid("CBOR list is too long");
    const items = [];
    for (let i = 0; i < length; i += 1) items.push(this.value(depth + 1));
    return items;
  }

  map(length, depth) {
    if (length > this.bytes.length) throw new Invalid("CBOR map is too long");
    const entries = new Map();
    let previous = null;
    for (let i = 0; i < length; i += 1) {
      const start = this.at;
      const key = this.value(depth + 1);
      if (typeof key !== "number" && typeof key !== "string") throw new Invalid("CBOR map key");
      const encoded = this.bytes.slice(start, this.at);
      if (entries.has(key)) throw new Invalid("CBOR map key twice");
      if (this.canonical && previous !== null && !before(previous, encoded)) throw new Invalid("CBOR map is not sorted");
      previous = encoded;
      entries.set(key, this.value(depth + 1));
    }
    return entries;
  }
}

function before(a, b) {
  if (a.length !== b.length) return a.length < b.length;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return a[i] < b[i];
  return false;
}

export function decode(bytes, { canonical = false } = {}) {
  const reader = new Reader(bytes, canonical);
  let value;
  try {
    value = reader.value();
  } catch (error) {
    throw error instanceof Invalid ? error : new Invalid("CBOR text");
  }
  if (reader.at !== bytes.length) throw new Invalid("bytes after the CBOR value");
  return value;
}

function head(major, value) {
  if (value < 24) return Uint8Array.of((major << 5) | value);
  if (value < 256) return Uint8Array.of((major << 5) | 24, value);
  if (value < 65536) return Uint8Array.of((major << 5) | 25, value >> 8, value);
  return Uint8Array.of((major << 5) | 26, value >>> 24, value >>> 16, value >>> 8, value);
}

export function encodeBytes(bytes) {
  return concat(head(2, bytes.length), bytes);
}

export function encodeText(text) {
  const bytes = new TextEncoder().encode(text);
  return concat(head(3, bytes.length), bytes);
}

export function encodeUint(value) {
  return head(0, value);
}

export function encodeList(encodedItems) {
  return concat(head(4, encodedItems.length), ...encodedItems);
}

// [[text key, encoded value]], in canonical order already.
export function encodeMap(entries) {
  return concat(head(5, entries.length), ...entries.flatMap(([key, encoded]) => [encodeText(key), encoded]));
}

// Sig_structure of RFC 9052 4.4 without external data: the bytes that a COSE_Sign1 signs.
export function signatureInput(protectedBytes, payload) {
  return concat(
    head(4, 4), encodeText("Signature1"), encodeBytes(protectedBytes), encodeBytes(new Uint8Array(0)),
    encodeBytes(payload),
  );
}

const PROTECTED_EDDSA = Uint8Array.of(0xa1, 0x01, 0x27); // {1: -8}

// COSE_Sign1_Tagged from its parts, unverified.
export function assembleSign1(payload, kid, signature) {
  return concat(
    head(6, 18), head(4, 4), encodeBytes(PROTECTED_EDDSA), head(5, 1), encodeUint(4), encodeBytes(kid),
    encodeBytes(payload), encodeBytes(signature),
  );
}

// Read a COSE_Sign1_Tagged by Ed25519: protected {1: -8} only, unprotected {} or {4: kid} only. Checks no signature.
export function parseSign1(value) {
  const parts = value !== null && typeof value === "object" && value.tag === 18 ? value.value : null;
  if (!Array.isArray(parts) || parts.length !== 4) throw new Invalid("not a COSE_Sign1");
  const [protectedBytes, unprotected, payload, signature] = parts;
  if (!(protectedBytes instanceof Uint8Array) || !equal(protectedBytes, PROTECTED_EDDSA)) throw new Invalid("algorithm");
  if (!(unprotected instanceof Map) || [...unprotected.keys()].some((key) => key !== 4)) throw new Invalid("headers");
  const kid = unprotected.get(4) ?? null;
  if (kid !== null && !(kid instanceof Uint8Array)) throw new Invalid("key id");
  if (payload !== null && !(payload instanceof Uint8Array)) throw new Invalid("payload");
  if (!(signature instanceof Uint8Array) || signature.length !== 64) throw new Invalid("signature length");
  return { protectedBytes, kid, payload, signature };
}

// The payload, once the signature holds.
export async function verifySign1(publicKey, signed, detachedPayload = null) {
  const payload = signed.payload ?? detachedPayload;
  if (payload === null || (signed.payload !== null && detachedPayload !== null)) throw new Invalid("payload");
  const holds = await crypto.subtle.verify(
    { name: "Ed25519" }, publicKey, signed.signature, signatureInput(signed.protectedBytes, payload),
  );
  if (!holds) throw new Invalid("signature does not verify");
  return payload;
}
