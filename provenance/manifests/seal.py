"""The one place where a raw frame becomes a sealed frame.

Order: permit -> visible label -> watermark -> encode -> attest. A track may send only a `SealedFrame`, and only
`Sealer.seal` makes one. Whatever fails, the frame is not sent.
"""

from dataclasses import dataclass, field
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from provenance.manifests.attest import Attestor
from provenance.manifests.carriage import Form
from provenance.manifests.errors import CarriageInvalid, UnsealedFrame
from provenance.manifests.frame_codecs import FrameCodec
from provenance.manifests.label import Label
from provenance.manifests.permit import Permit
from trustcore.primitives.errors import GrantRevoked

Plane = NDArray[np.uint8]
_SEAL = object()  # proof that a SealedFrame was made in this module


@dataclass(frozen=True)
class RawFrame:
    """A rendered frame that nobody may send: I420 planes, limited range BT.601."""

    y: Plane  # [H, W]
    u: Plane  # [H/2, W/2]
    v: Plane  # [H/2, W/2]
    media_time_90k: int

    @classmethod
    def from_rgb(cls, rgb: NDArray[np.uint8], media_time_90k: int) -> "RawFrame":
        """From uint8 [H, W, 3] RGB; H and W even."""
        height, width = rgb.shape[:2]
        stacked = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420), dtype=np.uint8)  # [H * 3/2, W]
        chroma = stacked[height:].reshape(2, height // 2, width // 2)
        return cls(stacked[:height], chroma[0], chroma[1], media_time_90k)


@dataclass(frozen=True)
class SealedFrame:
    """A frame that was labelled, marked, encoded and attested under a permit. Made by `Sealer.seal` only."""

    access_unit: bytes  # the encoded frame with its attestation
    fragment: bytes  # the same frame as emsg + moof + mdat
    sequence: int
    media_time_90k: int
    is_key: bool
    session_id: str
    made_by: object = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.made_by is not _SEAL:
            raise UnsealedFrame("A sealed frame is made by the sealer and by nothing else.")


class Embedder(Protocol):
    """The watermark: writes the mark into I420 planes, in place."""

    def embed(self, y: Plane, u: Plane, v: Plane) -> None: ...


class EncodedFrame(Protocol):
    """What the encoder gives for one picture."""

    @property
    def access_unit(self) -> bytes: ...  # H.264 Annex B, or a VP8 frame


class Encoder(Protocol):
    """One picture in, one access unit out, or an exception."""

    def encode(self, y: Plane, u: Plane, v: Plane, media_time_90k: int) -> EncodedFrame: ...


@dataclass
class SealCounters:
    """What happened to this session's frames. `unsealed_sent` must stay 0; a track that sees it rise must stop."""

    sealed: int = 0
    dropped: int = 0
    sent: int = 0
    unsealed_sent: int = 0

    def note_sent(self, frame: object, codec: FrameCodec) -> SealedFrame:
        """Count a frame that is about to be sent and hand it back.

        The type says that the frame was labelled, marked and attested; the look at its bytes says that the attestation
        of this very frame is in what goes on the wire.

        Raises:
            UnsealedFrame: it is not a sealed frame; it was counted and must not be sent.
        """
        if not isinstance(frame, SealedFrame) or not _carries_its_attestation(frame, codec):
            self.unsealed_sent += 1
            raise UnsealedFrame("A frame without a seal was about to be sent; it was stopped.")
        self.sent += 1
        return frame


def _carries_its_attestation(frame: SealedFrame, codec: FrameCodec) -> bool:
    try:
        carried = codec.take(frame.access_unit).carried
    except CarriageInvalid:
        return False
    told = (frame.sequence, frame.media_time_90k)
    return carried is not None and (carried.sequence, carried.media_time_90k) == told


class Sealer:
    """Seals the frames of one session, in order, in one thread."""

    def __init__(
        self, permit: Permit, *, label: Label, embedder: Embedder, encoder: Encoder, attestor: Attestor,
    ) -> None:
        self._session_id = permit.session_id
        self._grant_sha256 = permit.grant_sha256
        self._label = label
        self._embedder = embedder
        self._encoder = encoder
        self._attestor = attestor
        self.counters = SealCounters()

    def seal(self, raw: RawFrame, permit: Permit, *, now_s: float, form: Form = Form.FULL) -> SealedFrame:
        """Seal one frame, in place: the planes of `raw` carry label and mark afterwards.

        Args:
            now_s: monotonic seconds, for the permit.
            form: how much of the attestation travels with this frame.

        Raises:
            GrantRevoked, GrantExpired: the permit does not hold now. End the stream.
            AttestationEnded: the frame could not be attested. End the session.
            Whatever the encoder raises: this frame is dropped; the session may go on.
        """
        if permit.session_id != self._session_id or permit.grant_sha256 != self._grant_sha256:
            raise GrantRevoked("This permit is for another session.", session=permit.session_id)
        permit.check(now_s)
        self.counters.dropped += 1  # until it is sealed: an exception on the way leaves it counted
        self._label.burn(raw.y, raw.u, raw.v)
        self._embedder.embed(raw.y, raw.u, raw.v)
        encoded = self._encoder.encode(raw.y, raw.u, raw.v, raw.media_time_90k)
        attested = self._attestor.attest(encoded.access_unit, raw.media_time_90k, form)
        self.counters.dropped -= 1
        self.counters.sealed += 1
        return SealedFrame(
            access_unit=attested.access_unit, fragment=attested.fragment, sequence=attested.sequence,
            media_time_90k=attested.media_time_90k, is_key=attested.is_key, session_id=self._session_id,
            made_by=_SEAL,
        )
