"""Two families of error, and one code each.

`Refusal`: the rule said no. Expected, shown to the caller, recorded. `Fault`: we or the world broke. Reported,
its detail kept inside. Programming mistakes stay `TypeError`, `ValueError` or `RuntimeError`.

A subclass sets `code` ("consent.missing": noun, dot, what is wrong). The message is one plain sentence that says what
is wrong and what to do. Nothing here knows HTTP: `trustcore/web/problems.py` maps codes to status.
"""

from typing import Any, ClassVar


class TrustcoreError(Exception):
    """Base of every coded error. `facts` holds small, loggable values that explain this one case."""

    code: ClassVar[str] = "internal"

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts


class Refusal(TrustcoreError):
    """The rule said no."""

    code = "refused"


class Fault(TrustcoreError):
    """We or the world broke."""

    code = "internal"


class InvalidTransition(Refusal):
    """An action was asked for that the object's state does not allow."""

    code = "state.invalid_transition"


class SignatureInvalid(Refusal):
    """A signature does not verify, or names a key that is not trusted for this purpose."""

    code = "signature.invalid"


class EnvelopeInvalid(Refusal):
    """Ciphertext does not open: wrong key, wrong context, cut short or changed."""

    code = "envelope.invalid"


class GrantInvalid(Refusal):
    """A grant is malformed, for another audience, or not signed by a pinned grant key."""

    code = "grant.invalid"


class GrantExpired(Refusal):
    """A grant's time has passed, or has not come."""

    code = "grant.expired"


class GrantRevoked(Refusal):
    """The permission behind a permit was withdrawn, or its lease ran out."""

    code = "grant.revoked"


class ProofInvalid(Refusal):
    """A log proof, checkpoint or note does not verify."""

    code = "proof.invalid"
