"""From a tick of the media clock to a sealed frame: state, picture, label, mark, encode, attest. One thread."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from numpy.typing import NDArray

from provenance.manifests.permit import Permit
from provenance.manifests.seal import RawFrame, SealedFrame, Sealer
from rendering.worker.encoder import EncodeFailed, VideoEncoder
from rendering.worker.frame_parts import drawn_frame
from rendering.worker.governor import Plan, attestation_form, is_low_rate
from rendering.worker.latency import LatencyMarks
from rendering.worker.mark_slots import SlottedMark
from rendering.worker.pacing import Tick
from rendering.worker.sizes import Encoders
from rendering.worker.stage import Stage

LARGER_WITHIN_S = 5.0  # a larger size waits for a key frame that is made anyway, but not for longer


class Drawer(Protocol):
    """The renderer: one face state in, one picture out."""

    def draw(self, state: Any) -> NDArray[Any]: ...  # uint8 [H, W, 3] RGB


class FrameMaker:
    """Makes the frames of one session. `make` belongs to one thread.

    Whatever fails between picture and attestation, the frame is not sent: `make` returns None for a picture that was
    dropped, and raises when the session must end.
    """

    def __init__(
        self, *, stage: Stage, renderers: Mapping[int, Drawer], sealer: Sealer, permit: Permit, mark: SlottedMark,
        encoder: Encoders | VideoEncoder, latency: LatencyMarks,
        raw_frame: Callable[[Any, Any, int], RawFrame] = drawn_frame, rendered: int = 0,
    ) -> None:
        """`renderers`: by the side of their pictures, px; `encoder` begins with one of these. `raw_frame` draws:
        renderer, face state and media time in, planes out (`FrameParts.raw_frame`). `rendered`: pictures that the
        session drew before, for another connection.
        """
        self._stage = stage
        self._renderers = renderers
        self._sealer = sealer
        self._permit = permit
        self._mark = mark
        self._encoder = encoder
        self._latency = latency
        self._raw_frame = raw_frame
        self._lock = threading.Lock()
        self._rendered = rendered
        self._size_px = self._wanted_px = encoder.settings.width_px
        self._wanted_since_s = 0.0
        self._target_bps = encoder.settings.bit_rate_bps
        self.made_until_s = 0.0  # media time of the last tick that was begun; each frame's is later than that before

    def follow(self, plan: Plan) -> None:
        """Make pictures as planned from the next one on. From any thread."""
        self._target_bps = plan.target_bps
        self._encoder.set_bit_rate_bps(plan.picture_bps, plan.frames_per_s)
        self._wanted_px = plan.size_px

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
        self.made_until_s = tick.media_time_s
        self._turn_size(tick.media_time_s)
        renderer, state = self._renderers[self._size_px], self._stage.state_at(tick.media_time_s)
        raw = self._raw_frame(renderer, state, tick.media_time_90k)
        with self._lock:
            self._rendered += 1
        self._turn_mark(tick.media_time_90k)
        try:
            form = attestation_form(self._target_bps)
            sealed = self._sealer.seal(raw, self._permit, now_s=time.monotonic(), form=form)
        except EncodeFailed:
            return None
        self._latency.frame(time.monotonic() - started_s)
        return sealed

    def _turn_size(self, media_time_s: float) -> None:
        """Draw in the wanted size: a smaller one at once, for the line is full; a larger one with a key frame."""
        wanted_px = self._wanted_px
        if wanted_px == self._size_px:
            self._wanted_since_s = media_time_s
            return
        is_late = media_time_s - self._wanted_since_s >= LARGER_WITHIN_S
        if isinstance(self._encoder, Encoders) and (
            wanted_px < self._size_px or is_late or self._encoder.is_next_key()
        ):
            self._encoder.turn_to(wanted_px)
            self._size_px = wanted_px

    def _turn_mark(self, media_time_90k: int) -> None:
        """Go on to the next mark slot when it is due, and have this picture made a key frame then."""
        is_low = is_low_rate(self._target_bps)
        if self._mark.turn_for(media_time_90k, is_key=self._encoder.is_next_key(), is_low_rate=is_low):
            self._encoder.request_key_frame()
