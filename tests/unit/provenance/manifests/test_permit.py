from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta

import pytest

from provenance.manifests.permit import LeaseClock, Permit, permit_from_grant
from trustcore.primitives.errors import GrantExpired, GrantRevoked
from trustcore.primitives.grants import Grant, make_times

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def grant() -> Grant:
    issued_at, not_after = make_times(NOW, timedelta(seconds=600))
    return Grant(
        grant_id="g1", tenant="acme", conversation_id="c1", subject_id="s1", replica_id="r1", replica_version=2,
        replica_sha256="00" * 32, consent_id="k1", consent_receipt_sha256="ab" * 32, policy_id="p1", policy_version=3,
        policy_sha256="00" * 32, cedar_sha256="00" * 32, persona_id="q1", purpose="demo", audience="staff",
        country="IN", language="en", context_of_use="other",
        disclosure="An AI replica.", issued_at=issued_at, not_after=not_after,
        emotion_max_milli={"joy": 600},
    )


def permit(lease: LeaseClock | None = None) -> Permit:
    return permit_from_grant(grant(), lease=lease or LeaseClock(102.0), now_utc=NOW, now_s=100.0)


def test_a_permit_carries_what_the_grant_says() -> None:
    made = permit()
    assert (made.session_id, made.replica_id, made.policy_version) == ("c1", "r1", 3)
    assert made.grant_sha256 == grant().sha256
    assert made.not_after_s == 700.0
    with pytest.raises(FrozenInstanceError):
        made.session_id = "c2"  # type: ignore[misc]


def test_it_holds_until_the_lease_runs_out() -> None:
    lease = LeaseClock(102.0)
    made = permit(lease)
    made.check(101.999)
    with pytest.raises(GrantRevoked, match="lease ran out"):
        made.check(102.0)
    lease.renew(sent_at_s=103.0, lease_s=2.0)
    made.check(104.9)


def test_an_early_renewal_never_shortens_a_lease() -> None:
    lease = LeaseClock(102.0)
    lease.renew(sent_at_s=90.0, lease_s=2.0)
    assert lease.deadline_s == 102.0


def test_revocation_is_final() -> None:
    lease = LeaseClock(102.0)
    made = permit(lease)
    lease.revoke("consent withdrawn")
    lease.revoke("another reason")
    lease.renew(sent_at_s=101.0, lease_s=100.0)
    with pytest.raises(GrantRevoked, match="consent withdrawn"):
        made.check(101.0)


def test_the_grants_own_end_holds_too() -> None:
    with pytest.raises(GrantExpired):
        permit(LeaseClock(10_000.0)).check(700.0)


def test_no_permit_from_a_dead_lease() -> None:
    with pytest.raises(GrantRevoked):
        permit(LeaseClock(99.0))
