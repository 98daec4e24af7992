"""The gate: a signed grant in, a permit out, or nothing.

No other code in the worker makes a permit. The grant's signature is checked here, once; each frame then costs two
comparisons (`Permit.check`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provenance.manifests.permit import LeaseClock, Permit, permit_from_grant
from rendering.protocol import PROTOCOL_VERSION, Lease
from trustcore.primitives.clock import Clock
from trustcore.primitives.errors import GrantInvalid
from trustcore.primitives.grants import Grant, verify_grant
from trustcore.primitives.signing import VerifyKey

AUDIENCE = "render-worker"


@dataclass(frozen=True)
class Opened:
    """What the gate gives: the verified grant and the permit made from it."""

    grant: Grant
    permit: Permit


class Gate:
    """Opens for grants signed by the pinned grant keys.

    Args:
        grant_keys: kid -> key, all trusted for grants and for nothing else; pinned in the worker's configuration.
        clock: wall and monotonic time.
    """

    def __init__(self, grant_keys: Mapping[str, VerifyKey], clock: Clock) -> None:
        self._grant_keys = grant_keys
        self._clock = clock

    def open(self, lease: Lease, lease_clock: LeaseClock) -> Opened:
        """The permit for a session lease.

        Raises:
            GrantInvalid: no grant, not signed by a pinned key, for another audience or version, malformed, or the
                lease speaks another protocol version.
            GrantExpired: its time has passed or has not come.
            GrantRevoked: the lease has already run out.

        Not checked: consent and approvals behind the grant. Control checked them before it signed, and takes the
        lease away when they change.
        """
        if lease.version != PROTOCOL_VERSION:
            raise GrantInvalid("This lease speaks another protocol version. Update the worker.", version=lease.version)
        signed: Mapping[str, Any] | None = lease.grant
        if lease.kind != "session" or signed is None:
            raise GrantInvalid("This lease carries no grant, so nothing may be shown.", lease=lease.lease_id)
        now_utc, now_s = self._clock.utc(), self._clock.monotonic_s()
        grant = verify_grant(signed, self._grant_keys, audience=AUDIENCE, now=now_utc)
        return Opened(grant, permit_from_grant(grant, lease=lease_clock, now_utc=now_utc, now_s=now_s))
