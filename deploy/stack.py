"""Starts and stops the whole service on one machine, as real processes: what `make demo`, the end-to-end tests and the
benchmarks run on.

    with Stack(state_dir=path, port=8000) as stack:
        ...  # stack.base_url serves, one render worker is ready

Each process logs to <state>/logs/<name>.log. Leaving the block stops them in reverse order; a process that does not
stop in time is killed.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from urllib.error import URLError
from urllib.request import urlopen

from trustcore import embedded_postgres

REPOSITORY = Path(__file__).resolve().parent.parent
STOP_WAIT_S = 8.0
START_WAIT_S = 120.0  # the first start of a worker compiles its kernels


class StackError(RuntimeError):
    """A process did not start. The message holds the end of its log."""


def free_port() -> int:
    """A TCP port nobody uses on the loopback address right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Service:
    """One running process and where it logs."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def tail(self, lines: int = 25) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def stop(self, wait_s: float = STOP_WAIT_S) -> None:
        """Ask, wait, then kill, the whole process group."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(wait_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """kill -9: what crash tests do."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Stack:
    """Control, sequencer, jobs, checks and `workers` render workers over one state directory."""

    def __init__(
        self, *, state_dir: Path, port: int | None = None, workers: int = 1,
        env: Mapping[str, str] | None = None, say: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self.state_dir = state_dir.resolve()
        self.port = port or free_port()
        self.base_url = f"http://localhost:{self.port}"  # passkeys and cameras accept plain HTTP on localhost alone
        self.workers = workers
        self.say = say
        self._extra_env = dict(env or {})
        self.services: dict[str, Service] = {}

    # --- environment -------------------------------------------------------------------------------------------------

    @property
    def postgres_dir(self) -> Path:
        """Always of this stack's own, also where the environment names a server for something else."""
        return self.state_dir / "postgres"

    @property
    def control_env(self) -> dict[str, str]:
        return {
            **os.environ, "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1",
            "DJANGO_SETTINGS_MODULE": "trustcore.settings",
            "TRUSTCORE_STATE_DIR": str(self.state_dir), "TRUSTCORE_BASE_URL": self.base_url, "TRUSTCORE_DEMO": "1",
            "TRUSTCORE_POSTGRES_DIR": str(self.postgres_dir),
            **self._extra_env,
        }

    def worker_env(self, number: int) -> dict[str, str]:
        """A worker gets the control's address and its own identity; no database, no state
        directory, no secret of control.
        """
        keep = {
            k: v
            for k, v in os.environ.items()
            if k in {"PATH", "HOME", "LANG", "TMPDIR", "XDG_CACHE_HOME", "VIRTUAL_ENV"}
        }
        return {
            **keep, "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1",
            "TRUSTCORE_CONTROL_URL": f"http://127.0.0.1:{self.port}",
            "TRUSTCORE_WORKER_ID": f"demo-worker-{number}",
            "TRUSTCORE_WORKER_KEY_FILE": str(self.state_dir / "secrets" / "worker.key"),
            "TRUSTCORE_GRANT_KEYS_FILE": str(self.state_dir / "public" / "grant_keys.json"),
            **{k: v for k, v in self._extra_env.items() if k.startswith("TRUSTCORE_WORKER_")},
        }

    # --- commands ----------------------------------------------------------------------------------------------------

    def manage(self, *arguments: str) -> str:
        """Run one management command to its end and return what it printed.

        Raises:
            StackError: the command failed.
        """
        done = subprocess.run(
            [sys.executable, str(REPOSITORY / "manage.py"), *arguments],
            env=self.control_env, cwd=REPOSITORY, capture_output=True, text=True, check=False,
        )
        if done.returncode:
            raise StackError(f"manage.py {' '.join(arguments)} failed:\n{done.stdout[-2000:]}{done.stderr[-3000:]}")
        return done.stdout

    def start_service(self, name: str, command: Sequence[str], env: Mapping[str, str]) -> Service:
        """Start a process in the background.

        Raises:
            StackError: one of this name still runs; it would be left behind.
        """
        running = self.services.get(name)
        if running is not None and running.process.poll() is None:
            raise StackError(f"{name} runs already. Stop it first.")
        logs = self.state_dir / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        with (logs / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command, env=dict(env), cwd=REPOSITORY, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.services[name] = Service(name, process, logs / f"{name}.log")
        return self.services[name]

    def start_control(self) -> None:
        self.start_service("control", [
            sys.executable, "-m", "uvicorn", "trustcore.asgi:application", "--host", "127.0.0.1", "--port",
            str(self.port),
            "--log-level", "warning", "--no-access-log", "--timeout-graceful-shutdown", "2",
        ], self.control_env)
        self.wait_for("control", self._answers_health)

    def start_sequencer(self) -> None:
        self.start_service("sequencer", [sys.executable, str(REPOSITORY / "manage.py"), "sequencer"], self.control_env)

    def start_jobs(self) -> None:
        self.start_service("jobs", [
            sys.executable, "-m", "celery", "-A", "trustcore.celery", "worker", "-B", "-c", "1", "-P", "solo",
            "--loglevel", "warning", "-s", str(self.state_dir / "broker" / "beat"),
        ], self.control_env)

    def start_checks(self) -> None:
        """Clips from the public check page: a process of its own, at low priority, because each computes for a minute.
        """
        self.start_service("checks", [
            "nice", "-n", "10", sys.executable, "-m", "celery", "-A", "trustcore.celery", "worker", "-Q", "checks",
            "-c", "1", "-P", "solo", "-n", "checks@%h", "--loglevel", "warning",
        ], self.control_env)

    def start_worker(self, number: int = 1) -> None:
        name = f"worker-{number}"
        self.start_service(name, [sys.executable, "-m", "rendering.worker.main"], self.worker_env(number))
        self.wait_for(name, lambda: "slot is ready" in self.services[name].log.read_text(errors="replace"))

    # --- life --------------------------------------------------------------------------------------------------------

    def __enter__(self) -> "Stack":
        if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            # A program that is asked to stop must leave through __exit__, or it leaves its processes behind.
            signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
        try:
            self.say("database")
            self.manage("init_state")
            self.manage("migrate", "--verbosity", "0")
            self.say("demo cast")
            self.manage("demo_cast")
            self.say("control, sequencer, jobs, checks")
            self.start_control()
            self.start_sequencer()
            self.start_jobs()
            self.start_checks()
            for number in range(1, self.workers + 1):
                self.say("render worker")
                self.start_worker(number)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        for service in reversed(self.services.values()):
            service.stop()
        self.services.clear()
        # Processes that were killed never signed off, so the database may not know that it has nobody left to serve.
        embedded_postgres.stop_unused(self.postgres_dir)

    def wait_for(self, name: str, is_ready: Callable[[], bool], wait_s: float = START_WAIT_S) -> None:
        """Wait until `is_ready()`, or raise StackError with the end of the service's log."""
        service, deadline = self.services[name], time.monotonic() + wait_s
        while not is_ready():
            if service.process.poll() is not None:
                raise StackError(f"{name} stopped with code {service.process.returncode}:\n{service.tail()}")
            if time.monotonic() > deadline:
                raise StackError(f"{name} was not ready after {wait_s:.0f} s:\n{service.tail()}")
            time.sleep(0.05)

    def _answers_health(self) -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/health/", timeout=2) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False
