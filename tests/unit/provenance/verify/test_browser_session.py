"""Does the browser take an init segment for this viewer, this session, this clock and this connection only? In node."""

import hashlib
import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.common.live_session import LiveSession, facts

REPOSITORY = Path(__file__).resolve().parents[4]
CERTIFICATE = b"the live transport's certificate"
DIGEST = hashlib.sha256(CERTIFICATE).hexdigest().upper()
FINGERPRINT = "sha-256 " + ":".join(DIGEST[i : i + 2] for i in range(0, 64, 2))
pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


@pytest.fixture(scope="module")
def session() -> LiveSession:
    return LiveSession(facts=facts(dtls_fingerprint=FINGERPRINT))


def judge(session: LiveSession, tmp_path: Path, **changes: Any) -> dict[str, str]:
    path = tmp_path / "init.mp4"
    path.write_bytes(session.init.encoded)
    options = {
        "label": session.init.label, "viewerNonce": session.facts.viewer_nonce, "certificate": CERTIFICATE.hex(),
        "expectedFacts": {"session_id": session.facts.session_id}, **changes,
    }
    script = REPOSITORY / "tests/vectors/vsi/check_session.mjs"
    done = subprocess.run(
        ["node", str(script), str(path), str(REPOSITORY / "trustcore/static/js/verify"), json.dumps(options)],
        capture_output=True, text=True, check=True, timeout=60,
    )
    answer: dict[str, str] = json.loads(done.stdout)
    return answer


def test_the_right_session_is_taken(session: LiveSession, tmp_path: Path) -> None:
    assert judge(session, tmp_path) == {"label": session.init.label}


NOW_MS = int(time.time() * 1000)


@pytest.mark.parametrize(("changes", "why"), [
    ({"failChain": True}, "not trusted"),
    ({"label": "urn:c2pa:another"}, "ambiguous"),
    ({"otherFacts": {"session_id": "what the reader of the signature read"}}, "ambiguous"),
    ({"viewerNonce": "another"}, "another viewer"),
    ({"viewerNonce": ""}, "another viewer"),
    ({"expectedFacts": {"session_id": "c_other"}}, "another session_id"),
    ({"nowMs": NOW_MS + 4 * 3600 * 1000}, "computer's clock"),
    ({"nowMs": NOW_MS - 3600 * 1000}, "computer's clock"),
    ({"certificate": b"somebody in the middle".hex()}, "not the signed sender's"),
    ({"certificate": None}, "no certificate"),
])
def test_anything_else_is_refused(changes: dict[str, Any], why: str, session: LiveSession, tmp_path: Path) -> None:
    assert why in judge(session, tmp_path, **changes)["refused"]


def test_another_fingerprint_algorithm_is_refused(tmp_path: Path) -> None:
    weak = LiveSession(facts=facts(dtls_fingerprint="sha-1 AA:BB"))
    assert "no sha-256 fingerprint" in judge(weak, tmp_path)["refused"]
