"""A person whose replica may speak, inside a running `deploy.stack.Stack`: for end-to-end tests and benchmarks that are
about what comes after approval.

The parent talks to a child process that shares the stack's environment and uses the real services. The replica is
really trained (`quick_replica`); only the reading of the consent recording is given.
"""

import json
import subprocess
import sys
from types import TracebackType
from typing import Any

import httpx

from deploy.stack import REPOSITORY, Stack
from tests.common import quick_replica


class LiveWorld:
    """The parent's side. Enter it before the stack's workers start, or they claim the training that it plays."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.facts: dict[str, Any] = {}  # api_key, replica_id, subject_id, use

    def __enter__(self) -> "LiveWorld":
        quick_replica.files()
        self._child = subprocess.Popen(
            [sys.executable, "-m", "tests.common.live_world"], cwd=REPOSITORY, env=self._stack.control_env,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.facts = self.ask("begin")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None,
    ) -> None:
        assert self._child.stdin is not None
        self._child.stdin.close()
        self._child.wait(10)

    def ask(self, command: str) -> dict[str, Any]:
        """"begin"; "portal": {"path"} of the person's own page; "another": a new person with an approved replica;
        "train": queue a training for a real worker; "training": {"state", "has_checkpoint", ...} of it;
        "visits": what viewers' pages measured."""
        assert self._child.stdin is not None and self._child.stdout is not None
        self._child.stdin.write(command + "\n")
        self._child.stdin.flush()
        line = self._child.stdout.readline()
        if not line:
            raise RuntimeError(f"the world's process died at {command!r}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def another_person(self) -> None:
        """Go on with a new person: a consent that was withdrawn does not come back."""
        self.facts |= self.ask("another")

    def new_conversation(self, **changed: Any) -> dict[str, Any]:
        """POST /v2/conversations as the developer. Returns the answer."""
        body = {"replica_id": self.facts["replica_id"], **self.facts["use"], **changed}
        response = httpx.post(
            f"{self._stack.base_url}/v2/conversations", json=body, headers={"x-api-key": self.facts["api_key"]},
            timeout=20)
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return answer


def main() -> None:
    """The child: one command a line in, one JSON object a line out."""
    import os

    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints is not an answer
    import django

    django.setup()
    from django.test.utils import setup_test_environment

    setup_test_environment()
    from tests.common import live_world_child

    child = live_world_child.Child()
    for line in sys.stdin:
        out.write(json.dumps(getattr(child, line.strip())()) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
