"""The project's own certificate authority and the claim-signing certificates it issues (C2PA 2.4 section 14.5.1).

An own authority gives "Trusted" only where a verifier is configured with it; public trust needs an authority on the
C2PA trust list and is out of scope.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

from provenance.manifests.errors import SignerUntrusted

CLAIM_SIGNING_EKU = x509.ObjectIdentifier("1.3.6.1.4.1.62558.2.1")
EMAIL_PROTECTION_EKU = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.4")  # without it older validators refuse the leaf
CA_LIFETIME = timedelta(days=3650)
LEAF_LIFETIME = timedelta(days=90)  # short, because offline validators do not check revocation
CLOCK_SLACK = timedelta(minutes=5)
DEMO_ORGANISATION = "DEMO ONLY - NOT A REAL AUTHORITY"


class InsecureProviderWarning(UserWarning):
    """A development stand-in is in use where a real deployment needs its own keys."""


@dataclass(frozen=True)
class Authority:
    """A certificate authority with its private key. Keep it away from the signer service."""

    certificate_pem: str
    private_key: ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class ClaimSigner:
    """What signs claims: the chain, and a function that signs with the leaf's key (file, PKCS#11 or KMS).

    `sign` takes bytes and returns an ES256 signature as raw r || s, 64 bytes.
    """

    chain_pem: str  # leaf first, then the authority
    anchor_pem: str
    sign: Callable[[bytes], bytes]

    @property
    def end_entity_der(self) -> bytes:
        """The leaf certificate, which session keys bind themselves to."""
        leaf = x509.load_pem_x509_certificates(self.chain_pem.encode())[0]
        return leaf.public_bytes(serialization.Encoding.DER)


def make_ca(now: datetime, *, organisation: str = DEMO_ORGANISATION, common_name: str = "Trustcore CA") -> Authority:
    """A new P-256 authority, valid for ten years. The default organisation shouts, and so does the warning."""
    if organisation == DEMO_ORGANISATION:
        warnings.warn(
            "This certificate authority is for demonstration only: its key lies in a plain file.",
            InsecureProviderWarning, stacklevel=2,
        )
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(organisation, common_name)
    builder = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SLACK).not_valid_after(now + CA_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(is_ca=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return Authority(_pem(builder.sign(key, hashes.SHA256())), key)


def issue_claim_signer(
    authority: Authority, now: datetime, *, organisation: str = DEMO_ORGANISATION,
    common_name: str = "Trustcore claim signer", lifetime: timedelta = LEAF_LIFETIME,
    usages: tuple[x509.ObjectIdentifier, ...] = (CLAIM_SIGNING_EKU, EMAIL_PROTECTION_EKU), status_url: str = "",
    is_usage_critical: bool = False,
) -> tuple[str, ec.EllipticCurvePrivateKey]:
    """(leaf certificate PEM, its private key). `claim_signer` turns them into a signer.

    `status_url` is where the authority's status list lies (CRL distribution point).
    `usages` and `is_usage_critical` are for tests: leaves that verifiers must refuse, or of a time-stamp authority.
    """
    issuer = x509.load_pem_x509_certificate(authority.certificate_pem.encode())
    key = ec.generate_private_key(ec.SECP256R1())
    issuer_key_id = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = (
        x509.CertificateBuilder().subject_name(_name(organisation, common_name)).issuer_name(issuer.subject)
        .public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SLACK).not_valid_after(now + lifetime)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(is_ca=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=is_usage_critical)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_key_id), critical=False,
        )
    )
    if status_url:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(status_url)], None, None, None)
        builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
    return _pem(builder.sign(authority.private_key, hashes.SHA256())), key


def claim_signer(leaf_pem: str, key: ec.EllipticCurvePrivateKey, anchor_pem: str) -> ClaimSigner:
    """A signer whose key is in memory."""

    def sign(message: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    return ClaimSigner(chain_pem=leaf_pem + anchor_pem, anchor_pem=anchor_pem, sign=sign)


def demand_issued_under(chain: Sequence[bytes], anchor_pem: str) -> None:
    """The first certificate of a chain was issued by one of the anchors, directly or through the others.

    Dates and usages are not looked at: whoever calls has had them checked.

    Raises:
        SignerUntrusted: it was not.
    """
    try:
        anchors = x509.load_pem_x509_certificates(anchor_pem.encode())
        certificates = [x509.load_der_x509_certificate(encoded) for encoded in chain]
    except (ValueError, TypeError) as error:
        raise SignerUntrusted("The signer's certificates cannot be read.") from error
    below, *above = certificates
    for issuer in [*above, None]:
        if any(_issued(below, anchor) for anchor in anchors):
            return
        if issuer is None or not _issued(below, issuer):
            break
        below = issuer
    raise SignerUntrusted("Nobody vouches for this signer under the authority given.")


def _issued(below: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        below.verify_directly_issued_by(issuer)
        return issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False


def _name(organisation: str, common_name: str) -> x509.Name:
    return x509.Name([
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
        x509.NameAttribute(NameOID.COMMON_NAME, common_name),
    ])


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_usage(*, is_ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_ca, key_cert_sign=is_ca, crl_sign=is_ca, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )
