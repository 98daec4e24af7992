import pytest

from trustcore.web import rate_limits
from trustcore.web.rate_limits import RateLimit, network_of


@pytest.mark.parametrize(("address", "network"), [
    ("203.0.113.7", "203.0.113.0/24"), ("2001:db8:1:2:3::4", "2001:db8:1::/48"), ("", "unknown"), ("x", "unknown"),
])
def test_neighbours_count_together(address: str, network: str) -> None:
    assert network_of(address) == network


def test_a_network_has_so_many_a_minute_and_others_are_not_touched() -> None:
    limit = RateLimit()
    assert [limit.admits("a", 2, 0.0) for _ in range(3)] == [True, True, False]
    assert limit.admits("b", 2, 0.0)
    assert not limit.admits("a", 2, 59.9)
    assert limit.admits("a", 2, 60.0)


def test_many_networks_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "MAX_NETWORKS", 10)
    limit = RateLimit()
    for number in range(100):
        limit.admits(str(number), 1, 0.0)
    assert len(limit._asked) <= 11


def test_many_networks_do_not_give_anybody_a_new_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "MAX_NETWORKS", 10)
    limit = RateLimit()
    assert limit.admits("a", 1, 0.0)
    told = [limit.admits(str(number), 1, 0.0) for number in range(100)]
    assert not limit.admits("a", 1, 0.0)
    assert told.count(True) == 10  # nine one by one, and one of all who came later
