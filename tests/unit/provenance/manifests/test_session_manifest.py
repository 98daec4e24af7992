"""The session manifest: signed, re-read as Trusted, and refused for every reason there is."""

import hashlib
import warnings
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import c2pa
import cbor2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.manifests import assertions, c2pa_files, certs, fmp4, jumbf, session_manifest
from provenance.manifests.attest import SessionKey
from provenance.manifests.certs import ClaimSigner
from provenance.manifests.errors import (
    FragmentInvalid,
    ManifestInvalid,
    ManifestMissing,
    ManifestSigningFailed,
    SignerUntrusted,
)
from provenance.manifests.session_manifest import SessionPublicKey, read_session_manifest, sign_session_manifest
from tests.common.live_session import LiveSession, demo_signer, facts

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def session() -> LiveSession:
    return LiveSession()


def other_signer(**changes: Any) -> ClaimSigner:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", certs.InsecureProviderWarning)
        authority = certs.make_ca(NOW)
    leaf, key = certs.issue_claim_signer(authority, NOW, **changes)
    return certs.claim_signer(leaf, key, authority.certificate_pem)


def sign(signer: ClaimSigner, key: SessionKey | None = None) -> session_manifest.InitSegment:
    public = SessionPublicKey.of(key or SessionKey(), signer.end_entity_der)
    return sign_session_manifest(signer, facts(), public, width=64, height=64)


def test_the_signed_init_reads_as_trusted_and_binds_everything(session: LiveSession) -> None:
    manifest = read_session_manifest(session.init.encoded, session.signer.anchor_pem)
    assert (manifest.label, manifest.claim_sha256) == (session.init.label, session.init.claim_sha256)
    assert manifest.facts == session.facts.to_assertion()
    assert manifest.key.kid == session.key.kid
    assert manifest.key.public.public_bytes_raw() == session.key.public.public_bytes_raw()
    assert manifest.key.created_at == session.facts.created_at
    assert manifest.key.validity_s == session.facts.validity_s


def test_the_state_is_trusted_in_so_many_words(session: LiveSession) -> None:
    trusted = c2pa_files.read_trusted(session.init.encoded, session.signer.anchor_pem)
    labels = [entry["label"] for entry in trusted.manifest["assertions"]]
    assert labels == [
        "c2pa.actions.v2", "c2pa.session-keys", "c2pa.soft-binding", "c2pa.ai-disclosure", "cawg.training-mining",
        "org.trustcore.session", "c2pa.hash.bmff.v3",
    ]
    actions = trusted.manifest["assertions"][0]["data"]["actions"]
    assert [action["action"] for action in actions] == ["c2pa.created", "c2pa.watermarked.bound"]
    assert actions[0]["digitalSourceType"].endswith("trainedAlgorithmicMedia")
    assert len(actions[0]["parameters"]["ingredients"]) == 2
    assert {entry["relationship"] for entry in trusted.manifest["ingredients"]} == {"inputTo"}
    assert "thumbnail" not in trusted.manifest


def test_keys_and_soft_binding_are_strict_cbor(session: LiveSession) -> None:
    init = session.init.encoded
    manifest = jumbf.active_manifest(jumbf.parse_store(init, jumbf.find_store(init)))
    keys = cbor2.loads(jumbf.assertion_cbor(init, manifest, "c2pa.session-keys"))["keys"]
    assert keys[0]["key"][-2] == session.key.public.public_bytes_raw()
    assert keys[0]["signerBinding"].tag == 18
    binding = cbor2.loads(jumbf.assertion_cbor(init, manifest, "c2pa.soft-binding"))
    assert [block["value"] for block in binding["blocks"]] == [
        slot.slot_id.to_bytes(8, "big") for slot in session.facts.mark_slots
    ]


def test_no_anchor_is_not_trusted(session: LiveSession) -> None:
    with pytest.raises(SignerUntrusted, match="state Valid: signingCredential.untrusted"):
        read_session_manifest(session.init.encoded, "")


def test_another_authority_is_not_trusted(session: LiveSession) -> None:
    with pytest.raises(SignerUntrusted, match="signingCredential.untrusted"):
        read_session_manifest(session.init.encoded, other_signer().anchor_pem)


def test_a_leaf_without_the_email_usage_is_refused_at_signing() -> None:
    signer = other_signer(usages=(certs.CLAIM_SIGNING_EKU,))
    with pytest.raises(ManifestSigningFailed):
        sign(signer)


def test_an_expired_leaf_is_refused_at_signing() -> None:
    signer = other_signer(lifetime=timedelta(seconds=-1))
    with pytest.raises(ManifestSigningFailed):
        sign(signer)


def test_a_signer_whose_key_does_not_match_its_certificate_is_refused() -> None:
    honest = demo_signer()
    other = certs.claim_signer("", ec.generate_private_key(ec.SECP256R1()), "")
    with pytest.raises(ManifestSigningFailed):
        sign(replace(honest, sign=other.sign))


def test_a_junk_signature_is_refused() -> None:
    with pytest.raises(ManifestSigningFailed):
        sign(replace(demo_signer(), sign=lambda _: bytes(64)))


def test_a_failing_key_store_is_named_as_the_cause() -> None:
    def fail(_: bytes) -> bytes:
        raise OSError("the token is not present")

    with pytest.raises(ManifestSigningFailed) as raised:
        sign(replace(demo_signer(), sign=fail))
    assert "token is not present" in str(raised.value.__cause__)


def test_a_session_key_bound_to_another_signer_is_refused() -> None:
    public = SessionPublicKey.of(SessionKey(), other_signer().end_entity_der)
    with pytest.raises(ManifestInvalid, match="not bound"):
        sign_session_manifest(demo_signer(), facts(), public, width=64, height=64)


def test_a_borrowed_binding_is_refused() -> None:
    """Mallory's key with the proof that somebody else's key made."""
    honest, mallory = SessionKey(), SessionKey()
    public = SessionPublicKey(mallory.cose_key(), honest.bind_to_signer(demo_signer().end_entity_der))
    with pytest.raises(ManifestInvalid, match="not bound"):
        sign_session_manifest(demo_signer(), facts(), public, width=64, height=64)


@pytest.mark.parametrize(
    "label", ["c2pa.session-keys", "org.trustcore.session", "c2pa.soft-binding", "c2pa.actions.v2"],
)
def test_a_changed_assertion_is_seen(session: LiveSession, label: str) -> None:
    init = bytearray(session.init.encoded)
    manifest = jumbf.active_manifest(jumbf.parse_store(bytes(init), jumbf.find_store(bytes(init))))
    start, end = manifest.child("c2pa.assertions").child(label).content(b"cbor")
    init[(start + end) // 2] ^= 1
    with pytest.raises(ManifestInvalid):
        read_session_manifest(bytes(init), session.signer.anchor_pem)


def test_a_changed_claim_and_a_changed_movie_box_are_seen(session: LiveSession) -> None:
    init = session.init.encoded
    manifest = jumbf.active_manifest(jumbf.parse_store(init, jumbf.find_store(init)))
    start, end = jumbf.claim_of(manifest).content(b"cbor")
    for at in ((start + end) // 2, init.index(b"moov") + 40):
        changed = bytearray(init)
        changed[at] ^= 1
        with pytest.raises(ManifestInvalid):
            read_session_manifest(bytes(changed), session.signer.anchor_pem)


def test_an_init_segment_with_media_is_refused(session: LiveSession) -> None:
    with pytest.raises(ManifestInvalid, match="no media"):
        read_session_manifest(session.init.encoded + fmp4.box(b"mdat"), session.signer.anchor_pem)


def test_an_unsigned_init_segment_is_missing_its_manifest(session: LiveSession) -> None:
    with pytest.raises(ManifestMissing):
        read_session_manifest(fmp4.init_segment(64, 64), session.signer.anchor_pem)


def test_two_manifest_stores_are_ambiguous(session: LiveSession) -> None:
    init = session.init.encoded
    store = next(whole for kind, whole in fmp4.split_boxes(init) if kind == b"uuid")
    with pytest.raises(ManifestInvalid):
        read_session_manifest(init + store, session.signer.anchor_pem)


def test_the_claim_hash_is_over_the_claim(session: LiveSession) -> None:
    init = session.init.encoded
    manifest = jumbf.active_manifest(jumbf.parse_store(init, jumbf.find_store(init)))
    start, end = jumbf.claim_of(manifest).content(b"cbor")
    assert session.init.claim_sha256 == hashlib.sha256(init[start:end]).hexdigest()


def test_the_demo_authority_shouts() -> None:
    with pytest.warns(certs.InsecureProviderWarning, match="demonstration only"):
        authority = certs.make_ca(NOW)
    subject = x509.load_pem_x509_certificate(authority.certificate_pem.encode()).subject.rfc4514_string()
    assert "DEMO ONLY - NOT A REAL AUTHORITY" in subject


@pytest.mark.parametrize("length", [4, 26, 27, 28, 29, 100, 260, 261, 262, 65_542, 65_543, 70_000])
def test_placeholders_have_the_length_asked_for(length: int) -> None:
    assert len(cbor2.dumps(jumbf.placeholder(length))) == length


def test_nothing_is_shorter_than_an_empty_placeholder() -> None:
    with pytest.raises(ValueError, match="no placeholder"):
        jumbf.placeholder(3)


@pytest.mark.parametrize("validity_s", [1, 30, 300, 70_000])
@pytest.mark.parametrize("minimum", [1, 30, 300, 70_000])
def test_every_key_life_and_first_number_can_be_signed(validity_s: int, minimum: int) -> None:
    session = LiveSession(facts=facts(validity_s=validity_s), minimum_sequence=minimum)
    manifest = read_session_manifest(session.init.encoded, session.signer.anchor_pem)
    assert (manifest.key.validity_s, manifest.key.minimum_sequence) == (validity_s, minimum)


def test_a_placeholder_of_another_length_is_refused(session: LiveSession) -> None:
    with pytest.raises(ManifestInvalid, match="another length"):
        jumbf.replace_assertions(session.init.encoded, {"c2pa.session-keys": b"\xa0"}, session.signer.sign)


@pytest.mark.parametrize("at", [8, 12, 20, 40])
def test_broken_jumbf_is_refused(session: LiveSession, at: int) -> None:
    init = session.init.encoded
    start = jumbf.find_store(init)
    broken = bytearray(init[start:])
    broken[at] ^= 0xFF
    try:
        store = jumbf.parse_store(bytes(broken))
        jumbf.claim_of(jumbf.active_manifest(store))
    except ManifestInvalid:
        return
    assert store.label == "c2pa"  # bytes of a box type that is not read


def test_soft_binding_placeholder_is_as_long_as_the_strict_form() -> None:
    slots = facts().mark_slots
    assert len(cbor2.dumps(assertions.soft_binding_placeholder(slots))) == len(assertions.soft_binding(slots))


@settings(max_examples=150, deadline=None)
@given(at=st.integers(0, 100_000), bit=st.integers(0, 7))
def test_any_flipped_bit_is_refused_or_changes_nothing(at: int, bit: int) -> None:
    """Padding in the signature's unprotected header may change; what the manifest says and whom it trusts may not."""
    session = shared_session()
    init = bytearray(session.init.encoded)
    init[at % len(init)] ^= 1 << bit
    try:
        manifest = read_session_manifest(bytes(init), session.signer.anchor_pem)
    except (ManifestInvalid, FragmentInvalid):
        return
    assert manifest.facts == session.facts.to_assertion()
    assert (manifest.label, manifest.claim_sha256) == (session.init.label, session.init.claim_sha256)
    assert manifest.key.public.public_bytes_raw() == session.key.public.public_bytes_raw()


@cache
def shared_session() -> LiveSession:
    return LiveSession()


def test_a_manifest_of_a_leaf_with_the_wrong_usage_does_not_read_as_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else's software may have signed without looking; reading must still refuse."""
    signer = other_signer(usages=(certs.CLAIM_SIGNING_EKU,))
    strict = c2pa_files.context

    def careless(_: str) -> c2pa.Context:
        return c2pa.Context.from_dict({"verify": {"verify_after_sign": False}})

    monkeypatch.setattr(c2pa_files, "context", careless)
    created = {"action": "c2pa.created", "digitalSourceType": assertions.TRAINED_MEDIA}
    actions = [("c2pa.actions.v2", {"actions": [created]})]
    signed = c2pa_files.sign_file(fmp4.init_segment(64, 64), "careless", actions, [], signer)
    monkeypatch.setattr(c2pa_files, "context", strict)
    with pytest.raises(SignerUntrusted, match="signingCredential.invalid"):
        c2pa_files.read_trusted(signed, signer.anchor_pem)
