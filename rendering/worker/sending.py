"""The beat of a session: when each picture is made and sent, at the rate that the line carries."""

import asyncio
import math
from collections.abc import Callable

from rendering.worker.connection import Connection
from rendering.worker.delivery import Delivery
from rendering.worker.frames import FrameMaker
from rendering.worker.mark_slots import SlottedMark
from rendering.worker.pacing import FIRST_TICK, FramePacer
from rendering.worker.slot import SlotTools

NO_PICTURE_WAIT_S = 0.1


async def make_first_frame(
    tools: SlotTools, maker: FrameMaker, connection: Connection, mark: SlottedMark,
) -> None:
    """The picture of media time zero is made while the connection is being set up, and waits for it."""
    frame = await asyncio.get_running_loop().run_in_executor(tools.frame_thread, maker.make, FIRST_TICK)
    if frame is not None:
        connection.give(frame, mark.slot)


async def send_frames(
    tools: SlotTools, maker: FrameMaker, connection: Connection, delivery: Delivery, mark: SlottedMark, *,
    origin_s: float, is_over: Callable[[], bool],
) -> None:
    """Until `is_over`. A picture that would be late is not made; a picture that was encoded is sent.

    On a rung without pictures none is made, but the first of a connection: no sound leaves before it.

    Args:
        origin_s: media time zero on the monotonic clock.
    """
    clock, config, loop = tools.clock, tools.config, asyncio.get_running_loop()
    # A line that was lost for a moment may be back before the time of the picture that was made last.
    first_index = math.floor(maker.made_until_s * config.frames_per_s + 1e-6) + 1
    pacer = FramePacer(config.frames_per_s, origin_s, config.frame_lead_s, first_index)
    while not is_over():
        if not delivery.plan.rung.has_picture and connection.has_shown:
            await asyncio.sleep(NO_PICTURE_WAIT_S)
            continue
        pacer.turn_to(delivery.plan.frames_per_s)
        tick = pacer.next_tick(clock.monotonic_s())
        await asyncio.sleep(max(0.0, tick.start_at_s - clock.monotonic_s()))
        if not connection.has_room:
            continue
        frame = await loop.run_in_executor(tools.frame_thread, maker.make, tick)
        await asyncio.sleep(max(0.0, tick.send_at_s - clock.monotonic_s()))
        if frame is not None and not is_over():
            connection.give(frame, mark.slot)
