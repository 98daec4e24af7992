// The session manifest: find it in the signed init segment, take the session key, check that the key is bound to the
// claim signer. Chain of trust and hashes are checked by chain.js on the very same bytes.

import { Invalid, ascii, concat, equal, hex, readU32, sha256 } from "./bytes.js";
import { decode, encodeBytes, parseSign1, verifySign1 } from "./cbor.js";
import { PICTURE } from "./fragment.js";
import { FRAME_CODECS } from "./frame_codecs.js";

const C2PA_UUID = "d8fec3d61b0e483c92975828877ec481";
const SESSION_KEYS = "c2pa.session-keys";
const SESSION_FACTS = "org.trustcore.session";
const X5CHAIN = 33;
const MAX_INIT_BYTES = 4 * 1024 * 1024;
const MAX_DEPTH = 8;
// What a superbox is: four letters, and these twelve bytes (C2PA 2.4 section 11.1.4).
const TYPE_TAIL = "00110010800000aa00389b71";

function boxes(bytes, start, end) {
  const found = [];
  for (let at = start; at < end;) {
    const size = readU32(bytes, at);
    if (size < 8 || at + size > end) throw new Invalid("a box has an impossible size");
    const kind = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    found.push({ kind, start: at, body: at + 8, end: at + size });
    at += size;
  }
  return found;
}

// UTF-8 or nothing: what a lenient reader calls a label, a strict one does not know.
function text(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Invalid("JUMBF label");
  }
}

function superbox(bytes, found, depth = 0) {
  if (found.kind !== "jumb" || depth > MAX_DEPTH) throw new Invalid("not a JUMBF superbox");
  const [description, ...rest] = boxes(bytes, found.body, found.end);
  if (description === undefined || description.kind !== "jumd") throw new Invalid("JUMBF description is missing");
  const typeAt = description.body;
  const labelAt = typeAt + 17;
  if (hex(bytes.subarray(typeAt + 4, typeAt + 16)) !== TYPE_TAIL) throw new Invalid("a box of no type C2PA knows");
  const kind = String.fromCharCode(...bytes.subarray(typeAt, typeAt + 4));
  let label = "";
  if (bytes[labelAt - 1] & 2) {
    const end = bytes.indexOf(0, labelAt);
    if (end === -1 || end >= description.end) throw new Invalid("JUMBF label");
    label = text(bytes.subarray(labelAt, end));
  }
  const children = rest.filter((box) => box.kind === "jumb").map((box) => superbox(bytes, box, depth + 1));
  const contents = rest.filter((box) => box.kind !== "jumb");
  return { kind, label, children, contents };
}

function only(list, what) {
  if (list.length !== 1) throw new Invalid(`the manifest must hold exactly one ${what}`);
  return list[0];
}

function child(box, label) {
  return only(box.children.filter((one) => one.label === label), label);
}

function cbor(bytes, box) {
  const content = only(box.contents.filter((one) => one.kind === "cbor"), "CBOR box");
  return bytes.subarray(content.body, content.end);
}

function activeManifest(bytes) {
  if (bytes.length > MAX_INIT_BYTES) throw new Invalid("init segment too large");
  const top = boxes(bytes, 0, bytes.length);
  if (top.some((box) => box.kind === "mdat")) throw new Invalid("an init segment must hold no media");
  const store = only(top.filter((box) => box.kind === "uuid"
    && hex(bytes.subarray(box.body, box.body + 16)) === C2PA_UUID), "manifest store");
  const purpose = ascii("manifest\0");
  const purposeAt = store.body + 20;
  if (!equal(bytes.subarray(purposeAt, purposeAt + purpose.length), purpose)) throw new Invalid("manifest store");
  const jumb = boxes(bytes, purposeAt + purpose.length + 8, store.end);
  return onlyManifest(superbox(bytes, only(jumb, "JUMBF box")));
}

// One manifest with assertions, claim and signature, and nothing beside them. The C2PA reader that checks the signature
// passes over boxes it does not know: a second manifest hidden in one would be read here and not there.
function onlyManifest(root) {
  if (root.kind !== "c2pa" || root.label !== "c2pa" || root.contents.length > 0) throw new Invalid("not a C2PA store");
  const manifest = only(root.children, "manifest");
  const kinds = manifest.children.map((box) => box.kind).sort().join();
  if (manifest.kind !== "c2ma" || manifest.contents.length > 0 || kinds !== "c2as,c2cl,c2cs") {
    throw new Invalid("the manifest must hold assertions, claim and signature, and nothing else");
  }
  const assertions = child(manifest, "c2pa.assertions");
  const labels = new Set(assertions.children.map((box) => box.label));
  if (assertions.kind !== "c2as" || assertions.contents.length > 0 || labels.size !== assertions.children.length) {
    throw new Invalid("the manifest's assertions are ambiguous");
  }
  if (child(manifest, "c2pa.signature").kind !== "c2cs" || claimOf(manifest).kind !== "c2cl") {
    throw new Invalid("claim or signature is not where its label says");
  }
  return manifest;
}

function claimOf(manifest) {
  return only(manifest.children.filter((box) => box.label === "c2pa.claim.v2" || box.label === "c2pa.claim"), "claim");
}

function assertion(bytes, manifest, label) {
  const found = child(child(manifest, "c2pa.assertions"), label);
  if (found.kind !== "cbor") throw new Invalid(`assertion ${label} is not CBOR`);
  return cbor(bytes, found);
}

function signerCertificate(bytes, manifest) {
  const signature = decode(cbor(bytes, child(manifest, "c2pa.signature")));
  const parts = signature !== null && typeof signature === "object" && signature.tag === 18
    && Array.isArray(signature.value) ? signature.value : [];
  const headers = [parts[1], parts[0] instanceof Uint8Array ? decode(parts[0]) : null];
  for (const header of headers) {
    const chain = header instanceof Map ? header.get(X5CHAIN) : undefined;
    const leaf = Array.isArray(chain) ? chain[0] : chain;
    if (leaf instanceof Uint8Array) return leaf;
  }
  throw new Invalid("the claim signature carries no certificate");
}

function plain(value) {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
  if (Array.isArray(value)) return value.map(plain);
  return value;
}

async function sessionKey(bytes, manifest, certificate) {
  const keys = decode(assertion(bytes, manifest, SESSION_KEYS), { canonical: true });
  const list = keys instanceof Map ? keys.get("keys") : null;
  const entry = Array.isArray(list) && list.length === 1 ? list[0] : null;
  const key = entry instanceof Map ? entry.get("key") : null;
  if (!(key instanceof Map) || key.size !== 5) throw new Invalid("session key is missing");
  const [kid, publicBytes] = [key.get(2), key.get(-2)];
  if (key.get(1) !== 1 || key.get(3) !== -8 || key.get(-1) !== 6 || !(kid instanceof Uint8Array) || kid.length === 0
    || !(publicBytes instanceof Uint8Array) || publicBytes.length !== 32) {
    throw new Invalid("only Ed25519 session keys are accepted");
  }
  const createdAt = entry.get("createdAt");
  const createdAtMs = createdAt !== null && typeof createdAt === "object" && createdAt.tag === 0
    ? Date.parse(createdAt.value) : NaN;
  const [minimumSequence, validityS] = [entry.get("minSequenceNumber"), entry.get("validityPeriod")];
  if (Number.isNaN(createdAtMs) || !Number.isInteger(minimumSequence) || !Number.isInteger(validityS)) {
    throw new Invalid("session key times");
  }
  const publicKey = await crypto.subtle.importKey("raw", publicBytes, { name: "Ed25519" }, false, ["verify"]);
  // 18.25: the session key signs the claim signer's certificate, encoded as a CBOR byte string.
  await verifySign1(publicKey, parseSign1(entry.get("signerBinding")), encodeBytes(certificate));
  return { publicBytes, publicKey, kid, minimumSequence, createdAtMs, validityS };
}

// Which codec the init segment's one picture track has. `moov` is under the manifest's hash.
function codecOf(init) {
  let [start, end] = [0, init.length];
  for (const kind of ["moov", "trak", "mdia", "minf", "stbl", "stsd"]) {
    const found = only(boxes(init, start, end).filter((box) => box.kind === kind), kind);
    [start, end] = [found.body + (kind === "stsd" ? 8 : 0), found.end];
  }
  const entry = only(boxes(init, start, end), "sample entry").kind;
  const known = Object.entries(FRAME_CODECS).find(([, codec]) => codec.track === PICTURE && codec.sampleEntry === entry);
  if (known === undefined) throw new Invalid("the init segment names an unknown codec");
  return known[0];
}

// The claim signer's certificate (DER) in a signed init segment; nothing is verified.
export function signerCertificateOf(init) {
  return signerCertificate(init, activeManifest(init));
}

// {label, claimSha256, facts, codec, key} of a signed init segment. Trust in the signer is NOT checked here.
export async function readSessionManifest(init) {
  const manifest = activeManifest(init);
  const certificate = signerCertificate(init, manifest);
  const facts = plain(decode(assertion(init, manifest, SESSION_FACTS)));
  return {
    label: manifest.label,
    claimSha256: hex(await sha256(concat(cbor(init, claimOf(manifest))))),
    facts,
    codec: codecOf(init),
    key: await sessionKey(init, manifest, certificate),
  };
}
