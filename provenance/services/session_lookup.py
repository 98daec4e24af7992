"""Where a clip or a link leads: the session's manifest, who made it, and what became of the consent since."""

from collections.abc import Sequence

from provenance.errors import LinkUnknown
from provenance.models import SessionManifest
from provenance.oracle.links import named_session
from provenance.services.consent_status import consent_standing
from provenance.services.findings import Source
from trustcore.accounts.models import Organisation
from trustcore.audit import selectors as log
from trustcore.audit.actions import Action
from trustcore.primitives.clock import to_rfc3339
from trustcore.web.errors import NotFound


def latest_of(conversation_id: str) -> SessionManifest | None:
    """The newest manifest of a session; None for no or an unknown id."""
    return SessionManifest.objects.filter(conversation_id=conversation_id).order_by("-created_at").first()


def source_today(label: str) -> Source | None:
    """What may be told today about the session of a manifest that an older answer names; None when it is unknown."""
    return source_of(SessionManifest.objects.filter(public_id=label).first())


def source_of(manifest: SessionManifest | None) -> Source | None:
    """What may be told to anybody about a session: nothing of a person who is gone from here."""
    if manifest is None:
        return None
    consent = consent_standing(manifest.consent_id, manifest.subject_public_id)
    return Source(
        session_id=manifest.conversation_id, tenant=manifest.tenant, made_by=_name_of(manifest.tenant),
        subject_id=manifest.subject_public_id, manifest=manifest.public_id, made_at=to_rfc3339(manifest.created_at),
        consent_state=consent.state, consent_since=consent.since or "",
        # A person who is gone from here is not named, not even by what the session itself said.
        disclosure="" if consent.state == "erased" else str(manifest.facts.get("disclosure", "")),
        log_entry=_log_entry(manifest),
    )


def of_link(text: str, base_url: str) -> str:
    """The session that a pasted link or id names. Nothing is fetched.

    Raises:
        LinkUnknown: it names no session of this installation.
    """
    named = named_session(text, base_url)
    manifest = None
    if named is not None:
        manifest = latest_of(named) or SessionManifest.objects.filter(public_id=named).first()
    if manifest is None:
        raise LinkUnknown("This is no link to a session of ours. We look up our own sessions only.")
    return str(manifest.conversation_id)


def find(conversation_id: str) -> Source:
    """What is told about a session by its id. Raises NotFound."""
    source = source_of(latest_of(conversation_id))
    if source is None:
        raise NotFound("There is no session with this number.")
    return source


def frames_after(label: str, sequence: int) -> int | None:
    """How many frames our log knows after this one, of the session with this manifest; None when it knows none at all.

    The log has an entry for each second of sent frames; a session that runs has said less than it sent.
    """
    last = _last_sequences(label).get(label)
    return None if last is None else max(0, last - sequence)


def frames_beside(labels: Sequence[str]) -> int:
    """How many frames our log knows of other connections of the session that these manifests, one or more, are of."""
    return sum(last for label, last in _last_sequences(labels[0]).items() if label not in labels)


def _last_sequences(label: str) -> dict[str, int]:
    """The last frame that our log knows of each connection of the session with this manifest, by manifest.

    A viewer who came back has a manifest of their own, whose frames are numbered by themselves, from 1.
    """
    manifest = SessionManifest.objects.filter(public_id=label).first()
    if manifest is None:
        return {}
    seconds = log.search(
        tenant=manifest.tenant, action=Action.SEGMENT_RECORDED.value, object_id=manifest.conversation_id, limit=500)
    oldest_first = (one.details["open"] for one in reversed(seconds))
    return {str(second.get("manifest_label")): int(second["last_sequence"]) for second in oldest_first}


def _log_entry(manifest: SessionManifest) -> int | None:
    """The number of the log entry that says this manifest was signed."""
    rows = log.search(
        tenant=manifest.tenant, action=Action.MANIFEST_SIGNED.value, object_id=manifest.public_id, limit=1)
    return rows[0].seq if rows else None


def _name_of(slug: str) -> str:
    found = Organisation.objects.filter(slug=slug).first()
    return found.name if found else slug
