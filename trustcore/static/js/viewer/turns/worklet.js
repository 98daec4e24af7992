// Runs in the audio thread: collects hops of 20 ms and posts hints. Nothing of the sound leaves it.

import { createEnder } from "./ender.js";
import { HOP_SAMPLES } from "./hearing.js";

class TurnHints extends AudioWorkletProcessor {
  constructor({ processorOptions }) {
    super();
    this.push = createEnder(processorOptions.weights);
    this.hop = new Float64Array(HOP_SAMPLES);
    this.filled = 0;
  }

  process([[channel]]) {
    for (const sample of channel ?? []) {
      this.hop[this.filled] = sample;
      this.filled += 1;
      if (this.filled < HOP_SAMPLES) continue;
      this.filled = 0;
      const end = this.push(this.hop);
      if (end !== null) this.port.postMessage(end);
    }
    return true;
  }
}

registerProcessor("trustcore-turn-hints", TurnHints);
