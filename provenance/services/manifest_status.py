"""What became of the consent under a manifest, as a signed statement that may be kept as proof.

It names nobody: whoever asks knows the manifest, and the person behind it may be gone.
"""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from provenance.manifests import jumbf, session_manifest
from provenance.services import claim_certificates, resolution
from provenance.services.consent_status import Standing, consent_standing, standing
from trustcore.audit import selectors
from trustcore.audit.actions import Action
from trustcore.audit.models import Event
from trustcore.keys.models import Hold
from trustcore.keys.services import signing_keys
from trustcore.primitives.clock import to_rfc3339
from trustcore.primitives.signing import sign_statement

PURPOSE = "attestation"
KIND = "manifest-status"
FRESH_FOR = timedelta(seconds=60)  # how long a copy may be shown before asking again



def signed(label: str, *, now: datetime) -> dict[str, Any]:
    """The signed status of one manifest.

    Raises:
        ManifestUnknown
    """
    known = resolution.find(label)
    session = known.session
    hold = Hold.objects.filter(subject_public_id=session.subject_public_id, lifted_at=None).order_by("id").first()
    body = {
        "v": 1, "kind": KIND, "manifest": label, "manifest_kind": known.kind, "claim_sha256": known.claim_sha256,
        "signed_at": to_rfc3339(known.signed_at),
        "consent": asdict(consent_standing(session.consent_id, session.subject_public_id)),
        "certificate": _certificate(known.store),
        "legal_hold": asdict(_hold_standing(hold)) if hold else None,
        "log": {"origin": selectors.log_origin(), "size": selectors.size()},
        "checked_at": to_rfc3339(now), "valid_until": to_rfc3339(now + FRESH_FOR),
    }
    return sign_statement(signing_keys.get(PURPOSE), PURPOSE, body)


def _certificate(store: bytes) -> dict[str, Any]:
    """How the certificate that signed this manifest stands: in_use, retired, revoked, or unknown to this signer."""
    manifest = jumbf.active_manifest(jumbf.parse_store(store))
    serial = f"{session_manifest.signer_certificate(store, manifest).serial_number:x}"
    leaf = next((leaf for leaf in claim_certificates.leaves() if leaf.serial == serial), None)
    return {"serial": serial, "state": leaf.state if leaf else "unknown", "since": leaf.since if leaf else None}


def _hold_standing(hold: Hold) -> Standing:
    event = Event.objects.filter(object_type="hold", object_id=hold.public_id, action=Action.HOLD_PLACED.value).first()
    return standing("in_force", event)
