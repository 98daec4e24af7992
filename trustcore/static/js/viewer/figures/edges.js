// When sound begins and ends, from blocks of samples. Pure.

const LOUD = 0.01; // root mean square of a block, full scale is 1: about -40 dB
const BLOCK_MS = 10;
const QUIET_BLOCKS = 10; // so long a silence ends it; the end counted is that of the last loud block

// `push(samples, atMs)`: `atMs` is the time of the first sample. Returns {isLoud, atMs} at an edge, else null.
export function createEdges(rateHz) {
  const size = Math.round((rateHz * BLOCK_MS) / 1000);
  let power = 0;
  let filled = 0;
  let isLoud = false;
  let quiet = 0;
  let lastLoudMs = 0;

  function closed(endMs) {
    const isBlockLoud = Math.sqrt(power / filled) >= LOUD;
    power = 0;
    filled = 0;
    if (isBlockLoud) {
      quiet = 0;
      lastLoudMs = endMs;
      if (isLoud) return null;
      isLoud = true;
      return { isLoud, atMs: endMs - BLOCK_MS };
    }
    quiet += 1;
    if (!isLoud || quiet < QUIET_BLOCKS) return null;
    isLoud = false;
    return { isLoud, atMs: lastLoudMs };
  }

  return (samples, atMs) => {
    let edge = null;
    for (let index = 0; index < samples.length; index += 1) {
      power += samples[index] * samples[index];
      filled += 1;
      if (filled === size) edge = closed(atMs + (1000 * (index + 1)) / rateHz) ?? edge;
    }
    return edge;
  };
}
