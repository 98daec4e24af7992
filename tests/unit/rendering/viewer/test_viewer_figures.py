"""What the viewer's page measures: when a voice begins and ends, how long an answer took, and what a report says of it.
In node."""

import json
from typing import Any

import pytest

from rendering.measuring import batch
from tests.common.in_node import address, in_node, needs_node

pytestmark = needs_node


def node(module: str, lines: str) -> Any:
    imported = address(f"viewer/figures/{module}")
    return in_node(f"import * as page from {imported};\n{lines}")


def answers(told: list[list[Any]], now_ms: float = 60_000) -> dict[str, Any]:
    """`told`: ["viewer" or "replica", is loud, ms] or ["typed", ms]."""
    found: dict[str, Any] = node("answers.js", f"""
        const answers = page.createAnswers();
        for (const [who, ...rest] of {json.dumps(told)}) {{
          if (who === "typed") answers.typed(rest[0]); else answers.heard(who, ...rest);
        }}
        answers.tick({now_ms});
        console.log(JSON.stringify({{ found: answers.found, cutOffs: answers.cutOffs() }}));""")
    return found


def test_an_answer_counts_from_the_last_sound_to_the_first() -> None:
    told = answers([
        ["viewer", True, 1000], ["viewer", False, 1800], ["viewer", True, 2000], ["viewer", False, 2600],
        ["replica", True, 3080], ["replica", False, 5000], ["replica", True, 5200], ["replica", False, 6000]])
    assert told == {"found": [{"number": 1, "kind": "voice", "ms": 480}], "cutOffs": 0}


def test_a_typed_message_counts_from_its_sending() -> None:
    told = answers([["typed", 1000], ["replica", True, 1350], ["replica", False, 4000],
                    ["viewer", True, 6000], ["viewer", False, 7000], ["replica", True, 7600]])
    assert [(one["kind"], one["ms"]) for one in told["found"]] == [("typed", 350), ("voice", 600)]


def test_what_is_no_answer_is_not_counted() -> None:
    assert answers([["replica", True, 1000]])["found"] == []  # a greeting
    assert answers([["viewer", True, 1000], ["viewer", False, 1100], ["replica", True, 1500]])["found"] == []  # a click
    assert answers([["viewer", True, 1000], ["replica", True, 1500], ["viewer", False, 2000]])["found"] == []  # at once
    assert answers([["viewer", True, 0], ["viewer", False, 900], ["replica", True, 61_000]], 70_000)["found"] == []


def test_a_replica_that_goes_on_after_a_breath_answers_nobody() -> None:
    told = answers([["replica", True, 0], ["viewer", True, 500], ["viewer", False, 900], ["replica", False, 950],
                    ["replica", True, 1100]])
    assert told["found"] == []


def test_an_answer_into_a_pause_is_a_cut_off_and_no_answer() -> None:
    told = answers([["viewer", True, 0], ["viewer", False, 1000], ["replica", True, 1300], ["viewer", True, 1700],
                    ["replica", False, 1750], ["viewer", False, 2500], ["replica", True, 3000]])
    assert told == {"found": [{"number": 1, "kind": "voice", "ms": 500}], "cutOffs": 1}


def test_the_edges_of_a_voice_are_found_to_ten_milliseconds() -> None:
    edges = node("edges.js", """
        const push = page.createEdges(48000), found = [];
        for (let block = 0; block < 375; block += 1) { // one second in blocks of 128
          const samples = Float32Array.from({ length: 128 }, (_, index) => {
            const at = (block * 128 + index) / 48000;
            return at >= 0.3 && at < 0.6 ? 0.1 * Math.sin(2 * Math.PI * 200 * at) : 0.001;
          });
          const edge = push(samples, (1000 * block * 128) / 48000);
          if (edge) found.push(edge);
        }
        console.log(JSON.stringify(found));""")
    assert [edge["isLoud"] for edge in edges] == [True, False]
    assert edges[0]["atMs"] == pytest.approx(300, abs=10) and edges[1]["atMs"] == pytest.approx(600, abs=10)


STATS = [
    {"type": "inbound-rtp", "kind": "audio", "packetsReceived": 500, "packetsLost": -2, "totalSamplesReceived": 480_000,
     "concealedSamples": 960},
    {"type": "inbound-rtp", "kind": "video", "packetsReceived": 900, "packetsLost": 9},
    {"type": "transport", "selectedCandidatePairId": "p2"},
    {"type": "candidate-pair", "id": "p1", "nominated": True, "state": "succeeded", "localCandidateId": "l1",
     "currentRoundTripTime": 0.9},
    {"type": "candidate-pair", "id": "p2", "localCandidateId": "l2", "currentRoundTripTime": 0.0412},
    {"type": "local-candidate", "id": "l1", "candidateType": "host", "protocol": "udp", "address": "192.0.2.7"},
    {"type": "local-candidate", "id": "l2", "candidateType": "relay", "protocol": "udp", "relayProtocol": "tls",
     "address": "192.0.2.8"},
]


def test_the_browsers_counts_are_read_without_its_address() -> None:
    read = node("totals.js", f"console.log(JSON.stringify(page.readStats({json.dumps(STATS)})));")
    assert read == {"samples": 480_000, "concealed": 960, "packets": 1400, "lost": 9, "rttMs": 41, "path": "relay",
                    "transport": "tcp"}


def test_what_the_page_sends_is_what_the_service_takes() -> None:
    sent = node("totals.js", f"""
        const measures = {{ watchedMs: 8000.4, frozenMs: 210.2, smoothFrames: 240, connections: 1,
          counts: {{ received: 240, verified: 240 }}, sound: {{ counts: {{ received: 400, verified: 400 }} }},
          marks: {{ connected_ms: 220.3, first_verified_frame_ms: 640.1 }},
          rungMs: {{ small: 3000.2, full: 5000.2 }} }};
        const read = page.readStats({json.dumps(STATS)});
        const {{ rttMs, path, transport, ...counted }} = read;
        const totals = page.totalsOf(measures, page.sumOf(page.nothing(), counted), 0);
        console.log(JSON.stringify(page.reportOf({{ visit: "0123456789abcdef", number: 1, isLast: false,
          network: page.networkOf({{ effectiveType: "4g" }}), measures, totals, line: {{ rttMs, path, transport }},
          answers: [{{ number: 1, kind: "voice", ms: 480 }}] }})));""")
    told = batch.read(sent)
    batch.demand_possible(told, None, passed_s=10.0)
    assert (told.network, told.path, told.ttff_ms, told.totals.frozen_ms) == ("4g", "relay", 640, 210)
    assert "192.0.2" not in json.dumps(sent)


def test_a_browser_that_tells_nothing_of_its_network_is_unknown() -> None:
    assert node("totals.js", """console.log(JSON.stringify([
        page.networkOf(undefined), page.networkOf({ effectiveType: "9g" }), page.median([]), page.median([5, 1, 9]),
    ]));""") == ["unknown", "unknown", None, 5]
