"""The bad network of tests and benchmarks: the same each time, in order, and as bad as its profile says."""

from itertools import pairwise

from tests.common.relay import PROFILES, QUEUE_S, Direction, Profile


def sent(
    profile: Profile, count: int = 4000, every_s: float = 0.01, size: int = 200, seed: int = 1,
) -> list[float | None]:
    way = Direction(profile, profile.down_bps, seed)
    return [way.arrives_s(size, number * every_s, number * every_s) for number in range(count)]


def test_the_same_seed_gives_the_same_line_and_another_one_another() -> None:
    assert sent(PROFILES["3g"]) == sent(PROFILES["3g"]) != sent(PROFILES["3g"], seed=2)


def test_packets_arrive_in_order_late_and_some_never() -> None:
    arrived = [(number * 0.01, at_s) for number, at_s in enumerate(sent(PROFILES["3g"])) if at_s is not None]
    assert 0.02 < 1 - len(arrived) / 4000 < 0.04
    assert all(before < after for (_, before), (_, after) in pairwise(arrived))
    late = sorted(at_s - sent_s for sent_s, at_s in arrived)
    assert 0.1 < late[len(late) // 2] < 0.25


def test_a_full_line_delays_and_then_drops() -> None:
    found = sent(Profile("narrow", down_bps=100_000), every_s=0.005)
    late = [at_s - number * 0.005 for number, at_s in enumerate(found) if at_s is not None]
    assert len(late) < 2000 and QUEUE_S < max(late) < QUEUE_S + 0.05
    assert sum(at_s is not None for at_s in sent(Profile("none"))) == 4000


def test_a_line_may_become_another_one() -> None:
    way = Direction(PROFILES["none"], 0, 1)
    assert way.arrives_s(200, 0.0, 0.0) is not None
    way.turn_to(Profile("dead", loss_share=1.0), 0)
    assert way.arrives_s(200, 0.1, 0.1) is None


def test_outages_come_and_go() -> None:
    found = sent(PROFILES["assam"])
    assert not any(found[1210:1490]) and any(found[1510:1600]) and any(found[900:1190])
