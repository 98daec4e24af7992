"""What can be wrong with a worker, a lease or a job."""

from trustcore.primitives.errors import Refusal


class WorkerUnknown(Refusal):
    """The request is not signed by a registered, active worker, or its time is too far off."""

    code = "worker.unknown"


class WorkerReplay(Refusal):
    """A signed worker request was shown twice."""

    code = "worker.replay"


class LeaseLost(Refusal):
    """The lease ran out, was stopped, belongs to another worker, or the message is of an older epoch."""

    code = "lease.lost"


class ClaimInvalid(Refusal):
    """A claim proof does not fit the lease it is shown for."""

    code = "claim.invalid"


class KeyAlreadyReleased(Refusal):
    """The keys of this lease epoch have left already."""

    code = "key.already_released"
