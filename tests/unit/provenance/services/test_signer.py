"""The signer decides by itself: grant and claim must hold, whoever passes them on."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from provenance.errors import ClaimProofInvalid, SessionRequestInvalid
from provenance.manifests.attest import SessionKey
from provenance.manifests.errors import ManifestInvalid
from provenance.manifests.session_manifest import read_session_manifest
from provenance.services.signer import CLAIM_PURPOSE, GRANT_AUDIENCE, Pins, Signer, mark_slots
from rendering.protocol import ManifestRequest, claim_statement, to_json
from tests.common.live_session import demo_signer
from trustcore.primitives.errors import GrantExpired, GrantInvalid
from trustcore.primitives.grants import Grant, make_times, sign_grant
from trustcore.primitives.signing import SigningKey, b64, sign_statement

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
GRANT_KEY, WORKER_KEY, MALLORYS_KEY = (SigningKey(bytes([n]) * 32) for n in (1, 2, 3))
PINS = Pins({GRANT_KEY.kid: GRANT_KEY.verify_key}, {WORKER_KEY.kid: WORKER_KEY.verify_key})
SLOTS = tuple({"slot_id": "00000000000000ab", "slot_index": i, "start_ms": i * 8000, "end_ms": i * 8000 + 8000}
              for i in range(64))


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer(demo_signer(), lambda: PINS)


def grant() -> Grant:
    issued, expires = make_times(NOW, timedelta(minutes=30))
    return Grant(
        grant_id="g1", tenant="studio", conversation_id="c1", subject_id="s1", replica_id="r1", replica_version=3,
        replica_sha256="a" * 64, consent_id="n1", consent_receipt_sha256="b" * 64, policy_id="y1", policy_version=5,
        policy_sha256="c" * 64, cedar_sha256="d" * 64, persona_id="p1", purpose="support", audience="customers",
        country="IN", language="en", context_of_use="web", disclosure="You are talking with an AI replica of Asha.",
        issued_at=issued, not_after=expires, footage_sha256="f" * 64, emotion_max_milli={"joy": 300},
        audience_of_grant=GRANT_AUDIENCE,
    )


def request(
    signer: Signer, *, signed_grant: dict[str, Any] | None = None, worker: SigningKey = WORKER_KEY,
    claim_grant_sha256: str | None = None, purpose: str = CLAIM_PURPOSE, bind_to: bytes | None = None,
) -> dict[str, Any]:
    key = SessionKey()
    claim = claim_statement("z1", 1, "nonce", "ephemeral", "e" * 64, claim_grant_sha256 or grant().sha256)
    return to_json(ManifestRequest(
        grant=signed_grant or sign_grant(GRANT_KEY, grant()), claim=sign_statement(worker, purpose, claim),
        session_cose_key=b64(key.cose_key()), kid=b64(key.kid), binding_public=b64(key.public.public_bytes_raw()),
        viewer_nonce="viewer-nonce", dtls_fingerprint="sha-256 AA:BB", mark_slots=SLOTS, width=256, height=256,
        signer_binding=b64(key.bind_to_signer(bind_to or signer.certificate_der)),
    ))


def test_signs_what_the_grant_says(signer: Signer) -> None:
    signed = signer.sign_session(request(signer), now=NOW)
    manifest = read_session_manifest(signed.init.encoded, signer.anchor_pem)
    assert manifest.label == signed.init.label
    assert manifest.facts["session_id"] == "c1"
    assert manifest.facts["consent_receipt_sha256"] == "b" * 64
    assert manifest.facts["footage_sha256"] == "f" * 64
    assert manifest.facts["viewer_nonce"] == "viewer-nonce"
    assert manifest.facts["mark"]["slots"] == [{"slot_id": "00000000000000ab", "start_ms": 0, "end_ms": 512_000}]
    assert manifest.key.validity_s == 1800
    assert signed.claim["lease_id"] == "z1"


def test_refuses_a_grant_of_another_key(signer: Signer) -> None:
    with pytest.raises(GrantInvalid):
        signer.sign_session(request(signer, signed_grant=sign_grant(MALLORYS_KEY, grant())), now=NOW)


def test_refuses_a_changed_grant(signer: Signer) -> None:
    changed = sign_grant(GRANT_KEY, grant())
    changed["body"]["replica_id"] = "r2"
    with pytest.raises(GrantInvalid):
        signer.sign_session(request(signer, signed_grant=changed), now=NOW)


def test_refuses_a_grant_that_has_run_out(signer: Signer) -> None:
    with pytest.raises(GrantExpired):
        signer.sign_session(request(signer), now=NOW + timedelta(hours=1))


def test_refuses_a_grant_for_somebody_else(signer: Signer) -> None:
    elsewhere = sign_grant(GRANT_KEY, replace(grant(), audience_of_grant="export"))
    with pytest.raises(GrantInvalid):
        signer.sign_session(request(signer, signed_grant=elsewhere), now=NOW)


def test_refuses_an_unknown_worker(signer: Signer) -> None:
    with pytest.raises(ClaimProofInvalid):
        signer.sign_session(request(signer, worker=MALLORYS_KEY), now=NOW)


def test_refuses_a_claim_for_another_grant(signer: Signer) -> None:
    with pytest.raises(ClaimProofInvalid, match="another grant"):
        signer.sign_session(request(signer, claim_grant_sha256="f" * 64), now=NOW)


def test_refuses_a_signature_made_for_another_purpose(signer: Signer) -> None:
    with pytest.raises(ClaimProofInvalid):
        signer.sign_session(request(signer, purpose="worker-request"), now=NOW)


def test_refuses_a_session_key_bound_to_another_certificate(signer: Signer) -> None:
    with pytest.raises(ManifestInvalid):
        signer.sign_session(request(signer, bind_to=b"another certificate"), now=NOW)


@pytest.mark.parametrize(
    ("name", "value"),
    [("grant", None), ("claim", "x"), ("viewer_nonce", ""), ("viewer_nonce", 5), ("dtls_fingerprint", None),
     ("session_cose_key", "***"), ("width", 0), ("width", True), ("height", 10**6), ("mark_slots", [])],
)
def test_refuses_malformed_requests(signer: Signer, name: str, value: object) -> None:
    asked = request(signer) | {name: value}
    with pytest.raises(SessionRequestInvalid):
        signer.sign_session(asked, now=NOW)


@pytest.mark.parametrize(
    "slots",
    [None, [], [{}], [{"slot_id": "0", "start_ms": 0, "end_ms": 1}], [{"slot_id": "1", "start_ms": 5, "end_ms": 5}],
     [{"slot_id": "1" * 17, "start_ms": 0, "end_ms": 5}], [{"slot_id": "zz", "start_ms": 0, "end_ms": 5}]],
)
def test_refuses_malformed_slots(slots: object) -> None:
    with pytest.raises(SessionRequestInvalid):
        mark_slots(slots)


def test_two_payloads_stay_two_blocks() -> None:
    told = [{"slot_id": "1", "start_ms": 0, "end_ms": 5}, {"slot_id": "2", "start_ms": 5, "end_ms": 9}]
    assert [(slot.slot_id, slot.start_ms) for slot in mark_slots(told)] == [(1, 0), (2, 5)]
