"""A grant is accepted whole, for its audience, in its time, from a pinned key; nothing else is."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from trustcore.primitives.errors import GrantExpired, GrantInvalid, SignatureInvalid
from trustcore.primitives.grants import Grant, make_times, sign_grant, verify_grant
from trustcore.primitives.signing import SigningKey, sign_statement, verify_statement

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
KEY = SigningKey(b"\x07" * 32)
KEYS = {KEY.kid: KEY.verify_key}


def grant(**changes: Any) -> Grant:
    issued, until = make_times(NOW, timedelta(minutes=10))
    fields: dict[str, Any] = {
        "grant_id": "g1", "tenant": "brahmaputra", "conversation_id": "c1", "subject_id": "s1", "replica_id": "r1",
        "replica_version": 1, "replica_sha256": "00", "consent_id": "n1", "consent_receipt_sha256": "00",
        "policy_id": "y1",
        "policy_version": 1, "policy_sha256": "00", "cedar_sha256": "00", "persona_id": "p1", "purpose": "support",
        "audience": "adults", "country": "IN", "language": "en", "context_of_use": "customer_service",
        "disclosure": "label",
        "issued_at": issued, "not_after": until, "emotion_max_milli": {"joy": 500, "neutral": 1000},
    }
    return Grant(**{**fields, **changes})


def verify(signed: Any) -> Grant:
    return verify_grant(signed, KEYS, audience="render-worker", now=NOW)


def test_round_trip() -> None:
    assert verify_grant(sign_grant(KEY, grant()), KEYS, audience="render-worker", now=NOW) == grant()


@pytest.mark.parametrize(("moment", "holds"), [(-31, False), (-29, True), (0, True), (599, True), (600, False)])
def test_time_window(moment: int, holds: bool) -> None:
    signed, now = sign_grant(KEY, grant()), NOW + timedelta(seconds=moment)
    if holds:
        verify_grant(signed, KEYS, audience="render-worker", now=now)
    else:
        with pytest.raises(GrantExpired):
            verify_grant(signed, KEYS, audience="render-worker", now=now)


@pytest.mark.parametrize("changes", [
    {"audience_of_grant": "somebody"}, {"version": 2}, {"replica_version": "1"}, {"replica_version": True},
    {"emotion_max_milli": {"joy": 1001}}, {"emotion_max_milli": {"glee": 1}}, {"emotion_max_milli": {"joy": 0.5}},
    {"issued_at": "yesterday"},
])
def test_a_signed_grant_with_a_wrong_field_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(GrantInvalid):
        verify_grant(sign_grant(KEY, grant(**changes)), KEYS, audience="render-worker", now=NOW)


@pytest.mark.parametrize("field", ["replica_id", "not_after", "emotion_max_milli", "conversation_id"])
def test_a_field_changed_after_signing_is_refused(field: str) -> None:
    signed = sign_grant(KEY, grant())
    body = dict(signed["body"])
    body[field] = {"joy": 1000} if field == "emotion_max_milli" else body[field] + "0"
    with pytest.raises(GrantInvalid):
        verify_grant({**signed, "body": body}, KEYS, audience="render-worker", now=NOW)


def test_a_key_that_is_not_pinned_is_refused() -> None:
    mallory = SigningKey.generate()
    with pytest.raises(GrantInvalid):
        verify_grant(sign_grant(mallory, grant()), KEYS, audience="render-worker", now=NOW)


def test_a_statement_for_one_purpose_is_not_one_for_another() -> None:
    receipt = sign_statement(KEY, "receipt", grant().to_body())
    with pytest.raises(GrantInvalid):
        verify_grant(receipt, KEYS, audience="render-worker", now=NOW)
    with pytest.raises(SignatureInvalid):  # relabelled: the purpose is inside what was signed
        verify_statement({**receipt, "purpose": "grant"}, "grant", KEYS)


def test_a_grant_without_a_word_on_perception_allows_none_and_reads_as_before() -> None:
    signed = sign_grant(KEY, grant())
    assert "perception" not in signed["body"]
    assert verify(signed).perception == "off"


def test_a_grant_says_how_far_perception_goes_and_only_in_known_words() -> None:
    wide = grant(perception="limited")
    assert verify(sign_grant(KEY, wide)).perception == "limited" and wide.sha256 != grant().sha256
    with pytest.raises(GrantInvalid):
        verify(sign_grant(KEY, grant(perception="everything")))
    forged = sign_grant(KEY, grant())
    forged["body"]["perception"] = "full"
    with pytest.raises(GrantInvalid):
        verify(forged)
