"""Verify recordings, exports and evidence bundles offline.

  python -m provenance.verify FILE... [--trust CA.pem] [--mark-key FILE] [--status FILE] [--tsa FILE] [--json]

Needs no secret and no network. Trust has to come from you: --trust names the authority's certificate (or set
TRUSTCORE_TRUST); without it the best a file can be is "signer not trusted". --status
names the authority's list of revoked certificates (a CRL, from /check/claim-signers.crl), --tsa the certificate of a
time-stamp authority whose time you believe.

Exit codes: 0 every file verified; 1 a file does not verify (changed, cut or malformed); 2 wrong usage; 3 a file's
signer is not trusted under the anchor given; 4 a file carries no signature; 5 a file cannot be read. With several files
the worst one counts: 1 before 3 before 4 before 5.
"""

import argparse
import json
import os
import sys
import warnings
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from provenance.manifests import status_lists
from provenance.manifests.errors import StatusListInvalid
from provenance.manifests.status_lists import StatusList
from provenance.marks.errors import MarkKeyUnreadable
from provenance.marks.keys import MarkKey
from provenance.verify.certificates import held_against
from provenance.verify.files import verify_file
from provenance.verify.reports import worst

BAR_WIDTH = 40


class ProgressBar:
    """A bar on a terminal for work that takes a while; silent elsewhere."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._is_shown = sys.stderr.isatty()

    def __call__(self, done: int, total: int) -> None:
        if not self._is_shown or (total != 100 and done % 50 and done != total):
            return
        full = BAR_WIDTH * done // total if total else 0
        bar = f"[{'#' * full}{'.' * (BAR_WIDTH - full)}] {100 * done // total} %" if total else f"{done} frames"
        print(f"\r{self._what}: {bar}", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        if self._is_shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m provenance.verify", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--trust", metavar="CA.pem", help="certificate of the authority you trust")
    parser.add_argument("--mark-key", metavar="FILE", help="read the watermark with this key")
    parser.add_argument("--status", metavar="FILE", help="the authority's list of revoked certificates (CRL)")
    parser.add_argument("--tsa", metavar="FILE", help="certificate of the time-stamp authority you trust")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of sentences")
    options = parser.parse_args(arguments)
    try:
        trust = options.trust or os.environ.get("TRUSTCORE_TRUST", "")
        anchor_pem = _anchor(Path(trust)) if trust else ""
        mark_key = MarkKey.from_file(Path(options.mark_key).read_bytes()) if options.mark_key else None
        status = _status(Path(options.status), anchor_pem) if options.status else None
        tsa_anchor_pem = _anchor(Path(options.tsa)) if options.tsa else ""
    except (OSError, ValueError, MarkKeyUnreadable, StatusListInvalid) as error:
        parser.error(f"a file named on the command line cannot be read: {error}")
    reports = []
    for name in options.files:
        bar = ProgressBar(Path(name).name)
        report = verify_file(
            Path(name), anchor_pem=anchor_pem, mark_key=mark_key, progress=bar, tsa_anchor_pem=tsa_anchor_pem,
        )
        reports.append(held_against(report, status))
        bar.close()
    outcome = worst([report.outcome for report in reports])
    if options.json:
        print(json.dumps({"outcome": outcome.value, "files": [report.as_json() for report in reports]}, indent=1))
    else:
        print("\n\n".join(report.as_text() for report in reports))
    return outcome.exit_code


def _status(path: Path, anchor_pem: str) -> StatusList:
    """The status list, once the trusted authority's signature on it holds: a stale or foreign one says nothing."""
    return status_lists.read(path.read_bytes(), anchor_pem, datetime.now(UTC))


def _anchor(path: Path) -> str:
    """The certificate file, once it parses: a damaged anchor must not look like an untrusted signer."""
    pem = path.read_text("ascii")
    x509.load_pem_x509_certificates(pem.encode())
    return pem


if __name__ == "__main__":
    warnings.simplefilter("default")
    sys.exit(main())
