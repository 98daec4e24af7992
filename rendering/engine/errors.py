"""What can be wrong with what the engine is given. The engine imports nothing of the product, so neither do these."""

from __future__ import annotations


class ReplicaInvalid(ValueError):
    """Replica files that must not be drawn: a hash, a shape, a range or the version does not hold."""

    code = "replica.invalid"
