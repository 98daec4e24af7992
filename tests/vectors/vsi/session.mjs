// The session of one suite of golden frames, as the browser's verifier wants it.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

export const unhex = (text) => new Uint8Array(Buffer.from(text, "hex"));
export const bytes = (text) => new Uint8Array(Buffer.from(text, "base64"));

export async function trusted(session) {
  const publicKey = await crypto.subtle.importKey("raw", unhex(session.public_key), { name: "Ed25519" }, false, ["verify"]);
  return {
    label: session.label, codec: session.codec, publicKey, kid: unhex(session.kid),
    minimumSequence: session.minimum_sequence, createdAtMs: session.created_at_ms, validityS: session.validity_s,
  };
}

export function suites(file) {
  return JSON.parse(readFileSync(file, "utf8")).suites;
}

// The browser's modules, from the folder they are served from.
export function modules(folder, ...names) {
  const base = pathToFileURL(`${folder}/`);
  return Promise.all(names.map((name) => import(new URL(name, base))));
}
