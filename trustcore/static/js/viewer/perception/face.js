// From 468 points of a face to action units. The readable truth, and the reasons, stand in rendering/perception/face.py;
// a test compares the two.

export const ACTION_UNITS = [1, 2, 4, 5, 6, 7, 9, 12, 15, 20, 23, 25, 26];
const WEAK_UNITS = [6, 23];
const [RIGHT_CORNER, LEFT_CORNER, NOSE_BASE, CHIN] = [33, 263, 2, 152];
const INNER_CORNERS = [133, 362];
const INNER_BROWS = [[55, 107], [285, 336]];
const OUTER_BROWS = [[46, 70], [276, 300]];
const UPPER_LIDS = [[158, 159, 160], [385, 386, 387]];
const LOWER_LIDS = [[144, 145, 153], [380, 374, 373]];
const CHEEKS = [[50, 205], [280, 425]];
const NOSE_WINGS = [48, 278];
const MOUTH_CORNERS = [61, 291];
const LIPS = [0, 13, 14, 17];
export const FEATURES = ["brow_inner", "brow_outer", "brow_gap", "lids", "cheek", "nose", "corner_drop", "mouth_width",
  "lip_thickness", "lip_gap", "jaw"];
const BASELINE_S = 3.0;
const LEAST_BASELINE = 6;
const TURN_SURE = 0.26;
const TURN_LOST = 0.61;
const FORMULAS = {
  1: [{ brow_inner: 1.0, brow_outer: -0.6 }, 0.020],
  2: [{ brow_outer: 1.0 }, 0.024],
  4: [{ brow_inner: -0.5, brow_outer: -0.5, brow_gap: -1.0 }, 0.045],
  5: [{ lids: 1.0 }, 0.020],
  6: [{ cheek: -1.0, lids: -0.3 }, 0.020],
  7: [{ lids: -1.0 }, 0.030],
  9: [{ nose: -1.0, mouth_width: -0.2 }, 0.025],
  12: [{ corner_drop: -1.0, mouth_width: 0.3 }, 0.100],
  15: [{ corner_drop: 1.0, lip_gap: -0.3 }, 0.030],
  20: [{ mouth_width: 1.0, corner_drop: 1.5 }, 0.060],
  23: [{ lip_thickness: -1.0, lip_gap: -0.3 }, 0.025],
  25: [{ lip_gap: 1.0 }, 0.080],
  26: [{ jaw: 1.0 }, 0.080],
};
const POSE = {
  brow_inner: [-0.136, -0.167], brow_outer: [0.0, -0.086], lids: [-0.100, 0.0], cheek: [-0.060, -0.050],
  nose: [0.0, -0.080], jaw: [0.096, -0.155], lip_thickness: [-0.045, 0.0],
};

const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const minus = (a, b) => a.map((one, k) => one - b[k]);
const times = (a, factor) => a.map((one) => one * factor);
const length = (a) => Math.sqrt(dot(a, a));
const mean = (values) => values.reduce((sum, one) => sum + one, 0) / values.length;
const clip = (value, low, high) => Math.min(high, Math.max(low, value));

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// Features of points [468][3] in pixels, and the sines of the head's pitch and yaw.
export function frameOf(points) {
  const centre = times(points[RIGHT_CORNER].map((one, k) => one + points[LEFT_CORNER][k]), 0.5);
  const across = minus(points[LEFT_CORNER], points[RIGHT_CORNER]);
  const unit = length(across);
  const right = times(across, 1 / unit);
  let down = minus(points[NOSE_BASE], centre);
  down = minus(down, times(right, dot(down, right)));
  down = times(down, 1 / length(down));
  const pitch = right[2] * down[0] - right[0] * down[2];
  const yaw = right[2];
  const x = (number) => dot(minus(points[number], centre), right) / unit;
  const y = (number) => dot(minus(points[number], centre), down) / unit;
  const height = (numbers) => mean(numbers.map(y));
  const both = (value) => mean([0, 1].map(value));
  const [top, upper, lower, bottom] = LIPS.map(y);
  const values = {
    brow_inner: both((k) => y(INNER_CORNERS[k]) - height(INNER_BROWS[k])),
    brow_outer: both((k) => y([RIGHT_CORNER, LEFT_CORNER][k]) - height(OUTER_BROWS[k])),
    brow_gap: x(INNER_BROWS[1][0]) - x(INNER_BROWS[0][0]),
    lids: both((k) => height(LOWER_LIDS[k]) - height(UPPER_LIDS[k])),
    cheek: both((k) => height(CHEEKS[k]) - height(LOWER_LIDS[k])),
    nose: both((k) => y(NOSE_WINGS[k]) - y(INNER_CORNERS[k])),
    corner_drop: height(MOUTH_CORNERS) - y(NOSE_BASE),
    mouth_width: x(MOUTH_CORNERS[1]) - x(MOUTH_CORNERS[0]),
    lip_thickness: upper - top + (bottom - lower),
    lip_gap: lower - upper,
    jaw: y(CHIN) - y(NOSE_BASE),
  };
  for (const [name, [byPitch, byYaw]] of Object.entries(POSE)) values[name] -= byPitch * pitch + byYaw * yaw ** 2;
  return { features: FEATURES.map((name) => values[name]), pitch, yaw };
}

// How far the head is turned from the camera, in radians.
export function turnFrom(frame, resting) {
  return Math.asin(Math.min(1, Math.hypot(frame.pitch - resting.pitch, frame.yaw)));
}

// The face at rest, learned from the first seconds; `face` is null until it is known.
export function createResting() {
  const frames = [];
  let beganS = null;
  return {
    face: null,
    add(frame, nowS) {
      if (this.face !== null) return;
      beganS ??= nowS;
      frames.push(frame);
      if (nowS - beganS < BASELINE_S || frames.length < LEAST_BASELINE) return;
      this.face = {
        features: FEATURES.map((_, k) => median(frames.map((one) => one.features[k]))),
        pitch: median(frames.map((one) => one.pitch)),
        yaw: median(frames.map((one) => one.yaw)),
      };
    },
  };
}

// [13] action units, 0..1.
export function unitsOf(features, resting) {
  const change = Object.fromEntries(FEATURES.map((name, k) => [name, features[k] - resting[k]]));
  return ACTION_UNITS.map((unit) => {
    const [terms, full] = FORMULAS[unit];
    const sum = Object.entries(terms).reduce((total, [name, weight]) => total + weight * change[name], 0);
    return clip(sum / full, 0, 1);
  });
}

// [13] how sure the units of a head turned so far can be, 0..1; half of that for the weak ones.
export function unitsSure(turnRad) {
  const share = clip((TURN_LOST - turnRad) / (TURN_LOST - TURN_SURE), 0, 1);
  return ACTION_UNITS.map((unit) => share * (WEAK_UNITS.includes(unit) ? 0.5 : 1));
}
