"""The claim-signing key and its certificate, from files. Production keeps them in a signer process of its own.

<secrets>/signer holds authority.pem (the anchor), leaf.pem and leaf.key. Where the settings allow it, and nowhere else,
a demonstration authority is made without them, with a loud warning; its own key lies in <secrets>/authority and is read
again only to issue another leaf or status list. A change of certificate (provenance/services/claim_certificates.py)
puts each pair into a folder of its own under signer/leaves and names the one in use in signer/standing.json, which is
replaced as a whole.
"""

import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings

from provenance.errors import SignerUnready
from provenance.manifests import certs
from provenance.manifests.certs import Authority, ClaimSigner
from trustcore.primitives.clock import utc_now

PRIVATE = 0o600
STATUS_PATH = "/check/claim-signers.crl"


@dataclass(frozen=True)
class Pair:
    """A leaf certificate and its key."""

    leaf_pem: str
    key: ec.EllipticCurvePrivateKey

    @property
    def certificate(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self.leaf_pem.encode())

    @property
    def serial(self) -> str:
        return f"{self.certificate.serial_number:x}"


def current() -> ClaimSigner:
    """The signer in force; a demonstration one is made at first need where the settings allow it.

    Raises:
        SignerUnready: files are missing, damaged or expired.
    """
    pair = pair_in_use()
    if pair.certificate.not_valid_after_utc <= utc_now():
        raise SignerUnready("The claim-signing certificate has expired. Issue another: manage.py claim_signer rotate")
    return certs.claim_signer(pair.leaf_pem, pair.key, authority_pem())


def former() -> list[ClaimSigner]:
    """Signers whose certificate gave way, for slots that bound their key to it before. Their keys stay for hours."""
    found = [read_pair(path) for path in sorted((folder() / "leaves").glob("*")) if (path / "leaf.key").exists()]
    in_use = pair_in_use().serial
    return [certs.claim_signer(p.leaf_pem, p.key, authority_pem()) for p in found if p.serial != in_use]


def anchor_pem() -> str:
    """The authority that our manifests are Trusted under, for verifiers."""
    pair_in_use()
    return authority_pem()


def authority_pem() -> str:
    return _text(folder() / "authority.pem")


def pair_in_use() -> Pair:
    """The pair that signs now. Another process may have changed it, so what names it is looked at each time.

    Raises:
        SignerUnready: files are missing or damaged.
    """
    if not folder().exists():
        _demand_demonstration_is_allowed()
        _make_demonstration(Path(settings.SECRETS_DIR))
    serial = standing().get("in_use", "")
    path = leaf_folder(serial) if serial else folder()
    return _cached_pair(path, (path / "leaf.pem").stat().st_mtime_ns if (path / "leaf.pem").exists() else 0)


def standing() -> dict[str, Any]:
    """What is known of every leaf: {"in_use": serial, "leaves": {serial: {"state", "since", "reason"}}, "number"}."""
    try:
        return dict(json.loads((folder() / "standing.json").read_bytes()))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError) as error:
        raise SignerUnready(f"The signer's record of its certificates cannot be read: {error}") from error


def folder() -> Path:
    return Path(settings.SECRETS_DIR) / "signer"


def leaf_folder(serial: str) -> Path:
    return folder() / "leaves" / serial


def read_pair(path: Path) -> Pair:
    """The pair in a folder.

    Raises:
        SignerUnready: missing, damaged, or no P-256 key.
    """
    try:
        leaf = (path / "leaf.pem").read_text()
        key = serialization.load_pem_private_key((path / "leaf.key").read_bytes(), password=None)
        x509.load_pem_x509_certificate(leaf.encode())
    except (OSError, ValueError) as error:
        raise SignerUnready(f"The signer's files in {path} cannot be read: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise SignerUnready("The claim-signing key must be a P-256 key.")
    return Pair(leaf, key)


@lru_cache(maxsize=8)
def _cached_pair(path: Path, _changed_ns: int) -> Pair:
    return read_pair(path)


def write_pair(path: Path, leaf_pem: str, key: ec.EllipticCurvePrivateKey) -> None:
    """A pair in a folder of its own, complete or not at all. One that is there already stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=path.parent, prefix="new-"))
    (scratch / "leaf.pem").write_text(leaf_pem)
    _write_key(scratch / "leaf.key", key)
    _into_place(scratch, path)


def authority() -> Authority:
    """The authority with its key, where its key is on this machine: the demonstration one, or one put there.

    Raises:
        SignerUnready: it is not here.
    """
    path = Path(settings.SECRETS_DIR) / "authority"
    if not (path / "authority.key").exists():
        raise SignerUnready("The authority's key is not on this machine. Issue where it is, and install the result.")
    return _read_authority(path)


def has_authority_key() -> bool:
    return (Path(settings.SECRETS_DIR) / "authority" / "authority.key").exists()


def _demand_demonstration_is_allowed() -> None:
    """A lost folder must stop signing: nobody may find out later that a demonstration authority took over."""
    if not settings.DEMO_AUTHORITY:
        raise SignerUnready(
            "There is no claim-signing key. Put authority.pem, leaf.pem and leaf.key into the folder `signer` of the "
            "secrets. A demonstration authority is made only where TRUSTCORE_DEMO_AUTHORITY is on.")


def _make_demonstration(secrets: Path) -> None:
    """Authority and leaf in files, complete or not at all, though several processes may try at once."""
    made = _demonstration_authority(secrets)
    leaf, key = certs.issue_claim_signer(made, utc_now(), status_url=settings.BASE_URL + STATUS_PATH)
    scratch = Path(tempfile.mkdtemp(dir=secrets, prefix="signer-"))
    (scratch / "authority.pem").write_text(made.certificate_pem)
    (scratch / "leaf.pem").write_text(leaf)
    _write_key(scratch / "leaf.key", key)
    _into_place(scratch, secrets / "signer")


def _demonstration_authority(secrets: Path) -> Authority:
    path = secrets / "authority"
    if not path.exists():
        secrets.mkdir(parents=True, exist_ok=True)
        made = certs.make_ca(utc_now())
        scratch = Path(tempfile.mkdtemp(dir=secrets, prefix="authority-"))
        (scratch / "authority.pem").write_text(made.certificate_pem)
        _write_key(scratch / "authority.key", made.private_key)
        _into_place(scratch, path)
    return _read_authority(path)


def _read_authority(path: Path) -> Authority:
    try:
        key = serialization.load_pem_private_key((path / "authority.key").read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise SignerUnready(f"The authority's key in {path} cannot be read: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise SignerUnready("The authority's key must be a P-256 key.")
    return Authority(_text(path / "authority.pem"), key)


def _into_place(scratch: Path, path: Path) -> None:
    try:
        scratch.rename(path)
    except OSError:
        shutil.rmtree(scratch)  # another process was first; what it made is the one


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise SignerUnready(f"{path} cannot be read: {error}") from error


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    encoded = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE), "wb") as file:
        file.write(encoded)
