"""The lives of an export and of a check. PURE: tables (trustcore/primitives/states.py)."""

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

# A check that somebody asked for on the public page. A stopped or unfinished one leaves nothing of the clip.
CLIP_CHECK = Machine(
    "clip_check",
    initial="waiting",
    transitions={
        ("waiting", "begin"): "looking",
        ("looking", "answer"): "answered",
        ("looking", "fail"): "unfinished",
        ("waiting", "fail"): "unfinished",
        ("looking", "stop"): "stopped",
        ("waiting", "stop"): "stopped",
    },
)
