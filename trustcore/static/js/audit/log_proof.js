// Check one log entry by ourselves: RFC 6962 inclusion and a C2SP checkpoint, with WebCrypto. No DOM in here.
// Each step returns what it found or throws Wrong; nothing is taken from the server but bytes.

export class Wrong extends Error {}

const encoder = new TextEncoder();

export function fromHex(text) {
  if (!/^([0-9a-f]{2})*$/.test(text)) throw new Wrong("not hex");
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

export function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function fromBase64(text) {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
}

async function sha256(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((at, part) => (whole.set(part, at), at + part.length), 0);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", whole));
}

// Step 1: the event's bytes hash to what the leaf names, and the leaf has this number.
export async function checkLeaf(proof) {
  const leaf = JSON.parse(proof.leaf);
  const body = toHex(await sha256(encoder.encode(proof.body)));
  if (leaf.body !== body) throw new Wrong("The event's bytes are not those the log names.");
  if (leaf.seq !== proof.seq) throw new Wrong("The leaf has another number.");
  return sha256(Uint8Array.of(0), encoder.encode(proof.leaf));
}

// Step 2: the path leads from the leaf to a root (RFC 9162, 2.1.3.2). Returns every node on the way, the leaf first.
export async function climb(leafHash, seq, size, path) {
  if (!(seq >= 0 && seq < size)) throw new Wrong("The entry's number is not inside the log.");
  let [first, last] = [BigInt(seq), BigInt(size) - 1n];
  const nodes = [leafHash];
  for (const hex of path) {
    if (last === 0n) throw new Wrong("The path is too long.");
    const sibling = fromHex(hex);
    const value = nodes.at(-1);
    if (first % 2n === 1n || first === last) {
      nodes.push(await sha256(Uint8Array.of(1), sibling, value));
      while (first % 2n === 0n && first !== 0n) [first, last] = [first >> 1n, last >> 1n];
    } else {
      nodes.push(await sha256(Uint8Array.of(1), value, sibling));
    }
    [first, last] = [first >> 1n, last >> 1n];
  }
  if (last !== 0n) throw new Wrong("The path is too short.");
  return nodes;
}

// Step 3: the checkpoint states this size and this root.
export function readCheckpoint(note) {
  const cut = note.lastIndexOf("\n\n");
  if (cut < 0) throw new Wrong("The checkpoint is not a signed note.");
  const text = note.slice(0, cut + 1);
  const [origin, size, root] = text.split("\n");
  return { text, origin, size: Number(size), root: fromBase64(root), signatures: note.slice(cut + 2).trim().split("\n") };
}

// Step 4: the log's key signed the checkpoint. Needs Ed25519 in WebCrypto; without it the step did not run.
export async function checkSignature(checkpoint, origin, keyBytes) {
  if (checkpoint.origin !== origin) throw new Wrong("This is the checkpoint of another log.");
  const key = await crypto.subtle.importKey("raw", keyBytes, { name: "Ed25519" }, false, ["verify"]);
  for (const line of checkpoint.signatures) {
    const [dash, name, blob] = line.split(" ");
    if (dash !== "—" || name !== origin) continue;
    const signature = fromBase64(blob).slice(4);
    if (await crypto.subtle.verify("Ed25519", key, signature, encoder.encode(checkpoint.text))) return;
  }
  throw new Wrong("The log's key did not sign this checkpoint.");
}

export function sameBytes(one, other) {
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}
