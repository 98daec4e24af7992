"""Golden faults: bytes that once brought down a parser, or that would fill memory, each named for what is wrong. And
every bound, shown to be enforced before the work it bounds is begun."""

import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cbor2
import pytest

from provenance import bundle_checks, bundles
from provenance.approval_evidence import check_approval
from provenance.errors import BundleInvalid
from provenance.manifests import c2pa_files, cose, fmp4, jumbf, sei, session_manifest
from provenance.manifests.carriage import Carried, Form
from provenance.manifests.errors import CoseInvalid, FragmentInvalid, ManifestInvalid, SeiInvalid, TrailerInvalid
from provenance.manifests.fmp4 import box
from provenance.manifests.frame_codecs import VP8_FRAMES
from provenance.marks import keys
from provenance.marks.errors import MarkKeyUnreadable
from provenance.verify import files, video
from provenance.verify.reports import Outcome
from tests.common.live_session import LiveSession
from tests.common.stills import plain_still
from tests.unit.consent.test_evidence import evidence
from tests.unit.provenance.test_bundle_attacks import _hostile

STORE = box(b"jumb", box(b"jumd", bytes(16), b"\x03", b"c2pa\0"))


def uuid_box(store: bytes, extra: bytes = b"") -> bytes:
    return box(b"uuid", jumbf.C2PA_UUID, bytes(4), jumbf.PURPOSE, bytes(8), store, extra)


def zip_end(count: int, directory_bytes: int, at: int, comment: bytes = b"") -> bytes:
    return struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, count, count, directory_bytes, at, len(comment)) + comment


def bundle_with_end(end: bytes) -> bytes:
    whole = _hostile()
    return whole[: whole.rindex(b"PK\x05\x06")] + end


def directory_before_the_file() -> bytes:
    """The directory's place is one byte too far, so that each file would begin before the container does."""
    whole = _hostile()
    count, size, at = struct.unpack("<H2I", whole[-12:-2])
    return whole[:-22] + zip_end(count, size, at + 2)


FAULTS: dict[str, tuple[Callable[[bytes], Any], bytes, type[Exception]]] = {
    "sei_of_no_bytes": (sei.parse_sei, b"", SeiInvalid),
    "store_in_a_file_cut_short": (jumbf.find_store, uuid_box(STORE)[:-1], ManifestInvalid),
    "store_smaller_than_its_box": (jumbf.find_store, uuid_box(STORE, b"more"), ManifestInvalid),
    "store_larger_than_its_box": (
        jumbf.find_store, uuid_box(struct.pack(">I", len(STORE) + 8) + STORE[4:]) + box(b"free"), ManifestInvalid),
    "purpose_without_end": (jumbf.find_store, box(b"uuid", jumbf.C2PA_UUID, bytes(4), b"manifest"), ManifestInvalid),
    "init_cut_short": (lambda b: session_manifest.read_session_manifest(b, ""), b"\0\0\0\x09moov", ManifestInvalid),
    "facts_with_bytes": (session_manifest._read_facts, cbor2.dumps({"a": b"x"}), ManifestInvalid),
    "facts_with_a_number_key": (session_manifest._read_facts, cbor2.dumps({(1, 2): 1}), ManifestInvalid),
    "facts_that_hold_themselves": (session_manifest._read_facts, bytes.fromhex("d81c81d81d00"), ManifestInvalid),
    "facts_not_a_number": (session_manifest._read_facts, cbor2.dumps({"a": float("nan")}), ManifestInvalid),
    "facts_with_a_key_twice": (session_manifest._read_facts, bytes.fromhex("a2616101616102"), ManifestInvalid),
    "facts_with_bytes_after_them": (session_manifest._read_facts, bytes.fromhex("a1616101f6"), ManifestInvalid),
    "facts_with_a_long_number": (session_manifest._read_facts, bytes.fromhex("a161611801"), ManifestInvalid),
    "directory_before_the_file": (bundles.read_files, directory_before_the_file(), BundleInvalid),
    "directory_of_millions": (bundles.read_files, bundle_with_end(zip_end(65535, 46 * 65535, 0)), BundleInvalid),
    "directory_of_gigabytes": (bundles.read_files, bundle_with_end(zip_end(9, 2**31, 0)), BundleInvalid),
    "bundle_with_a_comment": (bundles.read_files, _hostile()[:-2] + b"\x01\x00x", BundleInvalid),
    "bundle_shorter_than_its_end": (bundles.read_files, b"PK\x03\x04", BundleInvalid),
    "mark_key_nested": (keys.key_from_file, b"[" * 4000, MarkKeyUnreadable),
    "mark_key_of_an_epoch_that_is_no_text": (
        keys.key_from_file, json.dumps({"kind": keys.FILE_KIND, "v": 1, "key": "00" * 32, "epoch": 7}).encode(),
        MarkKeyUnreadable),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_refused_by_its_own_code(name: str) -> None:
    parse, content, refusal = FAULTS[name]
    with pytest.raises(refusal):
        parse(content)


def test_an_approval_with_an_empty_public_key_is_refused() -> None:
    with pytest.raises(BundleInvalid, match="incomplete"):
        check_approval(evidence() | {"public_key": ""})


def test_a_bundle_whose_places_do_not_add_up_is_a_verdict() -> None:
    assert bundle_checks.report_on("b", directory_before_the_file(), "").outcome is Outcome.CHANGED


@pytest.mark.parametrize("signature", [5, "x", None, b"short", [b"x"]])
def test_a_claim_signature_of_another_kind_is_refused(signature: Any) -> None:
    """A number was once looked for among the bytes, and found."""
    init = LiveSession().init.encoded
    manifest = jumbf.active_manifest(jumbf.parse_store(init, jumbf.find_store(init)))
    start, end = manifest.child("c2pa.signature").content(b"cbor")
    made = cbor2.dumps(cbor2.CBORTag(18, [b"", {"pad": bytes(end - start - 200)}, None, signature]))
    pad = bytes(end - start - 200 + end - start - len(made))
    made = cbor2.dumps(cbor2.CBORTag(18, [b"", {"pad": pad}, None, signature]))
    changed = init[:start] + made + init[end:]
    with pytest.raises(ManifestInvalid, match="claim signature"):
        jumbf.replace_assertions(changed, {}, lambda _: bytes(64))


@pytest.mark.parametrize("change", [
    {"validityPeriod": -1}, {"validityPeriod": 2**62}, {"validityPeriod": True}, {"minSequenceNumber": -1},
    {"minSequenceNumber": 2**40}, {"createdAt": "today"},
])
def test_a_session_key_with_an_impossible_life_is_refused(change: dict[str, Any]) -> None:
    session = LiveSession()
    manifest = jumbf.active_manifest(jumbf.parse_store(session.init.encoded, jumbf.find_store(session.init.encoded)))
    said = cbor2.loads(jumbf.assertion_cbor(session.init.encoded, manifest, "c2pa.session-keys"))
    said["keys"][0] |= change
    signer = session_manifest.signer_certificate(session.init.encoded, manifest)
    with pytest.raises(ManifestInvalid, match="malformed"):
        session_manifest._read_key(cose.canonical_cbor(said), signer)


# --- bounds: what is too much is refused, and the code that would do the work is never called -------------------------

UNIT = sei.START_CODE + b"\x65" + bytes([1]) * sei.MAX_ACCESS_UNIT_BYTES
LONG_SEI = sei.build_sei(Carried(Form.FULL, 1, 1, bytes([1]) * 300)) + bytes([1]) * sei.MAX_SEI_BYTES
LONG_TRAILER = VP8_FRAMES.carry(b"\1\2\3", Carried(Form.FULL, 1, 1, b"x")) + bytes(sei.MAX_ACCESS_UNIT_BYTES) + b"TCv2"
BOUNDS: dict[str, tuple[Callable[[bytes], Any], bytes, type[Exception], str]] = {
    "access unit": (sei.split_annex_b, UNIT, SeiInvalid, "provenance.manifests.sei._START_CODE_PATTERN"),
    "attestation SEI": (sei.parse_sei, LONG_SEI, SeiInvalid, "provenance.manifests.carriage.unpack"),
    "VP8 frame": (VP8_FRAMES.take, LONG_TRAILER, TrailerInvalid, "provenance.manifests.carriage.unpack"),
    "COSE": (cose.parse_sign1, bytes(cose.MAX_COSE_BYTES + 1), CoseInvalid, "cbor2.loads"),
    "canonical CBOR": (cose.parse_canonical, bytes(cose.MAX_CBOR_BYTES + 1), CoseInvalid, "cbor2.loads"),
    "fragment": (fmp4.parse_fragment, bytes(fmp4.MAX_FRAGMENT_BYTES + 1), FragmentInvalid,
                 "provenance.manifests.fmp4.walk_boxes"),
    "session manifest": (lambda b: session_manifest.read_session_manifest(b, ""),
                         bytes(session_manifest.MAX_INIT_BYTES + 1), ManifestInvalid,
                         "provenance.manifests.c2pa_files.read_trusted"),
    "bundle directory": (bundles.read_files, bundle_with_end(zip_end(1, bundles.MAX_DIRECTORY_BYTES + 1, 0)),
                         BundleInvalid, "zipfile.ZipFile"),
    "mark key": (keys.key_from_file, bytes(keys.MAX_FILE_BYTES + 1), MarkKeyUnreadable,
                 "provenance.marks.keys.json.loads"),
}


@pytest.mark.parametrize("name", BOUNDS)
def test_what_is_too_much_is_refused_before_it_is_read(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    parse, content, refusal, work = BOUNDS[name]
    monkeypatch.setattr(work, _Untouched())
    with pytest.raises(refusal):
        parse(content)


class _Untouched:
    """Stands where the work would be done."""

    def __call__(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("the work was begun")

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the work was begun: {name}")


def test_boxes_are_counted_while_they_are_walked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fmp4, "MAX_BOXES", 3)
    with pytest.raises(FragmentInvalid, match="more than 3 boxes"):
        fmp4.split_boxes(box(b"free") * 4)
    monkeypatch.setattr(jumbf, "MAX_BOXES", 3)
    jumbf.parse_store(box(b"jumb", box(b"jumd", jumbf.STORE, jumbf.TYPE_TAIL, b"\1"), box(b"cbor") * 3))
    with pytest.raises(ManifestInvalid, match="too many boxes"):
        jumbf.parse_store(box(b"jumb", box(b"jumd", jumbf.STORE, jumbf.TYPE_TAIL, b"\1"), box(b"cbor") * 4))


def test_a_bundle_larger_than_its_bound_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = _hostile()
    monkeypatch.setattr(bundles, "MAX_BYTES", 100)
    monkeypatch.setattr(zipfile, "ZipFile", _Untouched())
    with pytest.raises(BundleInvalid, match="larger"):
        bundles.read_files(bundle)


def test_a_file_larger_than_its_bound_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(files.MAX_FILE_BYTES + 1)  # a hole: no disk is used
    monkeypatch.setattr(files, "_judge", _Untouched())
    report = files.verify_file(path, anchor_pem="")
    assert report.outcome is Outcome.UNREADABLE and "larger" in report.sentences[0]


def test_a_picture_larger_than_its_bound_is_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    still = plain_still("image/png", 256, 256)
    assert next(video._planes(still, video.silent)).y.shape == (256, 256)
    monkeypatch.setattr(video, "MAX_PIXELS", 200 * 200)
    path = tmp_path / "large.png"
    path.write_bytes(still)
    report = files.verify_file(path, anchor_pem="", mark_key=keys.MarkKey(bytes(32)))
    assert str(report.mark).startswith("could not be read")


def test_the_c2pa_reader_fetches_nothing_that_a_file_names(monkeypatch: pytest.MonkeyPatch) -> None:
    handed: list[dict[str, Any]] = []
    monkeypatch.setattr(c2pa_files.Context, "from_dict", handed.append)
    c2pa_files.context("")
    assert not handed[0]["verify"]["ocsp_fetch"] and not handed[0]["verify"]["remote_manifest_fetch"]
