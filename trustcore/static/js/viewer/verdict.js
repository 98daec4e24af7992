// The verdict on screen: chip, sentence, three counts, one bar a second. Words come from the page's data attributes, so
// that they are translated where all other words are.

const WINDOW = 30;
const SOUND_WINDOW = 50; // packets of 20 ms, or of 60 on a narrow line
const SOUND_STILL_MS = 2000; // silence is sent too, so sound that stands still this long was lost
const FRAMES_BEFORE_VERDICT = 10;
const STRIP_SECONDS = 60;
// Of the page, not of the browser; figures in the digits that all other words of the page use.
const locale = () => `${globalThis.document?.documentElement?.lang || "en"}-u-nu-latn`;

// What the viewer is told, from what the verifier counted: the worse of picture and sound, and nothing good where the
// signer was revoked. Pure.
export function judge(verdict) {
  const { sound, hide } = verdict;
  const hasPicture = verdict.carries?.has_picture ?? true;
  const facts = hasPicture ? judgePicture(verdict) : judgeSound(verdict);
  if (verdict.signer?.state === "revoked") return { ...facts, state: hide ? "hidden" : "unverified", words: "revoked" };
  if (!hasPicture || !(verdict.carries?.has_sound ?? true)) return facts;
  if (facts.state !== "verified" || !sound || (sound.fresh ?? sound.counts).received < FRAMES_BEFORE_VERDICT) return facts;
  const { good, total } = heard(sound);
  if (good === total) return facts;
  return hide ? { good, total, state: "partial", words: "sound" } : { ...facts, state: "unverified" };
}

// How much of the last second's sound verified. Pure.
function heard(sound) {
  const total = Math.min(SOUND_WINDOW, (sound.fresh ?? sound.counts).received);
  return { good: Math.round(shareNow(sound) * total), total };
}

// Packets that verified a while ago say nothing about now. Pure.
function shareNow({ share, stillMs = 0 }) {
  return stillMs > SOUND_STILL_MS ? 0 : share;
}

// On a line that carries sound alone; without sound either there is nothing to judge. The session stands as it did.
function judgeSound(verdict) {
  const { sound, hide } = verdict;
  if (!verdict.carries.has_sound) return { good: 0, total: 0, state: "checking", words: "captions" };
  if (!sound || (sound.fresh ?? sound.counts).received < FRAMES_BEFORE_VERDICT) return judgePicture(verdict);
  const { good, total } = heard(sound);
  if (good === 0) return { good, total, state: hide ? "hidden" : "unverified" };
  return good === total ? { good, total, state: "verified", words: "voice" } : { good, total, state: "partial", words: "sound" };
}

function judgePicture(verdict) {
  const { state, share, hide } = verdict;
  const counts = verdict.fresh ?? verdict.counts; // what an earlier connection verified says nothing about this one
  const total = Math.min(WINDOW, counts.received);
  const good = Math.round(share * total);
  const facts = { good, total, state: "checking" };
  if (counts.received === 0 && state !== "invalid") return facts;
  if (counts.verified === 0 && (state === "invalid" || counts.received >= FRAMES_BEFORE_VERDICT)) {
    return { ...facts, state: "hidden" };
  }
  if (counts.received < FRAMES_BEFORE_VERDICT) return facts;
  if (good === 0) return { ...facts, state: hide ? "hidden" : "unverified" };
  return { ...facts, state: good === total ? "verified" : "partial" };
}

// One second of the strip: "verified", "late" or "missing", from counts at its start and end. Pure.
export function secondOf(before, after) {
  const verified = after.verified - before.verified;
  const other = after.received - before.received - verified;
  if (verified === 0) return "missing";
  return other > 0 || after.gap > before.gap ? "late" : "verified";
}

export function createVerdictView(root) {
  const find = (name) => root.querySelector(`[data-part="${name}"]`);
  const strip = find("strip");
  let last = null;
  let counts = null;
  let sound = null;
  let signer = null;
  let before = null;
  let spoken = "";

  function fill(template, facts) {
    return template.replace("{good}", facts.good).replace("{total}", facts.total);
  }

  function say(state, text) {
    // "Checking" and partial are polite, not verified interrupts, verified is silent.
    if (state === spoken) return;
    spoken = state;
    find("announce").textContent = ["checking", "partial"].includes(state) ? text : "";
    find("announce-now").textContent = ["hidden", "unverified"].includes(state) ? text : "";
  }

  function draw(facts) {
    const chip = find("chip");
    const words = facts.words ?? facts.state;
    const text = fill(chip.dataset[words] ?? "", facts);
    if (chip.dataset.state !== facts.state) chip.dataset.state = facts.state;
    find("chip-text").textContent = text;
    const box = find("sentence");
    box.dataset.state = facts.state;
    box.querySelector("strong").textContent = text;
    const sentence = fill(box.dataset[words] ?? "", facts);
    box.querySelector("p").textContent = sentence;
    if (facts.state === "hidden") find("hidden-why").textContent = sentence;
    say(facts.state, text);
  }

  // Whether the signer's certificate was revoked: a line that always says something, above all that nobody looked.
  function drawSigner({ state, askedAtMs }) {
    const line = find("signer");
    const time = new Date(askedAtMs).toLocaleTimeString(locale(), { timeStyle: "short", hourCycle: "h23" });
    line.dataset.state = state;
    line.textContent = line.dataset[state].replace("{time}", time);
  }

  function drawCounts() {
    if (counts === null) return;
    find("count-verified").textContent = counts.verified.toLocaleString(locale());
    find("count-late").textContent = (counts.late + counts.gap).toLocaleString(locale());
    find("count-unsigned").textContent = (counts.unattested + counts.invalid).toLocaleString(locale());
    if (sound?.counts.received > 0) find("count-sound").textContent = `${Math.floor(100 * shareNow(sound))} %`;
  }

  function tick() {
    if (counts === null) return;
    const bar = document.createElement("i");
    bar.className = before === null ? "missing" : secondOf(before, counts);
    strip.append(bar);
    while (strip.children.length > STRIP_SECONDS) strip.firstChild.remove();
    before = { ...counts };
    drawCounts();
  }

  const timer = setInterval(tick, 1000); // live figures change at most once a second

  return {
    // Returns the state that is shown now.
    update(verdict) {
      const facts = judge(verdict);
      find("connections").textContent = verdict.connections ?? 1;
      if (verdict.signer && verdict.signer !== signer) drawSigner(signer = verdict.signer);
      counts = { ...verdict.counts };
      sound = verdict.sound ?? null;
      if (before === null) before = { ...counts };
      const key = `${facts.words ?? facts.state}${facts.good}/${facts.total}`;
      if (key !== last) draw(facts);
      last = key;
      return facts.state;
    },
    // What is shown now.
    shown() {
      return find("chip").dataset.state;
    },
    // The line is lost, or the page has just been loaded again.
    reconnect() {
      last = "reconnecting";
      sound = null;
      find("count-sound").textContent = "–";
      draw({ state: "checking", words: "reconnecting", good: 0, total: 0 });
    },
    // No frame comes: what was verified a while ago says nothing about now.
    stall() {
      if (last === "stalled") return;
      last = "stalled";
      draw({ state: "checking", good: 0, total: 0 });
    },
    // Nothing is sent that could be verified.
    rest() {
      last = "resting";
      draw({ state: "checking", words: "captions", good: 0, total: 0 });
    },
    // The conversation is over: nothing may go on saying that something is verified now.
    close() {
      clearInterval(timer);
      drawCounts();
      draw({ state: "ended", good: 0, total: 0 });
    },
  };
}
