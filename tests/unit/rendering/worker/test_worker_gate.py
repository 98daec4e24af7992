"""The gate opens for one thing only: a grant signed by a pinned key, for a render worker, now."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from provenance.manifests.permit import LeaseClock
from rendering.protocol import Lease
from rendering.worker.gate import Gate
from rendering.worker.stage import clamp_emotion
from trustcore.primitives.clock import to_rfc3339
from trustcore.primitives.errors import GrantExpired, GrantInvalid, GrantRevoked
from trustcore.primitives.grants import Grant, sign_grant
from trustcore.primitives.signing import SigningKey, sign_statement

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
KEY = SigningKey(b"\x01" * 32)
MALLORY = SigningKey(b"\x02" * 32)


class FakeClock:
    """Wall and monotonic time that stand still."""

    def __init__(self, now: datetime = NOW, monotonic_s: float = 100.0) -> None:
        self.now, self.s = now, monotonic_s

    def utc(self) -> datetime:
        return self.now

    def monotonic_s(self) -> float:
        return self.s


def grant(**changes: Any) -> Grant:
    base = Grant(
        grant_id="g1", tenant="acme", conversation_id="c1", subject_id="s1", replica_id="r1", replica_version=2,
        replica_sha256="aa" * 32, consent_id="n1", consent_receipt_sha256="bb" * 32, policy_id="y1", policy_version=3,
        policy_sha256="cc" * 32, cedar_sha256="dd" * 32, persona_id="p1", purpose="support", audience="adults",
        country="IN", language="en", context_of_use="public", disclosure="An AI replica.", issued_at=to_rfc3339(NOW),
        not_after=to_rfc3339(NOW + timedelta(minutes=30)), emotion_max_milli={"neutral": 1000, "joy": 300},
    )
    return replace(base, **changes)


def lease(signed: Any, **changes: Any) -> Lease:
    return replace(Lease("z1-1", "session", 1, "nonce", signed, None, {}, {}), **changes)


def open_gate(signed: Any, clock: FakeClock | None = None, deadline_s: float = 102.0, **changes: Any) -> Any:
    gate = Gate({KEY.kid: KEY.verify_key}, clock or FakeClock())
    return gate.open(lease(signed, **changes), LeaseClock(deadline_s))


def test_a_good_grant_gives_a_permit_with_its_limits() -> None:
    opened = open_gate(sign_grant(KEY, grant()))
    assert opened.permit.replica_id == "r1" and opened.permit.emotion_max_milli == {"neutral": 1000, "joy": 300}
    opened.permit.check(101.9)
    with pytest.raises(GrantRevoked):
        opened.permit.check(102.0)


@pytest.mark.parametrize("signed", [
    sign_grant(MALLORY, grant()),  # not a pinned key
    {**sign_grant(KEY, grant()), "body": grant(emotion_max_milli={"joy": 1000}).to_body()},  # limits raised afterwards
    sign_statement(KEY, "receipt", grant().to_body()),  # signed by the right key for another purpose
    sign_grant(KEY, grant(audience_of_grant="signer")),  # for somebody else
    sign_grant(KEY, grant(version=2)),
    {},
    None,
])
def test_a_bad_grant_opens_nothing(signed: Any) -> None:
    with pytest.raises(GrantInvalid):
        open_gate(signed)


@pytest.mark.parametrize("now", [NOW - timedelta(minutes=5), NOW + timedelta(minutes=30)])
def test_a_grant_opens_only_in_its_time(now: datetime) -> None:
    with pytest.raises(GrantExpired):
        open_gate(sign_grant(KEY, grant()), FakeClock(now))


def test_another_protocol_version_or_kind_opens_nothing() -> None:
    for changes in ({"version": 2}, {"kind": "training"}):
        with pytest.raises(GrantInvalid):
            open_gate(sign_grant(KEY, grant()), **changes)


def test_a_lease_that_ran_out_opens_nothing() -> None:
    with pytest.raises(GrantRevoked):
        open_gate(sign_grant(KEY, grant()), deadline_s=99.0)


@pytest.mark.parametrize(("word", "asked", "emotion", "shown", "clamped"), [
    ("joy", 200, "joy", 200, False), ("joy", 900, "joy", 300, True), ("excited", 900, "joy", 300, True),
    ("anger", 500, "neutral", 0, True), ("neutral", 1000, "neutral", 0, False), ("ecstasy", 500, "neutral", 0, True),
    ("joy", 5000, "joy", 300, True), ("joy", -5, "neutral", 0, False),
])
def test_the_worker_holds_emotions_to_the_signed_grant(
    word: str, asked: int, emotion: str, shown: int, clamped: bool,
) -> None:
    done = clamp_emotion(word, asked, grant().emotion_max_milli)
    assert (done.emotion, done.shown_milli, done.is_clamped) == (emotion, shown, clamped)
