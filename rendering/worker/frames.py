"""From a tick of the media clock to a sealed frame: state, picture, label, mark, encode, attest. One thread."""

import threading
import time
from typing import Any, Protocol

from numpy.typing import NDArray

from provenance.manifests.permit import Permit
from provenance.manifests.seal import RawFrame, SealedFrame, Sealer
from rendering.worker.encoder import EncodeFailed, VideoEncoder
from rendering.worker.governor import attestation_form, is_low_rate
from rendering.worker.latency import LatencyMarks
from rendering.worker.mark_slots import SlottedMark
from rendering.worker.pacing import Tick
from rendering.worker.stage import Stage


class Drawer(Protocol):
    """The renderer: one face state in, one picture out."""

    def draw(self, state: Any) -> NDArray[Any]: ...  # uint8 [H, W, 3] RGB


class FrameMaker:
    """Makes the frames of one session. `make` belongs to one thread.

    Whatever fails between picture and attestation, the frame is not sent: `make` returns None for a picture that was
    dropped, and raises when the session must end.
    """

    def __init__(
        self, *, stage: Stage, renderer: Drawer, sealer: Sealer, permit: Permit, mark: SlottedMark,
        encoder: VideoEncoder, latency: LatencyMarks,
    ) -> None:
        self._stage = stage
        self._renderer = renderer
        self._sealer = sealer
        self._permit = permit
        self._mark = mark
        self._encoder = encoder
        self._latency = latency
        self._lock = threading.Lock()
        self._rendered = 0

    @property
    def rendered(self) -> int:
        """Pictures drawn so far. Rendered minus sent is what was dropped."""
        with self._lock:
            return self._rendered

    def make(self, tick: Tick) -> SealedFrame | None:
        """The sealed frame of one tick, or None when the encoder dropped it.

        Raises:
            GrantRevoked, GrantExpired: the permit does not hold. Nothing was drawn.
            AttestationEnded: the frame could not be attested; the session must end.
        """
        started_s = time.monotonic()
        self._permit.check(started_s)
        picture = self._renderer.draw(self._stage.state_at(tick.media_time_s))
        with self._lock:
            self._rendered += 1
        self._turn_mark(tick.media_time_90k)
        raw = RawFrame.from_rgb(picture, tick.media_time_90k)
        try:
            form = attestation_form(self._encoder.bit_rate_bps)
            sealed = self._sealer.seal(raw, self._permit, now_s=time.monotonic(), form=form)
        except EncodeFailed:
            return None
        self._latency.frame(time.monotonic() - started_s)
        return sealed

    def _turn_mark(self, media_time_90k: int) -> None:
        """Go on to the next mark slot when it is due, and have this picture made a key frame then."""
        is_low = is_low_rate(self._encoder.bit_rate_bps)
        if self._mark.turn_for(media_time_90k, is_key=self._encoder.is_next_key(), is_low_rate=is_low):
            self._encoder.request_key_frame()
