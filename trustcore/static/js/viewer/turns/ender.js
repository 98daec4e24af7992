// Hop after hop to hints: how likely the viewer's turn is over. Only in pauses, at most ten a second.

import { createTurn } from "./features.js";
import { createHearing, createLevelVoice } from "./hearing.js";
import { createModel } from "./model.js";

const HINT_EVERY_HOPS = 5; // 100 ms
const FIRST_HINT_S = 0.08;
const HINTS_UNTIL_S = 3;

// Returns push(hop of 320 numbers from -1 to 1) -> 0..1, or null where there is nothing to say.
export function createEnder(weights) {
  const hear = createHearing();
  const voice = createLevelVoice();
  const turn = createTurn();
  const judge = createModel(weights);
  let sinceHint = HINT_EVERY_HOPS;

  return function push(hop) {
    const sound = hear(hop);
    turn.push(sound, voice(sound));
    sinceHint += 1;
    const pauseS = turn.pauseS();
    if (turn.isSpeaking() || pauseS < FIRST_HINT_S || sinceHint < HINT_EVERY_HOPS) return null;
    if (pauseS > HINTS_UNTIL_S) {
      turn.begin(); // long silent: whatever comes next is a new turn
      return null;
    }
    sinceHint = 0;
    return judge(turn.features())[0];
  };
}
