"""One encode for all: key frames when asked, a changed bit rate without one, one access unit a picture."""

import numpy as np
import pytest
from aiortc.codecs.h264 import NAL_TYPE_STAP_A, H264Encoder, h264_depayload

from provenance.manifests import sei
from provenance.manifests.carriage import Carried, Form
from provenance.manifests.cose import SIGNATURE_BYTES
from provenance.manifests.frame_codecs import H264_FRAMES, VP8_FRAMES
from rendering.worker.encoder import EncodeFailed, EncoderSettings, VideoEncoder

SIZE = 128
GREY = np.full((SIZE // 2, SIZE // 2), 128, np.uint8)


def pictures(count: int) -> list[np.ndarray]:
    random = np.random.default_rng(3)
    base = random.integers(0, 255, (SIZE // 4, SIZE // 4), dtype=np.uint8).repeat(4, 0).repeat(4, 1)
    return [np.roll(base, 2 * i, 1) // 2 + random.integers(0, 60, base.shape, dtype=np.uint8) for i in range(count)]


def encode(encoder: VideoEncoder, count: int, first: int = 0) -> list:
    return [encoder.encode(y, GREY, GREY, 3000 * (first + i)) for i, y in enumerate(pictures(count))]


def kilobits_per_s(frames: list) -> float:
    return sum(len(frame.access_unit) for frame in frames) * 8 * 30 / len(frames) / 1000


def test_each_picture_gives_one_access_unit_and_only_the_first_is_a_key_frame() -> None:
    frames = encode(VideoEncoder(EncoderSettings(SIZE, SIZE)), 40)
    assert [frame.is_key for frame in frames] == [True] + [False] * 39
    kinds = {sei.nal_type(nal) for nal in sei.split_annex_b(frames[0].access_unit)}
    assert {sei.NAL_SPS, sei.NAL_PPS, sei.NAL_IDR} <= kinds  # a viewer who joins needs nothing from before


def test_a_lost_reference_is_answered_with_a_key_frame_at_the_next_picture() -> None:
    encoder = VideoEncoder(EncoderSettings(SIZE, SIZE))
    encode(encoder, 5)
    encoder.request_key_frame()
    assert [frame.is_key for frame in encode(encoder, 3, first=5)] == [True, False, False]


def test_the_bit_rate_changes_on_the_open_codec_without_a_key_frame() -> None:
    encoder = VideoEncoder(EncoderSettings(SIZE, SIZE, bit_rate_bps=800_000))
    before = encode(encoder, 60)
    encoder.set_bit_rate_bps(200_000)
    after = encode(encoder, 90, first=60)
    assert not any(frame.is_key for frame in after)
    assert kilobits_per_s(after[30:]) < 0.5 * kilobits_per_s(before[30:])


def test_the_bit_rate_stays_under_the_ceiling() -> None:
    encoder = VideoEncoder(EncoderSettings(SIZE, SIZE, max_bit_rate_bps=900_000))
    encoder.set_bit_rate_bps(50_000_000)
    assert encoder.bit_rate_bps == 900_000


def test_after_a_failed_picture_the_next_is_a_key_frame() -> None:
    encoder = VideoEncoder(EncoderSettings(SIZE, SIZE))
    encode(encoder, 3)

    class Broken:
        bit_rate = encoder.bit_rate_bps

        def encode(self, _frame: object) -> list:
            return []

    codec, encoder._codec = encoder._codec, Broken()  # type: ignore[assignment]
    with pytest.raises(EncodeFailed):
        encoder.encode(pictures(1)[0], GREY, GREY, 9000)
    encoder._codec = codec
    assert encode(encoder, 1, first=4)[0].is_key


@pytest.mark.parametrize("form", Form)
def test_a_picture_without_the_packet_of_its_attestation_has_no_beginning(form: Form) -> None:
    """Its first slice is in the same packet. Otherwise Chromium may hand on the rest, which cannot be verified."""
    encoder = VideoEncoder(EncoderSettings(256, 256, bit_rate_bps=900_000))
    large = bytes(range(1, 256)) + bytes(range(9, 74))
    content = large if form is Form.FULL else large[:SIGNATURE_BYTES]
    base = pictures(30)
    for number, small in enumerate(base):
        if number == 20:
            encoder.request_key_frame()
        grey = np.full((128, 128), 128, np.uint8)
        encoded = encoder.encode(small.repeat(2, 0).repeat(2, 1), grey, grey, 3000 * number)
        unit = H264_FRAMES.carry(encoded.access_unit, Carried(form, number + 1, 3000 * number, content))
        packets = H264Encoder._packetize(H264Encoder._split_bitstream(unit))
        kinds = [[sei.nal_type(nal) for nal in sei.split_annex_b(h264_depayload(packet))] for packet in packets]
        assert len(packets) > 1 and all(len(packet) <= 1300 for packet in packets)
        if number:  # the very first one also carries what x264 says of itself
            assert packets[0][0] & 31 == NAL_TYPE_STAP_A and sei.NAL_SEI in kinds[0]
            assert kinds[0][-1] in (sei.NAL_IDR, sei.NAL_SLICE)
            assert {kind for packet in kinds[1:] for kind in packet} <= {sei.NAL_IDR, sei.NAL_SLICE}


VP8 = EncoderSettings(SIZE, SIZE, bit_rate_bps=800_000, codec="vp8")


def test_vp8_makes_one_frame_a_picture_and_a_key_frame_only_when_asked() -> None:
    encoder = VideoEncoder(VP8)
    frames = encode(encoder, 20)
    encoder.request_key_frame()
    frames += encode(encoder, 3, first=20)
    assert [frame.is_key for frame in frames] == [True] + [False] * 19 + [True, False, False]
    assert [VP8_FRAMES.take(frame.access_unit).is_key for frame in frames] == [frame.is_key for frame in frames]


def test_vp8_follows_a_large_change_of_the_target_and_spends_no_key_frame_on_a_small_one() -> None:
    encoder = VideoEncoder(VP8)
    before = encode(encoder, 60)
    encoder.set_bit_rate_bps(750_000)
    assert not any(frame.is_key for frame in encode(encoder, 10, first=60))
    encoder.set_bit_rate_bps(200_000)
    after = encode(encoder, 90, first=70)
    assert [frame.is_key for frame in after] == [True] + [False] * 89
    assert kilobits_per_s(after[30:]) < 0.5 * kilobits_per_s(before[30:])
