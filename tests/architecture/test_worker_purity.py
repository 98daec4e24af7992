"""The render worker runs without Django, Celery or a database driver, and has one door for each dangerous act."""

import re
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
WORKER = REPOSITORY / "rendering" / "worker"
HOOK = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"django", "rest_framework", "celery", "psycopg", "allauth"}:
            raise ImportError(f"the worker must not import {name}")

sys.meta_path.insert(0, Refuse())
import rendering.worker.main, rendering.worker.training_process
from rendering.training import fit
import trustcore.tracker
print("pure")
"""


def sources() -> dict[str, str]:
    return {path.name: path.read_text() for path in WORKER.glob("*.py")}


def test_the_worker_imports_no_django_no_celery_and_no_database() -> None:
    done = subprocess.run([sys.executable, "-c", HOOK], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.stdout == "pure\n", done.stderr[-2000:]


def test_the_hook_refuses_what_it_should() -> None:
    spoiled = HOOK.replace("import rendering.worker.main", "import django")
    done = subprocess.run([sys.executable, "-c", spoiled], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode and "must not import django" in done.stderr


def test_only_the_tracks_hand_media_to_webrtc() -> None:
    for name, text in sources().items():
        if name != "tracks.py":
            assert "av.Packet(" not in text, name
        if name not in {"tracks.py", "peer.py"}:
            assert not re.search(r"\b(addTrack|addTransceiver)\(", text), name
        if name != "gate.py":
            assert "permit_from_grant(" not in text and "Permit(" not in text, name
        assert "SealedFrame(" not in text, name


def test_no_broad_except_in_the_worker() -> None:
    for name, text in sources().items():
        assert not re.search(r"except( Exception| BaseException)?:", text), name


def test_aiortc_still_has_the_method_that_the_peer_listens_at() -> None:
    from aiortc import RTCRtpSender

    assert callable(RTCRtpSender._handle_rtcp_packet)
