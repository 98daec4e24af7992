"""The checks that this build knows of and does not run. They are shown in red, never left out and never blank."""

from consent.identity.results import CheckResult


def spoken_phrase() -> CheckResult:
    """Nobody compared the words: no speech recogniser is installed."""
    return _not_run(
        "spoken_phrase", "No speech recogniser installed, the words were not compared", "every word, in order"
    )


def colour_flash() -> CheckResult:
    """The page did not flash colours, so nothing on the skin could answer."""
    return _not_run("colour_flash", "The page showed no colour flashes", "skin follows the colours shown")


def _not_run(name: str, measure: str, need: str) -> CheckResult:
    return CheckResult(
        name=name, verdict="not_run", method="none", version="0", score=None, threshold=None,
        measure=measure, need=need, decided_by="nobody",
    )  # fmt: skip
