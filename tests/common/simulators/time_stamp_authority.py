"""A real RFC 3161 time-stamp authority on localhost: openssl answers, with a certificate of its own authority."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from provenance.manifests import certs

TIME_STAMPING = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.8")
CONFIGURATION = """
[tsa]
default_tsa = stamps
[stamps]
dir = .
serial = serial
crypto_device = builtin
signer_cert = tsa.pem
certs = ca.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
"""


@dataclass
class Authority:
    """`garble` changes an answer on its way, as a broken or hostile authority would."""

    url: str
    anchor_pem: str
    garble: list[bytes] = field(default_factory=list)  # answers to give instead, one after another
    asked: int = 0


@contextmanager
def serve(folder: Path) -> Iterator[Authority]:
    """The authority while it answers; its files lie in `folder`."""
    anchor_pem = _make_files(folder)
    state = Authority("", anchor_pem)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            state.asked += 1
            query = self.rfile.read(int(self.headers["Content-Length"]))
            body = state.garble.pop(0) if state.garble else _answer(folder, query)
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _make_files(folder: Path) -> str:
    now = datetime.now(UTC)
    root = certs.make_ca(now, organisation="Test time stamps", common_name="Time root")
    leaf, key = certs.issue_claim_signer(
        root, now, organisation="Test time stamps", common_name="Time stamps", usages=(TIME_STAMPING,),
        is_usage_critical=True)
    (folder / "ca.pem").write_text(root.certificate_pem)
    (folder / "tsa.pem").write_text(leaf)
    (folder / "tsa.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (folder / "serial").write_text("01\n")
    (folder / "ts.cnf").write_text(CONFIGURATION)
    return root.certificate_pem


def _answer(folder: Path, query: bytes) -> bytes:
    (folder / "query.tsq").write_bytes(query)
    command = ["openssl", "ts", "-reply", "-config", "ts.cnf", "-queryfile", "query.tsq", "-out", "answer.tsr"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return (folder / "answer.tsr").read_bytes()
