"""Verify recordings, fragments, stills, exports and evidence bundles offline.

  python -m provenance.verify PATH... [--trust CA.pem] [--status FILE] [--tsa FILE] [--init INIT.mp4]
                              [--mark-key FILE] [--details] [--json]

A PATH is a file or a folder; folders are read with all that is in them, in order of names, and links in them are not
followed. Needs no secret and no network. Trust has to come from you: --trust names the authority's certificate (or set
TRUSTCORE_TRUST); without it the best a file can be is "signer not trusted". --status names the authority's list of
revoked certificates (a CRL, from /check/claim-signers.crl), --tsa the certificate of a time-stamp authority whose time
you believe.

Exit codes: 0 every file verified; 1 a file does not verify (changed, cut or malformed); 2 wrong usage; 3 a file's
signer is not trusted under the anchor given; 4 a file carries no signature; 5 a file cannot be read, or a folder is
empty. With several files the worst one counts: 1 before 3 before 4 before 5.
"""

import argparse
import json
import os
import sys
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509

from provenance.manifests import status_lists
from provenance.manifests.errors import StatusListInvalid
from provenance.manifests.session_manifest import MAX_INIT_BYTES
from provenance.manifests.status_lists import StatusList
from provenance.marks.errors import MarkKeyUnreadable
from provenance.marks.keys import MAX_FILE_BYTES as MAX_KEY_BYTES
from provenance.marks.keys import key_from_file
from provenance.verify.certificates import held_against
from provenance.verify.files import unreadable, verify_file
from provenance.verify.folders import Found, find_files, read_bounded
from provenance.verify.reports import Report, summary, worst
from provenance.verify.terminal import Page, ProgressBar, fitting, wants_colour

MAX_ANCHOR_BYTES = 256 * 1024


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        means = _means(options)
        status = _status(options, means["anchor_pem"])
    except (ValueError, MarkKeyUnreadable, StatusListInvalid) as error:
        parser.error(f"a file named on the command line cannot be read: {error}")
    found = find_files([Path(name) for name in options.paths])
    reports = _verify_all(found, means, status)
    if options.json:
        print(json.dumps(summary(reports, [str(link) for link in found.links]), indent=1))
    else:
        page = Page(is_coloured=wants_colour(sys.stdout, os.environ), shows_details=options.details)
        print(fitting(page.text(reports, found.links), sys.stdout.encoding or "ascii"))
    return worst([report.outcome for report in reports]).exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m provenance.verify", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a file, or a folder of files")
    parser.add_argument("--trust", metavar="CA.pem", help="certificate of the authority you trust")
    parser.add_argument("--init", metavar="FILE", help="session manifest of fragments that come without one")
    parser.add_argument(
        "--mark-key", metavar="FILE", help="read the watermark with this key; a presence key tells if there is one")
    parser.add_argument("--status", metavar="FILE", help="the authority's list of revoked certificates (CRL)")
    parser.add_argument("--tsa", metavar="FILE", help="certificate of the time-stamp authority you trust")
    parser.add_argument("--details", action="store_true", help="show everything about each of several files")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of sentences")
    return parser


def _means(options: argparse.Namespace) -> dict[str, Any]:
    """What `verify_file` judges with, once all of it parses: a damaged anchor must not look like a strange signer."""
    anchor_pem = _anchor(options.trust or os.environ.get("TRUSTCORE_TRUST", ""))
    return {
        "anchor_pem": anchor_pem,
        "tsa_anchor_pem": _anchor(options.tsa),
        "mark_key": key_from_file(_content(options.mark_key, MAX_KEY_BYTES)) if options.mark_key else None,
        "init": _content(options.init, MAX_INIT_BYTES) if options.init else b"",
    }


def _anchor(name: str | None) -> str:
    """The certificates in a file, once they parse; "" without a name."""
    if not name:
        return ""
    pem = _content(name, MAX_ANCHOR_BYTES)
    x509.load_pem_x509_certificates(pem)
    return pem.decode("ascii")


def _status(options: argparse.Namespace, anchor_pem: str) -> StatusList | None:
    """The status list, once the trusted authority's signature on it holds: a stale or foreign one says nothing."""
    if not options.status:
        return None
    return status_lists.read(_content(options.status, status_lists.MAX_BYTES), anchor_pem, datetime.now(UTC))


def _content(name: str, most_bytes: int) -> bytes:
    content, problem = read_bounded(Path(name), most_bytes)
    if problem:
        raise ValueError(f"{name}: {problem}")
    return content


def _verify_all(found: Found, means: dict[str, Any], status: StatusList | None) -> list[Report]:
    bar = ProgressBar(len(found.items))
    reports = []
    for path, problem in found.items:
        bar.begin(path)
        report = unreadable(path, problem) if problem else verify_file(path, **means, progress=bar)
        reports.append(held_against(report, status))
    bar.close()
    return reports


if __name__ == "__main__":
    warnings.simplefilter("default")
    sys.exit(main())
