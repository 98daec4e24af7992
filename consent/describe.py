"""Say a scope in five lines, the way a person reads it on her own page, on approvals and in the console."""

from dataclasses import dataclass

from consent.scope import AUDIENCES, EMOTIONS, LANGUAGES, PURPOSES, TERRITORIES, Scope

_MILD, _CLEAR = 300, 600


@dataclass(frozen=True)
class ScopeLines:
    """What is agreed, in words; `never` is what was asked about and not agreed to."""

    purposes: str
    audiences: str
    emotions: str
    languages: str
    territories: str
    never: str


def scope(agreed: Scope) -> ScopeLines:
    """The lines of one scope."""
    emotions = dict(agreed.emotions_max_milli)
    # Weakest first, so that "strong" in front of one word is not read into the next.
    shown = [_emotion(name, milli) for name, milli in sorted(emotions.items(), key=lambda item: item[1]) if milli]
    never = [label.lower() for name, label in EMOTIONS.items() if not emotions.get(name)]
    never += [label.lower() for name, label in PURPOSES.items() if name not in agreed.purposes]
    never += [label.lower() for name, label in AUDIENCES.items() if name not in agreed.audiences]
    return ScopeLines(
        purposes=_listed([PURPOSES[name].lower() for name in agreed.purposes]),
        audiences=_listed([AUDIENCES[name].lower() for name in agreed.audiences]),
        emotions=_listed(shown) or "a neutral face only",
        languages=_listed([LANGUAGES[name] for name in agreed.languages]),
        territories=_listed([TERRITORIES[name] for name in agreed.territories]),
        never=", ".join(never),
    )  # fmt: skip


def _emotion(name: str, milli: int) -> str:
    label = EMOTIONS[name].lower()
    if milli <= _MILD:
        return f"mild {label}"
    return label if milli <= _CLEAR else f"strong {label}"


def _listed(words: list[str]) -> str:
    """a, b and c."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
