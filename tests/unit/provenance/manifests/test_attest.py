from collections.abc import Sequence

import av
import numpy as np
import pytest

from provenance.manifests import cose, fmp4, sei
from provenance.manifests.attest import Attestor, SessionKey, rebuild_fragment
from provenance.manifests.carriage import MAX_MEDIA_TIME_90K, Form
from provenance.manifests.errors import AttestationEnded
from provenance.manifests.frame_codecs import CODECS, H264_FRAMES, FrameCodec
from tests.common.live_session import access_units

LABEL = "urn:c2pa:00000000-0000-4000-8000-000000000001"


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("codec", CODECS.values(), ids=lambda codec: codec.name)
def test_what_is_sent_is_what_is_recorded(codec: FrameCodec, form: Form) -> None:
    key = SessionKey()
    attestor = Attestor(key, LABEL, codec=codec)
    for index, unit in enumerate(access_units(codec=codec)):
        attested = attestor.attest(unit, 3000 * index, form)
        assert attested.sequence == index + 1
        rebuilt = rebuild_fragment(attested.access_unit, label=LABEL, kid=key.kid, codec=codec)
        assert rebuilt == attested.fragment
        assert attested.is_key == (index % 10 == 0)
        assert codec.take(attested.access_unit).sample == codec.take(unit).sample


@pytest.mark.parametrize("codec", CODECS.values(), ids=lambda codec: codec.name)
def test_the_form_changes_what_is_sent_and_not_what_is_recorded(codec: FrameCodec) -> None:
    key = SessionKey()
    full, compact = Attestor(key, LABEL, codec=codec), Attestor(key, LABEL, codec=codec)
    for index, unit in enumerate(access_units(codec=codec)):
        long, short = full.attest(unit, 3000 * index), compact.attest(unit, 3000 * index, Form.COMPACT)
        assert long.fragment == short.fragment
        assert len(short.access_unit) - len(unit) <= 110 < len(long.access_unit) - len(unit) <= 340


def test_the_full_form_is_a_section_19_4_object() -> None:
    attested = Attestor(SessionKey(), LABEL).attest(access_units()[0], 0)
    carried = H264_FRAMES.take(attested.access_unit).carried
    assert carried is not None
    assert carried.content == fmp4.parse_fragment(attested.fragment).cose
    signed = cose.parse_sign1(carried.content)
    assert signed.payload is not None
    info = cose.parse_canonical(signed.payload)
    assert set(info) == {"sequenceNumber", "bmffHash", "manifestId"}
    assert set(info["bmffHash"]) == {"exclusions", "alg", "hash"}


def test_a_media_time_that_does_not_fit_ends_the_attestation() -> None:
    attestor = Attestor(SessionKey(), LABEL)
    attestor.attest(access_units()[0], MAX_MEDIA_TIME_90K)
    with pytest.raises(AttestationEnded):
        attestor.attest(access_units()[1], MAX_MEDIA_TIME_90K + 1)


def test_the_encoders_own_sei_and_parameter_sets_are_signed() -> None:
    attested = Attestor(SessionKey(), LABEL).attest(access_units()[0], 0)
    sample = fmp4.parse_fragment(attested.fragment).mdat[8:]
    kinds = {sei.nal_type(nal) for nal in fmp4.nals_of(sample)}
    assert {sei.NAL_SPS, sei.NAL_PPS, sei.NAL_SEI, sei.NAL_IDR} <= kinds


@pytest.mark.parametrize("sequence", [1, 23, 24, 255, 256, 65_535, 65_536, 2**32 - 1])
def test_the_hash_covers_the_final_offsets_at_every_number_width(sequence: int) -> None:
    key = SessionKey()
    fragment = fmp4.parse_fragment(Attestor(key, LABEL, sequence).attest(access_units()[0], 1).fragment)
    info = cose.parse_canonical(cose.verify_sign1(key.public, cose.parse_sign1(fragment.cose)))
    assert info["sequenceNumber"] == sequence


@pytest.mark.parametrize(("second", "time"), [
    (b"no access unit", 3000), (b"\x00\x00\x01\x67\x01", 3000), (access_units()[1], 0),
])
def test_one_failure_ends_the_attestation(second: bytes, time: int) -> None:
    attestor = Attestor(SessionKey(), LABEL)
    attestor.attest(access_units()[0], 0)
    with pytest.raises(AttestationEnded):
        attestor.attest(second, time)
    with pytest.raises(AttestationEnded, match="has ended"):
        attestor.attest(access_units()[1], 6000)


def test_an_attested_frame_is_not_attested_twice() -> None:
    attestor = Attestor(SessionKey(), LABEL)
    attested = attestor.attest(access_units()[0], 0)
    with pytest.raises(AttestationEnded):
        attestor.attest(attested.access_unit, 3000)


def test_numbers_end_with_32_bits() -> None:
    attestor = Attestor(SessionKey(), LABEL, 2**32 - 1)
    attestor.attest(access_units()[0], 0)
    with pytest.raises(AttestationEnded):
        attestor.attest(access_units()[1], 3000)


def test_a_session_key_does_not_show_its_private_half() -> None:
    key = SessionKey()
    private = key._private.private_bytes_raw()
    assert private.hex() not in repr(vars(key)) + repr(key)
    assert private not in key.cose_key() + key.bind_to_signer(b"certificate")


@pytest.mark.parametrize("codec", CODECS.values(), ids=lambda codec: codec.name)
@pytest.mark.parametrize("form", Form)
def test_a_decoder_that_knows_nothing_of_it_shows_the_same_pictures(codec: FrameCodec, form: Form) -> None:
    units, attestor = access_units(codec=codec), Attestor(SessionKey(), LABEL, codec=codec)
    attested = [attestor.attest(unit, 3000 * index, form).access_unit for index, unit in enumerate(units)]
    shown, expected = decoded(attested, codec), decoded(units, codec)
    assert len(shown) == len(units)
    assert all(np.array_equal(a, b) for a, b in zip(shown, expected, strict=True))


def decoded(units: Sequence[bytes], codec: FrameCodec) -> list[np.ndarray]:
    decoder = av.CodecContext.create("vp8" if codec.name == "vp8" else "h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    packets = [*map(av.Packet, units), None]
    return [frame.to_ndarray() for packet in packets for frame in decoder.decode(packet)]
