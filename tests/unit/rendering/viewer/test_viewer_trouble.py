"""A part that failed, in words on the viewer's page. The page's own code, in node."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

TALK = Path(__file__).resolve().parents[4] / "trustcore/static/js/viewer/talk.js"
WORDS = {name: f"{name}!" for name in ("ears", "deaf", "brain", "voice", "slow")}
pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")

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
    script = STORY.replace("TALK", json.dumps(TALK.as_uri()), 1).replace("WORDS", json.dumps(WORDS))
    script = script.replace("TROUBLES", json.dumps(properties))
    ran = subprocess.run(["node", "--input-type=module", "-e", script], capture_output=True, text=True, timeout=30)
    assert ran.returncode == 0, ran.stderr
    return list(json.loads(ran.stdout))


def test_each_part_that_the_viewer_feels_has_words() -> None:
    assert said(
        ("ears", "stalled"), ("ears", "missing"), ("brain", "refused"), ("voice", "broken"), ("voice", "slow_start"),
    ) == ["ears!", "deaf!", "brain!", "voice!", "slow!"]


def test_what_changes_nothing_for_the_viewer_is_not_said() -> None:
    assert said(("turn", "missing"), ("perception", "broken"), ("part", "broken"), ("toString", "x")) == [""] * 4
