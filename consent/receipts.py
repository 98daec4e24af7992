"""The signed consent receipt: what the person takes home, shaped after ISO/IEC TS 27560:2023.

Anyone can check one without asking us: `python -m consent.receipts receipt.json [--key KID=BASE64URL]`. The file holds
the public key beside the signature; without `--key` the check says which key it was, and whether to trust that key is
for the reader to find out elsewhere.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from trustcore.primitives.clock import to_rfc3339
from trustcore.primitives.errors import SignatureInvalid
from trustcore.primitives.hashing import statement_sha256
from trustcore.primitives.signing import SigningKey, VerifyKey, b64, sign_statement, unb64, verify_statement

PURPOSE = "consent-receipt"
SCHEMA = "trustcore-27560-1"


@dataclass(frozen=True)
class ReceiptFacts:
    """Everything a receipt says. Times are aware."""

    consent_id: str
    subject_id: str
    subject_name: str
    controller: str
    notice_id: str
    notice_version: int
    notice_language: str
    notice_sha256: str
    scope: Mapping[str, Any]
    agreed_at: datetime
    withdraw_at_url: str


def build_receipt(facts: ReceiptFacts) -> dict[str, Any]:
    """The receipt's body: header, processing, parties, event."""
    scope = facts.scope
    return {
        "header": {
            "schema": SCHEMA, "record_id": facts.consent_id, "subject_id": facts.subject_id,
            "notice": {"id": facts.notice_id, "version": facts.notice_version, "language": facts.notice_language,
                       "sha256": facts.notice_sha256},
        },
        "processing": {
            "service": "an AI replica that speaks live with this person's face and voice",
            "purposes": scope["purposes"], "audiences": scope["audiences"],
            "emotions_max_milli": scope["emotions_max_milli"], "languages": scope["languages"],
            "jurisdictions": scope["territories"],
            "data": {"face": "special category", "voice": "special category", "biometric": "special category"},
            "releases": scope["releases"], "lawful_basis": "consent", "retention_days": scope["retention_days"],
            "valid_until": scope["expires_on"],
            "withdrawal": {"method": "one button, no reason needed", "url": facts.withdraw_at_url},
        },
        "parties": {
            "subject": {"name": facts.subject_name, "role": "data subject"},
            "controller": {"name": facts.controller, "role": "data controller"},
        },
        "event": {"type": "consent given", "at": to_rfc3339(facts.agreed_at), "by": facts.subject_id,
                  "how": "explicit, in the browser"},
    }  # fmt: skip


def sign_receipt(key: SigningKey, facts: ReceiptFacts) -> dict[str, Any]:
    """A signed receipt that carries its own public key."""
    signed = sign_statement(key, PURPOSE, build_receipt(facts))
    return {**signed, "public_key": b64(key.verify_key.public_bytes)}


def receipt_sha256(signed: Mapping[str, Any]) -> str:
    """The hash by which sessions and manifests name a consent: of the receipt's body."""
    return statement_sha256(signed["body"])


def verify_receipt(signed: Mapping[str, Any], trusted_keys: Mapping[str, VerifyKey]) -> dict[str, Any]:
    """The receipt's body, once signed by a trusted key. Does not say whether the consent was withdrawn since.

    Raises:
        SignatureInvalid: not a receipt, changed, or signed by a key that is not in `trusted_keys`.
    """
    return verify_statement(signed, PURPOSE, trusted_keys)


def own_key(signed: Mapping[str, Any]) -> VerifyKey:
    """The key inside the file. Anybody can put a key there: it proves that nothing changed, not who signed.

    Raises:
        SignatureInvalid: the file holds no readable key.
    """
    try:
        return VerifyKey(unb64(str(signed["public_key"])))
    except (KeyError, ValueError) as error:
        raise SignatureInvalid("The receipt holds no readable public key. Ask for it again.") from error


def main(arguments: list[str] | None = None) -> int:
    """Check one receipt file; exit status 0 when it holds."""
    parser = argparse.ArgumentParser(prog="python -m consent.receipts", description="Check a consent receipt, offline.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--key", help="the issuer's public key, KID=BASE64URL, from somewhere you trust")
    options = parser.parse_args(arguments)
    try:
        signed = json.loads(options.file.read_bytes())
        kid, _, public = (options.key or "").partition("=")
        key = VerifyKey(unb64(public)) if options.key else own_key(signed)
        body = verify_receipt(signed, {kid or key.kid: key})
    except (SignatureInvalid, ValueError) as error:
        sys.stdout.write(f"This receipt does not hold: {error}\n")
        return 1
    event, until = body["event"]["at"], body["processing"]["valid_until"]
    sys.stdout.write(
        f"This receipt holds. Given {event}, until {until}, for {', '.join(body['processing']['purposes'])}.\n"
    )
    if not options.key:
        sys.stdout.write(f"Signed by key {key.kid}, found in the file itself. Compare it with the published key.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
