"""The life of claim-signing certificates: rotation, revocation, the status list, and what verifiers make of them."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.test import Client

from provenance import tasks
from provenance.errors import CertificateRefused, SignerUnready
from provenance.manifests import c2pa_files, certs, status_lists
from provenance.manifests.attest import SessionKey
from provenance.manifests.errors import ManifestInvalid, StatusListInvalid
from provenance.services import claim_certificates, claim_keys, session_manifests
from provenance.verify.__main__ import main
from tests.common.checking import ask, verdict_of
from tests.common.simulators import marked_session
from tests.common.simulators.marked_session import SETUP
from trustcore.audit.actors import ObjectRef
from trustcore.audit.models import Event
from trustcore.keys.services import mark_keys, signing_keys, subject_keys
from trustcore.primitives.clock import utc_now
from trustcore.primitives.ids import new_id
from trustcore.primitives.signing import unb64, verify_statement

pytestmark = pytest.mark.django_db
CRL = "/check/claim-signers.crl"


@pytest.fixture(autouse=True)
def own_secrets(settings: Any, tmp_path: Path) -> Iterator[Path]:
    """Certificates of this test alone; the other secrets are those of the run."""
    settings.SECRETS_DIR = tmp_path / "secrets"
    yield settings.SECRETS_DIR
    shutil.rmtree(settings.SECRETS_DIR, ignore_errors=True)


def verified(tmp_path: Path, content: bytes, *, with_list: bool = True) -> tuple[int, list[str]]:
    """Exit code and sentences of the offline verifier, with the status list as it is served."""
    import contextlib
    import io
    import json

    paths = [tmp_path / name for name in ("file.mp4", "ca.pem", "status.crl")]
    for path, data in zip(paths, (content, claim_keys.anchor_pem().encode(), Client().get(CRL).content), strict=True):
        path.write_bytes(data)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = main([str(paths[0]), "--trust", str(paths[1]), "--json",
                     *(["--status", str(paths[2])] if with_list else [])])
    return code, json.loads(out.getvalue())["files"][0]["sentences"]


def played() -> Any:
    return marked_session.play(tenant="studio", subject_id=new_id("subject"), now=utc_now(), frames=10)


def test_new_sessions_use_the_new_certificate_and_old_ones_still_verify(tmp_path: Path) -> None:
    before = played()
    old = claim_keys.pair_in_use().serial
    call_command("claim_signer", "rotate")
    after = played()
    new = claim_keys.pair_in_use().serial
    assert new != old
    for session, serial in ((before, old), (after, new)):
        code, said = verified(tmp_path, session.fragment_file)
        assert (code, "is not on the status list" in " ".join(said)) == (0, True)
        report = main([str(tmp_path / "file.mp4"), "--trust", str(tmp_path / "ca.pem")])
        assert report == 0
        assert f"{_serial_of(session.fragment_file):x}" == serial
    # The recording of a session that began under the old certificate is signed with the new one.
    recorded = session_manifests.sign_recording(
        actor=SETUP, conversation=before.conversation, fragment_file=before.fragment_file)
    assert verified(tmp_path, recorded.encoded)[0] == 0
    actions = Event.objects.filter(object_type="claim_certificate").order_by("id").values_list("action", "object_id")
    assert list(actions) == [("claim_certificate.issued", new), ("claim_certificate.retired", old)]


def _status_of(label: str) -> dict[str, str]:
    """What the resolution API tells about the certificate of a manifest."""
    return dict(Client().get(f"/c2pa/v1/manifests/{label}/status").json()["body"]["certificate"])


def _serial_of(fragment_file: bytes) -> int:
    from provenance.manifests import fmp4, jumbf, session_manifest

    init, _ = fmp4.split_recording(fragment_file)
    manifest = jumbf.active_manifest(jumbf.parse_store(init, jumbf.find_store(init)))
    return session_manifest.signer_certificate(init, manifest).serial_number


def test_a_slot_that_bound_its_key_before_the_change_is_still_served_for_hours() -> None:
    grant = marked_session.make_grant(tenant="studio", subject_id=new_id("subject"), now=utc_now())
    subject_keys.ensure(grant.subject_id, actor=SETUP, tenant="studio")
    worker, actor = marked_session.register_worker()
    request = marked_session.manifest_request(grant, SessionKey(), worker, 77)
    old = claim_keys.pair_in_use()
    claim_certificates.rotate(actor=SETUP, now=utc_now())
    about = ObjectRef("conversation", grant.conversation_id, tenant="studio", subject=grant.subject_id)
    asked = {"actor": actor, "request": request, "conversation": about, "lease_id": "z1", "epoch": 1,
             "mark_epoch": mark_keys.current().name, "now": utc_now()}
    signed = session_manifests.sign_for_session(**asked)
    c2pa_files.read_trusted(unb64(signed["init_segment_b64"]), claim_keys.anchor_pem())
    assert signed["chain_pem"].startswith(old.leaf_pem)
    claim_certificates.keep_up(actor=SETUP, now=utc_now() + timedelta(hours=3))
    assert len(claim_keys.former()) == 1
    claim_certificates.keep_up(actor=SETUP, now=utc_now() + timedelta(hours=5))
    assert claim_keys.former() == []
    assert not list(claim_keys.folder().rglob("leaf.key"))[1:]
    with pytest.raises(ManifestInvalid, match="not bound"):
        session_manifests.sign_for_session(**asked)


def test_a_revoked_certificate_is_untrusted_with_its_own_sentence(tmp_path: Path) -> None:
    session = played()
    code, said = verified(tmp_path, session.fragment_file, with_list=False)
    assert (code, said[-1].startswith("Whether the signer's certificate was revoked was not checked")) == (0, True)
    call_command("claim_signer", "rotate", "--revoke", "key_compromise")
    assert claim_keys.former() == []
    code, said = verified(tmp_path, session.fragment_file)
    assert code == 3
    assert "was revoked on" in said[0]
    assert "may be in other hands" in said[0]
    page = ask(Client(), session.fragment_file)
    assert verdict_of(page) != "intact"
    assert "It was signed with a certificate of ours that was revoked." in page.content.decode()
    assert verified(tmp_path, played().fragment_file)[0] == 0
    crl = x509.load_der_x509_crl(Client().get(CRL).content)
    (entry,) = crl
    assert entry.extensions.get_extension_for_class(x509.CRLReason).value.reason is x509.ReasonFlags.key_compromise
    assert Event.objects.filter(action="claim_certificate.revoked", object_id=f"{entry.serial_number:x}").exists()


def test_a_retired_certificate_can_be_revoked_later(tmp_path: Path) -> None:
    session = played()
    old = claim_keys.pair_in_use().serial
    with pytest.raises(CommandError, match="no longer in use"):
        call_command("claim_signer", "revoke", old, "key_compromise")
    claim_certificates.rotate(actor=SETUP, now=utc_now())
    with pytest.raises(CommandError, match="one of these words"):
        call_command("claim_signer", "revoke", old, "because")
    told = [_status_of(session.manifest_label)]
    call_command("claim_signer", "revoke", old, "privilege_withdrawn")
    told.append(_status_of(session.manifest_label))
    assert [(one["serial"], one["state"]) for one in told] == [(old, "retired"), (old, "revoked")]
    assert verified(tmp_path, session.fragment_file)[0] == 3
    with pytest.raises(CertificateRefused):
        claim_certificates.revoke(actor=SETUP, serial="abc", reason="unspecified", now=utc_now())


def test_the_list_is_public_signed_and_says_which_leaf_stands_how(client: Client) -> None:
    first = claim_keys.pair_in_use().serial
    second = claim_certificates.rotate(actor=SETUP, now=utc_now())
    third = claim_certificates.rotate(actor=SETUP, now=utc_now(), revoked_for="superseded")
    told = client.get("/check/claim-signers.json")
    body = verify_statement(told.json(), "attestation", signing_keys.trusted("attestation"))
    assert {leaf["serial"]: leaf["state"] for leaf in body["leaves"]} == {
        third: "in_use", second: "revoked", first: "retired"}
    assert body["leaves"][0]["serial"] == third
    page = client.get("/check/claim-signers/").content.decode()
    assert all(serial in page for serial in (first, second, third))
    leaf = claim_keys.pair_in_use().certificate
    point = leaf.extensions.get_extension_for_class(x509.CRLDistributionPoints).value[0].full_name[0].value
    assert point.endswith(CRL)
    assert body["status_list"] == point
    answer = client.get(CRL)
    assert answer["Content-Type"] == "application/pkix-crl"
    assert status_lists.read(answer.content, claim_keys.anchor_pem(), utc_now()).revocation_of(int(second, 16))
    assert client.post("/check/claim-signers/").status_code == 405


def test_the_list_is_renewed_before_it_is_out_of_date() -> None:
    tasks.keep_up_certificates()
    first = claim_certificates.status_list(now=utc_now())
    claim_certificates.keep_up(actor=SETUP, now=utc_now() + timedelta(days=10))
    assert claim_certificates.status_list(now=utc_now()) == first
    claim_certificates.keep_up(actor=SETUP, now=utc_now() + timedelta(days=16))
    assert claim_certificates.status_list(now=utc_now()) != first


def test_a_list_that_ran_out_or_was_damaged_is_issued_again() -> None:
    """As after a long stop of the machine: what keeps the list fresh must not need a fresh list."""
    claim_certificates.status_list(now=utc_now())
    later = utc_now() + timedelta(days=60)
    claim_certificates.keep_up(actor=SETUP, now=later)
    status_lists.read(claim_certificates.status_list(now=later), claim_keys.anchor_pem(), later)
    (claim_keys.folder() / "status.der").write_bytes(b"damaged")
    claim_certificates.keep_up(actor=SETUP, now=later)
    status_lists.read(claim_certificates.status_list(now=later), claim_keys.anchor_pem(), later)


@pytest.mark.parametrize("revoked_for", ["key_compromise", ""])
def test_a_certificate_that_gave_way_is_never_taken_in_again(revoked_for: str) -> None:
    old = claim_keys.pair_in_use()
    with pytest.raises(CertificateRefused, match="in use before"):
        claim_certificates.rotate(actor=SETUP, now=utc_now(), issued=(old.leaf_pem, old.key))
    new = claim_certificates.rotate(actor=SETUP, now=utc_now(), revoked_for=revoked_for)
    with pytest.raises(CertificateRefused, match="in use before"):
        claim_certificates.rotate(actor=SETUP, now=utc_now(), issued=(old.leaf_pem, old.key))
    assert claim_keys.pair_in_use().serial == new
    assert claim_certificates.is_revoked(old.serial) is bool(revoked_for)


@pytest.mark.parametrize("spoil", [
    lambda crl: crl[:-1] + bytes([crl[-1] ^ 1]), lambda crl: crl[:50], lambda crl: b"", lambda crl: b"-----BEGIN no",
    lambda crl: b"0" * (5 * 2**20),
])
def test_a_spoilt_list_says_nothing(spoil: Any) -> None:
    encoded = claim_certificates.status_list(now=utc_now())
    with pytest.raises(StatusListInvalid):
        status_lists.read(spoil(encoded), claim_keys.anchor_pem(), utc_now())


def test_a_stale_or_foreign_list_says_nothing(tmp_path: Path) -> None:
    encoded = claim_certificates.status_list(now=utc_now())
    with pytest.raises(StatusListInvalid, match="out of date"):
        status_lists.read(encoded, claim_keys.anchor_pem(), utc_now() + timedelta(days=31))
    other = certs.make_ca(datetime.now(UTC), organisation="Elsewhere")
    with pytest.raises(StatusListInvalid, match="not signed by the authority"):
        status_lists.read(encoded, other.certificate_pem, utc_now())
    # Another authority of the same name cannot take a certificate out of trust.
    twin = certs.make_ca(datetime.now(UTC), organisation=claim_certificates.authority_name(claim_keys.authority_pem()))
    forged = status_lists.make(twin, [], utc_now(), 1)
    with pytest.raises(StatusListInvalid, match="not signed by the authority"):
        claim_certificates.install_status_list(actor=SETUP, encoded=forged, now=utc_now())
    for name, content in (("ca.pem", claim_keys.anchor_pem().encode()), ("bad.crl", forged), ("file.mp4", b"x")):
        (tmp_path / name).write_bytes(content)
    with pytest.raises(SystemExit) as stopped:
        main([str(tmp_path / "file.mp4"), "--trust", str(tmp_path / "ca.pem"), "--status", str(tmp_path / "bad.crl")])
    assert stopped.value.code == 2


def test_pairs_issued_elsewhere_are_taken_only_if_they_fit(tmp_path: Path) -> None:
    """As in production: the authority's key is not on this machine."""
    claim_keys.pair_in_use()
    authority = claim_keys.authority()
    (claim_keys.folder().parent / "authority" / "authority.key").unlink()
    with pytest.raises(SignerUnready, match="not on this machine"):
        claim_certificates.rotate(actor=SETUP, now=utc_now())
    now = utc_now()
    good = certs.issue_claim_signer(authority, now)
    refused = {
        "another authority's": certs.issue_claim_signer(certs.make_ca(now, organisation="Elsewhere"), now),
        "another key": (good[0], certs.issue_claim_signer(authority, now)[1]),
        "not for claims": certs.issue_claim_signer(authority, now, usages=(certs.EMAIL_PROTECTION_EKU,)),
        "over": certs.issue_claim_signer(authority, now - timedelta(days=2), lifetime=timedelta(days=1)),
    }
    for pair in refused.values():
        with pytest.raises(CertificateRefused):
            claim_certificates.rotate(actor=SETUP, now=now, issued=pair)
    assert not Event.objects.filter(object_type="claim_certificate").exists()
    (tmp_path / "leaf.pem").write_text(good[0])
    (tmp_path / "leaf.key").write_bytes(good[1].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    call_command("claim_signer", "rotate", "--leaf", str(tmp_path / "leaf.pem"), "--key", str(tmp_path / "leaf.key"))
    assert claim_keys.pair_in_use().leaf_pem == good[0]
    (tmp_path / "made.crl").write_bytes(status_lists.make(authority, [], now, 7))
    call_command("claim_signer", "status-list", "--install", str(tmp_path / "made.crl"))
    assert Client().get(CRL).content == (tmp_path / "made.crl").read_bytes()
    with pytest.raises(CommandError, match="together"):
        call_command("claim_signer", "rotate", "--leaf", str(tmp_path / "leaf.pem"))


def _found() -> set[str]:
    return {problem.id for problem in run_checks(include_deployment_checks=True) if problem.id}


def test_no_demonstration_authority_is_made_where_it_is_not_allowed(settings: Any, client: Client) -> None:
    settings.DEMO_AUTHORITY = False
    for ask_for in (claim_keys.current, claim_keys.anchor_pem, claim_keys.former):
        with pytest.raises(SignerUnready, match=r"leaf\.pem"):
            ask_for()
    assert client.get(CRL).status_code == 500
    tasks.keep_up_certificates()
    assert not claim_keys.folder().exists()
    assert not (settings.SECRETS_DIR / "authority").exists()


def test_deployment_is_refused_with_demonstration_keys_and_warned_in_time(settings: Any) -> None:
    assert "trustcore.E009" in _found()
    assert not claim_keys.folder().exists(), "a check makes no keys"
    claim_keys.pair_in_use()
    assert {"trustcore.E009", "trustcore.W001"} <= _found()
    real = certs.make_ca(utc_now(), organisation="Studio")
    shutil.rmtree(claim_keys.folder())
    shutil.rmtree(claim_keys.folder().parent / "authority")
    leaf, key = certs.issue_claim_signer(real, utc_now(), organisation="Studio", lifetime=timedelta(days=60))
    claim_keys.write_pair(claim_keys.folder(), leaf, key)
    assert "trustcore.E007" in _found()  # no authority.pem yet
    (claim_keys.folder() / "authority.pem").write_text(real.certificate_pem)
    assert "trustcore.E009" in _found()  # what is lost would be made again
    settings.DEMO_AUTHORITY = False
    assert not {code for code in _found() if code in {"trustcore.E009", "trustcore.E007", "trustcore.W001"}}
    for lifetime, told in ((timedelta(days=5), "trustcore.W002"), (timedelta(seconds=-1), "trustcore.E008")):
        shutil.rmtree(claim_keys.folder())
        leaf, key = certs.issue_claim_signer(real, utc_now(), organisation="Studio", lifetime=lifetime)
        claim_keys.write_pair(claim_keys.folder(), leaf, key)
        (claim_keys.folder() / "authority.pem").write_text(real.certificate_pem)
        assert told in _found()
