"""The auditor's pages and exports, through HTTP, with everyone who may and may not."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from provenance import bundles
from provenance.bundle_checks import report_on
from provenance.manifests import fmp4, segments, status_lists
from provenance.models import Export
from provenance.services import claim_certificates, claim_keys, exports
from provenance.verify import certificates
from provenance.verify.reports import Outcome
from tests.common import replicas
from tests.common.cast import Cast
from tests.common.simulators import marked_session
from trustcore.audit import recording
from trustcore.audit.actions import Action
from trustcore.audit.actors import Actor, ObjectRef
from trustcore.audit.models import Entry, Event
from trustcore.audit.sequencer import settle
from trustcore.celery import app
from trustcore.keys.services import subject_keys
from trustcore.primitives.clock import utc_now
from trustcore.primitives.ids import new_id
from trustcore.primitives.log_entries import open_proof
from trustcore.primitives.signing import VerifyKey, unb64

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _exports_go_elsewhere(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.STATE_DIR = tmp_path
    monkeypatch.setattr(app.conf, "task_always_eager", True)


@pytest.fixture
def subject(cast: Cast) -> str:
    """Somebody with five entries, one of them with personal detail."""
    public_id = new_id("subject")
    subject_keys.create(public_id, actor=marked_session.SETUP, tenant="studio")
    for number in range(4):
        about = ObjectRef("consent", f"n{number}", tenant="studio", subject=public_id)
        with recording.recording(actor=Actor.user(cast.meera), action=Action.CONSENT_RESUMED, obj=about) as event:
            event.add(number=number)
            event.add_personal(scope={"purposes": ["support"]})
    settle()
    return public_id


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def export_of(client: Client, callbacks: Any, **asked: str) -> Export:
    with callbacks(execute=True):
        client.post("/audit/exports/", {"title": "Review", **asked})
    return Export.objects.latest("id")


def verdict(content: bytes, tmp_path: Path, trust: str | None = None) -> Any:
    path = tmp_path / "bundle.zip"
    path.write_bytes(content)
    return report_on(str(path), path.read_bytes(), claim_keys.anchor_pem() if trust is None else trust)


def test_only_auditors_and_officers_read_the_log(cast: Cast, subject: str) -> None:
    assert Client().get("/audit/").status_code == 302
    for name, status in (("erin", 200), ("meera", 200), ("asha", 403), ("farah", 403), ("jonas", 403), ("dev", 403)):
        assert signed_in(getattr(cast, name)).get("/audit/").status_code == status, name


def test_search_shows_who_did_what(cast: Cast, subject: str) -> None:
    page = signed_in(cast.erin).get("/audit/", {"subject": subject, "action": "consent."}).content.decode()
    assert page.count("<code>consent.resumed</code>") == 4
    assert "Meera" in page
    assert Event.objects.filter(action="log.searched").count() == 1


def test_search_takes_any_rubbish(cast: Cast, subject: str) -> None:
    client = signed_in(cast.erin)
    rubbish = {"since": "2026-13-99", "until": "x", "before": "-1", "action": "'; drop", "about": "x" * 500}
    for query in ({name: value} for name, value in rubbish.items()):
        assert client.get("/audit/", query).status_code == 200


def test_mallory_sees_nothing_of_this_house(cast: Cast, subject: str) -> None:
    mallory = signed_in(cast.mallory)
    seq = Entry.objects.filter(event__tenant="studio").latest("seq").seq
    assert "<td><code>consent.resumed" not in mallory.get("/audit/", {"subject": subject}).content.decode()
    assert mallory.get(f"/audit/entries/{seq}/").status_code == 404
    assert mallory.get(f"/audit/entries/{seq}/proof.json").status_code == 404


def test_mallory_gets_no_bundle(cast: Cast, subject: str, django_capture_on_commit_callbacks: Any) -> None:
    export = export_of(signed_in(cast.erin), django_capture_on_commit_callbacks, scope_kind="subject", scope_id=subject)
    mallory = signed_in(cast.mallory)
    assert mallory.get(f"/audit/exports/{export.public_id}/").status_code == 404
    assert mallory.get(f"/audit/exports/{export.public_id}/bundle").status_code == 404
    hers = export_of(mallory, django_capture_on_commit_callbacks, scope_kind="subject", scope_id=subject)
    assert (hers.organisation, hers.state) == (cast.elsewhere, "failed")
    assert hers.failure == "not_found"


def test_entry_page_and_its_proof(cast: Cast, subject: str) -> None:
    seq = Entry.objects.filter(event__action="consent.resumed").latest("seq").seq
    client = signed_in(cast.erin)
    page = client.get(f"/audit/entries/{seq}/").content.decode()
    assert f"Is entry {seq} in the log?" in page
    assert "sealed" in page
    assert "support" not in page.split("<article")[1].split("</article>")[0]
    proof = client.get(f"/audit/entries/{seq}/proof.json").json()
    key = VerifyKey(unb64(proof["log_key"]))
    assert open_proof(proof["tlog_proof"], proof["leaf"].encode(), proof["log"], key)[0] == seq


def test_missing_entry_is_404(cast: Cast, subject: str) -> None:
    assert signed_in(cast.erin).get("/audit/entries/99999999/").status_code == 404


def test_officers_may_read_but_not_export(cast: Cast, subject: str) -> None:
    assert signed_in(cast.meera).get("/audit/exports/").status_code == 403
    assert signed_in(cast.meera).post("/audit/exports/", {}).status_code == 403


def test_subject_export_verifies_and_is_complete(
    cast: Cast, subject: str, tmp_path: Path, django_capture_on_commit_callbacks: Any,
) -> None:
    client = signed_in(cast.erin)
    export = export_of(client, django_capture_on_commit_callbacks, scope_kind="subject", scope_id=subject)
    assert (export.state, export.failure) == ("ready", "")
    assert "is ready and verifies" in client.get(f"/audit/exports/{export.public_id}/").content.decode()
    content = client.get(f"/audit/exports/{export.public_id}/bundle").content
    report = verdict(content, tmp_path)
    assert report.outcome is Outcome.VERIFIED, report.sentences
    assert any(sentence.startswith("Nothing is missing") for sentence in report.sentences)
    assert verdict(content, tmp_path, trust="").outcome is Outcome.UNTRUSTED
    actions = set(Event.objects.filter(object_id=export.public_id).values_list("action", flat=True))
    assert {"export.requested", "export.completed", "export.downloaded"} <= actions


def test_tenant_export_holds_its_manifests(
    cast: Cast, subject: str, tmp_path: Path, django_capture_on_commit_callbacks: Any,
) -> None:
    played = marked_session.play(tenant="studio", subject_id=subject, now=utc_now(), frames=3)
    client = signed_in(cast.erin)
    export = export_of(client, django_capture_on_commit_callbacks, scope_kind="tenant", scope_id="")
    content = client.get(f"/audit/exports/{export.public_id}/bundle").content
    report = verdict(content, tmp_path)
    assert report.outcome is Outcome.VERIFIED, report.sentences
    assert any("1 session manifests" in sentence for sentence in report.sentences)
    names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    assert any(name.startswith("manifests/") for name in names)
    assert played.manifest_label


@pytest.mark.parametrize("is_of_manifest", [True, False], ids=["manifest", "keys"])
def test_a_bundle_under_a_revoked_certificate_is_not_to_be_relied_on(
    is_of_manifest: bool, cast: Cast, subject: str, tmp_path: Path, settings: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    settings.SECRETS_DIR = tmp_path / "secrets"
    marked_session.play(tenant="studio", subject_id=subject, now=utc_now(), frames=3)
    signed_manifest = claim_keys.pair_in_use().serial
    endorsed_keys = claim_certificates.rotate(actor=marked_session.SETUP, now=utc_now())
    client = signed_in(cast.erin)
    export = export_of(client, django_capture_on_commit_callbacks, scope_kind="tenant", scope_id="")
    content = client.get(f"/audit/exports/{export.public_id}/bundle").content

    def held(is_listed: bool) -> Any:
        encoded = claim_certificates.status_list(now=utc_now())
        status = status_lists.read(encoded, claim_keys.anchor_pem(), utc_now())
        return certificates.held_against(verdict(content, tmp_path), status if is_listed else None)

    assert held(is_listed=False).sentences[-1] == certificates.NOT_CHECKED
    assert "not on the status list" in held(is_listed=True).sentences[-1]
    claim_certificates.rotate(actor=marked_session.SETUP, now=utc_now())
    revoked = signed_manifest if is_of_manifest else endorsed_keys
    claim_certificates.revoke(
        actor=marked_session.SETUP, serial=revoked, reason="key_compromise", now=utc_now())
    report = held(is_listed=True)
    assert report.outcome is Outcome.UNTRUSTED
    assert "was revoked on" in report.sentences[0]


def test_object_export_does_not_claim_to_be_whole(
    cast: Cast, subject: str, tmp_path: Path, django_capture_on_commit_callbacks: Any,
) -> None:
    client = signed_in(cast.erin)
    export = export_of(client, django_capture_on_commit_callbacks, scope_kind="object", scope_id="n1")
    report = verdict(client.get(f"/audit/exports/{export.public_id}/bundle").content, tmp_path)
    assert report.outcome is Outcome.VERIFIED
    assert any("chosen entries" in sentence for sentence in report.sentences)


def test_bad_requests_export_nothing(cast: Cast, subject: str) -> None:
    client = signed_in(cast.erin)
    for asked in ({}, {"title": "x", "scope_kind": "world"}, {"title": " ", "scope_kind": "tenant"},
                  {"title": "x", "scope_kind": "subject", "scope_id": ""}):
        assert client.post("/audit/exports/", asked).status_code == 400
    assert not Export.objects.exists()


def test_changed_file_is_not_handed_out(cast: Cast, subject: str, django_capture_on_commit_callbacks: Any) -> None:
    client = signed_in(cast.erin)
    export = export_of(client, django_capture_on_commit_callbacks, scope_kind="subject", scope_id=subject)
    path = exports.path_of(export)
    kept = path.read_bytes()
    path.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    assert client.get(f"/audit/exports/{export.public_id}/bundle").status_code == 409


def rezipped(content: bytes, **changes: bytes | None) -> bytes:
    files = bundles.read_files(content)
    for name, value in changes.items():
        if value is None:
            files.pop(name)
        else:
            files[name] = value
    return bundles._zipped(files)


def test_every_change_to_a_bundle_is_found(
    cast: Cast, subject: str, tmp_path: Path, django_capture_on_commit_callbacks: Any,
) -> None:
    client = signed_in(cast.erin)
    export = export_of(client, django_capture_on_commit_callbacks, scope_kind="subject", scope_id=subject)
    content = client.get(f"/audit/exports/{export.public_id}/bundle").content
    files = bundles.read_files(content)
    for name, value in files.items():
        flipped = bytearray(value)
        flipped[len(flipped) // 2] ^= 1
        assert verdict(rezipped(content, **{name: bytes(flipped)}), tmp_path).outcome is Outcome.CHANGED, name
        assert verdict(rezipped(content, **{name: None}), tmp_path).outcome is Outcome.CHANGED, name
    assert verdict(rezipped(content, **{"manifests/extra.mp4": b"x"}), tmp_path).outcome is Outcome.CHANGED
    for cut in (0, 10, len(content) // 2, len(content) - 1):
        assert verdict(content[:cut], tmp_path).outcome is Outcome.CHANGED


def test_entries_left_out_and_signed_again_are_found(
    cast: Cast, subject: str, tmp_path: Path, django_capture_on_commit_callbacks: Any,
) -> None:
    """The house itself, with all its keys, cannot leave an entry out of a subject's export."""
    client = signed_in(cast.erin)
    export = export_of(client, django_capture_on_commit_callbacks, scope_kind="subject", scope_id=subject)
    files = bundles.read_files(client.get(f"/audit/exports/{export.public_id}/bundle").content)
    lines = [json.loads(line) for line in files["entries.jsonl"].splitlines()]
    scope = json.loads(files["scope.json"])
    for kept in (lines[1:], lines[:-1], [lines[0], *lines[2:]]):
        entries = [bundles.BundleEntry(**{**line, "proof": tuple(line["proof"])}) for line in kept]
        shorter = bundles.write_bundle(
            scope=bundles.Scope(**scope), title="Review", made_at=json.loads(files["bundle.json"])["made_at"],
            origin=json.loads(files["bundle.json"])["log"], note=files["checkpoint.txt"].decode(),
            entries=entries, keys=json.loads(files["keys.json"]), attachments={}, signer=exports._signer(),
        )
        report = verdict(shorter, tmp_path)
        assert report.outcome is Outcome.CHANGED
        assert "missing" in report.sentences[0]


def test_another_authority_is_not_trusted(
    cast: Cast, subject: str, tmp_path: Path, django_capture_on_commit_callbacks: Any,
) -> None:
    from tests.common.live_session import demo_signer

    client = signed_in(cast.erin)
    export = export_of(client, django_capture_on_commit_callbacks, scope_kind="subject", scope_id=subject)
    content = client.get(f"/audit/exports/{export.public_id}/bundle").content
    assert verdict(content, tmp_path, trust=demo_signer().anchor_pem).outcome is Outcome.UNTRUSTED


def test_export_of_an_approved_replica_holds_approvals_and_receipt(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, django_capture_on_commit_callbacks: Any,
) -> None:
    stage = replicas.set_stage(cast, monkeypatch)
    client = signed_in(cast.erin)
    export = export_of(client, django_capture_on_commit_callbacks, scope_kind="tenant", scope_id="")
    assert export.state == "ready", export.failure
    content = client.get(f"/audit/exports/{export.public_id}/bundle").content
    report = verdict(content, tmp_path)
    assert report.outcome is Outcome.VERIFIED, report.sentences
    names = list(bundles.read_files(content))
    assert len([name for name in names if name.startswith("approvals/")]) >= 4
    assert [name for name in names if name.startswith("receipts/")]
    assert any("passkey signatures" in sentence for sentence in report.sentences)
    assert any("consent receipts are signed" in sentence for sentence in report.sentences)
    assert stage


class LentRecording:
    """An evidence source that lends one recording; its bytes are set by the test."""

    content = b""

    def documents(self, **_: Any) -> dict[str, bytes]:
        return {"recordings/c.fragments.mp4": self.content}


def test_recording_is_held_against_the_logged_seconds(
    cast: Cast, subject: str, settings: Any, tmp_path: Path, django_capture_on_commit_callbacks: Any,
) -> None:
    played = marked_session.play(tenant="studio", subject_id=subject, now=utc_now(), frames=6)
    sent = list(fmp4.split_recording(played.fragment_file)[1])
    for number, root in ((0, segments.root_of(sent[:3])), (1, segments.root_of(sent[3:]))):
        with recording.recording(
            actor=marked_session.SETUP, action=Action.SEGMENT_RECORDED, obj=played.conversation
        ) as event:
            event.add(number=number, first_sequence=3 * number + 1, last_sequence=3 * number + 3, root=root,
                      manifest_label=played.manifest_label)  # fmt: skip
    settings.TRUSTCORE_EVIDENCE_SOURCES = [f"{__name__}.LentRecording"]
    client = signed_in(cast.erin)

    def sentences(content: bytes) -> tuple[str, list[str]]:
        LentRecording.content = content
        export = export_of(client, django_capture_on_commit_callbacks, scope_kind="subject", scope_id=subject)
        if export.state != "ready":
            return export.state, []
        return export.state, verdict(exports.path_of(export).read_bytes(), tmp_path).sentences

    state, said = sentences(played.fragment_file)
    assert state == "ready"
    assert any(sentence.startswith("2 of 2 logged seconds") for sentence in said)
    state, said = sentences(played.fragment_file[: -len(sent[-1])])  # cut at the end: only the log can tell
    assert any(sentence.startswith("1 of 2 logged seconds") for sentence in said)
    with recording.recording(
        actor=marked_session.SETUP, action=Action.SEGMENT_RECORDED, obj=played.conversation
    ) as event:
        event.add(number=2, first_sequence=1, last_sequence=2, root="00" * 32, manifest_label=played.manifest_label)
    assert sentences(played.fragment_file)[0] == "failed"
