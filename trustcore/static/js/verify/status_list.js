// The authority's list of revoked certificates (an X.509 CRL, RFC 5280 section 5): is it the authority's, is it fresh, is
// a certificate on it? ECDSA over P-256 or P-384; whatever cannot be read that way is Invalid, and then nothing is known.

import { Invalid, concat, equal, hex } from "./bytes.js";

export const MAX_LIST_BYTES = 4 * 1024 * 1024;
const [BOOLEAN, INTEGER, BITS, OID, UTC_TIME, GENERAL_TIME, SEQUENCE] = [1, 2, 3, 6, 0x17, 0x18, 0x30];
const EXTENSIONS = 0xa0; // [0]; in a certificate the same tag holds the version
const HASHES = { "2a8648ce3d040302": "SHA-256", "2a8648ce3d040303": "SHA-384" };
const CURVES = { "2a8648ce3d030107": ["P-256", 32], "2b81040022": ["P-384", 48] };

// One DER element: definite length in its shortest form, inside `end`.
function element(bytes, at, end) {
  const first = bytes[at + 1];
  const more = first < 0x80 ? 0 : first & 0x7f;
  const body = at + 2 + more;
  if (body > end || (first >= 0x80 && (more === 0 || more > 4))) throw new Invalid("DER length");
  let length = more === 0 ? first : 0;
  for (let i = 0; i < more; i += 1) length = length * 256 + bytes[at + 2 + i];
  if (body + length > end || (more > 0 && length < (more === 1 ? 0x80 : 256 ** (more - 1)))) throw new Invalid("DER length");
  return { tag: bytes[at], at, body, end: body + length };
}

function children(bytes, parent, tag = SEQUENCE) {
  if (parent?.tag !== tag) throw new Invalid("DER structure");
  const found = [];
  for (let { body: at } = parent; at < parent.end;) {
    found.push(element(bytes, at, parent.end));
    at = found.at(-1).end;
  }
  return found;
}

function whole(bytes) {
  const root = element(bytes, 0, bytes.length);
  if (root.end !== bytes.length) throw new Invalid("bytes after the DER value");
  return children(bytes, root);
}

const inner = (bytes, one) => bytes.subarray(one.body, one.end);
const outer = (bytes, one) => bytes.subarray(one.at, one.end);

function content(bytes, one, tag) {
  if (one?.tag !== tag) throw new Invalid("DER structure");
  return inner(bytes, one);
}

function timeMs(bytes, one) {
  const text = String.fromCharCode(...inner(bytes, one));
  const isShort = one.tag === UTC_TIME;
  const found = text.match(isShort ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/ : /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/);
  if (found === null) throw new Invalid("a time in the status list");
  const [year, month, ...rest] = found.slice(1).map(Number);
  // RFC 5280 4.1.2.5.1: two digits from 50 on are of the last century.
  return Date.UTC(isShort ? year + (year >= 50 ? 1900 : 2000) : year, month - 1, ...rest);
}

// {serial, issuer, subject, key} of a certificate (DER), as bytes; nothing is verified.
function certificateParts(bytes) {
  const [tbs] = whole(bytes);
  const parts = children(bytes, tbs);
  if (parts[0]?.tag === EXTENSIONS) parts.shift(); // its version
  const [serial, , issuer, , subject, key] = parts;
  children(bytes, key);
  return {
    serial: hex(content(bytes, serial, INTEGER)), issuer: outer(bytes, issuer), subject: outer(bytes, subject),
    key: outer(bytes, key),
  };
}

function fromPem(text) {
  return [...text.matchAll(/-----BEGIN [A-Z0-9 ]+-----([A-Za-z0-9+/=\s]+)-----END/g)]
    .map(([, body]) => Uint8Array.from(atob(body.replace(/\s/g, "")), (letter) => letter.charCodeAt(0)));
}

// An ECDSA signature as WebCrypto wants it: r and s, each as long as the curve's numbers.
function rawSignature(der, width) {
  return concat(...whole(der).map((number) => {
    const digits = content(der, number, INTEGER);
    const kept = digits.subarray(digits.length > width && digits[0] === 0 ? 1 : 0);
    if (kept.length > width) throw new Invalid("signature length");
    return concat(new Uint8Array(width - kept.length), kept);
  }));
}

async function isSignedBy(anchor, list) {
  if (!equal(anchor.subject, list.issuer)) return false;
  const [algorithm] = children(anchor.key, element(anchor.key, 0, anchor.key.length));
  const [curve, width] = CURVES[hex(inner(anchor.key, children(anchor.key, algorithm)[1] ?? algorithm))] ?? [];
  if (curve === undefined) return false;
  const key = await crypto.subtle.importKey("spki", anchor.key, { name: "ECDSA", namedCurve: curve }, false, ["verify"]);
  return crypto.subtle.verify({ name: "ECDSA", hash: list.hash }, key, rawSignature(list.signature, width), list.signed);
}

// The list's parts, unverified.
function listParts(bytes) {
  const [tbs, algorithm, bits] = whole(bytes);
  const parts = children(bytes, tbs);
  const [, , issuer, issued, due] = parts;
  if (hex(content(bytes, parts[0], INTEGER)) !== "01") throw new Invalid("the status list is of another version");
  if (![UTC_TIME, GENERAL_TIME].includes(due?.tag)) throw new Invalid("the status list does not say how long it holds");
  const [revoked, extensions] = parts[5]?.tag === SEQUENCE ? parts.slice(5) : [null, parts[5]];
  refuseCritical(bytes, extensions);
  const hash = HASHES[hex(content(bytes, children(bytes, algorithm)[0], OID))];
  if (hash === undefined || !equal(outer(bytes, algorithm), outer(bytes, parts[1]))) throw new Invalid("algorithm");
  const signature = content(bytes, bits, BITS);
  if (signature[0] !== 0) throw new Invalid("signature length");
  const serials = revoked === null ? [] : children(bytes, revoked)
    .map((entry) => hex(content(bytes, children(bytes, entry)[0], INTEGER)));
  return {
    issuer: outer(bytes, issuer), issuedMs: timeMs(bytes, issued), dueMs: timeMs(bytes, due), hash,
    signature: signature.subarray(1), signed: outer(bytes, tbs), serials,
  };
}

// A critical extension changes what the list is about (some certificates only, or changes since another list).
function refuseCritical(bytes, extensions) {
  if (extensions === undefined) return;
  const [list] = children(bytes, extensions, EXTENSIONS);
  for (const extension of children(bytes, list)) {
    if (children(bytes, extension)[1]?.tag === BOOLEAN) throw new Invalid("the status list has a critical extension");
  }
}

// What one page has learned from the lists it saw. Who may choose which list arrives must not be able to take it back.
export class StatusLists {
  constructor() {
    this.newestMs = new Map(); // by authority
    this.revoked = new Set();
  }

  // Whether a list seen before named this certificate (DER). That stays so, whatever list comes, or none.
  knowsRevoked(certificate) {
    return this.revoked.has(hex(certificate));
  }

  // As `isRevoked` below. A list that is older than one that was seen is refused.
  async isRevoked(file, certificate, trustAnchorPem, nowMs) {
    if (this.knowsRevoked(certificate)) return true;
    const { list, isNamed } = await judged(file, certificate, trustAnchorPem, nowMs);
    const authority = hex(list.issuer);
    if (list.issuedMs < (this.newestMs.get(authority) ?? 0)) throw new Invalid("the status list is older than one before it");
    this.newestMs.set(authority, list.issuedMs);
    if (isNamed) this.revoked.add(hex(certificate));
    return isNamed;
  }
}

// Whether the list (DER or PEM) names the certificate (DER). Throws Invalid unless one of the anchors signed the list, it
// is in force now, and it is a list of this certificate's own authority.
export async function isRevoked(file, certificate, trustAnchorPem, nowMs) {
  return (await judged(file, certificate, trustAnchorPem, nowMs)).isNamed;
}

async function judged(file, certificate, trustAnchorPem, nowMs) {
  if (file.length > MAX_LIST_BYTES) throw new Invalid("the status list is longer than one can be");
  const bytes = file[0] === 0x2d ? fromPem(new TextDecoder().decode(file))[0] ?? file : file;
  const list = listParts(bytes);
  const leaf = certificateParts(certificate);
  const anchors = fromPem(trustAnchorPem).map(certificateParts);
  const held = await Promise.all(anchors.map((anchor) => isSignedBy(anchor, list)));
  if (!held.includes(true)) throw new Invalid("the status list is not signed by the authority you trust");
  if (nowMs < list.issuedMs || nowMs >= list.dueMs) throw new Invalid("the status list is out of date");
  if (!equal(leaf.issuer, list.issuer)) throw new Invalid("the status list is another authority's");
  return { list, isNamed: list.serials.includes(leaf.serial) };
}
