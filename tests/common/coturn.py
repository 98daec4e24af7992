"""Debian's coturn on the loopback address, with the configuration of `deploy/coturn`, for tests."""

import ipaddress
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

REPOSITORY = Path(__file__).resolve().parents[2]
SECRET = "a secret for this test, and no other one"


@dataclass(frozen=True)
class Turn:
    """A running server and its addresses. `ca_file`: whoever trusts it, trusts the server's certificate."""

    url: str
    tcp_url: str
    tls_url: str
    ca_file: Path
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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _write_certificate(folder: Path) -> Path:
    """turn.pem and turn.key in `folder`: for 127.0.0.1, signed by itself, for a day."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "turn.example")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256()))
    (folder / "turn.key").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    path = folder / "turn.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return path


@contextmanager
def serving_turn(folder: Path) -> Iterator[Turn]:
    """A TURN server that lets this machine's own addresses be peers, which the configuration forbids otherwise."""
    program = demand_coturn()
    port, tls_port = _free_port(), _free_port()
    certificate = _write_certificate(folder)
    log = folder / "turn.log"
    with log.open("wb") as out:
        server = subprocess.Popen([
            program, "-c", str(REPOSITORY / "deploy/coturn/turnserver.conf"), "--static-auth-secret", SECRET,
            "--realm", "trustcore.test", "--listening-ip", "127.0.0.1", "--relay-ip", "127.0.0.1",
            "--listening-port", str(port), "--tls-listening-port", str(tls_port), "--no-dtls",
            "--cert", str(certificate), "--pkey", str(folder / "turn.key"), "--allow-loopback-peers",
            "--allowed-peer-ip", "127.0.0.1", "--pidfile", str(folder / "turn.pid"),
            "--userdb", str(folder / "turn.db"), "--verbose"], stdout=out, stderr=subprocess.STDOUT, cwd=folder)
    turn = Turn(f"turn:127.0.0.1:{port}?transport=udp", f"turn:127.0.0.1:{port}?transport=tcp",
                f"turns:127.0.0.1:{tls_port}?transport=tcp", certificate, log)
    try:
        deadline = time.monotonic() + 10
        while "listener opened on" not in turn.told() and time.monotonic() < deadline:
            time.sleep(0.05)
        yield turn
    finally:
        server.terminate()
        server.wait(10)
