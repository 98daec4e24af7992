// One message of perception: whole numbers alone (rendering/perception/vectors.py says which). Nothing else is sent.

const milli = (value) => Math.round(1000 * Math.min(1, Math.max(0, value)));

// The parts of a message, from what was read; null where there is nothing to say.
export function partsOf({ face, voice }) {
  return {
    face: face && {
      units_milli: face.units.map(milli), units_sure_milli: face.unitsSure.map(milli),
      affect_milli: face.affect.map(milli), affect_sure_milli: milli(face.affectSure),
    },
    voice: voice && { arousal_milli: milli(voice.arousal), sure_milli: milli(voice.sure) },
  };
}

// The worker knows the message by its first letters, so event_type stands first.
export function messageOf(consent, number, { face, voice }) {
  return JSON.stringify({ event_type: "trustcore.perception", properties: { consent, number, face, voice } });
}

export const REVOKED = JSON.stringify({ event_type: "trustcore.perception_revoked" });
