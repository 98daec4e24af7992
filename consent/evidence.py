"""What an approver's passkey signs, and how anybody checks it later without us.

A passkey signs a challenge, not a text. Our challenge is the SHA-256 of a small canonical body that names the approval,
the approver, the role, an expiry, a random nonce and the hash of the statement that stood on the page. The evidence is
that body, the statement, and what the authenticator returned; `provenance.approval_evidence` checks it with nothing
else.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import webauthn
from webauthn.helpers import parse_authentication_credential_json
from webauthn.helpers.exceptions import WebAuthnException

from trustcore.primitives.canonical import canonical_bytes
from trustcore.primitives.errors import Refusal
from trustcore.primitives.hashing import sha256
from trustcore.primitives.signing import b64


class AssertionInvalid(Refusal):
    """A passkey's answer does not fit what was asked: another statement, another key, another page, no user check."""

    code = "approval.assertion_invalid"


@dataclass(frozen=True)
class SignedBody:
    """What one approver signs, once. Times as RFC 3339 text."""

    approval_id: str
    nonce: str
    approver_id: str
    approver_name: str
    role: str
    expires_at: str
    statement_sha256: str

    def to_dict(self) -> dict[str, Any]:
        return {"v": 1, "purpose": "approval", **asdict(self)}


@dataclass(frozen=True)
class RelyingParty:
    """Where a passkey may answer: the domain it belongs to and the one page origin we accept."""

    rp_id: str
    origin: str


@dataclass(frozen=True)
class Verified:
    """A passkey's answer that held: which credential, and its new signature count."""

    credential_id: str
    sign_count: int


def challenge_bytes(body: Mapping[str, Any]) -> bytes:
    """The 32 bytes the authenticator signs over: SHA-256 of the canonical body."""
    return sha256(canonical_bytes(dict(body)))


def verify_assertion(
    *, body: Mapping[str, Any], assertion: Mapping[str, Any], public_key: bytes, credential_id: str,
    last_sign_count: int, party: RelyingParty,
) -> Verified:  # fmt: skip
    """Check one authenticator answer against one body.

    Args:
        body: `SignedBody.to_dict()`.
        assertion: the browser's PublicKeyCredential as JSON (base64url fields).
        public_key: COSE key bytes registered for `credential_id` (base64url), which the assertion names.
        last_sign_count: highest count seen from this credential; authenticators that count must go up.

    Raises:
        AssertionInvalid: anything does not fit, or the authenticator did not verify its user.
    """
    try:
        credential = parse_authentication_credential_json(dict(assertion))
        seen = webauthn.verify_authentication_response(
            credential=credential, expected_challenge=challenge_bytes(body), expected_rp_id=party.rp_id,
            expected_origin=party.origin, credential_public_key=public_key,
            credential_current_sign_count=last_sign_count, require_user_verification=True,
        )  # fmt: skip
    except WebAuthnException as error:
        raise AssertionInvalid(
            "Your passkey's answer does not fit this statement. It was not used. Read it again.", reason=str(error)
        ) from error
    return Verified(credential_id=credential_id, sign_count=seen.new_sign_count)


def build_evidence(
    *, statement: Mapping[str, Any], body: Mapping[str, Any], assertion: Mapping[str, Any], public_key: bytes,
    party: RelyingParty, signed_at: str,
) -> dict[str, Any]:  # fmt: skip
    """Everything that a check without us needs, as JSON: see provenance/approval_evidence.py."""
    return {
        "v": 1, "statement": dict(statement), "body": dict(body), "assertion": dict(assertion),
        "public_key": b64(public_key), "rp_id": party.rp_id, "origin": party.origin, "signed_at": signed_at,
    }  # fmt: skip
