// What a turn-taker hears in 20 ms: level, pitch, and whether somebody speaks. The same arithmetic as
// rendering/dialogue/turns/hearing.py; a test runs both on the same sound.

export const RATE_HZ = 16000;
export const HOP_SAMPLES = 320;

const PITCH_RATE_HZ = 8000;
const WINDOW = 320;
const SHORTEST = 20;
const LONGEST = 123;
const COMPARED = WINDOW - LONGEST - 1;
const VOICED_LIKENESS = 0.5;
const LONG_PERIOD_COST = 0.0012;
const QUIETEST_DB = -90;
const AUDIBLE_DB = -65;

const FLOOR_RISE_DB = 0.02;
const FLOOR_FALL = 0.3;
const SPEECH_OVER_FLOOR_DB = 9;
const SPEECH_WIDTH_DB = 2.5;
const VOICED_BONUS_DB = 4;
const LAG_SHARE = 0.5;

export function createHearing() {
  const window = new Float64Array(WINDOW);
  const joined = new Float64Array(HOP_SAMPLES + 2);
  const half = HOP_SAMPLES / 2;

  // `sound`: HOP_SAMPLES numbers from -1 to 1. Returns {levelDb, pitchHz}; pitchHz is 0 where the hop is not voiced.
  return function push(sound) {
    joined.copyWithin(0, HOP_SAMPLES);
    joined.set(sound, 2);
    let power = 0;
    for (let i = 0; i < HOP_SAMPLES; i++) power += sound[i] * sound[i];
    const levelDb = Math.max(QUIETEST_DB, 10 * Math.log10(power / HOP_SAMPLES + 1e-12));
    window.copyWithin(0, half);
    for (let k = 0; k < half; k++) {
      window[WINDOW - half + k] = 0.25 * joined[2 * k] + 0.5 * joined[2 * k + 1] + 0.25 * joined[2 * k + 2];
    }
    return { levelDb, pitchHz: levelDb > AUDIBLE_DB ? pitchOf(window) : 0 };
  };
}

// Hertz of the strongest period, 0 where none is strong: the peak of the normalised autocorrelation.
export function pitchOf(window) {
  let mean = 0;
  for (const value of window) mean += value / WINDOW;
  const sound = Float64Array.from(window, (value) => value - mean);
  const likeness = likenesses(sound);
  let best = SHORTEST;
  let bestScore = -Infinity;
  for (let lag = SHORTEST; lag <= LONGEST; lag++) {
    const score = likeness[lag] - LONG_PERIOD_COST * (lag - SHORTEST);
    if (score > bestScore) [best, bestScore] = [lag, score];
  }
  if (likeness[best] < VOICED_LIKENESS) return 0;
  const [before, here, after] = [likeness[best - 1], likeness[best], likeness[best + 1]];
  const bend = before - 2 * here + after;
  const shift = bend < -1e-9 ? (0.5 * (before - after)) / bend : 0;
  return PITCH_RATE_HZ / (best + Math.min(Math.max(shift, -0.5), 0.5));
}

function likenesses(sound) {
  const likeness = new Float64Array(LONGEST + 2);
  let energy = 0;
  for (let i = 0; i < COMPARED; i++) energy += sound[i] * sound[i];
  const own = energy;
  for (let lag = 0; lag <= LONGEST + 1; lag++) {
    let product = 0;
    for (let i = 0; i < COMPARED; i++) product += sound[i] * sound[i + lag];
    likeness[lag] = product / Math.sqrt(own * Math.max(energy, 0) + 1e-12);
    energy += sound[lag + COMPARED] ** 2 - sound[lag] ** 2;
  }
  return likeness;
}

// How likely somebody speaks, by level over the noise floor and by pitch.
export function createLevelVoice() {
  let floorDb = null;
  let share = 0;

  return function push({ levelDb, pitchHz }) {
    if (floorDb === null) floorDb = levelDb;
    floorDb = levelDb < floorDb ? floorDb + FLOOR_FALL * (levelDb - floorDb) : floorDb + FLOOR_RISE_DB;
    const overDb = levelDb - floorDb - SPEECH_OVER_FLOOR_DB + (pitchHz > 0 ? VOICED_BONUS_DB : 0);
    share += LAG_SHARE * (1 / (1 + Math.exp(-overDb / SPEECH_WIDTH_DB)) - share);
    return share;
  };
}
