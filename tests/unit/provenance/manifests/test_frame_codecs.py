import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.manifests import carriage
from provenance.manifests.carriage import Carried, Form
from provenance.manifests.errors import CarriageInvalid, TrailerInvalid
from provenance.manifests.frame_codecs import TRAILER_MAGIC, VP8_FRAMES

CARRIED = st.builds(
    Carried, st.just(Form.FULL), st.integers(0, 2**32 - 1), st.integers(0, 2**40 - 1), st.binary(max_size=400),
) | st.builds(
    Carried, st.just(Form.COMPACT), st.integers(0, 2**32 - 1), st.integers(0, 2**40 - 1),
    st.binary(min_size=64, max_size=64),
)
DELTA = st.binary(min_size=2, max_size=200).map(lambda rest: b"\x11" + rest)


@given(carried=CARRIED)
def test_carriage_round_trip(carried: Carried) -> None:
    assert carriage.unpack(carriage.pack(carried)) == carried


@given(encoded=st.binary(max_size=120))
def test_what_unpacks_packs_again_to_itself(encoded: bytes) -> None:
    try:
        carried = carriage.unpack(encoded)
    except CarriageInvalid:
        return
    assert carriage.pack(carried) == encoded


@pytest.mark.parametrize("carried", [
    Carried(Form.FULL, 2**32, 0, b""), Carried(Form.FULL, -1, 0, b""), Carried(Form.FULL, 1, 2**40, b""),
    Carried(Form.COMPACT, 1, 0, bytes(63)), Carried(Form.COMPACT, 1, 0, bytes(65)),
    Carried(Form.FULL, 1, 0, bytes(4097)),
])
def test_what_does_not_fit_is_not_packed(carried: Carried) -> None:
    with pytest.raises(CarriageInvalid):
        carriage.pack(carried)


@given(frame=DELTA, carried=CARRIED)
def test_trailer_round_trip(frame: bytes, carried: Carried) -> None:
    taken = VP8_FRAMES.take(VP8_FRAMES.carry(frame, carried))
    assert (taken.sample, taken.carried, taken.is_key) == (frame, carried, False)


@pytest.mark.parametrize("frame", [
    b"", b"\x11\x02", TRAILER_MAGIC, b"\x11\x02\x00\x00\x01" + TRAILER_MAGIC, b"\x10\x02\x00\x00\x00\x00",
    b"\x11\x02\x00" + b"Q" * 10 + b"\x00\x0a" + TRAILER_MAGIC,
])
def test_bytes_that_are_no_vp8_frame_with_a_trailer(frame: bytes) -> None:
    with pytest.raises(TrailerInvalid):
        VP8_FRAMES.take(frame)


def test_a_frame_has_a_limit() -> None:
    with pytest.raises(TrailerInvalid, match="too large"):
        VP8_FRAMES.take(bytes(4 * 1024 * 1024 + 1))
