"""The golden frames: regenerated, judged by the Python verifier and by the browser's verifier in node."""

import base64
import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.manifests.attest import rebuild_fragment
from provenance.manifests.session_manifest import KeyEntry, SessionManifest
from provenance.verify.stream import FrameState, StreamVerifier
from tests.vectors.vsi import generate

REPOSITORY = Path(__file__).resolve().parents[4]
VECTORS: dict[str, Any] = json.loads(generate.FILE.read_text())


def manifest() -> SessionManifest:
    session = VECTORS["session"]
    key = KeyEntry(
        kid=bytes.fromhex(session["kid"]),
        public=Ed25519PublicKey.from_public_bytes(bytes.fromhex(session["public_key"])),
        minimum_sequence=session["minimum_sequence"],
        created_at=datetime.fromtimestamp(session["created_at_ms"] / 1000, UTC), validity_s=session["validity_s"],
    )
    return SessionManifest(session["label"], "", {}, key, "")


def test_the_vectors_are_what_the_code_makes_now() -> None:
    assert generate.encoded() == generate.FILE.read_text()


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_python_gives_each_frame_its_verdict(case: dict[str, Any]) -> None:
    verifier = StreamVerifier(manifest())
    now = None if case["now_ms"] is None else datetime.fromtimestamp(case["now_ms"] / 1000, UTC)
    got = [verifier.check_access_unit(base64.b64decode(unit), now).counter for unit in case["units"]]
    assert got == case["expect"]


def test_rebuilt_fragments_are_the_recorded_ones() -> None:
    good = next(case for case in VECTORS["cases"] if case["name"] == "good")
    for unit, fragment in zip(good["units"], VECTORS["good_fragments"], strict=False):
        assert rebuild_fragment(base64.b64decode(unit)) == base64.b64decode(fragment)


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_browser_code_agrees() -> None:
    script = REPOSITORY / "tests/vectors/vsi/check_frames.mjs"
    folder = REPOSITORY / "trustcore/static/js/verify"
    done = subprocess.run(
        ["node", str(script), str(generate.FILE), str(folder)], capture_output=True, text=True, check=False, timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout) == {"cases": len(VECTORS["cases"]), "wrong": []}


GOOD = [base64.b64decode(unit) for unit in VECTORS["cases"][0]["units"]]


@settings(max_examples=300, deadline=None)
@given(index=st.integers(0, 4), at=st.integers(0, 10_000), bit=st.integers(0, 7), cut=st.integers(0, 40))
def test_no_damaged_frame_verifies_and_none_crashes(index: int, at: int, bit: int, cut: int) -> None:
    unit = bytearray(GOOD[index])
    unit[at % len(unit)] ^= 1 << bit
    damaged = bytes(unit[: len(unit) - cut])
    assert StreamVerifier(manifest()).check_access_unit(damaged).state is not FrameState.VERIFIED


@given(junk=st.binary(max_size=200))
def test_junk_is_no_frame(junk: bytes) -> None:
    assert StreamVerifier(manifest()).check_access_unit(junk).state is not FrameState.VERIFIED
    assert StreamVerifier(manifest()).check_fragment(junk).state is not FrameState.VERIFIED
