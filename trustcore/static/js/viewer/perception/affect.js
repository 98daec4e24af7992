// From action units to an emotion, by the prototypes of EMFACS. The readable truth is rendering/perception/affect.py.

import { ACTION_UNITS, median } from "./face.js";

export const EMOTIONS = ["joy", "sadness", "anger", "surprise", "fear", "disgust"];
const PROTOTYPES = {
  joy: [6, 12], sadness: [1, 4, 15], anger: [4, 5, 7, 23], surprise: [1, 2, 5, 26], fear: [1, 2, 4, 5, 7, 20, 26],
  disgust: [9, 15],
};
const SMOOTHED = 5;
const AGAINST = 0.7;
const LIGHT = { 5: 0.4, 6: 0.3, 7: 0.2, 20: 0.4, 23: 0.0, 26: 0.3 };
const LIGHT_IN_SADNESS = { ...LIGHT, 4: 0.3 };
const NEEDS = { joy: 12, sadness: 15, anger: 4, surprise: 2, fear: 4, disgust: 9 };
const CONTRADICTS = {
  joy: [4, 15], sadness: [2, 12], anger: [1, 2, 12], surprise: [4, 12], fear: [12, 15], disgust: [2, 12],
};

export function smoothed(units) {
  const last = units.slice(-SMOOTHED);
  return ACTION_UNITS.map((_, k) => median(last.map((one) => one[k])));
}

// [6] how much of each emotion the face shows, 0..1.
export function affectOf(units) {
  const by = Object.fromEntries(ACTION_UNITS.map((unit, k) => [unit, units[k]]));
  return EMOTIONS.map((emotion) => {
    const light = emotion === "sadness" ? LIGHT_IN_SADNESS : LIGHT;
    let there = 0;
    let weights = 0;
    for (const unit of PROTOTYPES[emotion]) {
      const weight = light[unit] ?? 1;
      there += weight * by[unit];
      weights += weight;
    }
    const against = Math.max(...CONTRADICTS[emotion].map((unit) => by[unit]));
    return Math.max(0, Math.min(there / weights, by[NEEDS[emotion]]) - AGAINST * against);
  });
}

// 0..1: how far the strongest stands out from the second, held down where the head is turned away.
export function affectSure(affect, turnSure) {
  const [first, second] = [...affect].sort((a, b) => b - a);
  return Math.min(1, Math.max(0, 0.5 * first + (first - second))) * turnSure;
}
