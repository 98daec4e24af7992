"""Check a stored approval offline: the statement, and the passkey's answer over it. PURE.

The format is the one that `consent` writes: {v, statement, body, assertion, public_key, rp_id, origin, signed_at}; the
passkey signed the hash of `body`, which names the approver, the role and the hash of `statement`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import webauthn
from webauthn.helpers import parse_authentication_credential_json
from webauthn.helpers.exceptions import WebAuthnException

from provenance.errors import BundleInvalid
from trustcore.primitives.canonical import canonical_bytes
from trustcore.primitives.hashing import sha256, statement_sha256
from trustcore.primitives.signing import unb64


@dataclass(frozen=True)
class CheckedApproval:
    """One signature that holds."""

    statement_sha256: str
    credential_id: str
    approver_id: str
    role: str


def check_approval(evidence: Mapping[str, Any]) -> CheckedApproval:
    """The approval, once statement, body and passkey's answer fit together.

    Not checked: that this passkey belonged to that person; the log's entry about the passkey says so.

    Raises:
        BundleInvalid: something was changed, or is missing.
    """
    try:
        body, assertion = evidence["body"], evidence["assertion"]
        if statement_sha256(evidence["statement"]) != body["statement_sha256"]:
            raise BundleInvalid("The statement of an approval is not the one that was signed.")
        webauthn.verify_authentication_response(
            credential=parse_authentication_credential_json(dict(assertion)),
            expected_challenge=sha256(canonical_bytes(dict(body))), expected_rp_id=evidence["rp_id"],
            expected_origin=evidence["origin"], credential_public_key=unb64(evidence["public_key"]),
            credential_current_sign_count=0, require_user_verification=True,
        )  # fmt: skip
        return CheckedApproval(body["statement_sha256"], assertion["id"], body["approver_id"], body["role"])
    except WebAuthnException as error:
        raise BundleInvalid("A passkey's signature on an approval does not hold.") from error
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:  # IndexError: an empty public key
        raise BundleInvalid("An approval in this bundle is incomplete.") from error
