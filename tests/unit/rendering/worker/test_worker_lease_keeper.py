"""The lease's deadline counts from the moment a renewal was sent, on a clock that the test holds."""

import asyncio
from collections.abc import Awaitable, Callable

from provenance.manifests.permit import LeaseClock
from rendering.protocol import RenewalAnswer
from rendering.worker.control import ControlRefused, ControlUnreachable
from rendering.worker.lease_keeper import keep_lease

LIVE = RenewalAnswer(live=True)


class FakeClock:
    s = 0.0

    def utc(self) -> None:  # never asked here
        raise AssertionError

    def monotonic_s(self) -> float:
        return self.s


def run(answers: list[Callable[[FakeClock], RenewalAnswer]]) -> tuple[str, FakeClock, list[float]]:
    """Keep a lease over the given answers, one a renewal; more than that ends the test."""
    clock, lease, deadlines = FakeClock(), LeaseClock(2.0), []

    async def renew() -> RenewalAnswer:
        deadlines.append(lease.deadline_s)
        return answers.pop(0)(clock)

    async def sleep(seconds: float) -> None:
        clock.s += seconds

    reason = asyncio.run(_kept(lease, renew, clock, sleep))
    return reason, clock, deadlines


async def _kept(lease: LeaseClock, renew: Callable[[], Awaitable[RenewalAnswer]], clock: FakeClock,
                sleep: Callable[[float], Awaitable[None]]) -> str:
    return await keep_lease(lease, renew, clock, lifetime_s=2.0, sleep=sleep)  # type: ignore[arg-type]


def after(seconds: float, answer: RenewalAnswer | Exception) -> Callable[[FakeClock], RenewalAnswer]:
    def give(clock: FakeClock) -> RenewalAnswer:
        clock.s += seconds
        if isinstance(answer, Exception):
            raise answer
        return answer

    return give


def test_the_deadline_counts_from_the_sending() -> None:
    _, _, deadlines = run([after(0.5, LIVE), after(0.0, RenewalAnswer(False, "consent_withdrawn"))])
    assert deadlines == [2.0, 2.0]  # sent at 0, answered at 0.5: still 0 + 2


def test_a_renewal_extends_the_lease() -> None:
    _, _, deadlines = run([after(0.1, LIVE), after(0.1, LIVE), after(0.0, RenewalAnswer(False))])
    assert deadlines == [2.0, 2.0, 2.6]


def test_an_answer_that_comes_after_the_deadline_does_not_revive_the_lease() -> None:
    reason, clock, _ = run([after(2.1, LIVE)])
    assert (reason, clock.s) == ("lease_lost", 2.1)


def test_an_unreachable_control_ends_the_lease_at_its_deadline() -> None:
    away = ControlUnreachable("away")
    reason, clock, _ = run([after(0.0, away) for _ in range(10)])
    assert reason == "lease_lost" and 2.0 <= clock.s < 2.7


def test_a_revocation_ends_it_at_once_with_its_reason() -> None:
    reason, clock, _ = run([after(0.05, RenewalAnswer(False, "consent_withdrawn"))])
    assert (reason, clock.s) == ("consent_withdrawn", 0.05)


def test_a_stale_epoch_ends_it_at_once() -> None:
    reason, _, _ = run([after(0.0, ControlRefused("another epoch holds this lease"))])
    assert reason == "lease_refused"
