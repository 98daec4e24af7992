"""How an encoded frame of each codec becomes an MP4 sample, and where in the frame its attestation travels.

H.264: an SEI before the first slice, which every decoder skips. VP8 has no such place: the attestation stands behind
the frame, and the receiver takes it off before the decoder sees the frame. The signed init segment names the codec, so
a frame is read in one way only. Sound is Opus always: its attestation stands in the packet's padding, which every
decoder must skip whatever it holds (RFC 6716 3.2.5), so a page without a verifier plays the sound as it is.
"""

import struct
from dataclasses import dataclass
from typing import Protocol

from provenance.manifests import carriage, fmp4, sei
from provenance.manifests.carriage import Carried
from provenance.manifests.errors import CarriageInvalid, PaddingInvalid, TrailerInvalid
from provenance.manifests.fmp4 import Track

TRAILER_MAGIC = b"TCv2"
_TRAILER_END = struct.Struct(">H4s")  # size of the attestation, magic
_VP8_START_CODE = b"\x9d\x01\x2a"  # of key frames (RFC 6386 9.1)


@dataclass(frozen=True)
class Taken:
    """A received frame, taken apart. The attestation is not checked yet."""

    sample: bytes  # as it stands in the fragment's mdat
    is_key: bool
    carried: Carried | None


class FrameCodec(Protocol):
    """One codec of the live profile."""

    name: str
    sample_entry: bytes
    track: Track

    def take(self, frame: bytes) -> Taken:
        """Split an encoded frame from its attestation.

        Raises:
            CarriageInvalid: the frame or its attestation is malformed.
        """

    def carry(self, frame: bytes, carried: Carried) -> bytes:
        """The encoded frame with its attestation.

        Raises:
            CarriageInvalid: the frame holds no picture.
        """


class H264:
    """Annex B access units."""

    name = "h264"
    sample_entry = b"avc3"
    track = fmp4.PICTURE

    def take(self, frame: bytes) -> Taken:
        nals, carried = sei.take_sei(frame)
        is_key = any(sei.nal_type(nal) == sei.NAL_IDR for nal in nals)
        return Taken(fmp4.sample_of(nals), is_key, carried)

    def carry(self, frame: bytes, carried: Carried) -> bytes:
        return sei.join_annex_b(sei.insert_sei(sei.split_annex_b(frame), sei.build_sei(carried)))


class Vp8:
    """VP8 frames (RFC 6386). Trailer: attestation, its size u16, magic."""

    name = "vp8"
    sample_entry = b"vp08"
    track = fmp4.PICTURE

    def take(self, frame: bytes) -> Taken:
        sample, carried = _take_trailer(frame)
        return Taken(sample, _is_vp8_key(sample), carried)

    def carry(self, frame: bytes, carried: Carried) -> bytes:
        encoded = carriage.pack(carried)
        return frame + encoded + _TRAILER_END.pack(len(encoded), TRAILER_MAGIC)


def _take_trailer(frame: bytes) -> tuple[bytes, Carried | None]:
    if len(frame) > sei.MAX_ACCESS_UNIT_BYTES:
        raise TrailerInvalid("This frame is too large.", size=len(frame))
    if not frame.endswith(TRAILER_MAGIC) or len(frame) < _TRAILER_END.size:
        return frame, None
    size, _ = _TRAILER_END.unpack_from(frame, len(frame) - _TRAILER_END.size)
    start = len(frame) - _TRAILER_END.size - size
    if start < 0:
        raise TrailerInvalid("This trailer is longer than the frame.")
    try:
        return frame[:start], carriage.unpack(frame[start : start + size])
    except CarriageInvalid as error:
        raise TrailerInvalid(error.message) from error


def _is_vp8_key(sample: bytes) -> bool:
    """Whether the frame tag says key frame (RFC 6386 9.1: the lowest bit is 0), and the frame begins as one must.

    Raises:
        TrailerInvalid: too short for a frame, or a key frame without its start code.
    """
    if len(sample) < 3:
        raise TrailerInvalid("This is no VP8 frame.")
    is_key = not sample[0] & 1
    if is_key and sample[3:6] != _VP8_START_CODE:
        raise TrailerInvalid("This VP8 key frame does not begin as one.")
    return is_key


class Opus:
    """Opus packets of one frame (code 0). With an attestation they become code 3 with one frame and padding."""

    name = "opus"
    sample_entry = b"Opus"
    track = fmp4.SOUND

    def take(self, frame: bytes) -> Taken:
        if not frame or len(frame) > MAX_OPUS_BYTES:
            raise PaddingInvalid("This is no Opus packet.", size=len(frame))
        if frame[0] & 3 != 3 or len(frame) < 2 or not frame[1] & _OPUS_HAS_PADDING:
            return Taken(frame, is_key=True, carried=None)
        sample, padding = _split_padding(frame)
        try:
            return Taken(sample, is_key=True, carried=carriage.unpack(padding))
        except CarriageInvalid as error:
            raise PaddingInvalid(error.message) from error

    def carry(self, frame: bytes, carried: Carried) -> bytes:
        if not frame or frame[0] & 3:
            raise PaddingInvalid("Only Opus packets of one frame are attested.")
        padding = carriage.pack(carried)
        full, rest = divmod(len(padding), 254)
        head = bytes([frame[0] | 3, _OPUS_ONE_FRAME | _OPUS_HAS_PADDING]) + b"\xff" * full + bytes([rest])
        return head + frame[1:] + padding


_OPUS_HAS_PADDING = 0x40
_OPUS_ONE_FRAME = 1
MAX_OPUS_BYTES = 8192  # a frame of at most 1275 bytes and a full attestation fit several times


def _split_padding(packet: bytes) -> tuple[bytes, bytes]:
    """(the packet without padding, as code 0; the padding). RFC 6716 3.2.5: 255 means 254 bytes and another length."""
    if packet[1] != _OPUS_ONE_FRAME | _OPUS_HAS_PADDING:
        raise PaddingInvalid("A padded Opus packet holds exactly one frame.")
    at, size = 2, 0
    while at < len(packet) and packet[at] == 255:
        at, size = at + 1, size + 254
    size += packet[at] if at < len(packet) else 0
    end = len(packet) - size
    if end < at + 1 or packet[at] == 254:  # 254 has two spellings; ours is 255 and 0
        raise PaddingInvalid("This Opus packet's padding does not add up.")
    return bytes([packet[0] & ~3]) + packet[at + 1 : end], packet[end:]


H264_FRAMES = H264()
VP8_FRAMES = Vp8()
OPUS_PACKETS = Opus()
# What pictures may be; sound is always Opus.
CODECS: dict[str, FrameCodec] = {codec.name: codec for codec in (H264_FRAMES, VP8_FRAMES)}
