"""The frozen state tables of rendering: `(state, action) -> state`, nothing else.

A table holds only what happened to the row itself. Whether a replica may speak is never a state here: it is derived, at
the moment it is asked, from the approval in force and the consent in force, so that no copy of somebody's consent can
grow stale.
"""

from trustcore.primitives.states import Machine

# Footage: bytes of a person. `refused` footage is not kept, only the reasons are.
FOOTAGE = Machine(
    "footage",
    "receiving",
    {
        ("receiving", "complete"): "received",
        ("received", "accept"): "accepted",
        ("received", "refuse"): "refused",
        ("accepted", "erase"): "erased",
    },
)

# One trained copy of one person. Approval is not here: see the module's first paragraph.
REPLICA_VERSION = Machine(
    "replica_version",
    "training",
    {
        ("training", "finish"): "trained",
        ("training", "fail"): "failed",
        ("failed", "retry"): "training",
        ("trained", "retire"): "retired",
        ("failed", "retire"): "retired",
    },
)

# One conversation. `waiting`: the grant is signed, nobody has opened the page. `joining`: a viewer holds the page and a
# slot prepares.
CONVERSATION = Machine(
    "conversation",
    "waiting",
    {
        ("waiting", "join"): "joining",
        ("joining", "go_live"): "live",
        ("waiting", "end"): "ended",
        ("joining", "end"): "ended",
        ("live", "end"): "ended",
    },
)
