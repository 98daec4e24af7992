// From sound to how lively a voice is. The readable truth, and the reasons, stand in rendering/perception/voice.py.

import { median } from "./face.js";

export const RATE_HZ = 16000;
export const WINDOW = 1024;
const EVERY = 960;
export const EVERY_MS = (1000 * EVERY) / RATE_HZ;
const LAGS = { first: Math.floor(RATE_HZ / 400), last: Math.floor(RATE_HZ / 70) };
const VOICED = 0.55;
const SILENT_DB = -50;
const JUDGED = 50;
const USUAL = 400;
const LEAST_USUAL = 25;
const LEAST_VOICED = 8;
const [PITCH_STEP, RANGE_STEP, LEVEL_STEP, PACE_STEP] = [3.0, 4.0, 6.0, 1.5];
const MOST_SURE = 0.8;

// Level and pitch (semitones above 55 Hz; 0: none) of WINDOW samples.
export function lookAt(samples) {
  let power = 0;
  let sum = 0;
  for (const one of samples) { power += one * one; sum += one; }
  const levelDb = 20 * Math.log10(Math.max(Math.sqrt(power / samples.length), 1e-9));
  if (levelDb < SILENT_DB) return { levelDb, pitch: 0 };
  const centred = Float64Array.from(samples, (one) => one - sum / samples.length);
  const likeness = [];
  for (let lag = LAGS.first; lag <= LAGS.last; lag += 1) likeness.push(likenessAt(centred, lag));
  const best = Math.max(...likeness);
  if (best < VOICED) return { levelDb, pitch: 0 };
  let k = likeness.findIndex((one) => one >= 0.9 * best);
  while (k + 1 < likeness.length && likeness[k + 1] > likeness[k]) k += 1;
  return { levelDb, pitch: 12 * Math.log2(RATE_HZ / (LAGS.first + k) / 55) };
}

function likenessAt(samples, lag) {
  let [product, head, tail] = [0, 0, 0];
  for (let k = 0; k + lag < samples.length; k += 1) {
    const [a, b] = [samples[k], samples[k + lag]];
    product += a * b;
    head += a * a;
    tail += b * b;
  }
  const power = Math.sqrt(head * tail);
  return power > 0 ? product / power : 0;
}

// [arousal, how sure], each 0..1.
export function arousalOf(looks, usual) {
  const voiced = looks.filter((look) => look.pitch > 0);
  if (voiced.length < LEAST_VOICED || usual.length < LEAST_USUAL) return [0.5, 0];
  const pitches = voiced.map((look) => look.pitch);
  const usualPitches = usual.map((look) => look.pitch);
  const steps = (median(pitches) - median(usualPitches)) / PITCH_STEP
    + (spread(pitches) - spread(usualPitches)) / RANGE_STEP
    + (median(voiced.map((look) => look.levelDb)) - median(usual.map((look) => look.levelDb))) / LEVEL_STEP
    + (pace(looks) - 2.5) / PACE_STEP / 2;
  const sure = MOST_SURE * Math.min(1, voiced.length / 20) * Math.min(1, usual.length / 100);
  return [1 / (1 + Math.exp(-0.8 * steps)), sure];
}

function percentile(values, percent) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (percent / 100) * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
}

function spread(values) {
  return percentile(values, 90) - percentile(values, 10);
}

function pace(looks) {
  let starts = 0;
  for (let k = 1; k < looks.length; k += 1) if (looks[k - 1].pitch === 0 && looks[k].pitch > 0) starts += 1;
  return starts / ((looks.length * EVERY) / RATE_HZ);
}

export function createMeter() {
  const looks = [];
  const usual = [];
  return {
    push(samples) {
      const look = lookAt(samples);
      looks.push(look);
      if (looks.length > JUDGED) looks.shift();
      if (look.pitch > 0) usual.push(look);
      if (usual.length > USUAL) usual.shift();
    },
    reading: () => arousalOf(looks, usual),
  };
}
