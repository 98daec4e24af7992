// What a test of devices and line means. Pure: measurements in, lines and the rung to expect out.

// What the line must carry for a rung, in kbit/s, of pictures up to 512 px: rendering/worker/ladder.py. A test compares.
export const RUNGS = [["full", 450], ["medium", 250], ["small", 130], ["still", 60], ["audio", 30], ["captions", 0]];
export const ROADS = ["udp", "relay-udp", "relay-tcp", "relay-tls"];
export const MOST_KBPS = 5000; // a short test cannot tell what is above it, and nothing here needs it
const VOICE_KBPS = 40; // of the viewer, with what travels around it
// A page is carried by TCP, which fills a line to its end; a call must leave room for packets that are sent again.
const USABLE_SHARE = 0.85;
const VERDICTS = {
  heard: "pass", seen: "pass", reached: "pass", fast: "pass", silent: "warn", slow: "warn", unmeasured: "warn",
  denied: "fail", none: "fail", busy: "fail", blocked: "fail", unreachable: "fail", refused: "fail", tiny: "fail",
};

// "pass", "warn", "fail" or "not_run", of a reason. A camera is never needed, and neither is the one road when another
// is open.
export function verdictOf(line, reason, isOtherRoadOpen = false) {
  const verdict = VERDICTS[reason] ?? "not_run";
  const isSpared = line === "camera" || (ROADS.includes(line) && isOtherRoadOpen);
  return verdict === "fail" && isSpared ? "warn" : verdict;
}

// Which kinds of TURN address there are: {"relay-udp": [...], "relay-tcp": [...], "relay-tls": [...]}, each a server of
// one address; and what answers who asks for their own address: {"udp": [...]}. A TURN server answers that, too.
export function serversByRoad(servers) {
  const found = Object.fromEntries(ROADS.map((road) => [road, []]));
  for (const server of servers) {
    for (const url of [server.urls].flat()) {
      const road = roadOf(url);
      if (road === "udp") found.udp.push({ urls: url });
      else if (road) found[road].push({ ...server, urls: url });
      if (road === "relay-udp") found.udp.push({ urls: url.replace(/^turn:/, "stun:").replace(/\?.*$/, "") });
    }
  }
  return found;
}

function roadOf(url) {
  const [, scheme, transport = "udp"] = url.match(/^(\w+):[^?]*(?:\?transport=(\w+))?/) ?? [];
  if (scheme === "stun") return "udp";
  if (scheme === "turns") return transport === "udp" ? null : "relay-tls";
  return scheme === "turn" ? { udp: "relay-udp", tcp: "relay-tcp" }[transport] ?? null : null;
}

// A rate as the test tells it: whole kbit/s, and no more than it can tell.
export function kbps(bytes, ms) {
  return ms > 0 ? Math.min(MOST_KBPS, Math.round((8 * bytes) / ms)) : MOST_KBPS;
}

export function speedReason({ downKbps, upKbps }) {
  if (downKbps === null || upKbps === null) return "unmeasured";
  if (carried(downKbps) === "captions") return "tiny";
  return carried(downKbps) === "full" && upKbps >= VOICE_KBPS ? "fast" : "slow";
}

function carried(downKbps) {
  return RUNGS.find(([, from]) => from <= downKbps * USABLE_SHARE)[0];
}

// Is a road for calls open? null where nobody could be asked.
export function isOpen(reasons, isRelayed) {
  const roads = ROADS.filter((road) => !(isRelayed && road === "udp")).map((road) => reasons[road]);
  if (roads.includes("reached")) return true;
  if (!isRelayed && reasons.udp === "no_server") return null; // the direct line may be open, whatever the relays say
  return roads.every((reason) => ["no_server", "relay_only", undefined].includes(reason)) ? null : false;
}

// The rung to expect, or "unknown". A conversation that was opened with a limit is never better than it.
export function expectedRung({ reasons, downKbps, isRelayed = false, maxRung = "" }) {
  const names = RUNGS.map(([name]) => name);
  if (isOpen(reasons, isRelayed) === false) return "captions";
  if (downKbps === null) return "unknown";
  const best = Math.max(names.indexOf(carried(downKbps)), maxRung ? names.indexOf(maxRung) : 0);
  return names[best];
}
