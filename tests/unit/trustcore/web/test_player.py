"""Which address the player frames, and to which page the frame speaks: the browser's own code, in node."""

import json
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
