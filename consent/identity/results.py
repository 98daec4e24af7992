"""What one intake check found, in the one shape that is stored, shown and put in evidence."""

from dataclasses import dataclass, field
from typing import Any, Literal

Verdict = Literal["pass", "warn", "fail", "not_run"]

# Worst first: the order of every list of checks that a person reads.
SEVERITY: dict[str, int] = {"fail": 0, "not_run": 1, "warn": 2, "pass": 3}


@dataclass(frozen=True)
class CheckResult:
    """One check's answer.

    `score` and `threshold` are in the unit that `measure` and `need` say in words. `score` is None when nothing was
    measured. `decided_by` names the method that decided; an officer's decision is another record, never this one.
    """

    name: str  # turns, one_face, seen_before, own_output, same_face, spoken_phrase, colour_flash
    verdict: Verdict
    method: str
    version: str
    score: float | None
    threshold: float | None
    measure: str
    need: str
    decided_by: str
    weights_sha256: str = "none"
    to_subject: str = ""
    detail: dict[str, Any] = field(default_factory=dict)


def worst_first(results: list[CheckResult]) -> list[CheckResult]:
    """The checks in the order a person should read them."""
    return sorted(results, key=lambda result: SEVERITY[result.verdict])
