"""What an emotion policy says, checked. PURE. The content is plain JSON, so that its hash is what people sign."""

from typing import Any

from trustcore.policy.clamp import MAX_MILLI
from trustcore.primitives.errors import Refusal
from trustcore.primitives.grants import EMOTIONS

PURPOSES = ("support", "education", "marketing")
AUDIENCES = ("adults", "employees", "minors")
# Where the viewer is. Perception is possible in the first alone (trustcore/policy/perception.py).
CONTEXTS = ("public", "workplace", "education", "unknown")
MAX_SESSION_MIN = 240


class PolicyInvalid(Refusal):
    """The emotion policy is not well formed. `facts["fields"]` says which field and why."""

    code = "request.policy_invalid"


def checked(content: dict[str, Any]) -> dict[str, Any]:
    """The content in its one canonical shape.

    {"emotions_max_milli": {emotion: 0..1000}, "uses": {purpose: {audience: ceiling 0..1000}}, "contexts": [...],
    "session_max_min": 1..240}. A purpose and audience that are not in `uses` get no session; a ceiling of 0 is neutral
    only.

    Raises:
        PolicyInvalid: a field is missing, unknown or out of range.
    """
    known = {"emotions_max_milli", "uses", "contexts", "session_max_min"}
    if not isinstance(content, dict) or set(content) - known:
        raise _invalid("policy", f"has fields other than {', '.join(sorted(known))}")
    return {
        "emotions_max_milli": _emotions(content.get("emotions_max_milli")),
        "uses": _uses(content.get("uses")),
        "contexts": _contexts(content.get("contexts")),
        "session_max_min": _whole("session_max_min", content.get("session_max_min", 30), 1, MAX_SESSION_MIN),
    }


def allowed_uses(content: dict[str, Any]) -> tuple[str, ...]:
    """ "purpose/audience" of every pair that gets a session, for `Facts.policy_uses`."""
    return tuple(sorted(f"{purpose}/{audience}" for purpose, row in content["uses"].items() for audience in row))


def use_ceiling(content: dict[str, Any], purpose: str, audience: str) -> int | None:
    """The ceiling of one use in thousandths; None when it gets no session."""
    ceiling = content["uses"].get(purpose, {}).get(audience)
    return None if ceiling is None else int(ceiling)


def _emotions(value: Any) -> dict[str, int]:
    if not isinstance(value, dict) or set(value) - set(EMOTIONS):
        raise _invalid("emotions_max_milli", f"must name emotions among {', '.join(EMOTIONS)}")
    return {
        emotion: _whole(f"emotions_max_milli.{emotion}", value.get(emotion, 0), 0, MAX_MILLI)
        for emotion in EMOTIONS
        if emotion != "neutral"
    }


def _uses(value: Any) -> dict[str, dict[str, int]]:
    if not isinstance(value, dict) or set(value) - set(PURPOSES):
        raise _invalid("uses", f"must name purposes among {', '.join(PURPOSES)}")
    uses: dict[str, dict[str, int]] = {}
    for purpose, row in sorted(value.items()):
        if not isinstance(row, dict) or set(row) - set(AUDIENCES):
            raise _invalid(f"uses.{purpose}", f"must name audiences among {', '.join(AUDIENCES)}")
        cells = {
            audience: _whole(f"uses.{purpose}.{audience}", ceiling, 0, MAX_MILLI)
            for audience, ceiling in sorted(row.items())
            if ceiling is not None
        }
        if cells:
            uses[purpose] = cells
    if not uses:
        raise _invalid("uses", "must allow at least one purpose for one audience")
    return uses


def _contexts(value: Any) -> list[str]:
    if not isinstance(value, list | tuple) or not value or set(value) - set(CONTEXTS):
        raise _invalid("contexts", f"must name at least one of {', '.join(CONTEXTS)}")
    return sorted(set(value))


def _whole(name: str, value: Any, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise _invalid(name, f"must be a whole number from {low} to {high}")
    return value


def _invalid(name: str, why: str) -> PolicyInvalid:
    return PolicyInvalid(f"{name} {why}.", fields={name: [why]})
