"""A render worker: `python -m rendering.worker.main`. One process, one slot, one lease at a time.

It needs no database and no Django; it asks control for work over signed HTTP. SIGTERM lets the lease at hand finish
within the drain time and takes no new one.
"""

import asyncio
import signal
import sys
import time

import numpy as np

from rendering import protocol
from rendering.dialogue.hearing.voice_activity import (
    WINDOW_SAMPLES,
    SileroVoiceActivity,
    pick_voice_activity,
)
from rendering.dialogue.seams import PartFailed
from rendering.engine import renderer, stand_in
from rendering.engine.errors import MotionModelInvalid
from rendering.motion_models import NO_LIFE, life_model, mouth_models
from rendering.worker import autotune, frame_parts, workloads
from rendering.worker.config import WorkerConfig, WorkerConfigError, from_environment
from rendering.worker.control import ControlClient, ControlRefused, ControlUnreachable
from rendering.worker.frame_parts import FrameParts
from rendering.worker.gate import Gate
from rendering.worker.session import Session
from rendering.worker.slot import SlotTools
from rendering.worker.training import run_training
from rendering.worker.workloads import Workload
from trustcore.primitives.clock import SystemClock
from trustcore.primitives.errors import TrustcoreError

RETRY_S = 0.5
DRAIN_S = 5.0


class Worker:
    """The claim loop of one slot."""

    def __init__(self, tools: SlotTools) -> None:
        self._tools = tools
        self._draining = asyncio.Event()
        self._session: Session | None = None

    def drain(self) -> None:
        """Take no new lease; end the one at hand when the drain time is over."""
        if not self._draining.is_set():
            self._draining.set()
            asyncio.get_running_loop().call_later(DRAIN_S, self._end_session)

    async def serve(self) -> None:
        """Register, then claim and work, until drained or worn out."""
        await asyncio.get_running_loop().run_in_executor(self._tools.frame_thread, warm_up, self._tools)
        await warm_up_hearing(self._tools)
        await self._register()
        # Whoever started this process waits for this line.
        sys.stdout.write(f"slot is ready: {self._tools.config.slot_id}\n")
        sys.stdout.flush()
        done = 0
        while not self._draining.is_set() and done < self._tools.config.max_sessions:
            lease = await self._claim()
            if lease is not None:
                done += 1
                await self._work(lease)

    async def _work(self, lease: protocol.Lease) -> None:
        log = self._tools.log
        log(f"{lease.kind} {lease.lease_id}: claimed")
        if lease.kind == "session":
            self._session = Session(self._tools, lease)
            await self._session.run()
            frame_ms_p95, self._session = self._session.frame_ms_p95, None
            await self._step_down_after(frame_ms_p95)
        else:
            log(f"training {lease.lease_id}: {await run_training(self._tools, lease, self._draining)}")

    async def _step_down_after(self, frame_ms_p95: float) -> None:
        """Draw less in the next session when the last one could not keep its rate; until this worker starts again."""
        config = self._tools.config
        workload = Workload(config.size_px, config.most_splats, config.frames_per_s)
        lower = workloads.after(workload, frame_ms_p95)
        if not config.is_tuned or lower == workload:
            return
        self._tools.log(
            f"frames took up to {frame_ms_p95:.0f} ms: next session {lower.size_px}x{lower.size_px}, up to "
            f"{lower.most_splats} splats, {lower.frames_per_s} frames a second")
        self._tools.use(autotune.with_workload(config, lower))
        await self._register()

    async def _claim(self) -> protocol.Lease | None:
        """Wait for a lease. None when there was none, control was away, or the worker drains."""
        claim = asyncio.create_task(self._tools.control.claim())
        drained = asyncio.create_task(self._draining.wait())
        await asyncio.wait({claim, drained}, return_when=asyncio.FIRST_COMPLETED)
        drained.cancel()
        if not claim.done():
            claim.cancel()
            return None
        try:
            return claim.result()
        except ControlUnreachable:
            await asyncio.sleep(RETRY_S)
        except ControlRefused as error:
            # After a restart control may not know this slot any more.
            self._tools.log(f"claim refused: {error.facts}")
            await asyncio.sleep(RETRY_S)
            await self._register()
        return None

    async def _register(self) -> None:
        is_told = False
        while not self._draining.is_set():
            try:
                await self._tools.control.register()
                return
            except (ControlUnreachable, ControlRefused) as error:
                if not is_told:
                    self._tools.log(f"control does not take this slot yet ({error.facts}); trying again")
                is_told = True
                await asyncio.sleep(RETRY_S)

    def _end_session(self) -> None:
        if self._session is not None:
            self._session.end("worker_stopping")


def warm_up(tools: SlotTools) -> None:
    """Compile and load whatever the first frame of a session would otherwise wait for."""
    if mouth_models() is None:
        tools.log("no models of the mouth are installed; mouths move by the table of shapes")
    if life_model() is None:
        tools.log(f"head and eyes move by noise: {NO_LIFE}")
    size_px = tools.config.size_px
    autotune.frame_ms(tools.parts, stand_in.replica(), Workload(size_px, tools.config.most_splats, 30))
    try:
        tools.voice_for("en").say("Ready.")
    except TrustcoreError as error:
        tools.log(f"no English voice: {error}")


async def warm_up_hearing(tools: SlotTools) -> None:
    """Load what hears that somebody speaks, and what they say. Without either the worker serves on: text is typed."""
    voice_activity = pick_voice_activity()
    voice_activity.push(np.zeros(WINDOW_SAMPLES, np.int16))
    if not isinstance(voice_activity, SileroVoiceActivity):
        tools.log("silero-vad is not installed; speech is told from silence by its loudness")
    config = tools.config.dialogue
    ears = tools.whisper_in(config.whisper_folder, config.whisper_within_s) if config.whisper_folder else tools.ears
    try:
        await ears.warm_up()
    except PartFailed as error:
        tools.log(f"no ears: {error}")


def prepared(config: WorkerConfig) -> tuple[WorkerConfig, FrameParts]:
    """The parts that this machine draws with, their kernels compiled, and the size that it holds."""
    parts = frame_parts.choose(config.renderer)
    log("loading the drawing kernels; on a new machine they are compiled first, which takes a minute")
    renderer.warm_up()
    return autotune.tuned(config, parts, log), parts


def log(line: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {line}\n")
    sys.stderr.flush()


async def run(config: WorkerConfig, parts: FrameParts) -> None:
    """One worker from start to end."""
    clock = SystemClock()
    tools = SlotTools(config, ControlClient(config), Gate(config.grant_keys, clock), clock, log, parts)
    worker = Worker(tools)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, worker.drain)
    try:
        await worker.serve()
    finally:
        tools.close()
        await tools.control.close()


def main() -> int:
    try:
        config = from_environment()
        mouth_models()  # changed files end the worker here, not a session later
        life_model()
    except (WorkerConfigError, MotionModelInvalid) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    asyncio.run(run(*prepared(config)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
