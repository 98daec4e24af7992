"""`manage.py claim_signer rotate|revoke|status-list`: the certificates that sign claims.

  rotate [--leaf FILE --key FILE] [--revoke REASON]   sign with a new certificate; the old one gives way, or is revoked
  revoke SERIAL REASON                                take one that gave way out of trust
  status-list [--install FILE]                        issue the list of revoked certificates, or publish a list
"""

from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.management.base import BaseCommand, CommandError

from provenance.services import claim_certificates
from trustcore.audit.actors import Actor
from trustcore.primitives.clock import utc_now
from trustcore.primitives.errors import TrustcoreError

OPERATOR = Actor.system("operator")


class Command(BaseCommand):
    help = "Rotate or revoke claim-signing certificates, and issue their status list."

    def add_arguments(self, parser: Any) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        rotate = acts.add_parser("rotate", help="sign with a new certificate from now on")
        rotate.add_argument("--leaf", type=Path, help="certificate (PEM) that the authority issued elsewhere")
        rotate.add_argument("--key", type=Path, help="its private key (PEM)")
        rotate.add_argument("--revoke", default="", metavar="REASON", help="revoke the old one, and why")
        revoke = acts.add_parser("revoke", help="revoke a certificate that gave way")
        revoke.add_argument("serial")
        revoke.add_argument("reason")
        listed = acts.add_parser("status-list", help="issue the list of revoked certificates")
        listed.add_argument("--install", type=Path, metavar="FILE", help="publish a list that was made elsewhere")

    def handle(self, *args: Any, **options: Any) -> None:
        act = {"rotate": self._rotate, "revoke": self._revoke, "status-list": self._status_list}[options["act"]]
        try:
            act(options)
        except (TrustcoreError, OSError, ValueError) as error:
            raise CommandError(str(error)) from error

    def _rotate(self, options: Any) -> None:
        if bool(options["leaf"]) != bool(options["key"]):
            raise CommandError("Give --leaf and --key together, or neither.")
        issued = _pair(options["leaf"], options["key"]) if options["leaf"] else None
        serial = claim_certificates.rotate(
            actor=OPERATOR, now=utc_now(), issued=issued, revoked_for=options["revoke"])
        self.stdout.write(f"new sessions are signed with certificate {serial}")

    def _revoke(self, options: Any) -> None:
        claim_certificates.revoke(actor=OPERATOR, serial=options["serial"], reason=options["reason"], now=utc_now())
        self.stdout.write(f"certificate {options['serial']} is revoked")

    def _status_list(self, options: Any) -> None:
        if options["install"]:
            claim_certificates.install_status_list(
                actor=OPERATOR, encoded=options["install"].read_bytes(), now=utc_now())
        else:
            claim_certificates.issue_status_list(actor=OPERATOR, now=utc_now())
        self.stdout.write("the status list is published")


def _pair(leaf: Path, key: Path) -> tuple[str, ec.EllipticCurvePrivateKey]:
    private = serialization.load_pem_private_key(key.read_bytes(), password=None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise CommandError("The key must be a P-256 key.")
    return leaf.read_text("ascii"), private
