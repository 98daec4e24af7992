// Runs in the audio thread: tells when a voice begins and when it falls silent. Nothing of the sound leaves it.

import { createEdges } from "./edges.js";

class Loudness extends AudioWorkletProcessor {
  constructor() {
    super();
    this.push = createEdges(sampleRate);
  }

  process([[channel]]) {
    if (channel === undefined) return true;
    const edge = this.push(channel, 1000 * currentTime);
    if (edge !== null) this.port.postMessage(edge);
    return true;
  }
}

registerProcessor("trustcore-loudness", Loudness);
