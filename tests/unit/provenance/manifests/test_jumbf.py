"""Reading and rewriting manifest stores: malformed ones are refused by name, properly signed nonsense too."""

import struct
from typing import Any

import cbor2
import pytest

from provenance.manifests import cose, jumbf
from provenance.manifests.attest import SessionKey
from provenance.manifests.errors import ManifestInvalid
from provenance.manifests.fmp4 import box
from provenance.manifests.session_manifest import read_session_manifest
from tests.common.live_session import LiveSession
from trustcore.primitives.clock import to_rfc3339_seconds


@pytest.fixture(scope="module")
def session() -> LiveSession:
    return LiveSession()


def superbox(label: str, *contents: bytes, kind: bytes = jumbf.CBOR, toggles: int = 3) -> bytes:
    described = box(b"jumd", kind, jumbf.TYPE_TAIL, bytes([toggles]), label.encode() + b"\0")
    return box(b"jumb", described, *contents)


def claim(label: str = "c2pa.claim.v2") -> bytes:
    return superbox(label, box(b"cbor", b"\xa0"), kind=jumbf.CLAIM)


ASSERTIONS = superbox("c2pa.assertions", superbox("one", box(b"cbor", b"\xa0")), kind=jumbf.ASSERTIONS)
SIGNATURE = superbox("c2pa.signature", box(b"cbor", b"\xa0"), kind=jumbf.SIGNATURE)


def manifest_of(*parts: bytes, kind: bytes = jumbf.MANIFEST) -> bytes:
    return superbox("urn:c2pa:one", *parts, kind=kind)


def store_of(*manifests: bytes, kind: bytes = jumbf.STORE) -> bytes:
    return superbox("c2pa", *manifests, kind=kind)


GOOD = manifest_of(ASSERTIONS, claim(), SIGNATURE)


@pytest.mark.parametrize("name", ["c2pa.claim", "c2pa.claim.v2"])
def test_a_small_store_is_read(name: str) -> None:
    store = store_of(manifest_of(ASSERTIONS, claim(name), SIGNATURE))
    manifest = jumbf.active_manifest(jumbf.parse_store(store))
    assert manifest.label == "urn:c2pa:one"
    assert len(jumbf.claim_sha256(store, manifest)) == 64


@pytest.mark.parametrize("hidden", [
    store_of(GOOD, manifest_of(ASSERTIONS, claim(), SIGNATURE, kind=b"c2vc")),  # passed over by c2pa-rs
    store_of(GOOD, manifest_of(ASSERTIONS, claim(), SIGNATURE)), store_of(GOOD, box(b"free")),
    store_of(manifest_of(ASSERTIONS, claim(), SIGNATURE, kind=b"c2vc")), store_of(GOOD, kind=b"c2ma"),
    store_of(manifest_of(ASSERTIONS, claim(), SIGNATURE, superbox("more", kind=b"c2vc"))),
    store_of(manifest_of(ASSERTIONS, claim(), SIGNATURE, box(b"free"))),
    store_of(manifest_of(ASSERTIONS, claim())), store_of(manifest_of(ASSERTIONS, SIGNATURE)),
    store_of(manifest_of(superbox("c2pa.assertions", kind=jumbf.CLAIM), superbox("c2pa.claim", kind=jumbf.ASSERTIONS),
                         SIGNATURE)),
    store_of(manifest_of(superbox("c2pa.assertions", superbox("a"), superbox("a"), kind=jumbf.ASSERTIONS), claim(),
                         SIGNATURE)),
    store_of(manifest_of(superbox("c2pa.assertions", box(b"free"), kind=jumbf.ASSERTIONS), claim(), SIGNATURE)),
])
def test_a_store_with_anything_beside_one_manifest_is_refused(hidden: bytes) -> None:
    with pytest.raises(ManifestInvalid):
        jumbf.active_manifest(jumbf.parse_store(hidden))


def test_a_box_of_another_family_of_types_is_refused() -> None:
    with pytest.raises(ManifestInvalid, match="no type"):
        jumbf.parse_store(store_of(GOOD).replace(jumbf.TYPE_TAIL, bytes(12), 1))


def test_a_short_store_tells_no_label() -> None:
    assert jumbf.parse_store(superbox("", toggles=1)).label == ""


@pytest.mark.parametrize("store", [
    b"", b"\0\0\0\x08jumb", box(b"jumb", box(b"free")), box(b"cbor", b"\xa0"), superbox("c2pa")[:-1],
    box(b"jumb", box(b"jumd", bytes(16), b"\3", b"no end")),
    box(b"jumb", box(b"jumd", bytes(16), b"\3", b"\xff\xff\0")),
    struct.pack(">I4s", jumbf.MAX_STORE_BYTES + 1, b"jumb") + bytes(jumbf.MAX_STORE_BYTES),
])
def test_bytes_that_are_no_store(store: bytes) -> None:
    with pytest.raises(ManifestInvalid):
        jumbf.parse_store(store)


def test_a_store_too_deep() -> None:
    store = superbox("leaf")
    for _ in range(jumbf.MAX_DEPTH + 1):
        store = superbox("x", store)
    with pytest.raises(ManifestInvalid, match="superbox"):
        jumbf.parse_store(store)


@pytest.mark.parametrize("store", [superbox("other", superbox("m")), superbox("c2pa")])
def test_a_store_without_manifest(store: bytes) -> None:
    with pytest.raises(ManifestInvalid, match="one C2PA manifest"):
        jumbf.active_manifest(jumbf.parse_store(store))


def test_a_manifest_without_claim_and_a_claim_twice() -> None:
    with pytest.raises(ManifestInvalid, match="no claim"):
        jumbf.claim_of(jumbf.parse_store(superbox("m")))
    with pytest.raises(ManifestInvalid, match="2 boxes named"):
        jumbf.claim_of(jumbf.parse_store(superbox("m", claim(), claim())))
    with pytest.raises(ManifestInvalid, match="exactly one cbor"):
        jumbf.parse_store(superbox("m")).content(b"cbor")


def test_other_uuid_boxes_are_passed_over(session: LiveSession) -> None:
    other = box(b"uuid", bytes(16), b"anything")
    update = box(b"uuid", jumbf.C2PA_UUID, bytes(4), b"merkle\0", bytes(8))
    media = other + update + session.init.encoded
    assert jumbf.find_store(media) == jumbf.find_store(session.init.encoded) + len(other) + len(update)


def session_keys(session: LiveSession, **changes: Any) -> Any:
    key = session.key
    entry = {
        "key": cbor2.loads(key.cose_key()), "minSequenceNumber": 1,
        "createdAt": cbor2.CBORTag(0, to_rfc3339_seconds(session.facts.created_at)),
        "validityPeriod": session.facts.validity_s,
        "signerBinding": cbor2.loads(key.bind_to_signer(session.signer.end_entity_der)),
    }
    return {"keys": [{**entry, **changes}]}


def padded(value: Any, length: int) -> bytes:
    """Canonical CBOR of `value` with one more member, so that it is `length` bytes long."""
    for filler in range(length):
        encoded = cose.canonical_cbor({**value, "x": "0" * filler})
        if len(encoded) == length:
            return encoded
    pytest.fail("no filler fits")


def rewritten(session: LiveSession, keys: Any) -> bytes:
    init = session.init.encoded
    manifest = jumbf.active_manifest(jumbf.parse_store(init, jumbf.find_store(init)))
    length = len(jumbf.assertion_cbor(init, manifest, "c2pa.session-keys"))
    return jumbf.replace_assertions(init, {"c2pa.session-keys": padded(keys, length)}, session.signer.sign)


NONSENSE = {
    "no_key": lambda _: {"keys": []},
    "two_keys": lambda _: {"keys": [1, 2]},
    "no_list": lambda _: {},
    "not_a_map": lambda _: {"keys": [5]},
    "another_curve": lambda s: session_keys(s, key={1: 1, 2: b"kid", 3: -8, -1: 7, -2: b"x"}, signerBinding=None),
    "binding_missing": lambda s: session_keys(s, signerBinding=None),
    "time_is_a_number": lambda s: session_keys(s, createdAt=1),
    "life_is_text": lambda s: session_keys(s, validityPeriod="x", minSequenceNumber=0, createdAt=None),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_properly_signed_nonsense_is_no_session_key(name: str, session: LiveSession) -> None:
    with pytest.raises(ManifestInvalid, match="session key"):
        read_session_manifest(rewritten(session, NONSENSE[name](session)), session.signer.anchor_pem)


def test_a_mallory_who_can_write_but_not_sign(session: LiveSession) -> None:
    """Another key in the manifest, and a signature by nobody: the file does not even read as trusted."""
    own = SessionKey()
    with pytest.raises(ManifestInvalid):
        read_session_manifest(
            jumbf.replace_assertions(
                session.init.encoded,
                {"c2pa.session-keys": cose.canonical_cbor(session_keys(
                    session, key=cbor2.loads(own.cose_key()),
                    signerBinding=cbor2.loads(own.bind_to_signer(session.signer.end_entity_der))))},
                lambda _: bytes(64),
            ), session.signer.anchor_pem,
        )
