"""The life of an export. PURE: a table (trustcore/primitives/states.py)."""

from trustcore.primitives.states import Machine

EXPORT = Machine(
    "export",
    initial="requested",
    transitions={
        ("requested", "begin"): "building",
        ("building", "complete"): "ready",
        ("building", "fail"): "failed",
        ("requested", "fail"): "failed",
    },
)
