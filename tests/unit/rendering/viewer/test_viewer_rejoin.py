"""When a page that lost its line connects again, and when it does not. The page's own code, in node."""

import json
from typing import Any

import pytest

from rendering import protocol
from tests.common.in_node import address, in_node, needs_node

REJOIN = address("viewer/rejoin.js")
pytestmark = needs_node

# A page whose clock and waiting are the test's. `told`: what the service says, one answer after the other; `stands`:
# which tries to connect succeed; `flows`: from which moment on frames come again on the old line.
STORY = """
import { createRejoin } from REJOIN;
const { told, stands, flowsAtMs, posted } = SCENE;
const log = [];
let atMs = 0;
let over = false;
globalThis.setTimeout = (done, ms) => { atMs += ms; queueMicrotask(done); };
const page = {
  ask: async () => { atMs += 100; return told.length > 1 ? told.shift() : told[0]; },
  connect: async () => { log.push(`connect at ${atMs}`); atMs += 100; return stands.shift() ?? false; },
  isFlowing: () => atMs >= flowsAtMs,
  isOver: () => over,
  withhold: () => log.push("withhold"),
  end: (reason) => { over = true; log.push(`end ${reason}`); },
};
const rejoin = createRejoin(page, () => atMs);
for (const nonce of posted) rejoin.posted(nonce);
await rejoin.run();
console.log(JSON.stringify({ log, atMs, isBusy: rejoin.isBusy() }));
"""


def play(told: list[Any], stands: list[bool], *, flows_at_ms: float = 1e9, posted: tuple[str, ...] = ("n1",)) -> Any:
    scene = {"told": told, "stands": stands, "flowsAtMs": flows_at_ms, "posted": posted}
    return in_node(STORY.replace("REJOIN", REJOIN).replace("SCENE", json.dumps(scene)))


def state(nonce: str = "n1", **changes: Any) -> dict[str, Any]:
    return {"status": "active", "state": "live", "reason": "", "viewer_nonce": nonce, **changes}


@pytest.mark.parametrize(("line", "since_ms", "still_ms", "is_lost"), [
    ("connected", 60_000, 100, False), ("disconnected", 1_400, 100, False), ("disconnected", 1_500, 1_500, True),
    ("failed", 1_500, 0, True), ("closed", 1_500, 0, True), ("connected", 60_000, 3_900, False),
    ("connected", 60_000, 4_000, True), ("connecting", 9_000, 0, False),
])
def test_a_line_that_stutters_is_left_alone(line: str, since_ms: int, still_ms: int, is_lost: bool) -> None:
    call = f"isLost({json.dumps(line)}, {since_ms}, {still_ms})"
    assert in_node(f"import {{ isLost }} from {REJOIN}; console.log({call});") is is_lost


def test_the_first_try_comes_at_once_and_one_is_enough() -> None:
    assert play([state()], [True])["log"] == ["withhold", "connect at 100"]


def test_the_tries_grow_apart_and_end_when_the_service_waits_no_longer() -> None:
    played = play([state()], [])
    tries = [int(line.split()[-1]) for line in played["log"] if line.startswith("connect")]
    gaps = [b - a for a, b in zip(tries, tries[1:], strict=False)]
    assert gaps[:3] == [1_200, 2_200, 4_200] and min(gaps) >= 1_000
    assert played["log"][-1] == "end line_lost" and not played["isBusy"]
    assert protocol.REJOIN_WITHIN_S * 1000 <= played["atMs"] < protocol.REJOIN_WITHIN_S * 1000 + 5_000


def test_while_the_service_cannot_be_reached_the_old_line_is_kept_and_may_come_back() -> None:
    played = play([None], [], flows_at_ms=4_000)
    assert set(played["log"]) == {"withhold"}  # no connection was thrown away, and nothing ended


def test_an_end_that_came_meanwhile_is_told() -> None:
    played = play([None, state(status="ended", reason="consent_withdrawn")], [])
    assert played["log"] == ["withhold", "withhold", "end consent_withdrawn"]


def test_a_page_in_whose_place_another_tab_went_on_does_not_take_it_back() -> None:
    assert play([state("n2")], [True])["log"] == ["withhold", "end moved"]


def test_a_page_that_was_loaded_again_knows_the_offer_before_it() -> None:
    assert play([state("n0")], [False, True], posted=())["log"][-1].startswith("connect")
    taken = play([state("n0"), state("n5")], [False, True], posted=())
    assert taken["log"][-1] == "end moved"
