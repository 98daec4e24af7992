"""What can be wrong with what the engine is given. The engine imports nothing of the product, so neither do these."""

from __future__ import annotations


class ReplicaInvalid(ValueError):
    """Replica files that must not be drawn: a hash, a shape, a range or the version does not hold."""

    code = "replica.invalid"


class MotionModelInvalid(ValueError):
    """Files of a motion model that must not be used: a hash, a shape or the version does not hold."""

    code = "motion.model_invalid"
