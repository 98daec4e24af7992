"""Runs a page's own scripts in node, where there is one."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "trustcore/static/js"
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


def in_node(script: str, *, told: Any = None, within_s: float = 30.0) -> Any:
    """What a module's text prints, as JSON. `told`: what it may read from its standard input, as JSON."""
    done = subprocess.run(
        ["node", "--input-type=module", "-e", script], input=json.dumps(told), capture_output=True, text=True,
        timeout=within_s)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def address(script: str) -> str:
    """Of one of SCRIPTS, as an import names it."""
    return json.dumps((SCRIPTS / script).as_uri())
