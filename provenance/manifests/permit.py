"""The permit: the one object that allows a frame to be sealed.

A permit comes from a verified grant and nothing else. Checking it costs two comparisons, so it is checked for every
frame; the grant's signature was checked once, when the gate opened.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from trustcore.primitives.clock import from_rfc3339
from trustcore.primitives.errors import GrantExpired, GrantRevoked
from trustcore.primitives.grants import Grant


class LeaseClock:
    """The moving part of a permit: until when the slot's lease runs on the worker's monotonic clock.

    Times are counted from the moment the renewal was *sent*, so network delay can only shorten a lease.
    """

    def __init__(self, deadline_s: float) -> None:
        self._deadline_s = deadline_s
        self._revoked_reason: str | None = None

    @property
    def deadline_s(self) -> float:
        return self._deadline_s

    @property
    def revoked_reason(self) -> str | None:
        return self._revoked_reason

    def renew(self, sent_at_s: float, lease_s: float) -> None:
        """Extend after a renewal that was sent at `sent_at_s`. A revoked lease stays revoked."""
        self._deadline_s = max(self._deadline_s, sent_at_s + lease_s)

    def revoke(self, reason: str) -> None:
        """End the lease now, for good. The first reason is kept."""
        self._revoked_reason = self._revoked_reason or reason


@dataclass(frozen=True)
class Permit:
    """Permission to seal frames of one session. Made by `permit_from_grant` only."""

    grant_id: str
    grant_sha256: str
    session_id: str
    replica_id: str
    replica_version: int
    consent_receipt_sha256: str
    policy_id: str
    policy_version: int
    disclosure: str
    language: str
    emotion_max_milli: Mapping[str, int]
    not_after_s: float  # the grant's end on the worker's monotonic clock
    lease: LeaseClock = field(repr=False, compare=False)

    def check(self, now_s: float) -> None:
        """Raise unless a frame may be sealed at `now_s` (monotonic seconds).

        Raises:
            GrantRevoked: revoked, or the lease was not renewed in time.
            GrantExpired: the grant itself has ended.
        """
        if self.lease.revoked_reason is not None:
            raise GrantRevoked(f"This session was stopped: {self.lease.revoked_reason}.", session=self.session_id)
        if now_s >= self.lease.deadline_s:
            raise GrantRevoked("This session's lease ran out; control could not be reached.", session=self.session_id)
        if now_s >= self.not_after_s:
            raise GrantExpired("This session's grant has ended.", session=self.session_id)


def permit_from_grant(
    verified_grant: Grant, *, lease: LeaseClock, now_utc: datetime, now_s: float,
) -> Permit:
    """The permit a verified grant gives. Call with the result of `verify_grant`, never with an unverified grant.

    Args:
        lease: the lease of the slot that claimed this session.
        now_utc, now_s: the same moment on the wall clock and on the monotonic clock.

    Raises:
        GrantExpired, GrantRevoked: as `Permit.check`.
    """
    permit = Permit(
        grant_id=verified_grant.grant_id, grant_sha256=verified_grant.sha256,
        session_id=verified_grant.conversation_id, replica_id=verified_grant.replica_id,
        replica_version=verified_grant.replica_version,
        consent_receipt_sha256=verified_grant.consent_receipt_sha256, policy_id=verified_grant.policy_id,
        policy_version=verified_grant.policy_version, disclosure=verified_grant.disclosure,
        language=verified_grant.language, emotion_max_milli=dict(verified_grant.emotion_max_milli),
        lease=lease,
        not_after_s=now_s + (from_rfc3339(verified_grant.not_after) - now_utc).total_seconds(),
    )
    permit.check(now_s)
    return permit
