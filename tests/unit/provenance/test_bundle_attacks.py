"""Containers made to hurt whoever opens them."""

import io
import struct
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance import bundle_checks, bundles
from provenance.errors import BundleInvalid
from provenance.verify.reports import Outcome
from trustcore.primitives import merkle
from trustcore.primitives.canonical import canonical_bytes, from_canonical
from trustcore.primitives.checkpoints import Checkpoint, sign_checkpoint
from trustcore.primitives.hashing import sha256_hex
from trustcore.primitives.log_entries import details_commitment
from trustcore.primitives.signing import SigningKey, b64, sign_statement


def container(files: list[tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w", method) as archive:
        warnings.simplefilter("ignore")
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name, bundles.FIXED_TIME), content, method)
    return out.getvalue()


@pytest.mark.parametrize(
    "name",
    ["../keys.json", "/etc/passwd", "manifests/../keys.json", "manifests/a/b", "manifests/.hidden", "other/x"],
)
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(BundleInvalid):
        bundles.read_files(container([(name, b"x")]))


def test_one_name_twice_is_refused() -> None:
    with pytest.raises(BundleInvalid):
        bundles.read_files(container([("keys.json", b"honest"), ("keys.json", b"forged")]))


def test_packed_zeros_are_refused_before_they_are_unpacked() -> None:
    with pytest.raises(BundleInvalid):
        bundles.read_files(container([("keys.json", bytes(10_000_000))], zipfile.ZIP_DEFLATED))


def test_files_that_lie_over_each_other_are_refused() -> None:
    """Each stored file holds the whole of the next one: n files of a small container would be n times its size."""
    inner = b"x" * 100_000
    parts, spans = b"", []
    for number in range(20):
        name = f"recordings/{number}".encode()
        body = parts or inner
        size = len(body)
        header = struct.pack(
            "<4s5H3I2H", b"PK\x03\x04", 20, 0, 0, 0, 33, zlib.crc32(body), size, size, len(name), 0)
        parts = header + name + body
        spans.append((name, body))
    directory = b""
    for name, body in spans:
        size = len(body)
        at = len(parts) - size - 30 - len(name)
        directory += struct.pack(
            "<4s6H3I5H2I", b"PK\x01\x02", 20, 20, 0, 0, 0, 33, zlib.crc32(body), size, size, len(name), 0, 0, 0, 0,
            0, at)
        directory += name
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, len(spans), len(spans), len(directory), len(parts), 0)
    with pytest.raises(BundleInvalid, match="over each other"):
        bundles.read_files(parts + directory + end)


@pytest.mark.parametrize(
    "content",
    [b"PK\x03\x04", b"PK\x03\x04" + bytes(1000), container([("bundle.json", b"[" * 100_000)])],
    ids=["cut", "empty", "deep"],
)
def test_rubbish_is_a_verdict_and_not_a_crash(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    path.write_bytes(content)
    report = bundle_checks.report_on(path.name, path.read_bytes(), "")
    assert report.outcome.name == "CHANGED"


# --- a bundle that somebody signed with keys of their own, to break whoever checks it ---------------------------------

KEY, LOG = SigningKey.generate(), SigningKey.generate()
ORIGIN = "log.example"


def _entry(seq: int = 0, **changed: Any) -> dict[str, Any]:
    details = {"salt": "00" * 16, "open": {}, "personal": None}
    body = {"action": "consent.given", "outcome": "done", "object": {"type": "consent", "id": "c1"},
            "details_hash": details_commitment(details)}
    body_text = canonical_bytes(body).decode()
    leaf = canonical_bytes({"seq": seq, "body": sha256_hex(body_text.encode()), "scopes": []}).decode()
    return {"seq": seq, "leaf": leaf, "body": body_text, "details": details, "proof": []} | changed


def _hostile(
    files: dict[str, bytes] | None = None, without: tuple[str, ...] = (), rows: Any = None, told: Any = None,
) -> bytes:
    """A whole bundle of one honest entry, changed as told and signed all the same."""
    rows = [_entry()] if rows is None else rows
    root = merkle.leaf_hash(str(rows[0].get("leaf", "")).encode()) if rows and isinstance(rows[0], dict) else bytes(32)
    note = sign_checkpoint(Checkpoint(ORIGIN, 1, root, bytes(32)), LOG).encode()
    keys = {"bundle": b64(KEY.verify_key.public_bytes), "log_key": b64(LOG.verify_key.public_bytes)}
    whole = {
        "keys.json": canonical_bytes(keys), "keys.sig.json": b"{}", "checkpoint.txt": note, "readme.txt": b"",
        "entries.jsonl": b"\n".join(canonical_bytes(row) for row in rows),
        "scope.json": canonical_bytes({"kind": "object", "proof": None}), **(files or {}),
    }
    whole |= {name: b"" for name in bundles.FIXED_FILES if name not in whole}
    whole = {name: content for name, content in whole.items() if name not in without and name in bundles.FIXED_FILES}
    body = {"v": bundles.VERSION, "kind": bundles.KIND, "title": "t", "made_at": "2026-01-01T00:00:00Z", "log": ORIGIN,
            "scope": "object", "scope_id": "c1", "entries": len(rows),
            "files": {name: sha256_hex(content) for name, content in whole.items()}} | (told or {})  # fmt: skip
    whole["bundle.json"] = canonical_bytes(body)
    whole["bundle.sig.json"] = canonical_bytes(
        sign_statement(KEY, bundles.PURPOSE, {"bundle_sha256": sha256_hex(whole["bundle.json"])}))
    return container(list(whole.items()))


ODD = [b"[]", b"{}", b"null", b"1", b'"x"', b"", b"\xff", b"[" * 5000, b'{"proof":1}', b'{"proof":[]}', b'{"proof":{}}']


@pytest.mark.parametrize("content", ODD, ids=lambda content: content[:6].hex())
@pytest.mark.parametrize("name", [*bundles.FIXED_FILES])
def test_an_odd_file_in_a_signed_bundle_is_a_verdict(name: str, content: bytes) -> None:
    report = bundle_checks.report_on("b", _hostile({name: content}), "")
    assert report.outcome is not Outcome.VERIFIED and report.sentences


@pytest.mark.parametrize("name", bundles.FIXED_FILES)
def test_a_signed_bundle_without_a_file_says_which(name: str) -> None:
    report = bundle_checks.report_on("b", _hostile(without=(name,)), "")
    assert report.outcome is Outcome.CHANGED and name in report.sentences[0]


ODD_VALUES = [None, 1, -1, "x", [], {}, [1], [[]], {"open": []}, {"salt": "00", "open": [], "personal": None}, 2**70]


@settings(deadline=None, max_examples=150)
@given(field=st.sampled_from(["seq", "leaf", "body", "details", "proof"]), value=st.sampled_from(ODD_VALUES))
def test_an_odd_entry_in_a_signed_bundle_is_a_verdict(field: str, value: Any) -> None:
    try:
        content = _hostile(rows=[_entry(**{field: value})])
    except (ValueError, TypeError):  # no canonical JSON holds it
        return
    assert bundle_checks.report_on("b", content, "").outcome is not Outcome.VERIFIED


@pytest.mark.parametrize("field", ["action", "outcome", "object", "details_hash"])
def test_an_event_without_a_field_is_a_verdict(field: str) -> None:
    entry = _entry()
    body = {name: value for name, value in from_canonical(entry["body"].encode()).items() if name != field}
    text = canonical_bytes(body).decode()
    leaf = canonical_bytes({"seq": 0, "body": sha256_hex(text.encode()), "scopes": []}).decode()
    report = bundle_checks.report_on("b", _hostile(rows=[entry | {"body": text, "leaf": leaf}]), "")
    assert report.outcome is Outcome.CHANGED


@pytest.mark.parametrize("field", ["title", "made_at", "log", "scope", "scope_id", "entries", "files", "v", "kind"])
@pytest.mark.parametrize("value", [None, 1, [], {}, "x"])
def test_an_odd_word_about_the_bundle_is_a_verdict(field: str, value: Any) -> None:
    assert bundle_checks.report_on("b", _hostile(told={field: value}), "").outcome is not Outcome.VERIFIED
