"""Evidence exports: from the log, with the documents it names, to one signed file that verifies offline."""

from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from provenance import bundles, seams
from provenance.bundle_checks import report_on
from provenance.bundles import BundleEntry, BundleSigner, Scope
from provenance.errors import BundleInvalid, ExportUnready
from provenance.models import Export, SessionManifest
from provenance.services import claim_keys, public_keys
from provenance.states import EXPORT
from provenance.verify.reports import Outcome
from trustcore.accounts.models import Organisation
from trustcore.audit import recording, selectors, sequencer
from trustcore.audit.actions import Action
from trustcore.audit.actors import Actor
from trustcore.audit.models import Checkpoint
from trustcore.audit.selectors import LogEntry
from trustcore.keys.services import signing_keys
from trustcore.primitives.clock import to_rfc3339
from trustcore.primitives.errors import TrustcoreError
from trustcore.primitives.files import write_whole
from trustcore.primitives.hashing import sha256_hex
from trustcore.primitives.ids import new_id
from trustcore.primitives.states import next_state
from trustcore.web.errors import NotFound, RequestInvalid

SCOPE_KINDS = ("tenant", "subject", "object")
STEPS = ("entries", "proofs", "checkpoint", "check", "sign")
BUILDER = Actor.system("exports")


def request(
    *, actor: Actor, organisation: Organisation, person_id: str, scope_kind: str, scope_id: str, title: str,
) -> Export:
    """Ask for a bundle. It is built by a task; the page tells when it is there.

    Raises:
        RequestInvalid: unknown scope, or no title.
    """
    if scope_kind not in SCOPE_KINDS or not title.strip() or (scope_kind != "tenant" and not scope_id.strip()):
        raise RequestInvalid("Say what the export is about: everything, a subject, or one object, and give it a title.")
    export = Export(
        public_id=new_id("export"), organisation=organisation, requested_by=person_id, title=title.strip()[:120],
        scope_kind=scope_kind, scope_id=organisation.slug if scope_kind == "tenant" else scope_id.strip()[:80],
    )
    with recording.recording(actor=actor, action=Action.EXPORT_REQUESTED, obj=export) as event:
        event.add(scope_kind=export.scope_kind, scope_id=export.scope_id)
        export.save()
    return export


def find(public_id: str, organisation: Organisation) -> Export:
    """Raises NotFound, also for an export of another organisation."""
    export: Export | None = Export.objects.filter(public_id=public_id, organisation=organisation).first()
    if export is None:
        raise NotFound("There is no such export.")
    return export


def build(public_id: str, *, now: datetime) -> Export:
    """Build a requested export. A second call finds it built and does nothing. A failure is an event, not an error."""
    export = Export.objects.get(public_id=public_id)
    if export.state != EXPORT.initial:
        return export
    _move(export, "begin", step=STEPS[0])
    try:
        content, count = _content(export, now)
    except TrustcoreError as error:
        with recording.recording(actor=BUILDER, action=Action.EXPORT_FAILED, obj=export, reason=error.code):
            export.failure, export.finished_at = error.code, now
            export.state = next_state(EXPORT, export.state, "fail")
            export.save()
        return export
    write_whole(path_of(export), content)
    with recording.recording(actor=BUILDER, action=Action.EXPORT_COMPLETED, obj=export) as event:
        export.state = next_state(EXPORT, export.state, "complete")
        export.bundle_sha256, export.size_bytes, export.entries = sha256_hex(content), len(content), count
        export.finished_at = now
        export.save()
        event.add(bundle_sha256=export.bundle_sha256, entries=count)
    return export


def download(export: Export, *, actor: Actor) -> bytes:
    """The bundle's bytes, on the record.

    Raises:
        ExportUnready: it is not finished, or its file is not what was written.
    """
    if export.state != "ready":
        raise ExportUnready("This export is not ready. Wait for it, or ask for it again.")
    try:
        content = path_of(export).read_bytes()
    except OSError as error:
        raise ExportUnready("The file of this export is gone. Ask for it again.") from error
    if sha256_hex(content) != export.bundle_sha256:
        raise ExportUnready("The file of this export was changed. Ask for it again.")
    with recording.recording(actor=actor, action=Action.EXPORT_DOWNLOADED, obj=export) as event:
        event.add(bundle_sha256=export.bundle_sha256)
    return content


def path_of(export: Export) -> Path:
    return Path(settings.STATE_DIR) / "exports" / f"{export.public_id}.zip"


def _content(export: Export, now: datetime) -> tuple[bytes, int]:
    """The five steps, each visible on the export's page while it runs."""
    sequencer.settle()
    checkpoint = selectors.latest_checkpoint()
    if checkpoint is None:
        raise BundleInvalid("The log has no checkpoint yet.")
    found = _entries(export, checkpoint)
    _show(export, "proofs", len(found))
    entries = [_with_proof(entry, checkpoint) for entry in found]
    _show(export, "checkpoint", len(found))
    scope = Scope(export.scope_kind, export.scope_id, _scope_proof(export, checkpoint))
    _show(export, "sign", len(found))
    content = bundles.write_bundle(
        scope=scope, title=export.title, made_at=to_rfc3339(now), origin=selectors.log_origin(), note=checkpoint.note,
        entries=entries, keys=public_keys.in_force(), attachments=_documents(export, found), signer=_signer(),
    )
    _show(export, "check", len(found))
    report = report_on(export.public_id, content, claim_keys.anchor_pem())
    if report.outcome is not Outcome.VERIFIED:
        raise BundleInvalid("The bundle does not verify: " + " ".join(report.sentences))
    return content, len(found)


def _entries(export: Export, checkpoint: Checkpoint) -> list[LogEntry]:
    if export.scope_kind == "tenant":
        return selectors.entries_of_scope(selectors.scope_of_tenant(export.scope_id), checkpoint.size)
    if export.scope_kind == "subject":
        scope = selectors.scope_of_subject(export.scope_id)
        found = selectors.entries_of_scope(scope, checkpoint.size)
        # A subject belongs to one tenant. An auditor of another house gets the answer of a subject that is not there.
        tenant = selectors.scope_of_tenant(export.organisation.slug)
        if not found or any(entry.tenant_scope != tenant for entry in found):
            raise NotFound("The log has nothing about this subject.")
        return found
    found = selectors.search(tenant=export.organisation.slug, object_id=export.scope_id, limit=selectors.MAX_ROWS)
    if not found:
        raise NotFound("The log has nothing about this object.")
    return [entry for entry in reversed(found) if entry.seq < checkpoint.size]


def _with_proof(entry: LogEntry, checkpoint: Checkpoint) -> BundleEntry:
    proof = selectors.inclusion_proof(entry.seq, checkpoint)
    return BundleEntry(
        entry.seq, entry.leaf.decode(), entry.body_bytes.decode(), entry.details,
        tuple(value.hex() for value in proof.hashes),
    )


def _scope_proof(export: Export, checkpoint: Checkpoint) -> dict[str, Any] | None:
    if export.scope_kind == "tenant":
        return selectors.scope_proof(selectors.scope_of_tenant(export.scope_id), checkpoint)
    if export.scope_kind == "subject":
        return selectors.scope_proof(selectors.scope_of_subject(export.scope_id), checkpoint)
    return None


def _documents(export: Export, entries: list[LogEntry]) -> dict[str, bytes]:
    """The manifests that the entries name, and what the bound sources lend."""
    named = {entry.body["object"]["id"]: entry.body["object"]["type"] for entry in entries}
    labels = [label for label, kind in named.items() if kind == "manifest"]
    found = {
        f"manifests/{row.public_id.replace(':', '_').replace('/', '_')}.mp4": bytes(row.init_segment)
        for row in SessionManifest.objects.filter(public_id__in=labels)
    }
    subject = export.scope_id if export.scope_kind == "subject" else ""
    for source in seams.evidence_sources():
        found |= source.documents(
            tenant=export.organisation.slug, subject_public_id=subject, object_ids=frozenset(named)
        )
    return found


def _signer() -> BundleSigner:
    claim = claim_keys.current()
    return BundleSigner(signing_keys.get("bundle"), claim.chain_pem, claim.sign)


def _move(export: Export, action: str, *, step: str) -> None:
    with recording.recording(actor=BUILDER, action=Action.EXPORT_REQUESTED, obj=export) as event:
        export.state, export.step = next_state(EXPORT, export.state, action), step
        export.save(update_fields=["state", "step"])
        event.add(step=step)


def _show(export: Export, step: str, entries: int) -> None:
    """Tell the page how far we are. No part of the record: the guard leaves these columns alone."""
    Export.objects.filter(pk=export.pk).update(step=step, entries=entries)
    export.step, export.entries = step, entries
