"""The frozen table of a job: work that somebody holds on a lease."""

from trustcore.primitives.states import Machine

# A lease that runs out puts a repeatable job back in the queue (`requeue`); any other job is `lost` and its owner says
# what follows.
JOB = Machine(
    "job",
    "queued",
    {
        ("queued", "claim"): "leased",
        ("leased", "requeue"): "queued",
        ("leased", "finish"): "done",
        ("leased", "fail"): "failed",
        ("leased", "lose"): "lost",
        ("queued", "lose"): "lost",
        ("leased", "cancel"): "cancelled",
        ("queued", "cancel"): "cancelled",
    },
)
