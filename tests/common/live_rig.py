"""A simulated control, one real worker process and headless Chromium: the stage of the tests of live sessions."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.template.loader import render_to_string

from tests.common import quick_replica
from tests.common.simulators.control import ControlSimulator, SimulatedSession, serving
from tests.common.viewer import Viewer, chromium
from trustcore.primitives.signing import b64

REPOSITORY = Path(__file__).resolve().parents[2]


class Rig:
    """One simulated control, one worker process, one browser, for all tests of this file."""

    def __init__(self, control: ControlSimulator, url: str, browser: Any, worker: subprocess.Popen[bytes]) -> None:
        self.control, self.url, self.browser, self.worker = control, url, browser, worker
        self._count = 0

    def session(
        self, *, page: Mapping[str, Any] | None = None, grant: Mapping[str, Any] | None = None,
        opened: Callable[..., Viewer] = Viewer, **viewing: Any,
    ) -> tuple[SimulatedSession, Viewer]:
        """A new conversation, its page open and its slot ready. `page`: more of what the page says, with {base} for
        its address; `grant`: what its grant says otherwise; `opened`: makes the viewer; `viewing`: as `Viewer` takes
        it.
        """
        self._count += 1
        conversation_id = f"c{self._count:016x}"
        session = self.control.new_session(conversation_id, **(grant or {}))
        self.control.sessions[conversation_id] = session
        base = f"/c/{conversation_id}"
        self.control.page = render_to_string("rendering/viewer.html", {
            "conversation_id": conversation_id, "person_name": "Asha Baruah", "organisation_name": "Brahmaputra Mutual",
            "trust_anchor_pem": self.control.signer.anchor_pem, "replica_version": 1, "policy_version": 1,
            "status_list_url": "/check/claim-signers.crl",
            "speed_url": f"{base}/line", "captions_url": f"{base}/captions",
            **{f"{what}_url": f"{base}/{what}" for what in ("offer", "message", "state", "leave")},
            **{name: said.replace("{base}", base) if isinstance(said, str) else said
               for name, said in (page or {}).items()},
        }).encode()
        viewer = opened(self.browser, f"{self.url}{base}/", **viewing)
        viewer.wait_ready()
        return session, viewer

    def embedded_session(self) -> tuple[SimulatedSession, str]:
        """A new conversation to be shown in a frame, and its path."""
        self._count += 1
        conversation_id = f"c{self._count:016x}"
        session = self.control.sessions[conversation_id] = self.control.new_session(conversation_id)
        return session, f"/c/{conversation_id}"

    def embedded_page(self, base: str, origin: str) -> bytes:
        """The page for a frame, as control renders it for this origin."""
        return render_to_string("rendering/viewer.html", {
            "conversation_id": base.removeprefix("/c/"), "person_name": "Asha Baruah", "is_embedded": True,
            "organisation_name": "Brahmaputra Mutual", "viewer_secret": "s", "embed_origins": origin,
            "trust_anchor_pem": self.control.signer.anchor_pem, "replica_version": 1, "policy_version": 1,
            "status_list_url": "/check/claim-signers.crl",
            "speed_url": f"{base}/embed/line", "captions_url": f"{base}/embed/captions",
            **{f"{what}_url": f"{base}/embed/{what}" for what in ("offer", "message", "state", "leave")},
        }).encode()


@contextmanager
def rigged(
    folder: Path, module: str = "rendering.worker.main", microphone: Path | None = None,
    camera: Path | None = None, **environment: str,
) -> Iterator[Rig]:
    """A rig whose worker process runs `module`. `microphone`, `camera`: the files that a viewer says and shows."""
    files = quick_replica.files()
    control = ControlSimulator({name: files[name] for name in ("model.safetensors", "manifest.json")})
    (folder / "key").write_text(b64(control.worker_key.seed_for_storage()))
    (folder / "grants.json").write_text(
        json.dumps({control.grant_key.kid: b64(control.grant_key.verify_key.public_bytes)}))
    with serving(control) as url, chromium(microphone, camera) as browser:
        worker = subprocess.Popen([sys.executable, "-m", module], cwd=REPOSITORY, env={
            **os.environ, "TRUSTCORE_CONTROL_URL": url, "TRUSTCORE_WORKER_ID": control.worker_id,
            "TRUSTCORE_WORKER_KEY_FILE": str(folder / "key"), "TRUSTCORE_WORKER_KINDS": "session",
            "TRUSTCORE_WORKER_SIZE_PX": "256",
            "TRUSTCORE_GRANT_KEYS_FILE": str(folder / "grants.json"), "OMP_NUM_THREADS": "1", **environment})
        try:
            wait_until(lambda: control.hellos, 120)
            yield Rig(control, url, browser, worker)
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.wait(15)


def wait_until(is_true: Any, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)
