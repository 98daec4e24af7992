"""An approval's evidence holds without us, and any change to it is found."""

import copy
from dataclasses import replace

import pytest

from consent.evidence import (
    AssertionInvalid,
    RelyingParty,
    SignedBody,
    build_evidence,
    challenge_bytes,
    verify_assertion,
)
from deploy.demo.authenticator import SoftwarePasskey
from provenance.approval_evidence import check_approval
from provenance.errors import BundleInvalid
from trustcore.primitives.hashing import statement_sha256
from trustcore.primitives.signing import b64

PARTY = RelyingParty("localhost", "http://localhost:8000")
STATEMENT = {"v": 1, "kind": "replica", "text": ["I approve version 3 of Asha Baruah."]}


def body_for(statement=STATEMENT, nonce="n1"):
    return SignedBody(
        "a1", nonce, "u1", "Meera Nair", "Compliance", "2026-11-24T12:00:00.000Z", statement_sha256(statement)
    ).to_dict()


def answer(key, body):
    return key.get({"challenge": b64(challenge_bytes(body)), "rpId": PARTY.rp_id})


def check(body, assertion, key, last_sign_count=0):
    return verify_assertion(
        body=body, assertion=assertion, public_key=key.public_key, credential_id=b64(key.credential_id),
        last_sign_count=last_sign_count, party=PARTY,
    )  # fmt: skip


def evidence():
    key = SoftwarePasskey(PARTY.origin)
    body = body_for()
    return build_evidence(statement=STATEMENT, body=body, assertion=answer(key, body),
                          public_key=key.public_key, party=PARTY, signed_at="2026-11-24T10:00:00.000Z")  # fmt: skip


def test_evidence_holds_without_us():
    assert check_approval(evidence()).statement_sha256 == statement_sha256(STATEMENT)


def _change(path, value):
    def change(stored):
        inner = stored
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        _change(["statement", "text"], ["I approve version 4 of Asha Baruah."]),
        _change(["body", "approver_id"], "u2"),
        _change(["body", "statement_sha256"], "0" * 64),
        _change(["body", "nonce"], "n2"),
        _change(["origin"], "https://elsewhere.example"),
        _change(["rp_id"], "elsewhere.example"),
        _change(["public_key"], b64(SoftwarePasskey(PARTY.origin).public_key)),
        _change(["assertion", "response", "signature"], b64(b"no")),
    ],
)
def test_any_change_is_found(change):
    stored = copy.deepcopy(evidence())
    change(stored)
    with pytest.raises(BundleInvalid):
        check_approval(stored)


def test_no_user_verification_is_refused():
    key, body = SoftwarePasskey(PARTY.origin), body_for()
    with pytest.raises(AssertionInvalid):
        check(body, answer(replace(key, user_verified=False), body), key)


def test_another_page_is_refused():
    key, body = SoftwarePasskey(PARTY.origin), body_for()
    with pytest.raises(AssertionInvalid):
        check(body, answer(replace(key, origin="http://evil.example"), body), key)


def test_a_signature_count_that_does_not_rise_is_refused():
    key, body = SoftwarePasskey(PARTY.origin), body_for()
    seen = check(body, answer(key, body), key)
    with pytest.raises(AssertionInvalid):
        check(body, answer(key, body), key, last_sign_count=seen.sign_count + 5)
