"""H.264 Annex B access units and the SEI message that carries a frame's attestation.

Layout of the SEI payload (type 5, user_data_unregistered; ITU-T H.264 D.1.7): profile UUID (16 bytes), frame number
u32, media time u64 at 90 kHz, COSE_Sign1 bytes. All integers big-endian.
"""

import re
import struct
from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

from provenance.manifests.errors import SeiInvalid

PROFILE_UUID = uuid5(NAMESPACE_URL, "urn:trustcore:vsi-over-webrtc:1").bytes
NAL_SLICE = 1
NAL_IDR = 5
NAL_SEI = 6
NAL_SPS = 7
NAL_PPS = 8
START_CODE = b"\x00\x00\x00\x01"
SEI_USER_DATA_UNREGISTERED = 5
MAX_ACCESS_UNIT_BYTES = 4 * 1024 * 1024
MAX_MEDIA_TIME_90K = 2**53 - 1  # the largest that a browser can count exactly: both sides refuse what lies above
MAX_SEI_BYTES = 8 * 1024  # a COSE object of 4096 bytes, with emulation prevention at its densest

_START_CODE_PATTERN = re.compile(rb"\x00\x00\x01")
_NEEDS_PREVENTION = re.compile(rb"\x00\x00(?=[\x00-\x03])")
_HAS_PREVENTION = re.compile(rb"\x00\x00\x03")
_HEAD = struct.Struct(">IQ")


@dataclass(frozen=True)
class SeiPayload:
    """What one attestation SEI carries. Nothing in it is checked yet."""

    sequence: int
    media_time_90k: int
    cose: bytes


def nal_type(nal: bytes) -> int:
    """The five-bit type of a NAL unit."""
    return nal[0] & 0x1F


def split_annex_b(access_unit: bytes) -> list[bytes]:
    """The NAL units of an access unit, without start codes and without trailing zero bytes.

    A NAL unit never ends in 0x00 (H.264 7.4.1), so zeros before a start code belong to the start code.

    Raises:
        SeiInvalid: too large, bytes before the first start code, or an empty NAL unit.
    """
    if len(access_unit) > MAX_ACCESS_UNIT_BYTES:
        raise SeiInvalid("This access unit is too large.", size=len(access_unit))
    starts = [match.start() for match in _START_CODE_PATTERN.finditer(access_unit)]
    if not starts or access_unit[: starts[0]].strip(b"\x00"):
        raise SeiInvalid("This access unit does not begin with a start code.")
    ends = [*starts[1:], len(access_unit)]
    nals = [access_unit[start + 3 : end].rstrip(b"\x00") for start, end in zip(starts, ends, strict=True)]
    if not all(nals):
        raise SeiInvalid("This access unit holds an empty NAL unit.")
    return nals


def join_annex_b(nals: list[bytes]) -> bytes:
    """NAL units as a byte stream, each behind a four-byte start code."""
    return b"".join(START_CODE + nal for nal in nals)


def add_emulation_prevention(rbsp: bytes) -> bytes:
    """Insert 0x03 wherever the payload would otherwise imitate a start code (H.264 7.4.1)."""
    return _NEEDS_PREVENTION.sub(b"\x00\x00\x03", rbsp)


def remove_emulation_prevention(nal: bytes) -> bytes:
    """The inverse of `add_emulation_prevention`."""
    return _HAS_PREVENTION.sub(b"\x00\x00", nal)


def build_sei(payload: SeiPayload) -> bytes:
    """The SEI NAL unit, emulation prevention applied, no start code."""
    body = PROFILE_UUID + _HEAD.pack(payload.sequence, payload.media_time_90k) + payload.cose
    full, rest = divmod(len(body), 255)
    message = bytes([SEI_USER_DATA_UNREGISTERED]) + b"\xff" * full + bytes([rest]) + body
    return bytes([NAL_SEI]) + add_emulation_prevention(message + b"\x80")


def is_attestation_sei(nal: bytes) -> bool:
    """Whether this NAL unit is an SEI that begins with our profile's message."""
    if not nal or nal_type(nal) != NAL_SEI:
        return False
    message = remove_emulation_prevention(nal[1 : 64])
    if not message or message[0] != SEI_USER_DATA_UNREGISTERED:
        return False
    at = 1
    while at < len(message) and message[at] == 0xFF:
        at += 1
    return message[at + 1 : at + 17] == PROFILE_UUID


def parse_sei(nal: bytes) -> SeiPayload:
    """Read an attestation SEI. The bytes must be exactly those `build_sei` would make.

    Raises:
        SeiInvalid: anything else.
    """
    if not is_attestation_sei(nal):
        raise SeiInvalid("This is not an attestation SEI.")
    if len(nal) > MAX_SEI_BYTES:
        raise SeiInvalid("This attestation SEI is too large.", size=len(nal))
    message = remove_emulation_prevention(nal[1:])
    at = 1
    while message[at] == 0xFF:
        at += 1
    body = message[at + 1 :][: (at - 1) * 255 + message[at]]
    if len(body) < len(PROFILE_UUID) + _HEAD.size:
        raise SeiInvalid("This attestation SEI is cut short.")
    sequence, media_time_90k = _HEAD.unpack_from(body, len(PROFILE_UUID))
    if media_time_90k > MAX_MEDIA_TIME_90K:
        raise SeiInvalid("This attestation SEI states an impossible time.")
    payload = SeiPayload(sequence, media_time_90k, body[len(PROFILE_UUID) + _HEAD.size :])
    if build_sei(payload) != nal:
        raise SeiInvalid("This attestation SEI is not in its one canonical form.")
    return payload


def insert_sei(nals: list[bytes], sei: bytes) -> list[bytes]:
    """`nals` with `sei` before the first picture slice.

    Raises:
        SeiInvalid: there is no picture slice.
    """
    for index, nal in enumerate(nals):
        if nal_type(nal) in {NAL_SLICE, NAL_IDR}:
            return [*nals[:index], sei, *nals[index:]]
    raise SeiInvalid("This access unit holds no picture.")


def take_sei(access_unit: bytes) -> tuple[list[bytes], SeiPayload | None]:
    """(NAL units without our SEI, what the SEI carries or None when there is none).

    Raises:
        SeiInvalid: malformed access unit, malformed attestation SEI, or more than one.
    """
    nals = split_annex_b(access_unit)
    ours = [nal for nal in nals if is_attestation_sei(nal)]
    if len(ours) > 1:
        raise SeiInvalid("This access unit carries more than one attestation.")
    rest = [nal for nal in nals if not is_attestation_sei(nal)]
    return rest, parse_sei(ours[0]) if ours else None
