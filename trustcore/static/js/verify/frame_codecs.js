// How a received frame of each codec comes apart: the sample that was signed, its attestation, and the bytes for the
// decoder. Mirrors provenance/manifests/frame_codecs.py.

import { Invalid, ascii, concat, equal, u32 } from "./bytes.js";
import { unpack } from "./carriage.js";
import { MAX_FRAME_BYTES, takeSei } from "./access_unit.js";
import { PICTURE, SOUND } from "./fragment.js";

const NAL_IDR = 5;
const TRAILER_MAGIC = ascii("TCv2");
const TRAILER_END_BYTES = 6;
const VP8_START_CODE = Uint8Array.of(0x9d, 0x01, 0x2a);

function takeH264(unit) {
  const { nals, carried } = takeSei(unit);
  const sample = concat(...nals.flatMap((nal) => [u32(nal.length), nal]));
  return { sample, isKey: nals.some((nal) => (nal[0] & 31) === NAL_IDR), carried };
}

// Where the attestation behind a VP8 frame begins, or -1 when there is none.
function trailerStart(frame) {
  const end = frame.length - TRAILER_END_BYTES;
  if (end < 0 || !equal(frame.subarray(frame.length - TRAILER_MAGIC.length), TRAILER_MAGIC)) return -1;
  const start = end - (frame[end] * 256 + frame[end + 1]);
  if (start < 0) throw new Invalid("trailer longer than the frame");
  return start;
}

function takeVp8(frame) {
  if (frame.length > MAX_FRAME_BYTES) throw new Invalid("frame too large");
  const start = trailerStart(frame);
  const sample = start === -1 ? frame : frame.subarray(0, start);
  const carried = start === -1 ? null : unpack(frame.subarray(start, frame.length - TRAILER_END_BYTES));
  if (sample.length < 3) throw new Invalid("not a VP8 frame");
  const isKey = (sample[0] & 1) === 0;
  if (isKey && !equal(sample.subarray(3, 6), VP8_START_CODE)) throw new Invalid("VP8 key frame without its start code");
  return { sample, isKey, carried };
}

const OPUS_HAS_PADDING = 0x40;
const OPUS_ONE_FRAME = 1;
const MAX_OPUS_BYTES = 8192;

// An attested Opus packet holds one frame and padding (RFC 6716 3.2.5: 255 means 254 bytes and another length).
function takeOpus(packet) {
  if (packet.length === 0 || packet.length > MAX_OPUS_BYTES) throw new Invalid("not an Opus packet");
  if ((packet[0] & 3) !== 3 || packet.length < 2 || !(packet[1] & OPUS_HAS_PADDING)) {
    return { sample: packet, isKey: true, carried: null };
  }
  if (packet[1] !== (OPUS_ONE_FRAME | OPUS_HAS_PADDING)) throw new Invalid("padded packet of several frames");
  let [at, size] = [2, 0];
  for (; packet[at] === 255; at += 1) size += 254;
  size += packet[at] ?? 0;
  const end = packet.length - size;
  if (end < at + 1 || packet[at] === 254) throw new Invalid("padding does not add up");
  const sample = concat(Uint8Array.of(packet[0] & ~3), packet.subarray(at + 1, end));
  return { sample, isKey: true, carried: unpack(packet.subarray(end)) };
}

// The frame without what stands behind or in it for this verifier; as it is when it does not come apart. That is only
// ever shown when the viewer turned "hide" off.
function bare(take) {
  return (frame) => {
    try {
      return take(frame).sample;
    } catch (error) {
      if (!(error instanceof Invalid)) throw error;
      return frame;
    }
  };
}

// `take(frame)` gives {sample, isKey, carried or null}; `forDecoder(frame)` the frame as the decoder should see it.
export const FRAME_CODECS = {
  h264: { sampleEntry: "avc3", track: PICTURE, take: takeH264, forDecoder: (frame) => frame },
  vp8: { sampleEntry: "vp08", track: PICTURE, take: takeVp8, forDecoder: bare(takeVp8) },
  opus: { sampleEntry: "Opus", track: SOUND, take: takeOpus, forDecoder: bare(takeOpus) },
};
