// The verdict on each received frame. Pure apart from WebCrypto: no WebRTC, no clock of its own.

import { Invalid, equal, sha256 } from "./bytes.js";
import { decode, parseSign1, verifySign1 } from "./cbor.js";
import { COMPACT } from "./carriage.js";
import { TIMESCALE, frameBoxes, hashInput, isOurExclusion, rebuildCose, rebuiltCoseBytes } from "./fragment.js";
import { FRAME_CODECS } from "./frame_codecs.js";

export const WINDOW = 64; // frames may arrive out of order within this many
const INFO_KEYS = 3;
const HASH_KEYS = 3;

export function emptyCounts() {
  return { received: 0, verified: 0, unattested: 0, invalid: 0, late: 0, replayed: 0, gap: 0 };
}

// Judges the pictures of a session, or its sound, which is numbered by itself. `session`: {label, codec, publicKey (CryptoKey), kid, minimumSequence, createdAtMs, validityS} from a trusted manifest.
export class FrameVerifier {
  constructor(session, { isSound = false } = {}) {
    this.session = session;
    this.codec = FRAME_CODECS[isSound ? "opus" : session.codec];
    this.counts = emptyCounts();
    this.highest = 0;
    this.lowest = Infinity;
    this.seen = new Set();
  }

  // {state: "verified"|"unattested"|"invalid", counter, sequence, reason}
  async check(unit, nowMs) {
    const verdict = await this.judge(unit, nowMs);
    this.counts.received += 1;
    this.counts[verdict.counter] += 1;
    if (this.counts.verified > 0) this.counts.gap = this.highest - this.lowest + 1 - this.counts.verified;
    return verdict;
  }

  async judge(unit, nowMs) {
    let sequence = null;
    try {
      const taken = this.codec.take(unit);
      const { carried } = taken;
      if (carried === null) return { state: "unattested", counter: "unattested", sequence, reason: "no attestation" };
      sequence = carried.sequence;
      await verifyFrame(this.session, taken, this.codec.track, nowMs);
    } catch (error) {
      if (!(error instanceof Invalid)) throw error;
      return { state: "invalid", counter: "invalid", sequence, reason: error.message };
    }
    return this.admit(sequence);
  }

  // The signature holds; is the number new? Duplicates and frames older than the window are refused.
  admit(sequence) {
    if (sequence <= this.highest - WINDOW) {
      return { state: "invalid", counter: "late", sequence, reason: "older than the window" };
    }
    if (this.seen.has(sequence)) {
      return { state: "invalid", counter: "replayed", sequence, reason: "seen before" };
    }
    this.seen.add(sequence);
    this.highest = Math.max(this.highest, sequence);
    this.lowest = Math.min(this.lowest, sequence);
    for (const old of this.seen) if (old <= this.highest - WINDOW) this.seen.delete(old);
    return { state: "verified", counter: "verified", sequence, reason: "" };
  }
}

// Resolves when this frame was signed by the session's key for this session; throws Invalid otherwise. A compact
// attestation becomes the COSE_Sign1 it stands for; everything else is one and the same check.
export async function verifyFrame(session, taken, track, nowMs) {
  const { form, sequence, mediaTime, content } = taken.carried;
  const { moof, mdat } = frameBoxes(sequence, mediaTime, taken, track);
  const coseBytes = form === COMPACT ? rebuiltCoseBytes(session, sequence) : content.length;
  const frameHash = await sha256(hashInput(moof, mdat, coseBytes));
  const cose = form === COMPACT ? rebuildCose(session, sequence, frameHash, content) : content;
  const signed = parseSign1(decode(cose, { canonical: true }));
  if (signed.kid === null || !equal(signed.kid, session.kid)) throw new Invalid("another key");
  if (signed.payload === null) throw new Invalid("no payload");
  checkInfo(decode(signed.payload, { canonical: true }), session, sequence, frameHash);
  checkTime(session, mediaTime, nowMs);
  await verifySign1(session.publicKey, signed);
}

function checkInfo(info, session, sequence, frameHash) {
  if (!(info instanceof Map) || info.size !== INFO_KEYS) throw new Invalid("segment info");
  if (info.get("sequenceNumber") !== sequence) throw new Invalid("frame number differs");
  if (info.get("manifestId") !== session.label) throw new Invalid("another session's manifest");
  if (sequence < session.minimumSequence) throw new Invalid("frame number before the key's first");
  const hash = info.get("bmffHash");
  if (!(hash instanceof Map) || hash.size !== HASH_KEYS || hash.get("alg") !== "sha256"
    || !isOurExclusion(hash.get("exclusions")) || !(hash.get("hash") instanceof Uint8Array)) {
    throw new Invalid("frame hash is malformed");
  }
  if (!equal(frameHash, hash.get("hash"))) throw new Invalid("frame bytes differ from what was signed");
}

function checkTime(session, mediaTime, nowMs) {
  if (mediaTime / TIMESCALE > session.validityS) throw new Invalid("media time after the key's life");
  if (nowMs !== null && nowMs > session.createdAtMs + session.validityS * 1000) throw new Invalid("key has expired");
}
