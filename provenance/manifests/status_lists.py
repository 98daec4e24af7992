"""The authority's list of revoked claim-signing certificates: an X.509 CRL (RFC 5280 section 5).

A certificate that merely gave way to a newer one is not on it: what it signed stays good.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization

from provenance.manifests.certs import CLOCK_SLACK, Authority
from provenance.manifests.errors import StatusListInvalid

LIFETIME = timedelta(days=30)
MAX_BYTES = 4 * 1024 * 1024
REASONS = ("key_compromise", "superseded", "cessation_of_operation", "privilege_withdrawn", "unspecified")
_FLAGS = {name: getattr(x509.ReasonFlags, name) for name in REASONS}


@dataclass(frozen=True)
class Revocation:
    """One certificate that is not to be trusted any more, since when and why (a word of REASONS)."""

    serial: int
    at: datetime
    reason: str


@dataclass(frozen=True)
class StatusList:
    """A list that its authority signed and that is not out of date."""

    issued_at: datetime
    next_update: datetime
    revoked: dict[int, Revocation]

    def revocation_of(self, serial: int) -> Revocation | None:
        return self.revoked.get(serial)


def make(authority: Authority, revocations: Iterable[Revocation], now: datetime, number: int) -> bytes:
    """A signed list (DER), good for LIFETIME. `number` grows with each list."""
    issuer = x509.load_pem_x509_certificate(authority.certificate_pem.encode())
    builder = (
        x509.CertificateRevocationListBuilder().issuer_name(issuer.subject)
        .last_update(now - CLOCK_SLACK).next_update(now + LIFETIME)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
                issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
            ),
            critical=False,
        )
    )
    for revocation in revocations:
        entry = x509.RevokedCertificateBuilder().serial_number(revocation.serial).revocation_date(revocation.at)
        if revocation.reason != "unspecified":  # RFC 5280 5.3.1: then the entry says nothing
            entry = entry.add_extension(x509.CRLReason(_FLAGS[revocation.reason]), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    signed = builder.sign(authority.private_key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.DER)


def read(encoded: bytes, anchor_pem: str, now: datetime) -> StatusList:
    """The list, once one of the authorities in `anchor_pem` signed it and it is not out of date.

    Raises:
        StatusListInvalid: any of that does not hold.
    """
    if len(encoded) > MAX_BYTES:
        raise StatusListInvalid("This status list is longer than one can be.")
    try:
        load = x509.load_pem_x509_crl if encoded.startswith(b"-----") else x509.load_der_x509_crl
        signed = load(encoded)
        revoked = {entry.serial_number: _revocation(entry) for entry in signed}
        is_partial = any(extension.critical for extension in signed.extensions)
    except (ValueError, TypeError, x509.InvalidVersion, x509.DuplicateExtension) as error:
        raise StatusListInvalid("This is not a list of revoked certificates (a CRL).") from error
    if not any(_is_signed_by(signed, anchor) for anchor in x509.load_pem_x509_certificates(anchor_pem.encode())):
        raise StatusListInvalid("This status list is not signed by the authority you trust.")
    if is_partial:  # RFC 5280 5.2.4, 5.2.5: it would be about some certificates only, or about changes to another list
        raise StatusListInvalid("This status list has a critical extension: it is not the whole list.")
    issued_at, due = signed.last_update_utc, signed.next_update_utc
    if due is None or not issued_at <= now < due:
        raise StatusListInvalid("This status list is out of date. Fetch a fresh one.", due=str(due))
    return StatusList(issued_at, due, revoked)


def _is_whole(signed: x509.CertificateRevocationList) -> bool:
    """Whether the signature's bit string leaves no bits over. The library does not look, the browser's reader does."""
    return signed.public_bytes(serialization.Encoding.DER).endswith(b"\0" + signed.signature)


def _is_signed_by(signed: x509.CertificateRevocationList, anchor: x509.Certificate) -> bool:
    try:
        is_valid = signed.is_signature_valid(anchor.public_key())  # type: ignore[arg-type]
        return signed.issuer == anchor.subject and is_valid and _is_whole(signed)
    except (ValueError, TypeError, InvalidSignature):  # the library reads a name when it is first asked for
        return False


def _revocation(entry: x509.RevokedCertificate) -> Revocation:
    try:
        flag = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except x509.ExtensionNotFound:
        flag = x509.ReasonFlags.unspecified
    return Revocation(entry.serial_number, entry.revocation_date_utc, flag.name)
