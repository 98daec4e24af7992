"""What one attestation is made of on its way to the viewer, in two forms that mean the same.

Full form: the COSE_Sign1 of section 19.4 as it is, for anybody's verifier. Compact form: its 64-byte signature only;
the receiver knows all the rest (`attest.rebuild_cose`) and makes the very same COSE_Sign1. Layout, all integers
big-endian: form (1 byte), frame number u32, media time u40 at 90 kHz, then COSE_Sign1 or signature.

The form itself is not signed. Whoever turns one form into the other has said nothing new: both rebuild the same
fragment, byte for byte, and that is what is signed. Within a form there is one encoding only.
"""

import struct
from dataclasses import dataclass
from enum import Enum

from provenance.manifests.cose import MAX_COSE_BYTES, SIGNATURE_BYTES
from provenance.manifests.errors import CarriageInvalid

HEAD_BYTES = 10
MAX_MEDIA_TIME_90K = 2**40 - 1  # 141 days; a session key lives for hours
_HEAD = struct.Struct(">cIBI")


class Form(Enum):
    """How much of the COSE_Sign1 travels. The value is the first byte on the wire; it is never zero."""

    FULL = b"F"
    COMPACT = b"C"


@dataclass(frozen=True)
class Carried:
    """One attestation as it travels. Nothing in it is checked yet."""

    form: Form
    sequence: int
    media_time_90k: int
    content: bytes  # full: COSE_Sign1_Tagged; compact: the signature


def pack(carried: Carried) -> bytes:
    """The bytes of `carried`.

    Raises:
        CarriageInvalid: a number or the content does not fit.
    """
    if not 0 <= carried.sequence < 2**32 or not 0 <= carried.media_time_90k <= MAX_MEDIA_TIME_90K:
        raise CarriageInvalid("This frame's number or media time does not fit into an attestation.")
    _check_content(carried.form, carried.content)
    time_high, time_low = divmod(carried.media_time_90k, 2**32)
    return _HEAD.pack(carried.form.value, carried.sequence, time_high, time_low) + carried.content


def unpack(encoded: bytes) -> Carried:
    """The inverse of `pack`. Every accepted byte string packs again to itself.

    Raises:
        CarriageInvalid: unknown form, cut short, or content of an impossible length.
    """
    if len(encoded) < HEAD_BYTES:
        raise CarriageInvalid("This attestation is cut short.")
    form_byte, sequence, time_high, time_low = _HEAD.unpack_from(encoded)
    try:
        form = Form(form_byte)
    except ValueError as error:
        raise CarriageInvalid("This attestation has an unknown form.") from error
    _check_content(form, encoded[HEAD_BYTES:])
    return Carried(form, sequence, time_high << 32 | time_low, encoded[HEAD_BYTES:])


def _check_content(form: Form, content: bytes) -> None:
    if form is Form.COMPACT and len(content) != SIGNATURE_BYTES:
        raise CarriageInvalid("A compact attestation holds exactly one signature.", size=len(content))
    if len(content) > MAX_COSE_BYTES:
        raise CarriageInvalid("This attestation is too large.", size=len(content))
