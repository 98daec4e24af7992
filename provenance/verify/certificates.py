"""Whether a signer's certificate was revoked, held against the authority's status list. Offline: the list is a file."""

from provenance.manifests.status_lists import Revocation, StatusList
from provenance.verify.reports import Outcome, Report

SERIAL = "certificate_serial"  # fact of a report: hex
SERIALS = "certificate_serials"  # of an evidence bundle: a list of them, of whoever signed its keys and what is in it
REVOKED_AT = "certificate_revoked_at"
NOT_CHECKED = (
    "Whether the signer's certificate was revoked was not checked: name the authority's status list with --status FILE."
)
REASON_WORDS = {
    "key_compromise": "its key may be in other hands", "superseded": "another one took its place",
    "cessation_of_operation": "its owner stopped signing", "privilege_withdrawn": "it may not sign any more",
}


def held_against(report: Report, status: StatusList | None) -> Report:
    """The report with what the status list says. Only a file that otherwise verifies is worth the look."""
    serials = _serials(report)
    if report.outcome is not Outcome.VERIFIED or not serials:
        return report
    if status is None:
        report.sentences.append(NOT_CHECKED)
        return report
    for serial in serials:
        revocation = status.revocation_of(int(serial, 16))
        if revocation is not None:
            return revoked(report, revocation)
    report.sentences.append(f"The signer's certificate is not on the status list of {status.issued_at:%Y-%m-%d}.")
    return report


def _serials(report: Report) -> list[str]:
    if SERIALS in report.facts:
        return list(report.facts[SERIALS])
    return [report.facts[SERIAL]] if report.facts.get(SERIAL) else []


def revoked(report: Report, revocation: Revocation) -> Report:
    """The report on a file whose signer's certificate was revoked."""
    why = REASON_WORDS.get(revocation.reason, "no reason is given")
    report.outcome = Outcome.UNTRUSTED
    report.sentences = [f"The signer's certificate was revoked on {revocation.at:%Y-%m-%d} ({why}). Do not rely on it."]
    report.facts[REVOKED_AT] = revocation.at.isoformat()
    return report
