"""What became of the consent under a manifest, as a signed statement that may be kept as proof.

It names nobody: whoever asks knows the manifest, and the person behind it may be gone.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from provenance.manifests import jumbf, session_manifest
from provenance.services import claim_certificates, resolution
from trustcore.audit import selectors
from trustcore.audit.actions import Action
from trustcore.audit.models import Entry, Event
from trustcore.keys.models import Hold
from trustcore.keys.services import signing_keys, subject_keys
from trustcore.primitives.clock import to_rfc3339
from trustcore.primitives.signing import sign_statement

PURPOSE = "attestation"
KIND = "manifest-status"
FRESH_FOR = timedelta(seconds=60)  # how long a copy may be shown before asking again
ENDED = {Action.CONSENT_WITHDRAWN.value: "withdrawn", Action.CONSENT_EXPIRED.value: "expired"}
STATES = {
    **ENDED, Action.CONSENT_SUSPENDED.value: "suspended", Action.CONSENT_RESUMED.value: "in_force",
    Action.CONSENT_GIVEN.value: "in_force",
}
GONE = (Action.KEY_DESTROYED.value, Action.KEY_DESTRUCTION_BEGUN.value)


@dataclass(frozen=True)
class Standing:
    """How something stands, since when, and which event of the audit log says so (`seq`: its place, once numbered)."""

    state: str
    since: str | None = None
    event: str | None = None
    seq: int | None = None


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


def consent_standing(consent_id: str, subject_public_id: str) -> Standing:
    """in_force, suspended, withdrawn, expired or erased. An end stays an end; a pause may be lifted."""
    if not subject_keys.exists(subject_public_id):
        gone = Event.objects.filter(
            object_type="subject_key", object_id=subject_public_id, action__in=GONE, outcome="done",
        )
        return _standing("erased", gone.order_by("-id").first())
    about = Event.objects.filter(object_type="consent", object_id=consent_id, outcome="done").order_by("-id")
    event = about.filter(action__in=ENDED).first() or about.filter(action__in=STATES).first()
    return _standing(STATES[event.action] if event else "in_force", event)


def _certificate(store: bytes) -> dict[str, Any]:
    """How the certificate that signed this manifest stands: in_use, retired, revoked, or unknown to this signer."""
    manifest = jumbf.active_manifest(jumbf.parse_store(store))
    serial = f"{session_manifest.signer_certificate(store, manifest).serial_number:x}"
    leaf = next((leaf for leaf in claim_certificates.leaves() if leaf.serial == serial), None)
    return {"serial": serial, "state": leaf.state if leaf else "unknown", "since": leaf.since if leaf else None}


def _hold_standing(hold: Hold) -> Standing:
    event = Event.objects.filter(object_type="hold", object_id=hold.public_id, action=Action.HOLD_PLACED.value).first()
    return _standing("in_force", event)


def _standing(state: str, event: Event | None) -> Standing:
    if event is None:
        return Standing(state)
    entry = Entry.objects.filter(event=event).first()
    return Standing(state, to_rfc3339(event.at), event.public_id, entry.seq if entry else None)
