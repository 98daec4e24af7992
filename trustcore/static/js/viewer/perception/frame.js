// Inside the frame that perceives: camera and microphone in, a few numbers out to the page around it. The frame's policy
// lets it connect to nothing but the folder of its model.

import { affectOf, affectSure, smoothed } from "./affect.js";
import { createResting, frameOf, turnFrom, unitsOf, unitsSure } from "./face.js";
import { partsOf } from "./vectors.js";
import { createMeter, EVERY_MS, RATE_HZ, WINDOW } from "./voice.js";

const LOOK_EVERY_MS = 250;
const SEND_EVERY_MS = 500;
const REST_SHARE = 2; // after a look, at least so many times its cost is left to the rest of the page
const POINT_COUNT = 468;
const { readsFace, modelUrl } = document.body.dataset;
const wantsFace = readsFace === "yes";
let face = null;
let voice = null;
let stream = null;

const tell = (kind, what = {}) => parent.postMessage({ source: "trustcore-perception", kind, ...what }, location.origin);
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function watchFace() {
  const picture = document.createElement("video");
  picture.muted = true;
  picture.srcObject = new MediaStream(stream.getVideoTracks());
  await picture.play();
  const mesh = new globalThis.FaceMesh({ locateFile: (file) => `${modelUrl}${file}` });
  mesh.setOptions({ maxNumFaces: 1 });
  let found = null;
  mesh.onResults(({ multiFaceLandmarks }) => { found = multiFaceLandmarks?.[0] ?? null; });
  await mesh.initialize();
  const resting = createResting();
  const units = [];
  tell("learning");
  for (;;) {
    const beganMs = performance.now();
    found = null;
    await mesh.send({ image: picture });
    face = found === null ? null : read(found, picture, resting, units, beganMs / 1000);
    const costMs = performance.now() - beganMs;
    tell("cost", { costMs });
    await wait(Math.max(LOOK_EVERY_MS - costMs, REST_SHARE * costMs));
  }
}

function read(landmarks, { videoWidth: width, videoHeight: height }, resting, units, nowS) {
  const points = landmarks.slice(0, POINT_COUNT).map(({ x, y, z }) => [x * width, y * height, z * width]);
  const frame = frameOf(points);
  resting.add(frame, nowS);
  if (resting.face === null) return null;
  units.push(unitsOf(frame.features, resting.face.features));
  if (units.length > 20) units.shift();
  const now = smoothed(units);
  const sure = unitsSure(turnFrom(frame, resting.face));
  const affect = affectOf(now);
  return { units: now, unitsSure: sure, affect, affectSure: affectSure(affect, sure[0]) };
}

function watchVoice() {
  const context = new AudioContext({ sampleRate: RATE_HZ });
  const analyser = new AnalyserNode(context, { fftSize: WINDOW });
  context.createMediaStreamSource(new MediaStream(stream.getAudioTracks())).connect(analyser);
  context.resume();
  const meter = createMeter();
  const samples = new Float32Array(WINDOW);
  setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    meter.push(samples);
    const [arousal, sure] = meter.reading();
    voice = sure > 0 ? { arousal, sure } : null;
  }, EVERY_MS);
}

async function begin() {
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: wantsFace && { width: 320, height: 240 } });
  } catch {
    return tell("refused");
  }
  tell("on");
  watchVoice();
  setInterval(() => { if (face || voice) tell("vector", { parts: partsOf({ face, voice }) }); }, SEND_EVERY_MS);
  if (!wantsFace) return undefined;
  return watchFace().catch(() => tell("failed"));
}

// The page takes the frame away to end it; the camera's light goes off before that.
window.addEventListener("message", ({ origin, data }) => {
  if (origin === location.origin && data === "stop") for (const track of stream?.getTracks() ?? []) track.stop();
});
window.addEventListener("pagehide", () => { for (const track of stream?.getTracks() ?? []) track.stop(); });
begin();
