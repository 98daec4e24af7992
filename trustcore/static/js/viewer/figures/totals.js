// What a report says, from the browser's own counts. Pure. No address goes into it: of a line only whether it is
// relayed, and over what.

const NETWORKS = ["4g", "3g", "2g", "slow-2g"];
const COUNTED = ["samples", "concealed", "packets", "lost"];
const MAX_ANSWERS = 20; // in one report
const LONGEST_MS = 60000;

export function nothing() {
  return Object.fromEntries(COUNTED.map((name) => [name, 0]));
}

// The counts of one connection so far, from the values of its RTCStatsReport.
export function readStats(entries) {
  const all = [...entries];
  const found = { ...nothing(), rttMs: null, path: "unknown", transport: "unknown" };
  for (const one of all) {
    if (one.type !== "inbound-rtp") continue;
    found.packets += one.packetsReceived ?? 0;
    found.lost += Math.max(0, one.packetsLost ?? 0); // packets that came twice make it negative
    if (one.kind !== "audio") continue;
    found.samples += one.totalSamplesReceived ?? 0;
    found.concealed += one.concealedSamples ?? 0;
  }
  const transport = all.find((one) => one.type === "transport" && one.selectedCandidatePairId);
  const pair = all.find((one) => one.type === "candidate-pair"
    && (transport ? one.id === transport.selectedCandidatePairId : one.nominated && one.state === "succeeded"));
  const local = all.find((one) => one.type === "local-candidate" && one.id === pair?.localCandidateId);
  if (pair?.currentRoundTripTime) found.rttMs = Math.round(1000 * pair.currentRoundTripTime);
  if (local) {
    found.path = local.candidateType === "relay" ? "relay" : "direct";
    const over = local.candidateType === "relay" ? local.relayProtocol : local.protocol;
    found.transport = { udp: "udp", tcp: "tcp", tls: "tcp" }[over] ?? "unknown";
  }
  return found;
}

// `before` and `now`, count by count.
export function sumOf(before, now) {
  return Object.fromEntries(COUNTED.map((name) => [name, before[name] + now[name]]));
}

// `now`, where no count falls below what it was `before`: null where nothing was.
export function atLeast(before, now) {
  return Object.fromEntries(Object.keys(now).map((name) => [name, Math.max(before?.[name] ?? 0, now[name])]));
}

export function median(values) {
  if (values.length === 0) return null;
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)];
}

export function networkOf(connection) {
  return NETWORKS.includes(connection?.effectiveType) ? connection.effectiveType : "unknown";
}

function wait(ms) {
  return Number.isFinite(ms) && ms >= 0 && ms <= LONGEST_MS ? Math.round(ms) : null;
}

// What grew since the page was loaded, from its measures and the counts of its connections.
export function totalsOf(measures, counted, cutOffs) {
  const { counts, sound } = measures;
  return {
    watched_ms: Math.round(measures.watchedMs), frozen_ms: Math.min(Math.round(measures.frozenMs), Math.round(measures.watchedMs)),
    frames: measures.smoothFrames, ...counted, concealed: Math.min(counted.concealed, counted.samples),
    received: counts?.received ?? 0, verified: counts?.verified ?? 0,
    sound_received: sound?.counts.received ?? 0, sound_verified: sound?.counts.verified ?? 0, cut_offs: cutOffs,
  };
}

// One report. `line` is {rttMs, path, transport}; `answers` those that were not taken yet.
export function reportOf({ visit, number, isLast, network, measures, totals, line, answers }) {
  return {
    v: 1, visit, number, is_last: isLast, network, path: line.path, transport: line.transport,
    connections: Math.max(1, measures.connections ?? 1), connect_ms: wait(measures.marks.connected_ms),
    ttff_ms: wait(measures.marks.first_verified_frame_ms), rtt_ms: wait(line.rttMs), ...totals,
    rung_ms: Object.fromEntries(Object.entries(measures.rungMs).map(([name, ms]) => [name, Math.round(ms)])),
    answers: answers.slice(0, MAX_ANSWERS),
  };
}
