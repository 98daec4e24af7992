"""Python's parsers and the browser's read damaged bytes alike: where the two differ, somebody could show the viewer one
thing and the verifier another."""

import base64
import hashlib
import json
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from provenance.manifests import attest, cose, jumbf, sei, session_manifest
from provenance.manifests.errors import CoseInvalid, ManifestInvalid, SeiInvalid, TrailerInvalid
from provenance.manifests.frame_codecs import H264_FRAMES, VP8_FRAMES, FrameCodec
from tests.common.damage import damaged_by, outcome
from tests.unit.provenance.test_parser_fuzz import CARRIED, ODD_CBOR, VP8_KEY, samples, store_area

REPOSITORY = Path(__file__).resolve().parents[4]
CASES_EACH = 600
pytestmark = [
    pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


def fragment_sha256(frame: bytes, codec: FrameCodec = H264_FRAMES) -> str:
    fragment = attest.rebuild_fragment(frame, label="urn:c2pa:test", kid=b"kkkk", codec=codec)
    return "none" if fragment is None else hashlib.sha256(fragment).hexdigest()


def claim_sha256(media: bytes) -> str:
    """What `read_session_manifest` reads, without the chain of trust."""
    manifest = jumbf.active_manifest(jumbf.parse_store(media, jumbf.find_store(media)))
    certificate = session_manifest.signer_certificate(media, manifest)
    session_manifest._read_facts(jumbf.assertion_cbor(media, manifest, "org.trustcore.session"))
    session_manifest._read_key(jumbf.assertion_cbor(media, manifest, "c2pa.session-keys"), certificate)
    return jumbf.claim_sha256(media, manifest)


def both_forms() -> list[bytes]:
    bare = [sei.join_annex_b(sei.take_sei(unit)[0]) for unit in samples().units]
    return [*samples().units, *(H264_FRAMES.carry(unit, CARRIED[1]) for unit in bare)]


PARSERS: dict[str, tuple[Callable[[bytes], str], Callable[[], list[bytes]], type[Exception]]] = {
    "unit": (fragment_sha256, both_forms, SeiInvalid),
    "vp8": (lambda frame: fragment_sha256(frame, VP8_FRAMES),
            lambda: [VP8_FRAMES.carry(VP8_KEY, carried) for carried in CARRIED], TrailerInvalid),
    "sei": (lambda nal: str(sei.parse_sei(nal).sequence), lambda: samples().seis, SeiInvalid),
    "cose": (lambda b: cose.parse_sign1(b).signature.hex(), lambda: samples().coses + ODD_CBOR, CoseInvalid),
    "store": (claim_sha256, lambda: [store_area(samples().init)], ManifestInvalid),
}


def in_browser_code(name: str, cases: list[bytes]) -> list[str | None]:
    done = subprocess.run(
        ["node", str(REPOSITORY / "tests/vectors/vsi/judge_bytes.mjs"), str(REPOSITORY / "trustcore/static/js/verify")],
        input=json.dumps([[name, base64.b64encode(case).decode()] for case in cases]),
        capture_output=True, text=True, check=True, timeout=60)
    told: list[str | None] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize("name", PARSERS)
def test_both_read_the_same_bytes_alike(name: str) -> None:
    parse, good, refusal = PARSERS[name]
    draw = random.Random(7)  # noqa: S311 nothing secret is drawn
    cases = [*good(), *(damaged_by(draw, good()) for _ in range(CASES_EACH))]
    here = [outcome(parse, case, refusal) for case in cases]
    there = in_browser_code(name, cases)
    differ = [(case[:120].hex(), a, b) for case, a, b in zip(cases, here, there, strict=True) if a != b]
    if name == "store":
        # Of a store, each reads only what it needs: one may refuse a box that the other never opens. What both read
        # has to be the same claim.
        differ = [(case, a, b) for case, a, b in differ if a is not None and b is not None]
    assert not differ
    assert any(here) and not all(here)


@pytest.mark.parametrize("kind", [b"c2vc", b"c2ma", b"cbor", b"zzzz"])
def test_neither_reads_a_manifest_that_is_hidden_beside_the_signed_one(kind: bytes) -> None:
    """The reader that checks the signature passes over boxes it does not know; whoever read them would be fooled."""
    media = store_area(samples().init)
    at = jumbf.find_store(media)
    store = jumbf.parse_store(media, at)
    (signed,) = store.children
    hidden = media[signed.start : signed.start + 16] + kind + media[signed.start + 20 : signed.end]
    grown = bytearray(media[: store.end] + hidden + media[store.end :])
    for box_at in (0, at):  # the uuid box, and the store in it
        size = int.from_bytes(grown[box_at : box_at + 4], "big") + len(hidden)
        grown[box_at : box_at + 4] = size.to_bytes(4, "big")
    with pytest.raises(ManifestInvalid, match="one C2PA manifest"):
        claim_sha256(bytes(grown))
    assert in_browser_code("store", [media, bytes(grown)]) == [claim_sha256(media), None]
