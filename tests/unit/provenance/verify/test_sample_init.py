"""The sample that warms up the browser's reader: of the right shape, and trusted by nobody."""

import pytest

from provenance.manifests.errors import ManifestInvalid
from provenance.manifests.session_manifest import read_session_manifest
from tests.common.live_session import demo_signer
from tests.vectors import sample_init


def boxes(encoded: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(encoded):
        found.append(encoded[at + 4 : at + 8])
        at += int.from_bytes(encoded[at : at + 4], "big")
    return found


def test_it_has_the_shape_of_a_sessions_own_init_segment() -> None:
    sample = sample_init.FILE.read_bytes()
    assert boxes(sample) == boxes(sample_init.encoded())
    assert len(sample) < 32_000


def test_nobody_trusts_it() -> None:
    with pytest.raises(ManifestInvalid):
        read_session_manifest(sample_init.FILE.read_bytes(), demo_signer().anchor_pem)
    # The control: what the same command makes now, under this run's authority, is trusted.
    assert read_session_manifest(sample_init.encoded(), demo_signer().anchor_pem).label
