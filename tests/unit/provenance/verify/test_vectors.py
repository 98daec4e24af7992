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
from provenance.manifests.frame_codecs import CODECS, H264_FRAMES
from provenance.manifests.session_manifest import KeyEntry, SessionManifest
from provenance.verify.stream import FrameState, StreamVerifier
from tests.vectors.vsi import generate

REPOSITORY = Path(__file__).resolve().parents[4]
SUITES: list[dict[str, Any]] = json.loads(generate.FILE.read_text())["suites"]
CASES = [(suite, case) for suite in SUITES for case in suite["cases"]]


def manifest(suite: dict[str, Any]) -> SessionManifest:
    session = suite["session"]
    key = KeyEntry(
        kid=bytes.fromhex(session["kid"]),
        public=Ed25519PublicKey.from_public_bytes(bytes.fromhex(session["public_key"])),
        minimum_sequence=session["minimum_sequence"],
        created_at=datetime.fromtimestamp(session["created_at_ms"] / 1000, UTC), validity_s=session["validity_s"],
    )
    return SessionManifest(session["label"], "", {}, key, "", CODECS.get(session["codec"], H264_FRAMES))


def verifier(suite: dict[str, Any]) -> StreamVerifier:
    return StreamVerifier(manifest(suite), is_sound=suite["session"]["is_sound"])


def test_the_vectors_are_what_the_code_makes_now() -> None:
    assert generate.encoded() == generate.FILE.read_text()


@pytest.mark.parametrize(("suite", "case"), CASES, ids=[f"{suite['name']}-{case['name']}" for suite, case in CASES])
def test_python_gives_each_frame_its_verdict(suite: dict[str, Any], case: dict[str, Any]) -> None:
    judge = verifier(suite)
    now = None if case["now_ms"] is None else datetime.fromtimestamp(case["now_ms"] / 1000, UTC)
    got = [judge.check_access_unit(base64.b64decode(unit), now).counter for unit in case["units"]]
    assert got == case["expect"]


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite["name"])
def test_rebuilt_fragments_are_the_recorded_ones(suite: dict[str, Any]) -> None:
    known, good, codec = manifest(suite), suite["cases"][0], verifier(suite).codec
    for unit, fragment in zip(good["units"], suite["good_fragments"], strict=False):
        rebuilt = rebuild_fragment(
            base64.b64decode(unit), label=known.label, kid=known.key.kid, codec=codec)
        assert rebuilt == base64.b64decode(fragment)


@pytest.mark.parametrize("codec", ["h264", "vp8", "opus"])
def test_both_forms_are_recorded_as_the_same_bytes(codec: str) -> None:
    full, compact = (suite for suite in SUITES if suite["session"]["codec"] == codec)
    assert full["good_fragments"] == compact["good_fragments"]
    assert full["cases"][0]["units"] != compact["cases"][0]["units"]


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_browser_code_agrees() -> None:
    script = REPOSITORY / "tests/vectors/vsi/check_frames.mjs"
    folder = REPOSITORY / "trustcore/static/js/verify"
    done = subprocess.run(
        ["node", str(script), str(generate.FILE), str(folder)], capture_output=True, text=True, check=False, timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout) == {"cases": len(CASES), "wrong": []}


@settings(max_examples=600, deadline=None)
@given(
    suite=st.sampled_from(SUITES), index=st.integers(0, 4), at=st.integers(0, 10_000), bit=st.integers(0, 7),
    cut=st.integers(0, 40),
)
def test_no_damaged_frame_verifies_and_none_crashes(
    suite: dict[str, Any], index: int, at: int, bit: int, cut: int,
) -> None:
    unit = bytearray(base64.b64decode(suite["cases"][0]["units"][index]))
    unit[at % len(unit)] ^= 1 << bit
    damaged = bytes(unit[: len(unit) - cut])
    assert verifier(suite).check_access_unit(damaged).state is not FrameState.VERIFIED


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite["name"])
def test_every_single_bit_of_a_frame_counts(suite: dict[str, Any]) -> None:
    """Exhaustive for the second frame: picture, attestation and what lies between."""
    unit = base64.b64decode(suite["cases"][0]["units"][1])
    for at in range(len(unit)):
        for bit in range(8):
            changed = bytearray(unit)
            changed[at] ^= 1 << bit
            assert verifier(suite).check_access_unit(bytes(changed)).counter != "verified", (at, bit)


@given(suite=st.sampled_from(SUITES), junk=st.binary(max_size=200))
def test_junk_is_no_frame(suite: dict[str, Any], junk: bytes) -> None:
    assert verifier(suite).check_access_unit(junk).state is not FrameState.VERIFIED
    assert verifier(suite).check_fragment(junk).state is not FrameState.VERIFIED
