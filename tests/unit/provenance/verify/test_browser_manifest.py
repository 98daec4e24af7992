"""The browser's reading of a session manifest, in node, against the Python reading."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from provenance.manifests import assertions, fmp4, jumbf
from provenance.manifests.attest import SessionKey
from tests.common.live_session import LiveSession
from tests.vectors.vsi import generate

REPOSITORY = Path(__file__).resolve().parents[4]
pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


def read(init: bytes, tmp_path: Path) -> dict[str, Any]:
    path = tmp_path / "init.mp4"
    path.write_bytes(init)
    script = REPOSITORY / "tests/vectors/vsi/check_manifest.mjs"
    done = subprocess.run(
        ["node", str(script), str(path), str(REPOSITORY / "trustcore/static/js/verify")],
        capture_output=True, text=True, check=True, timeout=60,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture(scope="module")
def session() -> LiveSession:
    return LiveSession()


def test_both_read_the_same(session: LiveSession, tmp_path: Path) -> None:
    found = read(session.init.encoded, tmp_path)
    assert found["label"] == session.init.label
    assert found["claimSha256"] == session.init.claim_sha256
    assert found["facts"] == session.facts.to_assertion()
    assert found["publicKey"] == session.key.public.public_bytes_raw().hex()
    assert found["kid"] == session.key.kid.hex()
    assert found["createdAtMs"] == session.facts.created_at.timestamp() * 1000
    assert (found["minimumSequence"], found["validityS"]) == (1, 3600)


def rewritten(session: LiveSession, cose_key: bytes, binding: bytes) -> bytes:
    """The init with other session keys, properly signed by the claim signer."""
    strict = assertions.session_keys(
        cose_key, binding, minimum_sequence=1, created_at=session.facts.created_at, validity_s=session.facts.validity_s,
    )
    return jumbf.replace_assertions(session.init.encoded, {"c2pa.session-keys": strict}, session.signer.sign)


def test_a_borrowed_signer_binding_is_refused(session: LiveSession, tmp_path: Path) -> None:
    mallory = SessionKey()
    honest = session.key.bind_to_signer(session.signer.end_entity_der)
    assert "signature" in read(rewritten(session, mallory.cose_key(), honest), tmp_path)["refused"]
    own = mallory.bind_to_signer(session.signer.end_entity_der)
    assert read(rewritten(session, mallory.cose_key(), own), tmp_path)["kid"] == mallory.kid.hex()


def test_a_binding_to_another_certificate_is_refused(session: LiveSession, tmp_path: Path) -> None:
    foreign = session.key.bind_to_signer(b"another certificate")
    assert "signature" in read(rewritten(session, session.key.cose_key(), foreign), tmp_path)["refused"]


@pytest.mark.parametrize(("spoil", "why"), [
    (lambda init: init + fmp4.box(b"mdat"), "no media"),
    (lambda init: init + next(w for k, w in fmp4.split_boxes(init) if k == b"uuid"), "exactly one manifest store"),
    (lambda _: fmp4.init_segment(64, 64), "exactly one manifest store"),
    (lambda init: init[:-1], "impossible size"),
    (lambda init: init.replace(b"c2pa.session-keys", b"c2pa.session-keyz"), "c2pa.session-keys"),
])
def test_spoilt_init_segments_are_refused(spoil: Any, why: str, session: LiveSession, tmp_path: Path) -> None:
    assert why in read(spoil(session.init.encoded), tmp_path)["refused"]


def test_a_claim_signature_of_nothing_is_refused_by_its_own_word(session: LiveSession, tmp_path: Path) -> None:
    """COSE_Sign1 whose value is null, in a box as long as the honest one; the rest of it is a free box."""
    init = session.init.encoded
    manifest = jumbf.active_manifest(jumbf.parse_store(init, jumbf.find_store(init)))
    start, end = manifest.child("c2pa.signature").content(b"cbor")
    nothing = fmp4.box(b"cbor", b"\xd2\xf6")
    rest = fmp4.box(b"free", bytes(end - start - len(nothing)))
    assert "certificate" in read(init[: start - 8] + nothing + rest + init[end:], tmp_path)["refused"]


def test_a_label_that_is_no_text_is_refused(session: LiveSession, tmp_path: Path) -> None:
    changed = session.init.encoded.replace(b"cawg.training-mining\x00", b"cawg.training-mini\xff\xff\x00")
    assert changed != session.init.encoded and read(changed, tmp_path)["refused"] == "JUMBF label"


def fuzzed(script: str, session: LiveSession, tmp_path: Path) -> Any:
    """What 1,500 rounds of a fuzzer over golden frames and this session's init segment told."""
    path = tmp_path / "init.mp4"
    path.write_bytes(session.init.encoded)
    done = subprocess.run(
        ["node", str(REPOSITORY / "tests/vectors/vsi" / script), str(generate.FILE), str(path),
         str(REPOSITORY / "trustcore/static/js/verify"), "1500"],
        capture_output=True, text=True, check=True, timeout=60,
    )
    return json.loads(done.stdout)


def test_random_damage_is_refused_and_never_crashes(session: LiveSession, tmp_path: Path) -> None:
    assert fuzzed("fuzz.mjs", session, tmp_path) == {"verified": 0, "refused": 1500, "crashed": []}


def test_each_parser_refuses_damage_or_reads_exactly_those_bytes(session: LiveSession, tmp_path: Path) -> None:
    told = fuzzed("fuzz_parsers.mjs", session, tmp_path)
    assert set(told) == {"unit", "trailer", "sei", "cbor", "store"}
    for parser in told.values():
        assert parser["crashed"] == []
        assert parser["accepted"] > 0 and parser["accepted"] + parser["refused"] == 1500
