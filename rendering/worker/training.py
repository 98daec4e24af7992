"""A training lease: key, footage, a child process that tracks and fits, encrypted checkpoints, encrypted result.

The job row at control is the truth. When this worker dies, the lease runs out, another claims the job and goes on from
the last checkpoint.
"""

import asyncio
import json
import os
import signal
import sys
from contextlib import suppress
from typing import Any

from provenance.manifests.permit import LeaseClock
from rendering import protocol
from rendering.worker.config import REPOSITORY
from rendering.worker.control import ControlUnreachable, ReleasedKeys
from rendering.worker.lease_keeper import keep_lease
from rendering.worker.slot import SlotTools
from rendering.worker.training_process import HEAD, Message, pack
from trustcore.primitives.envelope import decrypt, encrypt
from trustcore.primitives.errors import Fault, TrustcoreError
from trustcore.primitives.hashing import statement_sha256


class TrainingStopped(Fault):
    """The training process ended without a result."""

    code = "training.stopped"


async def run_training(tools: SlotTools, lease: protocol.Lease, draining: asyncio.Event) -> str:
    """Train under this lease to its end and return the reason of the end."""
    return await TrainingRun(tools, lease, draining).run()


class TrainingRun:
    """One training lease."""

    def __init__(self, tools: SlotTools, lease: protocol.Lease, draining: asyncio.Event) -> None:
        self._tools = tools
        self._lease = lease
        self._draining = draining
        self._job: dict[str, Any] = dict(lease.job or {})
        # Control gives a training lease more time than a session's: no viewer waits for it to stop.
        self._lifetime_s = float(lease.facts.get("lease_lifetime_s") or protocol.LEASE_LIFETIME_S)
        self._clock = LeaseClock(tools.clock.monotonic_s() + self._lifetime_s)
        self._keys: ReleasedKeys | None = None
        self._child: asyncio.subprocess.Process | None = None

    async def run(self) -> str:
        watch = asyncio.create_task(self._hold_lease())
        work = asyncio.create_task(self._work())
        try:
            await asyncio.wait({watch, work}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                return self._clock.revoked_reason or "lease_lost"
            return work.result()
        except ControlUnreachable as error:
            return error.code  # the lease runs out and the job is tried again, here or elsewhere
        finally:
            for task in (watch, work):
                task.cancel()
            await asyncio.gather(watch, work, return_exceptions=True)
            self._kill_child()
            if self._keys is not None:
                self._keys.wipe()

    async def _work(self) -> str:
        try:
            footage, checkpoint = await self._fetch()
            await self._train(footage, checkpoint)
            reason = "finished"
        except ControlUnreachable:
            raise
        except TrustcoreError as error:
            self._tools.log(f"training {self._lease.lease_id}: {error.code}: {error}")
            reason = error.code
        await self._tools.control.post(self._lease, "finish", {
            "reason": reason, "counters": protocol.to_json(protocol.Counters())})
        return reason

    async def _fetch(self) -> tuple[bytes, bytes]:
        """Release the keys, fetch footage and the last checkpoint, decrypt both."""
        _, self._keys = await self._tools.control.claim_keys(
            self._lease, statement_sha256(self._job), str(self._job["job_id"]))
        await self._progress({"stage": "fetch", "done": 0.0})
        opened = {name: await self._open_blob(name) for name in self._lease.blobs}
        await self._progress({"stage": "fetch", "done": 1.0})
        return opened["footage"], opened.get("checkpoint", b"")

    async def _open_blob(self, name: str) -> bytes:
        assert self._keys is not None
        ciphertext = await self._tools.control.blob(self._lease.blobs[name])
        key, context = bytes(self._keys.read[name]), self._keys.contexts[name]
        return await asyncio.to_thread(decrypt, key, context, ciphertext)

    async def _train(self, footage: bytes, checkpoint: bytes) -> None:
        """Run the child process and pass on what it says."""
        threads = str(self._tools.config.training_threads)
        environment = {**os.environ, "NUMBA_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
        self._child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "rendering.worker.training_process", cwd=REPOSITORY, env=environment,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, start_new_session=True)
        assert self._child.stdin is not None and self._child.stdout is not None
        config = {**dict(self._job.get("config") or {}), "threads": self._tools.config.training_threads}
        feeding = asyncio.create_task(_feed(self._child.stdin, [
            pack(b"J", data=json.dumps({"config": config}).encode()), pack(b"F", data=footage),
            pack(b"C", data=checkpoint)]))
        is_done = False
        async for message in _messages(self._child.stdout):
            is_done = await self._take(message) or is_done
        await self._child.wait()
        feeding.cancel()
        if not is_done:
            raise TrainingStopped("The training process ended without a result.", exit_code=self._child.returncode)

    async def _take(self, message: Message) -> bool:
        """One message of the child. True when it was the last one of a training that worked."""
        if message.kind == b"P":
            await self._progress(json.loads(message.data))
        elif message.kind == b"C":
            await self._put("checkpoint", "checkpoint", message.data)
        elif message.kind == b"A":
            await self._put(f"artefact/{message.name}", message.name, message.data)
        elif message.kind == b"E":
            error = json.loads(message.data)
            raise _Named(str(error["code"]), str(error["message"]))
        return message.kind == b"D"

    async def _progress(self, progress: dict[str, Any]) -> None:
        body = protocol.to_json(protocol.TrainingProgress(epoch=self._lease.epoch, **progress))
        answer = await self._tools.control.post(self._lease, "progress", body)
        if answer.get("cancelled"):
            self._clock.revoke("cancelled")

    async def _put(self, what: str, name: str, data: bytes) -> None:
        """Encrypt under the lease's output key, bound to what it is, and hand it over."""
        assert self._keys is not None and self._keys.write is not None
        context = self._keys.contexts.get(name) or self._keys.contexts["*"] + name
        ciphertext = await asyncio.to_thread(encrypt, bytes(self._keys.write), context, data)
        await self._tools.control.put(self._lease, what, ciphertext)

    async def _hold_lease(self) -> None:
        """Renew until the lease is over; returning ends the training."""
        async def renew() -> protocol.RenewalAnswer:
            if self._draining.is_set():
                self._clock.revoke("worker_stopping")
            return await self._tools.control.renew(self._lease, protocol.Renewal(self._lease.epoch, "live"))

        await keep_lease(self._clock, renew, self._tools.clock, lifetime_s=self._lifetime_s)

    def _kill_child(self) -> None:
        """The tracker runs below the child, so the whole group goes."""
        if self._child is not None and self._child.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)


class _Named(Fault):
    """A coded error of the child process, under the code it had there."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code  # type: ignore[misc]


async def _feed(stream: asyncio.StreamWriter, parts: list[bytes]) -> None:
    with suppress(ConnectionError):
        for part in parts:
            stream.write(part)
            await stream.drain()
        stream.close()


async def _messages(stream: asyncio.StreamReader) -> Any:
    """The child's messages, until it closes its end."""
    while True:
        try:
            kind, name_bytes, data_bytes = HEAD.unpack(await stream.readexactly(HEAD.size))
            name = (await stream.readexactly(name_bytes)).decode()
            yield Message(kind, name, await stream.readexactly(data_bytes))
        except asyncio.IncompleteReadError:
            return
