"""How verdicts look to a person: aligned, in plain words, coloured on a terminal only.

Text that comes out of a file (names, titles, signers) may hold control characters that move the cursor or repaint
what stands above. Everything is made printable before it is shown.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

from provenance.verify.reports import SEVERITY, Outcome, Report

BAR_WIDTH = 24
_GREEN, _RED, _YELLOW, _DIM, _BOLD, _END = "\033[32m", "\033[31m", "\033[33m", "\033[2m", "\033[1m", "\033[0m"
_SIGNS = {
    Outcome.VERIFIED: ("✓", _GREEN), Outcome.CHANGED: ("✗", _RED), Outcome.UNTRUSTED: ("!", _YELLOW),
    Outcome.UNSIGNED: ("·", _YELLOW), Outcome.UNREADABLE: ("?", _YELLOW),
}
HEADLINES = {
    Outcome.VERIFIED: "VERIFIED", Outcome.CHANGED: "DOES NOT VERIFY", Outcome.UNTRUSTED: "SIGNER NOT TRUSTED",
    Outcome.UNSIGNED: "NOT SIGNED", Outcome.UNREADABLE: "CANNOT BE READ",
}
_COUNTED = {
    Outcome.VERIFIED: "verified", Outcome.CHANGED: "not verifying", Outcome.UNTRUSTED: "with a signer not trusted",
    Outcome.UNSIGNED: "not signed", Outcome.UNREADABLE: "not readable",
}
_PLAIN_SIGNS = str.maketrans({"✓": "+", "✗": "x", "·": "-", "█": "#"})


def wants_colour(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether to colour: on a terminal, unless NO_COLOR is set (no-color.org) or the terminal is a dumb one."""
    return stream.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


def printable(text: str) -> str:
    """`text` without anything that a terminal would act on."""
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in text)


def fitting(text: str, encoding: str) -> str:
    """`text` as a stream of this encoding can show it: a terminal of another age gets plain signs, never a crash."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_PLAIN_SIGNS).encode(encoding, "replace").decode(encoding)
    return text


class Page:
    """Verdicts as text. One file is shown in full; of many, those that verified take one line each."""

    def __init__(self, *, is_coloured: bool, shows_details: bool) -> None:
        self._is_coloured = is_coloured
        self._shows_details = shows_details

    def text(self, reports: Sequence[Report], links: Sequence[Path]) -> str:
        """All of it, with a line of counts where there is more than one file."""
        shows_all = self._shows_details or len(reports) == 1
        width = max(len(HEADLINES[report.outcome]) for report in reports)
        lines: list[str] = []
        for report in reports:
            block = self._block(report, width, shows_all=shows_all)
            lines += [*block, ""] if len(block) > 1 else block
        lines += [f"{self._paint(_DIM, 'link not followed:')} {printable(str(link))}" for link in links]
        if len(reports) > 1:
            lines += ["", self._counts(reports)] if lines[-1] else [self._counts(reports)]
        return "\n".join(lines).rstrip("\n")

    def _block(self, report: Report, width: int, *, shows_all: bool) -> list[str]:
        sign, colour = _SIGNS[report.outcome]
        head = self._paint(colour + _BOLD, f"{sign} {HEADLINES[report.outcome]:<{width}}")
        lines = [f"{head}  {printable(report.file)}  {self._paint(_DIM, f'({report.kind})')}"]
        if shows_all or report.outcome is not Outcome.VERIFIED:
            lines += [f"    {printable(sentence)}" for sentence in report.sentences]
        # A file of sound alone cannot be judged, but its mark can be read.
        if shows_all and (report.outcome is not Outcome.UNREADABLE or isinstance(report.sound, dict)):
            lines += self._findings(report)
        return lines

    def _findings(self, report: Report) -> list[str]:
        rows = [(name.replace("_", " "), text) for name, text in report.findings()]
        width = max(len(name) for name, _ in rows)
        return ["", *(f"    {self._paint(_DIM, f'{name:<{width}}')}  {printable(text)}" for name, text in rows)]

    def _counts(self, reports: Sequence[Report]) -> str:
        counts = {outcome: sum(report.outcome is outcome for report in reports) for outcome in SEVERITY}
        told = [self._paint(_SIGNS[o][1], f"{n} {_COUNTED[o]}") for o, n in counts.items() if n]
        return f"{len(reports)} files: {', '.join(told)}."

    def _paint(self, colour: str, text: str) -> str:
        return f"{colour}{text}{_END}" if self._is_coloured else text


class ProgressBar:
    """One line on a terminal's error stream: which file of how many, and how far in it. Silent elsewhere."""

    def __init__(self, files: int, stream: TextIO = sys.stderr) -> None:
        self._files = files
        self._at = 0
        self._name = ""
        self._stream = stream
        self._is_shown = stream.isatty()

    def begin(self, path: Path) -> None:
        """The next file."""
        self._at += 1
        self._name = printable(path.name)
        self._show(0, 0)

    def __call__(self, done: int, total: int) -> None:
        """(steps done, steps in all; 0 when unknown) within the file."""
        if total == 100 or done % 50 == 0 or done == total:
            self._show(done, total)

    def _show(self, done: int, total: int) -> None:
        if not self._is_shown:
            return
        share = (self._at - 1 + (done / total if total else 0)) / max(self._files, 1)
        full = min(int(BAR_WIDTH * share), BAR_WIDTH)
        within = f"  {100 * done // total} %" if total else f"  {done} frames" if done else ""
        line = f"[{'█' * full}{'·' * (BAR_WIDTH - full)}] {self._at} of {self._files}  {self._name}{within}"
        columns = int(os.environ.get("COLUMNS", "0") or 0) or 79
        told = fitting(line[: columns - 1], self._stream.encoding or "ascii")
        print(f"\r\033[K{told}", end="", file=self._stream, flush=True)

    def close(self) -> None:
        """Take the line away again."""
        if self._is_shown:
            print("\r\033[K", end="", file=self._stream, flush=True)
