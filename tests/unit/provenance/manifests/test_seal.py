"""The sealer: its order, its counters, and that nothing else makes a sealed frame."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from provenance.manifests import sei
from provenance.manifests.attest import Attestor, SessionKey, rebuild_fragment
from provenance.manifests.errors import AttestationEnded, UnsealedFrame
from provenance.manifests.frame_codecs import H264_FRAMES
from provenance.manifests.label import Label
from provenance.manifests.permit import LeaseClock
from provenance.manifests.seal import RawFrame, SealCounters, SealedFrame, Sealer
from tests.common.live_session import access_units
from tests.unit.provenance.manifests.test_permit import permit
from trustcore.primitives.errors import GrantRevoked

SIZE = 128
LABEL = "urn:c2pa:00000000-0000-4000-8000-000000000001"


@dataclass
class Encoded:
    access_unit: bytes


@dataclass
class Steps:
    """Stands where mark and encoder stand, and notes what reaches them."""

    units: list[bytes] = field(default_factory=lambda: list(access_units()))
    order: list[str] = field(default_factory=list)
    labelled_before_mark: bool = False

    def embed(self, y: Any, u: Any, v: Any) -> None:
        self.order.append("mark")
        self.labelled_before_mark = bool((y != 90).any())
        y[0, 0] = 91

    def encode(self, y: Any, u: Any, v: Any, media_time_90k: int) -> Encoded:
        self.order.append("encode")
        assert y[0, 0] == 91, "the mark must be in before the encoder sees the picture"
        return Encoded(self.units.pop(0))


def raw(time: int) -> RawFrame:
    u, v = (np.full((SIZE // 2, SIZE // 2), 128, np.uint8) for _ in range(2))
    return RawFrame(np.full((SIZE, SIZE), 90, np.uint8), u, v, time)


def sealer(steps: Steps, lease: LeaseClock) -> tuple[Sealer, Any]:
    allowed = permit(lease)
    attestor = Attestor(SessionKey(), LABEL)
    return Sealer(allowed, label=Label(SIZE, SIZE), embedder=steps, encoder=steps, attestor=attestor), allowed


def test_label_then_mark_then_encode_then_attest() -> None:
    steps = Steps()
    seal, allowed = sealer(steps, LeaseClock(1e6))
    sealed = seal.seal(raw(0), allowed, now_s=101.0)
    assert steps.order == ["mark", "encode"]
    assert steps.labelled_before_mark
    assert rebuild_fragment(sealed.access_unit, label=LABEL, kid=seal._attestor._key.kid) == sealed.fragment
    assert (sealed.sequence, sealed.is_key, sealed.session_id) == (1, True, "c1")
    assert seal.counters.note_sent(sealed, H264_FRAMES) is sealed
    assert (seal.counters.sealed, seal.counters.sent, seal.counters.dropped) == (1, 1, 0)


def test_a_revoked_permit_stops_the_next_frame_before_any_work() -> None:
    steps, lease = Steps(), LeaseClock(1e6)
    seal, allowed = sealer(steps, lease)
    seal.seal(raw(0), allowed, now_s=101.0)
    lease.revoke("consent withdrawn")
    with pytest.raises(GrantRevoked):
        seal.seal(raw(3000), allowed, now_s=101.1)
    assert steps.order == ["mark", "encode"]


def test_a_permit_of_another_session_is_refused() -> None:
    seal, allowed = sealer(Steps(), LeaseClock(1e6))
    with pytest.raises(GrantRevoked, match="another session"):
        seal.seal(raw(0), replace(allowed, session_id="c2"), now_s=101.0)


def test_a_frame_that_fails_is_dropped_and_the_session_ends() -> None:
    steps = Steps(units=[b"", *access_units()])
    seal, allowed = sealer(steps, LeaseClock(1e6))
    for time in (0, 3000):
        with pytest.raises(AttestationEnded):
            seal.seal(raw(time), allowed, now_s=101.0)
    assert (seal.counters.sealed, seal.counters.dropped) == (0, 2)


def test_nobody_else_makes_a_sealed_frame() -> None:
    with pytest.raises(UnsealedFrame):
        SealedFrame(b"", b"", 1, 0, True, "c1", made_by=object())


def test_an_unsealed_frame_is_counted_and_stopped() -> None:
    counters = SealCounters()
    with pytest.raises(UnsealedFrame):
        counters.note_sent(raw(0), H264_FRAMES)
    assert (counters.unsealed_sent, counters.sent) == (1, 0)


@pytest.mark.parametrize("spoil", [
    lambda sealed: access_units()[0],  # the seal's type, without its bytes
    lambda sealed: b"",
    lambda sealed: sealed.access_unit.replace(sei.PROFILE_UUID, bytes(range(1, 17))),
])
def test_a_sealed_frame_whose_bytes_lost_their_attestation_is_counted_and_stopped(spoil: Any) -> None:
    seal, allowed = sealer(Steps(), LeaseClock(1e6))
    sealed = seal.seal(raw(0), allowed, now_s=101.0)
    with pytest.raises(UnsealedFrame):
        seal.counters.note_sent(replace(sealed, access_unit=spoil(sealed)), H264_FRAMES)
    with pytest.raises(UnsealedFrame):
        seal.counters.note_sent(replace(sealed, sequence=2), H264_FRAMES)
    assert (seal.counters.unsealed_sent, seal.counters.sent) == (2, 0)


def test_rgb_becomes_limited_range_i420() -> None:
    rgb = np.zeros((16, 32, 3), np.uint8)
    rgb[:, 16:] = 255
    frame = RawFrame.from_rgb(rgb, 7)
    assert frame.y.shape == (16, 32)
    assert frame.u.shape == frame.v.shape == (8, 16)
    assert (frame.y[0, 0], frame.y[0, 31]) == (16, 235)
    assert abs(int(frame.u[0, 0]) - 128) <= 1
