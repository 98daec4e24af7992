"""Keeps a lease alive, and says when it is over.

The deadline counts from the moment each renewal is SENT, on this machine's own monotonic clock: an answer that was
under way for two seconds must not lengthen a lease that control has given up meanwhile.
"""

import asyncio
from collections.abc import Awaitable, Callable

from provenance.manifests.permit import LeaseClock
from rendering import protocol
from rendering.worker.control import ControlRefused, ControlUnreachable
from trustcore.primitives.clock import Clock

Renew = Callable[[], Awaitable[protocol.RenewalAnswer]]
Sleep = Callable[[float], Awaitable[None]]


async def keep_lease(
    lease_clock: LeaseClock, renew: Renew, clock: Clock, *, lifetime_s: float = protocol.LEASE_LIFETIME_S,
    sleep: Sleep = asyncio.sleep,
) -> str:
    """Renew until the lease is over; returns the reason in one word and leaves the lease clock revoked.

    An unreachable control changes nothing: the deadline stands as it was, and when it passes, the lease is lost, also
    when an answer arrives later.
    """
    while lease_clock.revoked_reason is None:
        sent_at_s = clock.monotonic_s()
        try:
            # The frame loop looks at the deadline itself; the time limit here only keeps one lost answer from
            # holding up the renewals after it.
            answer: protocol.RenewalAnswer | None = await asyncio.wait_for(renew(), lifetime_s)
        except (ControlUnreachable, TimeoutError):
            answer = None
        except ControlRefused:
            answer = protocol.RenewalAnswer(live=False, reason="lease_refused")
        if answer is not None and not answer.live:
            lease_clock.revoke(answer.reason or "ended")
        elif clock.monotonic_s() >= lease_clock.deadline_s:
            lease_clock.revoke("lease_lost")
        elif answer is not None:
            lease_clock.renew(sent_at_s, lifetime_s)
        if lease_clock.revoked_reason is None:
            await sleep(max(0.0, sent_at_s + protocol.RENEW_EVERY_S - clock.monotonic_s()))
    return lease_clock.revoked_reason
