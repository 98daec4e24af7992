// From hops to the features of the voice and the silence. The same as rendering/dialogue/turns/features.py; a page has
// no recogniser, so the words stay unknown.

const HOP_S = 0.02;
const SPEECH_ON = 0.5;
const SPEECH_OFF = 0.35;
const START_HOPS = 3;
const SLOPE_HOPS = 25;
const MOVE_HOPS = 5;
const MOVE_KNOWN_HOPS = 8;
const OCTAVE_JUMP = 9;
const END_HOPS = 6;
const LEVEL_HOPS = 15;
const RATE_HOPS = 50;
const SHORT_PAUSE_S = 0.35;
const LONGEST_PAUSE_S = 3;
const PRIOR = 6;
const MOST = 200;
const RISE_DB = 2.5;
const KEPT_RISES = 32;

const clip = (value, low, high) => Math.min(Math.max(value, low), high);
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const known = (values) => values.filter((value) => !Number.isNaN(value));

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function usual(value, count = PRIOR) {
  return {
    value,
    add(seen) {
      count = Math.min(count + 1, MOST);
      this.value += (seen - this.value) / count;
    },
  };
}

export function createTurn() {
  const speaker = {
    pitchLog2: usual(Math.log2(150), 1), levelDb: usual(-30, 1), runS: usual(0.16), rate: usual(3.5), pauseS: usual(0.5),
  };
  let hops = 0;
  let startedHop = null;
  let stretchHop = 0;
  let lastSpeechHop = 0;
  let loudHops = 0;
  let runHops = 0;
  let lastRunS = 0;
  let dipDb = 0;
  let isRising = false;
  let isSpeaking = false;
  let pauses = 0;
  let closing = null;
  let level = [];
  let pitch = [];
  let rises = [];

  function begin() {
    pauses = 0;
    startedHop = isSpeaking ? stretchHop : null;
    if (!isSpeaking) [level, pitch, closing] = [[], [], null];
  }

  const pauseS = () => (isSpeaking || startedHop === null ? 0 : (hops - lastSpeechHop) * HOP_S);
  const stretchS = () => (startedHop === null ? 0 : (lastSpeechHop - stretchHop) * HOP_S);
  const turnS = () => (startedHop === null ? 0 : (lastSpeechHop - startedHop) * HOP_S);

  function push(sound, speech) {
    hops += 1;
    if (speech >= SPEECH_ON) loudHops += 1;
    else if (!isSpeaking || speech < SPEECH_OFF) loudHops = 0;
    if (isSpeaking) {
      if (speech < SPEECH_OFF) stop();
      else lastSpeechHop = hops;
    } else if (loudHops >= START_HOPS) {
      start();
    }
    if (isSpeaking || loudHops) hearSpeech(sound);
  }

  function start() {
    const first = hops - loudHops;
    if (startedHop === null) {
      startedHop = first;
    } else {
      speaker.pauseS.add(Math.min((first - lastSpeechHop) * HOP_S, LONGEST_PAUSE_S));
      pauses += 1;
    }
    isSpeaking = true;
    [stretchHop, lastSpeechHop, closing] = [first, hops, null];
  }

  function stop() {
    isSpeaking = false;
    endRun();
    closing = close();
    if (stretchS() > 1) speaker.rate.add(rate(stretchS()));
  }

  function hearSpeech({ levelDb, pitchHz }) {
    level = [...level, levelDb].slice(-RATE_HOPS);
    pitch = [...pitch, pitchHz > 0 ? Math.log2(pitchHz) : NaN].slice(-RATE_HOPS);
    if (pitchHz > 0) {
      runHops += 1;
      speaker.pitchLog2.add(Math.log2(pitchHz));
      speaker.levelDb.add(levelDb);
    } else {
      endRun();
    }
    countSyllable(levelDb);
  }

  function endRun() {
    if (runHops >= 2) {
      lastRunS = runHops * HOP_S;
      speaker.runS.add(lastRunS);
    }
    runHops = 0;
  }

  function countSyllable(levelDb) {
    if (isRising) {
      if (levelDb < dipDb - RISE_DB) [isRising, dipDb] = [false, levelDb];
      else dipDb = Math.max(dipDb, levelDb);
    } else if (levelDb > dipDb + RISE_DB) {
      [isRising, dipDb] = [true, levelDb];
      rises = [...rises, hops].slice(-KEPT_RISES);
    } else {
      dipDb = Math.min(dipDb, levelDb);
    }
  }

  function rate(spanS) {
    const first = lastSpeechHop - spanS / HOP_S;
    return rises.filter((hop) => hop > first).length / Math.max(spanS, 0.2);
  }

  function close() {
    const heard = pitch.length ? pitch : [NaN];
    const levels = level.length ? level : [speaker.levelDb.value];
    let last = heard.length;
    while (last > 0 && Number.isNaN(heard[last - 1])) last -= 1;
    if (last === 0) last = heard.length;
    const isKnown = known(heard).length >= 4;
    const atEnd = known(heard.slice(Math.max(0, last - END_HOPS), last));
    const end = isKnown ? 12 * (median(atEnd) - speaker.pitchLog2.value) : 0;
    const runS = runHops < 2 ? lastRunS : runHops * HOP_S;
    const audible = levels.slice(0, Math.max(last, 3));
    const spanS = Math.min(Math.max(stretchS(), 0.2), RATE_HOPS * HOP_S);
    const semitones = heard.map((value) => 12 * value);
    const move = moveOf(known(semitones));
    return {
      pitch_at_end: clip(end, -8, 8),
      pitch_slope: slope(semitones.slice(Math.max(0, last - SLOPE_HOPS), last), 30),
      pitch_move: move,
      pitch_moved: Math.abs(move),
      final_length: clip(Math.log((runS + 0.02) / (speaker.runS.value + 0.02)), -1.5, 1.5),
      level_at_end: clip(mean(audible.slice(-END_HOPS)) - speaker.levelDb.value, -20, 10),
      level_slope: slope(audible.slice(-LEVEL_HOPS), 100),
      rate: clip(Math.log((rate(spanS) + 0.5) / (speaker.rate.value + 0.5)), -1.5, 1.5),
    };
  }

  // By name, as the file of weights names them. A feature that is missing counts as 0, as without a recogniser.
  function features() {
    const pause = Math.min(pauseS(), LONGEST_PAUSE_S);
    return {
      pause,
      short_pause: Math.exp(-pause / SHORT_PAUSE_S),
      pause_against_usual: Math.min(pause / Math.max(speaker.pauseS.value, 0.1), 4),
      stretch: Math.log(0.2 + stretchS()),
      turn_length: Math.log(0.5 + turnS()),
      pauses_before: Math.min(pauses, 4),
      ...(closing ?? close()),
    };
  }

  return { begin, push, features, pauseS, isSpeaking: () => isSpeaking, hasStarted: () => startedHop !== null };
}

// How far the last voiced sounds lie from the middle of what was voiced in the last second, in semitones.
function moveOf(semitones) {
  if (semitones.length < MOVE_KNOWN_HOPS) return 0;
  const middle = median(semitones);
  const near = semitones.filter((value) => Math.abs(value - middle) < OCTAVE_JUMP);
  return near.length < MOVE_KNOWN_HOPS ? 0 : clip(median(near.slice(-MOVE_HOPS)) - middle, -8, 8);
}

// Least-squares slope a second, limited to +-most; values far from the middle (octave jumps) are left out.
function slope(values, most) {
  let points = values.map((value, index) => [index, value]).filter(([, value]) => !Number.isNaN(value));
  if (points.length < 4) return 0;
  const middle = median(points.map(([, value]) => value));
  points = points.filter(([, value]) => Math.abs(value - middle) < OCTAVE_JUMP);
  if (points.length < 4) return 0;
  const atS = points.map(([index]) => index * HOP_S);
  const [meanS, meanValue] = [mean(atS), mean(points.map(([, value]) => value))];
  let product = 0;
  let square = 0;
  points.forEach(([, value], index) => {
    product += (atS[index] - meanS) * (value - meanValue);
    square += (atS[index] - meanS) ** 2;
  });
  return clip(product / square, -most, most);
}
