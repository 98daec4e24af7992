"""A part that failed, in words on the viewer's page. The page's own code, in node."""

import json

from tests.common.in_node import address, in_node, needs_node

TALK = address("viewer/talk.js")
WORDS = {name: f"{name}!" for name in ("ears", "deaf", "brain", "voice", "slow")}
pytestmark = needs_node

STORY = """
import { createTalk } from TALK;
const made = {};
const part = (name) => made[name] ??= Object.assign(new EventTarget(), {
  dataset: name === "trouble" ? { ...WORDS, part: "trouble" } : {}, textContent: "" });
const root = { dataset: {}, querySelector: (wanted) => part(wanted.match(/"(.*)"/)[1]) };
const talk = createTalk(root, {});
const told = TROUBLES.map((properties) => {
  made.trouble.textContent = "";
  talk.receive(JSON.stringify({ event_type: "trustcore.part_failed", properties }));
  return made.trouble.textContent;
});
console.log(JSON.stringify(told));
process.exit(0);
"""


def said(*troubles: tuple[str, str]) -> list[str]:
    """What stands on the page after each (part, trouble)."""
    properties = [{"part": part, "trouble": trouble} for part, trouble in troubles]
    script = STORY.replace("TALK", TALK, 1).replace("WORDS", json.dumps(WORDS))
    script = script.replace("TROUBLES", json.dumps(properties))
    return list(in_node(script))


def test_each_part_that_the_viewer_feels_has_words() -> None:
    assert said(
        ("ears", "stalled"), ("ears", "missing"), ("brain", "refused"), ("voice", "broken"), ("voice", "slow_start"),
    ) == ["ears!", "deaf!", "brain!", "voice!", "slow!"]


def test_what_changes_nothing_for_the_viewer_is_not_said() -> None:
    assert said(("turn", "missing"), ("perception", "broken"), ("part", "broken"), ("toString", "x")) == [""] * 4
