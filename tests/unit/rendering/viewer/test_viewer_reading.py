"""How the page reads captions over plain HTTP: each word once, from where it broke, until it is over. In node."""

import json
from typing import Any

from tests.common.in_node import address, in_node, needs_node

READING = address("viewer/reading.js")
pytestmark = needs_node

# A service that gives one answer after the other: the parts of a stream, or a status without one.
STORY = """
import { createFallback, createParser, createReading } from MODULE;
const { answers, had } = SCENE;
const asked = [], heard = [], ended = [];
const bytes = (text) => new TextEncoder().encode(text);
const ask = async (url, { headers }) => {
  asked.push(headers["Last-Event-ID"]);
  const next = answers.shift();
  if (next === undefined) return new Promise(() => {});
  if (typeof next === "number") return { ok: false, status: next };
  const parts = next.map(bytes);
  const reader = { read: async () => ({ done: parts.length === 0, value: parts.shift() }) };
  return { ok: true, body: { getReader: () => reader } };
};
const reading = createReading({ url: "/c", ask, pauseMs: 1,
  onEvent: (text) => heard.push(text), onEnded: (reason) => ended.push(reason) });
if (had) reading.had(had);
reading.open();
reading.open();
await new Promise((done) => setTimeout(done, 60));
console.log(JSON.stringify({ asked, heard, ended }));
process.exit(0);
"""
OPENING = "retry: 1000\nevent: session\ndata: {}\n\n"


def read(*answers: Any, had: int = 0) -> Any:
    scene = json.dumps({"answers": answers, "had": had})
    return in_node(STORY.replace("MODULE", READING, 1).replace("SCENE", scene, 1))


def caption(number: int) -> str:
    return f'id: {number}\ndata: {{"n": {number}}}\n\n'


def test_a_stream_that_breaks_is_asked_for_again_from_where_it_broke() -> None:
    half = caption(3)
    found = read([OPENING, caption(1) + ": waiting\n\n", caption(2), half[:7]], [OPENING, caption(2), half])
    assert found["heard"] == ['{"n": 1}', '{"n": 2}', '{"n": 3}']
    assert found["asked"][:2] == ["0", "2"] and found["ended"] == []


def test_what_came_over_the_data_channel_is_not_told_again() -> None:
    found = read([OPENING, caption(7), caption(8), caption(9)], had=8)
    assert (found["asked"][0], found["heard"]) == ("8", ['{"n": 9}'])


def test_the_end_is_told_once_and_nothing_is_asked_after_it() -> None:
    over = read([OPENING, caption(1), 'event: ended\ndata: {"reason": "consent_withdrawn"}\n\n'])
    assert (over["ended"], len(over["asked"])) == (["consent_withdrawn"], 1)
    refused = read(409)
    assert (refused["ended"], len(refused["asked"])) == ([""], 1)
    busy = read(429, 503, [OPENING, caption(1)])
    assert (busy["ended"], busy["heard"]) == ([], ['{"n": 1}'])


def test_an_event_that_comes_in_two_parts_stays_whole() -> None:
    script = f"""import {{ createParser }} from {READING};
    const push = createParser();
    const parts = ['id: 1\\r\\ndata: \\u0928\\u092e', '\\u0938\\u094d\\u0924\\u0947\\r\\n\\r\\n'];
    console.log(JSON.stringify(parts.flatMap(push)));"""
    assert in_node(script) == [{"id": "1", "event": "message", "data": "नमस्ते"}]


def test_a_page_stays_without_a_line_only_where_words_come() -> None:
    script = """
    import { createFallback } from MODULE;
    const told = [], button = {};
    let isConnected = false;
    const reading = { open: () => told.push("open"), close: () => told.push("close"), isConnected: () => isConnected };
    const fallback = createFallback(reading, button, { mayRead: () => true,
      settle: () => told.push("settle"), unsettle: () => told.push("unsettle"),
      end: (reason) => told.push(reason) });
    fallback.settleOrEnd("line_lost");
    isConnected = true;
    fallback.settleOrEnd("line_lost");
    fallback.settleOrEnd("line_lost");
    told.push(fallback.isSettled(), button.hidden);
    fallback.stop();
    told.push(fallback.isSettled(), button.hidden);
    console.log(JSON.stringify(told));
    process.exit(0);
    """.replace("MODULE", READING)
    assert in_node(script) == ["line_lost", "settle", True, False, "close", "unsettle", False, True]
