"""The claim-signing key and its certificate, from files. Production keeps them in a signer process of its own.

<secrets>/signer holds authority.pem (the anchor), leaf.pem and leaf.key. Without them a demonstration authority is
made, with a loud warning; its own key lies in <secrets>/authority and is read again only to issue another leaf.
"""

import os
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings

from provenance.errors import SignerUnready
from provenance.manifests import certs
from provenance.manifests.certs import Authority, ClaimSigner
from trustcore.primitives.clock import utc_now

PRIVATE = 0o600


def current() -> ClaimSigner:
    """The signer in force, its demonstration key made at first need.

    Raises:
        SignerUnready: files are missing, damaged or expired.
    """
    return _load(Path(settings.SECRETS_DIR))


def anchor_pem() -> str:
    """The authority that our manifests are Trusted under, for verifiers."""
    return current().anchor_pem


@lru_cache(maxsize=4)
def _load(secrets: Path) -> ClaimSigner:
    folder = secrets / "signer"
    if not folder.exists():
        _make_demonstration(secrets)
    try:
        anchor, leaf = ((folder / name).read_text() for name in ("authority.pem", "leaf.pem"))
        key = serialization.load_pem_private_key((folder / "leaf.key").read_bytes(), password=None)
        certificate = x509.load_pem_x509_certificate(leaf.encode())
    except (OSError, ValueError) as error:
        raise SignerUnready(f"The signer's files in {folder} cannot be read: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise SignerUnready("The claim-signing key must be a P-256 key.")
    if certificate.not_valid_after_utc <= utc_now():
        raise SignerUnready("The claim-signing certificate has expired. Issue another, or remove the signer's folder.")
    return certs.claim_signer(leaf, key, anchor)


def _make_demonstration(secrets: Path) -> None:
    """Authority and leaf in files, complete or not at all, though several processes may try at once."""
    now = utc_now()
    authority = _demonstration_authority(secrets)
    leaf, key = certs.issue_claim_signer(authority, now)
    scratch = Path(tempfile.mkdtemp(dir=secrets, prefix="signer-"))
    (scratch / "authority.pem").write_text(authority.certificate_pem)
    (scratch / "leaf.pem").write_text(leaf)
    _write_key(scratch / "leaf.key", key)
    try:
        scratch.rename(secrets / "signer")
    except OSError:
        shutil.rmtree(scratch)  # another process was first; its signer is the one


def _demonstration_authority(secrets: Path) -> Authority:
    folder = secrets / "authority"
    if not folder.exists():
        secrets.mkdir(parents=True, exist_ok=True)
        made = certs.make_ca(utc_now())
        scratch = Path(tempfile.mkdtemp(dir=secrets, prefix="authority-"))
        (scratch / "authority.pem").write_text(made.certificate_pem)
        _write_key(scratch / "authority.key", made.private_key)
        try:
            scratch.rename(folder)
        except OSError:
            shutil.rmtree(scratch)
    key = serialization.load_pem_private_key((folder / "authority.key").read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise SignerUnready("The authority's key must be a P-256 key.")
    return Authority((folder / "authority.pem").read_text(), key)


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    encoded = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE), "wb") as file:
        file.write(encoded)
