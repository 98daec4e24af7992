"""What depends on the size of a session's pictures: labels and encoders. One of each for every size that the ladder
may ask for, made before it does: then a change of size costs a key frame and no time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from provenance.manifests.label import Label
from rendering.worker.encoder import EncodedFrame, EncoderSettings, Plane, VideoEncoder
from rendering.worker.ladder import RUNGS


def sizes_from(most_px: int) -> tuple[int, ...]:
    """The sides that pictures of a slot may have, the largest first."""
    return tuple(sorted({min(most_px, rung.size_px) for rung in RUNGS if rung.has_picture}, reverse=True))


class Labels:
    """The visible label in each size."""

    def __init__(self, by_size: Mapping[int, Label]) -> None:
        self._by_size = dict(by_size)

    def burn(self, y: Any, u: Any, v: Any) -> None:
        """Blend the label of this size into I420 planes, in place. Raises KeyError for a size that was not made."""
        self._by_size[y.shape[0]].burn(y, u, v)


class Encoders:
    """One open encoder for each size, of which one is used. The same interface as `VideoEncoder`."""

    def __init__(
        self, make: Callable[[EncoderSettings], VideoEncoder], settings: EncoderSettings,
        sizes_px: Sequence[int] | None = None,
    ) -> None:
        """`settings`: of the largest; the others, by default the ladder's, differ in size only."""
        sizes = sizes_from(settings.width_px) if sizes_px is None else sizes_px
        self._by_size = {
            size: make(replace(settings, width_px=size, height_px=size)) for size in {settings.width_px, *sizes}}
        self._current = self._by_size[settings.width_px]

    @property
    def settings(self) -> EncoderSettings:
        """Of the encoder in use."""
        return self._current.settings

    def turn_to(self, size_px: int) -> None:
        """Encode pictures of this size from now on, beginning with a key frame. Frame thread only."""
        if size_px != self._current.settings.width_px:
            self._current = self._by_size[size_px]
            self._current.request_key_frame()

    def request_key_frame(self) -> None:
        self._current.request_key_frame()

    def is_next_key(self) -> bool:
        return self._current.is_next_key()

    def set_bit_rate_bps(self, bit_rate_bps: int, frames_per_s: int | None = None) -> None:
        for encoder in self._by_size.values():
            encoder.set_bit_rate_bps(bit_rate_bps, frames_per_s)

    def encode(self, y: Plane, u: Plane, v: Plane, media_time_90k: int) -> EncodedFrame:
        """As `VideoEncoder.encode`. Raises EncodeFailed."""
        return self._current.encode(y, u, v, media_time_90k)
