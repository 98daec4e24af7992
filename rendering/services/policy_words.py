"""What changed between two versions of an emotion policy, in sentences. PURE."""

from typing import Any


def changes(before: dict[str, Any] | None, after: dict[str, Any]) -> list[str]:
    """One sentence per difference; for a first version, one per thing it allows."""
    old = before or {"emotions_max_milli": {}, "uses": {}, "contexts": [], "session_max_min": None}
    found = [*_emotions(old["emotions_max_milli"], after["emotions_max_milli"]), *_uses(old["uses"], after["uses"])]
    found += [f"Now allowed where the viewer is: {name}." for name in after["contexts"] if name not in old["contexts"]]
    found += [
        f"No longer allowed where the viewer is: {name}." for name in old["contexts"] if name not in after["contexts"]
    ]
    if old["session_max_min"] != after["session_max_min"]:
        found.append(f"A session lasts at most {after['session_max_min']} minutes" + _was(old["session_max_min"]) + ".")
    return found


def _emotions(old: dict[str, int], new: dict[str, int]) -> list[str]:
    sentences = []
    for name, milli in new.items():
        was = old.get(name, 0)
        if milli != was:
            word = "raised" if milli > was else "lowered"
            sentences.append(
                f"{name.title()} is {word} from {was} to {milli}."
                if was
                else f"{name.title()} may be shown up to {milli}."
            )
    return sentences


def _uses(old: dict[str, dict[str, int]], new: dict[str, dict[str, int]]) -> list[str]:
    before = {(purpose, audience): milli for purpose, row in old.items() for audience, milli in row.items()}
    after = {(purpose, audience): milli for purpose, row in new.items() for audience, milli in row.items()}
    sentences = []
    for (purpose, audience), milli in after.items():
        if (purpose, audience) not in before:
            sentences.append(f"{purpose.title()} for {audience} is now allowed, with every emotion at most {milli}.")
        elif before[purpose, audience] != milli:
            sentences.append(
                f"{purpose.title()} for {audience}: every emotion at most {milli}, was {before[purpose, audience]}."
            )
    sentences += [
        f"{purpose.title()} for {audience} is no longer allowed."
        for purpose, audience in before
        if (purpose, audience) not in after
    ]
    return sentences


def _was(value: Any) -> str:
    return f", was {value}" if value is not None else ""
