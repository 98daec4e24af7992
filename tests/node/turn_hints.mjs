// The page's turn-taker on the sound of stdin: {pcm: [int16], weights}. usage: node turn_hints.mjs STATIC_DIR
// Prints one JSON line: levels, pitches and speech of every hop, features and shares of every pause, and the hints.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const base = pathToFileURL(`${process.argv[2]}/js/viewer/turns/`);
const load = (name) => import(new URL(name, base));
const { createHearing, createLevelVoice, HOP_SAMPLES } = await load("hearing.js");
const { createTurn } = await load("features.js");
const { createModel } = await load("model.js");
const { createEnder } = await load("ender.js");
const { hintMessage } = await load("hints.js");

const { pcm, weights } = JSON.parse(readFileSync(0, "utf8"));
const [hear, voice, turn, judge, push] = [createHearing(), createLevelVoice(), createTurn(), createModel(weights), createEnder(weights)];
const hops = [];
for (let at = 0; at + HOP_SAMPLES <= pcm.length; at += HOP_SAMPLES) {
  const hop = pcm.slice(at, at + HOP_SAMPLES).map((sample) => sample / 32768);
  const sound = hear(hop);
  const speech = voice(sound);
  turn.push(sound, speech);
  const isPause = turn.hasStarted() && !turn.isSpeaking();
  hops.push({
    ...sound, speech, features: isPause ? turn.features() : null, shares: isPause ? judge(turn.features()) : null, hint: push(hop),
  });
}
console.log(JSON.stringify({ hops, message: hintMessage(0.12345) }));
