"""What a verification says: one outcome, plain sentences, and the facts for machines."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from provenance.marks.verdicts import Verdict


class Outcome(StrEnum):
    """One word per file, and the process's exit code for it."""

    VERIFIED = "verified"
    CHANGED = "changed"  # does not verify: altered, cut, mixed or malformed
    UNTRUSTED = "untrusted"  # holds together, but the signer is unknown under the anchor given
    UNSIGNED = "unsigned"  # carries no manifest; proves nothing
    UNREADABLE = "unreadable"  # no file, or no kind of file we know

    @property
    def exit_code(self) -> int:
        return _EXIT_CODES[self]


_EXIT_CODES = {
    Outcome.VERIFIED: 0, Outcome.CHANGED: 1, Outcome.UNTRUSTED: 3, Outcome.UNSIGNED: 4, Outcome.UNREADABLE: 5,
}
SEVERITY = (Outcome.VERIFIED, Outcome.UNREADABLE, Outcome.UNSIGNED, Outcome.UNTRUSTED, Outcome.CHANGED)
MARK_NOT_CHECKED = "not checked"
SCHEMA = "trustcore-verify/1"


@dataclass
class Report:
    """The verdict on one file."""

    file: str
    kind: str
    outcome: Outcome
    sentences: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    mark: dict[str, Any] | str = MARK_NOT_CHECKED
    sound: dict[str, Any] | str = MARK_NOT_CHECKED  # the mark in the sound

    def as_json(self) -> dict[str, Any]:
        return {
            "file": self.file, "kind": self.kind, "outcome": self.outcome.value,
            "verified": self.outcome is Outcome.VERIFIED, "sentences": self.sentences,
            "facts": self.facts, "mark": self.mark, "sound": self.sound,
        }

    def findings(self) -> list[tuple[str, str]]:
        """(name, value) of what was found, for a person: the facts, then what the mark says."""
        told = [(name, str(value)) for name, value in self.facts.items() if not isinstance(value, (dict, list))]
        said_of_sound = self.sound if isinstance(self.sound, str) else _said_of_sound(self.sound)
        return [*told, ("mark", self._mark_words()), ("sound", said_of_sound)]

    def _mark_words(self) -> str:
        if isinstance(self.mark, str):
            return self.mark
        return f"{self.mark['verdict']}, payload {self.mark['payload'] or 'none'}. {MARK_CAUTION}"


def _said_of_sound(read: dict[str, Any]) -> str:
    if not read["audible_s"]:
        return "too quiet to hold a mark; that proves nothing."
    if read["verdict"] == Verdict.NO_MARK:
        return "no mark found; that proves nothing."
    return f"mark found, payload {read['payload'] or 'not readable'}. {MARK_CAUTION}"


MARK_CAUTION = "A mark says where to look things up; it never says authentic."


def worst(outcomes: list[Outcome]) -> Outcome:
    """The outcome that the exit code tells."""
    return max(outcomes, key=SEVERITY.index, default=Outcome.UNREADABLE)


def summary(reports: Sequence[Report], links_not_followed: Sequence[str]) -> dict[str, Any]:
    """What `--json` prints. Within one SCHEMA names stay, and keep their meaning; names may be added."""
    outcome = worst([report.outcome for report in reports])
    return {
        "schema": SCHEMA, "outcome": outcome.value, "exit_code": outcome.exit_code,
        "summary": {
            "files": len(reports),
            **{each.value: sum(report.outcome is each for report in reports) for each in Outcome},
            "links_not_followed": list(links_not_followed),
        },
        "files": [report.as_json() for report in reports],
    }
