"""What a verification says: one outcome, plain sentences, and the facts for machines."""

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

    def as_text(self) -> str:
        """For a person: the verdict first, then why, then the facts."""
        lines = [f"{_HEADLINES[self.outcome]}: {self.file} ({self.kind})"]
        lines += [f"  {sentence}" for sentence in self.sentences]
        lines += [f"  {name}: {value}" for name, value in self.facts.items() if not isinstance(value, (dict, list))]
        if isinstance(self.mark, str):
            lines.append(f"  mark: {self.mark}")
        else:
            lines.append(f"  mark: {self.mark['verdict']}, payload {self.mark['payload'] or 'none'}. {MARK_CAUTION}")
        lines.append(f"  sound: {self.sound if isinstance(self.sound, str) else _said_of_sound(self.sound)}")
        return "\n".join(lines)


def _said_of_sound(read: dict[str, Any]) -> str:
    if not read["audible_s"]:
        return "too quiet to hold a mark; that proves nothing."
    if read["verdict"] == Verdict.NO_MARK:
        return "no mark found; that proves nothing."
    return f"mark found, payload {read['payload'] or 'not readable'}. {MARK_CAUTION}"


MARK_CAUTION = "A mark says where to look things up; it never says authentic."
_HEADLINES = {
    Outcome.VERIFIED: "VERIFIED", Outcome.CHANGED: "DOES NOT VERIFY", Outcome.UNTRUSTED: "SIGNER NOT TRUSTED",
    Outcome.UNSIGNED: "NOT SIGNED", Outcome.UNREADABLE: "CANNOT BE READ",
}


def worst(outcomes: list[Outcome]) -> Outcome:
    """The outcome that the exit code tells."""
    return max(outcomes, key=SEVERITY.index, default=Outcome.UNREADABLE)
