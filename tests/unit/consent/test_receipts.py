"""Receipts verify offline, and a changed one does not."""

import json
from datetime import UTC, date, datetime

import pytest

from consent.receipts import ReceiptFacts, main, own_key, sign_receipt, verify_receipt
from consent.scope import Scope, ScopeInvalid, check_scope, last_day
from trustcore.primitives.errors import SignatureInvalid
from trustcore.primitives.signing import SigningKey

TODAY = date(2026, 11, 24)
SCOPE = Scope(
    ("support",),
    ("adults",),
    (("joy", 500),),
    ("en",),
    ("IN", "SE"),
    ("biometric", "face", "voice"),
    90,
    date(2028, 6, 30),
)


def receipt(key):
    return sign_receipt(key, ReceiptFacts(
        "n1", "s1", "Asha Baruah", "Brahmaputra Mutual", "t1", 1, "en", "0" * 64, SCOPE.to_dict(),
        datetime(2026, 11, 24, 9, 0, tzinfo=UTC), "http://localhost:8000/me/",
    ))  # fmt: skip


def test_a_receipt_verifies_and_names_the_scope():
    key = SigningKey.generate()
    body = verify_receipt(receipt(key), {key.kid: key.verify_key})
    assert body["processing"]["purposes"] == ["support"]
    assert body["header"]["notice"]["sha256"] == "0" * 64


def test_a_widened_receipt_is_refused():
    key = SigningKey.generate()
    signed = receipt(key)
    signed["body"]["processing"]["purposes"] = ["support", "marketing"]
    with pytest.raises(SignatureInvalid):
        verify_receipt(signed, {key.kid: key.verify_key})


def test_another_key_is_refused():
    signed = receipt(SigningKey.generate())
    other = SigningKey.generate()
    with pytest.raises(SignatureInvalid):
        verify_receipt(signed, {other.kid: other.verify_key})
    assert own_key(signed).kid == signed["kid"]


def test_the_command_checks_a_file(tmp_path, capsys):
    path = tmp_path / "receipt.json"
    signed = receipt(SigningKey.generate())
    path.write_text(json.dumps(signed))
    assert main([str(path)]) == 0
    assert "holds" in capsys.readouterr().out
    signed["body"]["event"]["by"] = "s2"
    path.write_text(json.dumps(signed))
    assert main([str(path)]) == 1


def _with(**changes):
    return Scope.from_dict(SCOPE.to_dict() | changes)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"purposes": []}, "purposes"), ({"purposes": ["politics"]}, "purposes"), ({"audiences": []}, "audiences"),
        ({"emotions_max_milli": {"joy": 1001}}, "emotions"), ({"emotions_max_milli": {"rage": 1}}, "emotions"),
        ({"languages": ["xx"]}, "languages"), ({"territories": []}, "territories"),
        ({"releases": ["face", "voice"]}, "releases"), ({"retention_days": 7}, "retention_days"),
        ({"expires_on": "2026-11-24"}, "expires_on"), ({"expires_on": "2036-11-25"}, "expires_on"),
    ],
)  # fmt: skip
def test_scopes_outside_the_lists_are_refused(changes, field):
    with pytest.raises(ScopeInvalid) as refused:
        check_scope(_with(**changes), TODAY)
    assert refused.value.facts["field"] == field


def test_ten_years_to_the_day_are_allowed():
    check_scope(_with(expires_on=last_day(TODAY).isoformat()), TODAY)
    assert last_day(date(2028, 2, 29)) == date(2038, 2, 28)
