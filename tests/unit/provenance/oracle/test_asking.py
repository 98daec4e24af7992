"""Quotas, networks, puzzles and pasted links."""

from datetime import date
from itertools import count

import pytest

from provenance.oracle import puzzles
from provenance.oracle.links import named_session
from provenance.oracle.quotas import FEWEST_BITS, MOST_BITS, Quota, bits_for, network_name
from trustcore.web.rate_limits import network_of

SECRET, NETWORK, NOW_S = b"k" * 32, "a" * 32, 1_796_000_000
DAY = date(2026, 11, 28)


@pytest.mark.parametrize(("address", "network"), [
    ("192.0.2.77", "192.0.2.0/24"), ("192.0.2.1", "192.0.2.0/24"), ("192.0.3.1", "192.0.3.0/24"),
    ("2001:db8:1:2::5", "2001:db8:1::/48"), ("2001:db8:1:ffff::", "2001:db8:1::/48"),
    ("::ffff:192.0.2.9", "192.0.2.0/24"), ("", "unknown"), ("unix:", "unknown"),
])
def test_network_of_an_address(address: str, network: str) -> None:
    assert network_of(address) == network


def test_name_of_a_network_tells_nothing_and_lasts_a_day() -> None:
    name = network_name(SECRET, "192.0.2.0/24", DAY)
    assert name == network_name(SECRET, "192.0.2.0/24", DAY)
    others = {network_name(SECRET, "192.0.2.0/24", date(2026, 11, 29)), network_name(b"x", "192.0.2.0/24", DAY),
              network_name(SECRET, "192.0.3.0/24", DAY)}
    assert name not in others and len(others) == 3 and len(name) == 32


def test_quota_with_and_without_proof() -> None:
    quota = Quota(proven=20, unproven=4)
    assert not quota.is_used_up(19, 4, is_proven=True)
    assert quota.is_used_up(20, 0, is_proven=True)
    assert not quota.is_used_up(3, 3, is_proven=False)
    assert quota.is_used_up(4, 4, is_proven=False)
    assert quota.is_used_up(20, 0, is_proven=False)


def test_asking_gets_dearer() -> None:
    assert [bits_for(asked) for asked in (0, 3, 4, 8, 19, 1000)] == [
        FEWEST_BITS, FEWEST_BITS, FEWEST_BITS + 1, FEWEST_BITS + 2, FEWEST_BITS + 4, MOST_BITS]


def puzzle(bits: int = 6) -> str:
    return puzzles.make(SECRET, bits=bits, nonce="b" * 32, network=NETWORK, now_s=NOW_S)


def solution_of(text: str, bits: int = 6) -> str:
    return str(next(n for n in count() if puzzles.is_solution(text, str(n), bits)))


def test_solved_puzzle() -> None:
    text = puzzle()
    found = puzzles.solved(SECRET, text, solution_of(text), network=NETWORK, now_s=NOW_S + puzzles.VALID_S)
    assert found is not None and found.nonce == "b" * 32 and found.bits == 6


def test_what_is_no_solution() -> None:
    text = puzzle()
    answer = solution_of(text)
    wrong = next(str(n) for n in count() if not puzzles.is_solution(text, str(n), 6))
    easier = text.replace(".6.", ".0.", 1)
    for told, solution, network, now_s, secret in [
        (text, wrong, NETWORK, NOW_S, SECRET), (text, answer, "c" * 32, NOW_S, SECRET),
        (text, answer, NETWORK, NOW_S + puzzles.VALID_S + 1, SECRET), (text, answer, NETWORK, NOW_S, b"x" * 32),
        (easier, "0", NETWORK, NOW_S, SECRET), ("", "", NETWORK, NOW_S, SECRET), (text, "", NETWORK, NOW_S, SECRET),
        (text, "-1", NETWORK, NOW_S, SECRET), (text, "9" * 400, NETWORK, NOW_S, SECRET),
    ]:
        assert puzzles.solved(secret, told, solution, network=network, now_s=now_s) is None


BASE = "https://replica.example:8443"
ID, LABEL = "c0123456789abcdef", "urn:c2pa:5f3b7c1a-9d2e-4a60-8b11-0c2d3e4f5a6b"


@pytest.mark.parametrize(("text", "found"), [
    (ID, ID), (f"  {ID}\n", ID), (LABEL, LABEL), (f"{BASE}/c/{ID}/tok", ID), (f"{BASE}/c/{ID}/", ID),
    (f"https://REPLICA.example:8443/manifests/{LABEL}", LABEL),
    (f"https://replica.example/c/{ID}/", None), (f"https://evil.example/c/{ID}/", None),
    (f"https://replica.example:8443@evil.example/c/{ID}/", None), (f"ftp://replica.example:8443/c/{ID}", None),
    (f"//replica.example:8443/c/{ID}", None), ("https://[::1", None), ("", None), ("c012", None),
    (ID.upper(), None), (f"{BASE}/c/{ID}/" + "x" * 400, None), (f"{BASE}/?session={ID}", None),
])
def test_what_a_pasted_link_names(text: str, found: str | None) -> None:
    assert named_session(text, BASE) == found
