import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.manifests import sei
from provenance.manifests.errors import SeiInvalid

# NAL units as an encoder may make them: no start code inside, no zero at the end.
ZERO_HEAVY = st.lists(st.sampled_from([0, 0, 0, 1, 2, 3, 255]), max_size=80).map(bytes)
NALS = st.lists(
    st.tuples(st.sampled_from([0x65, 0x41, 0x67, 0x06]), ZERO_HEAVY).map(
        lambda parts: bytes([parts[0]]) + sei.add_emulation_prevention(parts[1]) + b"\x80",
    ), min_size=1, max_size=5,
)


@given(rbsp=ZERO_HEAVY | st.binary(max_size=300))
def test_emulation_prevention_round_trip(rbsp: bytes) -> None:
    escaped = sei.add_emulation_prevention(rbsp + b"\x80")
    assert sei.remove_emulation_prevention(escaped) == rbsp + b"\x80"
    for forbidden in (b"\x00\x00\x00", b"\x00\x00\x01", b"\x00\x00\x02"):
        assert forbidden not in escaped


@given(nals=NALS, wide=st.booleans())
def test_splitting_undoes_joining(nals: list[bytes], wide: bool) -> None:
    joined = sei.join_annex_b(nals) if wide else b"".join(b"\x00\x00\x01" + nal for nal in nals)
    assert sei.split_annex_b(joined) == nals


@given(
    sequence=st.integers(0, 2**32 - 1), media_time=st.integers(0, sei.MAX_MEDIA_TIME_90K),
    cose=ZERO_HEAVY | st.binary(max_size=700),
)
def test_sei_round_trip(sequence: int, media_time: int, cose: bytes) -> None:
    payload = sei.SeiPayload(sequence, media_time, cose)
    nal = sei.build_sei(payload)
    assert sei.is_attestation_sei(nal)
    assert sei.parse_sei(nal) == payload
    unit = sei.join_annex_b(sei.insert_sei([b"\x67\x01", b"\x65\x80"], nal))
    rest, found = sei.take_sei(unit)
    assert rest == [b"\x67\x01", b"\x65\x80"]
    assert found == payload


def test_the_sei_stands_before_the_first_slice() -> None:
    nals = sei.insert_sei([b"\x67\x01", b"\x68\x01", b"\x06\x05", b"\x65\x80", b"\x65\x81"], b"\x06new")
    assert nals[3] == b"\x06new"


def test_other_sei_messages_are_left_alone() -> None:
    x264 = b"\x06\x05\x11" + bytes(range(1, 17)) + b"\x2a\x80"
    rest, found = sei.take_sei(sei.join_annex_b([x264, b"\x65\x80"]))
    assert found is None
    assert rest == [x264, b"\x65\x80"]


@pytest.mark.parametrize("nal", [b"\x06", b"\x06\x04\x01\x02", b"\x06\x05\xff\xff", b"\x65\x05"])
def test_short_messages_are_not_ours(nal: bytes) -> None:
    assert not sei.is_attestation_sei(nal)
    with pytest.raises(SeiInvalid):
        sei.parse_sei(nal)


@pytest.mark.parametrize("unit", [b"", b"\x01\x02\x03", b"\xff\x00\x00\x01\x65", b"\x00\x00\x01\x00\x00\x01\x65"])
def test_bytes_that_are_no_access_unit(unit: bytes) -> None:
    with pytest.raises(SeiInvalid):
        sei.split_annex_b(unit)


def test_one_form_only() -> None:
    nal = sei.build_sei(sei.SeiPayload(1, 3000, b"cose"))
    for other in (nal + b"\x01", nal[:-1], nal[:-1] + b"\x81"):
        with pytest.raises(SeiInvalid):
            sei.parse_sei(other)


def test_no_picture_no_attestation() -> None:
    with pytest.raises(SeiInvalid, match="no picture"):
        sei.insert_sei([b"\x67\x01"], b"\x06")


def test_an_access_unit_has_a_limit() -> None:
    with pytest.raises(SeiInvalid, match="too large"):
        sei.split_annex_b(bytes(sei.MAX_ACCESS_UNIT_BYTES + 1))
