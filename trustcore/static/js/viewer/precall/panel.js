// The test before a call, on screen: one line for each thing, with a verdict, a reason and what to do. It is offered and
// never demanded; who connects while it runs ends it.

import { askRoad, hearMicrophone, measureSpeed, seeCamera } from "./probes.js";
import { expectedRung, isOpen, MOST_KBPS, ROADS, serversByRoad, speedReason, verdictOf } from "./rules.js";

const NOT_RUN = "not_tested";

// `tell(result)` is for the page around a frame: {is_complete, lines, down_kbps, up_kbps, round_trip_ms, expected_rung}.
export function createPrecall(root, { headers, servers, isRelayed, tell = () => {}, measures = {} }) {
  const panel = root.querySelector("[data-precall]");
  if (!panel) return { start: async () => null, stop() {} };
  const find = (name) => panel.querySelector(`[data-part="${name}"]`);
  const rows = new Map([...panel.querySelectorAll("[data-line]")].map((row) => [row.dataset.line, row]));
  const meter = find("precall-level");
  let reasons = {};
  let speed = {};
  let running = null; // an AbortController while the test runs

  function fill(text, facts) {
    return text.replace(/\{(\w+)\}/g, (whole, name) => facts[name] ?? whole);
  }

  // `facts`: figures that the sentence has places for.
  function show(line, reason, facts = {}) {
    const row = rows.get(line);
    reasons[line] = reason;
    row.dataset.reason = reason;
    row.querySelector('[data-part="why"]').textContent = fill(row.dataset[camel(reason)] ?? "", facts);
    drawVerdicts();
  }

  // A road that is closed weighs less once another is open, so all of them are looked at each time.
  function drawVerdicts() {
    const isOtherOpen = isOpen(reasons, isRelayed) === true;
    for (const [line, row] of rows) {
      const reason = reasons[line];
      const verdict = reason === "testing" ? "waiting" : verdictOf(line, reason, isOtherOpen);
      row.dataset.verdict = verdict;
      const word = row.querySelector('[data-part="verdict"]');
      word.className = `chip ${verdict}`;
      word.textContent = panel.dataset[camel(`word_${verdict}`)];
    }
  }

  function finish(line, told, facts) {
    if (running?.signal.aborted) return;
    show(line, told, facts);
    const bar = find("precall-progress");
    bar.value += 1;
    bar.textContent = `${bar.value} / ${bar.max}`;
  }

  async function testRoads(signal) {
    const found = serversByRoad(servers);
    await Promise.all(ROADS.map(async (road) => {
      if (road === "udp" && isRelayed) return finish(road, "relay_only");
      const told = await askRoad(found[road], { isRelay: road !== "udp", signal });
      return finish(road, told.reason, told);
    }));
    // Who reaches the relay that way has a network that lets it pass.
    if (reasons["relay-udp"] === "reached" && reasons.udp === "blocked") show("udp", "reached");
  }

  async function testSpeed(signal) {
    speed = await measureSpeed(panel.dataset.speedUrl, { headers, signal });
    const { downKbps: down, upKbps: up, roundTripMs: ms } = speed;
    const atLeast = (told) => (told === MOST_KBPS ? `${told}+` : told);
    finish("speed", speedReason(speed), { down: atLeast(down), up: atLeast(up), ms });
  }

  async function testMicrophone(signal) {
    const told = await hearMicrophone({ signal, onLevel: (level) => { if (meter) meter.value = level; } });
    finish("microphone", told.reason);
  }

  async function testCamera() {
    show("camera", "testing");
    show("camera", (await seeCamera()).reason);
    if (!running) tell(result(panel.dataset.state === "done")); // else the end of the test tells it
  }

  function result(isComplete) {
    const lines = [...rows.keys()].map((line) => ({
      line, verdict: verdictOf(line, reasons[line], isOpen(reasons, isRelayed) === true), reason: reasons[line],
    }));
    const { downKbps = null, upKbps = null, roundTripMs = null } = speed;
    const rung = isComplete
      ? expectedRung({ reasons, downKbps, isRelayed, maxRung: panel.dataset.maxRung ?? "" }) : "unknown";
    return { is_complete: isComplete, lines, down_kbps: downKbps, up_kbps: upKbps, round_trip_ms: roundTripMs, expected_rung: rung };
  }

  // `hasDevices`: also the microphone, for which the browser asks the viewer. The page around a frame may not ask for it.
  async function start({ hasDevices = true } = {}) {
    if (running || root.dataset.state !== "ready") return null;
    const mine = running = new AbortController();
    reasons = {};
    speed = {};
    const hasMicrophone = hasDevices && rows.has("microphone");
    const tested = ROADS.length + 1 + (hasMicrophone ? 1 : 0);
    Object.assign(find("precall-progress"), { max: tested, value: 0 });
    setState("running");
    for (const line of rows.keys()) {
      const isTested = line === "microphone" ? hasMicrophone : line !== "camera";
      show(line, isTested ? "testing" : NOT_RUN);
    }
    find("precall-outcome").textContent = "";
    await Promise.all([
      testRoads(mine.signal), testSpeed(mine.signal), hasMicrophone ? testMicrophone(mine.signal) : null,
    ]);
    if (mine.signal.aborted) return null;
    running = null;
    setState("done");
    const told = measures.precall = result(true);
    find("precall-outcome").textContent = panel.dataset[camel(`expect_${told.expected_rung}`)] ?? "";
    tell(told);
    return told;
  }

  // The viewer connects, or has had enough.
  function stop() {
    if (!running) return;
    running.abort();
    running = null;
    for (const line of rows.keys()) if (reasons[line] === "testing") show(line, NOT_RUN);
    setState("stopped");
    find("precall-outcome").textContent = panel.dataset.stopped;
    tell(measures.precall = result(false));
  }

  function setState(state) {
    panel.dataset.state = state;
    const isRunning = state === "running";
    find("precall-progress").hidden = !isRunning;
    find("precall-lines").hidden = false;
    const button = find("precall-start");
    button.textContent = isRunning ? button.dataset.stop : button.dataset.again;
    if (meter) meter.hidden = !isRunning;
  }

  find("precall-start").addEventListener("click", () => (running ? stop() : start()));
  find("precall-camera")?.addEventListener("click", testCamera);
  return { start, stop };
}

function camel(name) {
  return name.replace(/[-_](\w)/g, (_, letter) => letter.toUpperCase());
}
