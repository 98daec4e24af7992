import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.manifests import fmp4
from provenance.manifests.errors import FragmentInvalid


def fragment(
    sequence: int = 5, media_time_90k: int = 9000, sample: bytes = b"\0\0\0\1\x65", is_key: bool = True,
) -> bytes:
    moof = fmp4.moof_box(sequence, media_time_90k, len(sample), is_key)
    return fmp4.emsg_box(sequence, b"cose") + moof + fmp4.box(b"mdat", sample)


@given(
    sequence=st.integers(0, 2**32 - 1), media_time=st.integers(0, 2**63), sample=st.binary(max_size=400),
    is_key=st.booleans(),
)
def test_a_fragment_says_what_it_was_made_with(sequence: int, media_time: int, sample: bytes, is_key: bool) -> None:
    parsed = fmp4.parse_fragment(fragment(sequence, media_time, sample, is_key))
    assert fmp4.fragment_facts(parsed) == (sequence, media_time, is_key)
    assert parsed.cose == b"cose"
    assert parsed.mdat[8:] == sample
    assert parsed.encoded == fragment(sequence, media_time, sample, is_key)


@given(nals=st.lists(st.binary(min_size=1, max_size=50), max_size=6))
def test_samples_round_trip(nals: list[bytes]) -> None:
    assert fmp4.nals_of(fmp4.sample_of(nals)) == nals


@given(at=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_any_changed_bit_outside_cose_and_sample_is_seen(at: int, bit: int) -> None:
    """Emsg and moof have one form; what they may vary in is frame number, time and key flag, which are signed."""
    whole = bytearray(fragment())
    at %= len(whole)
    whole[at] ^= 1 << bit
    try:
        parsed = fmp4.parse_fragment(bytes(whole))
    except FragmentInvalid:
        return
    same = (parsed.cose, parsed.mdat[8:], fmp4.fragment_facts(parsed)) == (b"cose", b"\0\0\0\1\x65", (5, 9000, True))
    assert not same


def test_sizes_are_the_profiles() -> None:
    assert len(fmp4.moof_box(1, 0, 0, True)) == fmp4.MOOF_BYTES
    assert len(fmp4.emsg_box(1, b"")) == fmp4.EMSG_HEAD_BYTES == 66
    assert fmp4.emsg_box(1, b"")[fmp4.EMSG_URI_OFFSET :].startswith(fmp4.SCHEME_URI)


def test_the_init_segment_has_no_media_and_the_video_clock() -> None:
    init = fmp4.init_segment(256, 144)
    assert [kind for kind, _ in fmp4.split_boxes(init)] == [b"ftyp", b"moov"]
    assert b"avc3" in init
    mdhd = init.index(b"mdhd")
    assert struct.unpack_from(">I", init, mdhd + 4 + 12)[0] == 90_000


def test_recordings_come_apart() -> None:
    init = fmp4.init_segment(64, 64)
    first, rest = fmp4.split_recording(init + fragment(1) + fragment(2))
    assert first == init
    assert list(rest) == [fragment(1), fragment(2)]


@pytest.mark.parametrize("broken", [
    b"\0\0\0\7ftyp", b"\0\0\0\x20ftyp", b"\0\0", fragment(), fmp4.box(b"ftyp") + fragment(),
])
def test_files_that_are_no_recording(broken: bytes) -> None:
    with pytest.raises(FragmentInvalid):
        fmp4.split_recording(broken)


def test_a_recording_cut_inside_a_fragment() -> None:
    cut = fmp4.init_segment(64, 64) + fmp4.emsg_box(1, b"c")
    with pytest.raises(FragmentInvalid, match="inside a fragment"):
        list(fmp4.split_recording(cut)[1])


@pytest.mark.parametrize("sample", [b"\0\0\0\0", b"\0\0\0\5ab", b"\0\0"])
def test_samples_whose_lengths_lie(sample: bytes) -> None:
    with pytest.raises(FragmentInvalid):
        fmp4.nals_of(sample)


def test_other_fragments_are_refused() -> None:
    with pytest.raises(FragmentInvalid, match="one emsg"):
        fmp4.parse_fragment(fmp4.moof_box(1, 0, 0, True) + fmp4.box(b"mdat"))
    with pytest.raises(FragmentInvalid, match="exactly one frame"):
        fmp4.parse_fragment(fmp4.emsg_box(1, b"") + fmp4.box(b"moof") + fmp4.box(b"mdat"))
