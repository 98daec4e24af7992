"""Debian's coturn on the loopback address, with the configuration of `deploy/coturn`, for tests."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SECRET = "a secret for this test, and no other one"


@dataclass(frozen=True)
class Turn:
    url: str
    log: Path

    def told(self) -> str:
        return self.log.read_text(errors="replace")


def demand_coturn() -> str:
    """The program's path. Installs the package where this may; skips, and says why, where it is not to be had."""
    if shutil.which("turnserver") is None:
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            pytest.skip("coturn is missing and cannot be installed here: run deploy/setup.sh --browser as root")
        done = subprocess.run(
            ["apt-get", "install", "-qy", "--no-install-recommends", "coturn"], check=False, capture_output=True,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
        if done.returncode or shutil.which("turnserver") is None:
            pytest.skip(f"coturn could not be installed: {done.stderr[-200:].decode(errors='replace')}")
    return str(shutil.which("turnserver"))


@contextmanager
def serving_turn(folder: Path) -> Iterator[Turn]:
    """A TURN server that lets this machine's own addresses be peers, which the configuration forbids otherwise."""
    program = demand_coturn()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = folder / "turn.log"
    with log.open("wb") as out:
        server = subprocess.Popen([
            program, "-c", str(REPOSITORY / "deploy/coturn/turnserver.conf"), "--static-auth-secret", SECRET,
            "--realm", "trustcore.test", "--listening-ip", "127.0.0.1", "--relay-ip", "127.0.0.1",
            "--listening-port", str(port), "--no-tls", "--no-dtls", "--allow-loopback-peers",
            "--allowed-peer-ip", "127.0.0.1", "--pidfile", str(folder / "turn.pid"),
            "--userdb", str(folder / "turn.db"), "--verbose"], stdout=out, stderr=subprocess.STDOUT, cwd=folder)
    turn = Turn(f"turn:127.0.0.1:{port}?transport=udp", log)
    try:
        deadline = time.monotonic() + 10
        while "listener opened on" not in turn.told() and time.monotonic() < deadline:
            time.sleep(0.05)
        yield turn
    finally:
        server.terminate()
        server.wait(10)
