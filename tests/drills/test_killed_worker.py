"""kill -9 of a render worker in the middle of its work: nothing committed is lost, and the log says what happened."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.stack import Stack
from tests.common.live_world import LiveWorld
from tests.common.viewer import Viewer, chromium

pytestmark = pytest.mark.timeout(900)
WORKER = "worker-1"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, LiveWorld]]:
    stack = Stack(
        state_dir=tmp_path_factory.mktemp("drill"), workers=0, env={"TRUSTCORE_TASKS_EAGER": "false"})
    with stack, LiveWorld(stack) as world:
        yield stack, world


def wait_until(look: Callable[[], Any], within_s: float) -> Any:
    """What `look` returns, once it is true. Raises TimeoutError with the last answer."""
    deadline = time.monotonic() + within_s
    while not (found := look()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"still {found!r} after {within_s:.0f} s")
        time.sleep(0.2)
    return found


def log_holds(stack: Stack) -> bool:
    return "log holds" in stack.manage("verify_audit")


def test_a_session_ends_with_a_reason_and_the_next_worker_serves_the_next_one(service: tuple[Stack, LiveWorld]) -> None:
    stack, world = service
    stack.start_worker(1)
    with chromium() as browser:
        made = world.new_conversation()
        viewer = Viewer(browser, made["conversation_url"])
        viewer.wait_ready()
        viewer.connect()
        viewer.wait_for("m.framesPresented > 30")
        stack.services[WORKER].kill()
        killed_at_s = time.monotonic()
        seen = viewer.wait_for("m.state === 'ended'", 30.0)
        assert seen["reason"] == "lease_expired", seen
        assert time.monotonic() - killed_at_s < 15
        told = httpx.get(f"{stack.base_url}/v2/conversations/{made['conversation_id']}",
                         headers={"x-api-key": world.facts["api_key"]}, timeout=20).json()
        assert told["status"] == "ended"
        viewer.close()
        assert log_holds(stack)
        stack.start_worker(1)
        viewer = Viewer(browser, world.new_conversation()["conversation_url"])
        viewer.wait_ready()
        viewer.connect()
        viewer.wait_for("m.counts?.verified > 30")
        viewer.page.click("[data-part=leave]")
        viewer.close()
    stack.services[WORKER].stop()


def test_a_training_goes_on_from_its_checkpoint(service: tuple[Stack, LiveWorld]) -> None:
    stack, world = service
    world.ask("train")
    stack.start_worker(1)
    wait_until(lambda: world.ask("training")["has_checkpoint"], 420)
    stack.services[WORKER].kill()
    stack.start_worker(1)
    done = wait_until(lambda: (told := world.ask("training"))["state"] in ("trained", "failed") and told, 420)
    assert (done["state"], done["attempts"]) == ("trained", 2)
    assert done["resumed_from_checkpoint"] is True
    assert log_holds(stack)


def test_the_drill_s_folder_holds_no_footage_in_the_clear(service: tuple[Stack, LiveWorld]) -> None:
    """What a killed worker leaves on disk: nothing of the person."""
    stack, _ = service
    from rendering.demo.clips import committed_footage

    needle = committed_footage()[100_000:100_064]
    for path in Path(stack.state_dir).rglob("*"):
        if path.is_file() and "postgres" not in path.parts:
            assert needle not in path.read_bytes(), path
