"""What a test before the call concludes from its measurements. The page's own rules, in node."""

import json
from typing import Any

from rendering.worker import ladder
from tests.common.in_node import address, in_node, needs_node

RULES = address("viewer/precall/rules.js")
pytestmark = needs_node
OPEN = {"udp": "reached", "relay-udp": "no_server", "relay-tcp": "no_server", "relay-tls": "no_server"}
SHUT = {"udp": "blocked", "relay-udp": "unreachable", "relay-tcp": "unreachable", "relay-tls": "no_server"}
UNASKED = dict.fromkeys(OPEN, "no_server")


def rules(expression: str) -> Any:
    return in_node(f"import * as rules from {RULES};\nconsole.log(JSON.stringify({expression}));")


def expected(reasons: dict[str, str], down: int | None, **more: Any) -> Any:
    return rules(f"rules.expectedRung({json.dumps({'reasons': reasons, 'downKbps': down, **more})})")


def test_the_page_knows_the_ladder_of_the_worker() -> None:
    assert rules("rules.RUNGS") == [[rung.name, rung.from_bps // 1000] for rung in ladder.RUNGS]


def test_the_rung_to_expect_is_what_the_line_carries_with_room_to_spare() -> None:
    found = [expected(OPEN, down) for down in (5000, 530, 529, 300, 160, 80, 40, 20)]
    assert found == ["full", "full", "medium", "medium", "small", "still", "audio", "captions"]
    assert expected(OPEN, None) == "unknown"


def test_no_open_road_leaves_captions_and_nobody_to_ask_leaves_the_speed() -> None:
    assert expected(SHUT, 5000) == "captions"
    assert expected(SHUT | {"relay-tcp": "reached"}, 5000) == "full"
    assert expected(UNASKED, 5000) == "full"
    assert expected({**SHUT, "udp": "no_server"}, 5000) == "full"
    assert expected({**SHUT, "udp": "relay_only"}, 5000, isRelayed=True) == "captions"
    # Where nothing may pass but by the relay, a direct line opens nothing.
    assert expected({**SHUT, "udp": "reached"}, 5000, isRelayed=True) == "captions"


def test_a_conversation_with_a_limit_is_never_better_than_it() -> None:
    assert expected(OPEN, 5000, maxRung="audio") == "audio" and expected(OPEN, 20, maxRung="audio") == "captions"


def test_a_closed_road_is_a_fault_only_where_no_other_is_open() -> None:
    assert rules('rules.verdictOf("relay-udp", "unreachable")') == "fail"
    assert rules('rules.verdictOf("relay-udp", "unreachable", true)') == "warn"
    assert rules('rules.verdictOf("camera", "denied")') == "warn"
    assert rules('rules.verdictOf("speed", "later")') == "not_run"
    assert rules('rules.verdictOf("microphone", "denied", true)') == "fail"


def test_each_address_is_asked_by_its_own_road() -> None:
    told = {"urls": ["turn:t.example:3478?transport=udp", "turn:t.example:3478?transport=tcp",
                     "turns:t.example:443?transport=tcp"], "username": "u", "credential": "c"}
    found = rules(f"rules.serversByRoad({json.dumps([told, {'urls': 'stun:s.example'}])})")
    assert found["udp"] == [{"urls": "stun:t.example:3478"}, {"urls": "stun:s.example"}]
    assert [found[road] for road in ("relay-udp", "relay-tcp", "relay-tls")] == [
        [{**told, "urls": url}] for url in told["urls"]]
    # A TURN address without a word on its transport is one over UDP; TURN over DTLS is no road of browsers.
    bare = rules('rules.serversByRoad([{ urls: ["turn:t.example", "turns:t.example?transport=udp", "nonsense"] }])')
    assert [len(bare[road]) for road in ("relay-udp", "relay-tcp", "relay-tls")] == [1, 0, 0]


def test_a_short_test_tells_no_more_than_it_can_know() -> None:
    assert rules("[rules.kbps(64000, 1000), rules.kbps(1e9, 1000), rules.kbps(5, 0)]") == [512, 5000, 5000]
    said = [rules(f"rules.speedReason({{ downKbps: {down}, upKbps: {up} }})") for down, up in (
        (600, 60), (600, 30), (200, 60), (20, 60), ("null", "null"))]
    assert said == ["fast", "slow", "slow", "tiny", "unmeasured"]
