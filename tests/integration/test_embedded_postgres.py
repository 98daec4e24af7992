"""The embedded server stops with its last user, also when one was killed and never signed off."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.architecture.test_house import REPOSITORY

STARTER = """
import sys, time
from pathlib import Path
from trustcore import embedded_postgres
embedded_postgres.connection_settings(Path(sys.argv[1]), "trustcore")
print("up", flush=True)
sys.stdin.read()
"""


def _user_of(data_dir: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", STARTER, str(data_dir)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY,
    )
    assert process.stdout is not None and process.stdout.readline() == "up\n"
    return process


def _server(data_dir: Path) -> psutil.Process:
    return psutil.Process(int((data_dir / "postmaster.pid").read_text().split()[0]))


@pytest.mark.timeout(120)
def test_killed_users_do_not_keep_the_server_alive(tmp_path: Path) -> None:
    for folder in tmp_path.parents:  # the server's own user must be able to get there
        if folder.stat().st_uid == os.geteuid():
            folder.chmod(folder.stat().st_mode | 0o055)
    data_dir = tmp_path / "postgres"
    first, second = _user_of(data_dir), _user_of(data_dir)
    server = _server(data_dir)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert server.is_running() and len(json.loads((data_dir / ".handle_pids.json").read_text())) == 2
    second.communicate("")
    deadline = time.monotonic() + 20
    while server.is_running() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not server.is_running()
