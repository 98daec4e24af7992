"""Which address the player frames, and to which page the frame speaks: the browser's own code, in node."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[4]


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_addresses_and_origins() -> None:
    done = subprocess.run(
        ["node", str(REPOSITORY / "tests/vectors/player.mjs"), str(REPOSITORY / "trustcore/static")],
        capture_output=True, text=True, check=True, timeout=60)
    told = json.loads(done.stdout)
    assert told["urls"] == [
        "https://trust.example/c/C1/embed/?t=abc", "https://trust.example/c/C1/embed/?t=abc",
        "http://localhost:8000/c/C-1_x/embed/", *[None] * 8]
    # Only the page around the frame itself counts, not one further out.
    assert told["origins"] == ["https://shop.example", "", "http://127.0.0.1:3000", "", "", ""]


def test_the_guide_names_what_the_component_has() -> None:
    guide = (REPOSITORY / "docs/player.md").read_text()
    script = (REPOSITORY / "trustcore/static/js/player/trustcore-player.js").read_text()
    events = set(re.findall(r"trustcore-(?:ready|precall|verdict|ended|error)", script))
    assert events == set(re.findall(r"^\| `(trustcore-[a-z]+)` ", guide, re.MULTILINE)) and len(events) == 5
    assert 'observedAttributes = ["src", "label"]' in script
    for granted in re.findall(r'"sandbox", "([^"]+)"', script):
        assert f"(`{granted}`)" in guide
    for name in ("MIN_WIDTH_PX", "MIN_HEIGHT_PX"):
        limit = re.search(rf"{name} = (\d+)", (REPOSITORY / "trustcore/static/js/viewer/embedding.js").read_text())
        assert limit and limit.group(1) == "240" and "240 x 240 px" in guide
