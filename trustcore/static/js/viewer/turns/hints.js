// Tells the conversation, at pauses, how likely the viewer's turn is over. A hint only: the conversation decides, and
// works the same without one.

import { RATE_HZ } from "./hearing.js";

const EVENT = "trustcore.turn_hint";

// `send(text)` puts one message on the data channel. Resolves to a function that stops the hints; where the browser
// cannot do it, to one that has nothing to stop. Rejects where it cannot be started.
export async function startTurnHints(stream, { weightsUrl, send }) {
  if (typeof AudioWorkletNode === "undefined" || !weightsUrl) return () => {};
  const response = await fetch(weightsUrl);
  if (!response.ok) return () => {};
  const context = new AudioContext({ sampleRate: RATE_HZ }); // the browser resamples the microphone
  try {
    await listen(context, stream, await response.json(), send);
  } catch (error) {
    context.close(); // there are browsers that do not resample
    throw error;
  }
  return () => context.close();
}

async function listen(context, stream, weights, send) {
  await context.audioWorklet.addModule(new URL("./worklet.js", import.meta.url));
  const node = new AudioWorkletNode(context, "trustcore-turn-hints", {
    numberOfInputs: 1, numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit",
    processorOptions: { weights },
  });
  node.port.onmessage = ({ data }) => send(hintMessage(data));
  context.createMediaStreamSource(stream).connect(node);
}

export function hintMessage(end) {
  return JSON.stringify({ event_type: EVENT, properties: { end: Math.round(end * 1000) / 1000 } });
}
