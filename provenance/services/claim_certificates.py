"""The life of claim-signing certificates: a new one, an old one that gives way or is revoked, the list of revoked ones.

A certificate that gives way stays good for what it signed, and its key is kept for some hours, so that running sessions
finish on it. A revoked one loses its key at once and stands on the status list.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings

from provenance.errors import CertificateRefused
from provenance.manifests import certs, status_lists
from provenance.manifests.certs import Authority
from provenance.manifests.errors import StatusListInvalid
from provenance.manifests.status_lists import REASONS, Revocation
from provenance.services import claim_keys
from trustcore.audit import recording
from trustcore.audit.actions import Action
from trustcore.audit.actors import Actor, ObjectRef
from trustcore.keys.services import signing_keys
from trustcore.primitives.clock import from_rfc3339, to_rfc3339
from trustcore.primitives.files import write_whole
from trustcore.primitives.signing import sign_statement

KEY_KEPT_FOR = timedelta(hours=4)  # longer than any session
RENEW_BEFORE = status_lists.LIFETIME / 2
USAGES = {certs.CLAIM_SIGNING_EKU, certs.EMAIL_PROTECTION_EKU}


@dataclass(frozen=True)
class Leaf:
    """One certificate as the public list shows it."""

    serial: str
    state: str  # in_use, retired, revoked
    since: str
    reason: str


def leaves() -> list[Leaf]:
    """Every certificate of this claim signer, the one in use first, then the newest change first."""
    in_use = claim_keys.pair_in_use()
    begun = to_rfc3339(in_use.certificate.not_valid_before_utc)
    known = {in_use.serial: {"state": "in_use", "since": begun, "reason": ""}, **_leaves()}
    found = [Leaf(serial, **told) for serial, told in known.items()]
    return sorted(sorted(found, key=lambda leaf: leaf.since, reverse=True), key=lambda leaf: leaf.state != "in_use")


def signed_list(*, now: datetime) -> dict[str, Any]:
    """The list of certificates for programs, as a signed statement (purpose "attestation")."""
    body = {
        "v": 1, "kind": "claim-signers", "leaves": [vars(leaf) for leaf in leaves()],
        "status_list": settings.BASE_URL + claim_keys.STATUS_PATH, "issued_at": to_rfc3339(now),
    }
    return sign_statement(signing_keys.get("attestation"), "attestation", body)


def rotate(
    *, actor: Actor, now: datetime, issued: tuple[str, ec.EllipticCurvePrivateKey] | None = None, revoked_for: str = "",
) -> str:
    """Sign with a new certificate from now on; returns its serial number (hex).

    Args:
        issued: certificate (PEM) and key that the authority issued elsewhere; else the authority here issues one.
        revoked_for: why the old one is revoked, a word of REASONS; empty: it only gives way.

    Raises:
        CertificateRefused: the issued pair is not one of our authority's for signing claims, or was in use here before;
            or the reason is unknown.
        SignerUnready: there is nothing to issue it with.
    """
    _known_reason(revoked_for or "unspecified")
    old = claim_keys.pair_in_use()
    leaf_pem, key = issued or _issued_here(now)
    _refuse_unfit(leaf_pem, key, now)
    new_serial = f"{x509.load_pem_x509_certificate(leaf_pem.encode()).serial_number:x}"
    if new_serial == old.serial or new_serial in _leaves():
        raise CertificateRefused("This certificate was in use before. Have the authority issue another with a new key.")
    begun = {**_leaves(), old.serial: _told("retired", now, "superseded")}
    with recording.recording(actor=actor, action=Action.CLAIM_CERTIFICATE_ISSUED, obj=_about(new_serial)) as event:
        event.add(replaces=old.serial)
        claim_keys.write_pair(claim_keys.leaf_folder(old.serial), old.leaf_pem, old.key)
        claim_keys.write_pair(claim_keys.leaf_folder(new_serial), leaf_pem, key)
    with recording.recording(actor=actor, action=Action.CLAIM_CERTIFICATE_RETIRED, obj=_about(old.serial)):
        _write_standing(in_use=new_serial, leaves={**begun, new_serial: _told("in_use", now, "")})
    if revoked_for:
        revoke(actor=actor, serial=old.serial, reason=revoked_for, now=now)
    return new_serial


def revoke(*, actor: Actor, serial: str, reason: str, now: datetime) -> None:
    """Take a certificate that is no longer in use out of trust: its key goes, and it stands on the next status list.

    Raises:
        CertificateRefused: it is unknown or in use, or the reason is none of REASONS.
    """
    _known_reason(reason)
    known = _leaves()
    if serial not in known or claim_keys.standing().get("in_use") == serial:
        raise CertificateRefused("Only a certificate of ours that is no longer in use can be revoked. Rotate first.")
    with recording.recording(
        actor=actor, action=Action.CLAIM_CERTIFICATE_REVOKED, obj=_about(serial), reason=reason,
    ):
        _write_standing(leaves={**known, serial: _told("revoked", now, reason)})
        (claim_keys.leaf_folder(serial) / "leaf.key").unlink(missing_ok=True)
        _forget_first_leaf(serial)
    if claim_keys.has_authority_key():
        issue_status_list(actor=actor, now=now)


def issue_status_list(*, actor: Actor, now: datetime) -> None:
    """Sign a fresh list of revoked certificates with the authority's key.

    Raises:
        SignerUnready: the key is not here.
    """
    number = int(claim_keys.standing().get("number", 0)) + 1
    off = [
        Revocation(int(serial, 16), from_rfc3339(told["since"]), told["reason"])
        for serial, told in _leaves().items() if told["state"] == "revoked"
    ]
    encoded = status_lists.make(claim_keys.authority(), off, now, number)
    install_status_list(actor=actor, encoded=encoded, now=now)
    _write_standing(number=number)


def install_status_list(*, actor: Actor, encoded: bytes, now: datetime) -> None:
    """Publish a status list, wherever the authority made it.

    Raises:
        StatusListInvalid: it is not our authority's, or out of date.
    """
    read = status_lists.read(encoded, claim_keys.anchor_pem(), now)
    about = ObjectRef("status_list", "claim")
    with recording.recording(actor=actor, action=Action.STATUS_LIST_ISSUED, obj=about) as event:
        event.add(revoked=[f"{serial:x}" for serial in read.revoked], next_update=to_rfc3339(read.next_update))
        write_whole(claim_keys.folder() / "status.der", encoded)


def is_revoked(serial: str) -> bool:
    """Whether this serial (hex) is of a certificate that was revoked, by our own record: no list is fetched for it."""
    return bool(_leaves().get(serial, {}).get("state") == "revoked")


def status_list(*, now: datetime) -> bytes:
    """The list in force (DER); the first one is made where the authority's key is here.

    Raises:
        SignerUnready: nobody has issued one.
    """
    path = claim_keys.folder() / "status.der"
    claim_keys.pair_in_use()
    if not path.exists():
        issue_status_list(actor=Actor.system("signer"), now=now)
    return path.read_bytes()


def keep_up(*, actor: Actor, now: datetime) -> None:
    """What time brings: keys that gave way hours ago go, and a status list past half its life is issued again."""
    for serial, told in _leaves().items():
        if told["state"] == "retired" and from_rfc3339(told["since"]) + KEY_KEPT_FOR < now:
            (claim_keys.leaf_folder(serial) / "leaf.key").unlink(missing_ok=True)
            _forget_first_leaf(serial)
    if claim_keys.has_authority_key() and _is_due(status_list(now=now), now):
        issue_status_list(actor=actor, now=now)


def _is_due(encoded: bytes, now: datetime) -> bool:
    """Whether another list must take this one's place. One that is out of date or damaged must at once."""
    try:
        return status_lists.read(encoded, claim_keys.anchor_pem(), now).next_update - now < RENEW_BEFORE
    except StatusListInvalid:
        return True


def _issued_here(now: datetime) -> tuple[str, ec.EllipticCurvePrivateKey]:
    authority: Authority = claim_keys.authority()
    status_url = settings.BASE_URL + claim_keys.STATUS_PATH
    organisation = authority_name(authority.certificate_pem)
    return certs.issue_claim_signer(authority, now, organisation=organisation, status_url=status_url)


def authority_name(authority_pem: str) -> str:
    """The organisation in the authority's certificate."""
    subject = x509.load_pem_x509_certificate(authority_pem.encode()).subject
    return str(subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)[0].value)


def _refuse_unfit(leaf_pem: str, key: ec.EllipticCurvePrivateKey, now: datetime) -> None:
    """A pair that verifiers would refuse must not become the one in use."""
    leaf = x509.load_pem_x509_certificate(leaf_pem.encode())
    try:
        leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(claim_keys.authority_pem().encode()))
        usages = set(leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound) as error:
        raise CertificateRefused("This certificate is not one that our authority issued for signing claims.") from error
    if leaf.public_key() != key.public_key() or not usages >= USAGES:
        raise CertificateRefused("This key is not the certificate's, or the certificate may not sign claims.")
    if not leaf.not_valid_before_utc <= now < leaf.not_valid_after_utc:
        raise CertificateRefused("This certificate is not valid now.")


def _known_reason(reason: str) -> None:
    if reason not in REASONS:
        raise CertificateRefused(f"Say why, with one of these words: {', '.join(REASONS)}.")


def _forget_first_leaf(serial: str) -> None:
    """The first leaf also lies beside authority.pem, where an operator or the demonstration put it."""
    first = claim_keys.folder()
    if (first / "leaf.key").exists() and claim_keys.read_pair(first).serial == serial:
        (first / "leaf.key").unlink()


def _leaves() -> dict[str, dict[str, str]]:
    return dict(claim_keys.standing().get("leaves", {}))


def _told(state: str, now: datetime, reason: str) -> dict[str, str]:
    return {"state": state, "since": to_rfc3339(now), "reason": reason}


def _write_standing(**changed: Any) -> None:
    told: Mapping[str, Any] = {**claim_keys.standing(), **changed}
    write_whole(claim_keys.folder() / "standing.json", json.dumps(told, indent=1).encode())


def _about(serial: str) -> ObjectRef:
    return ObjectRef("claim_certificate", serial)
