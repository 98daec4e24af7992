"""The watermark of one session: one slot id, and signs that change from slot to slot."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from provenance.marks.embed import Embedder
from provenance.marks.keys import SLOT_KEYS, MarkKey
from rendering.worker.slot_schedule import SlotSchedule
from trustcore.primitives.errors import Refusal
from trustcore.primitives.ids import mark_id_text
from trustcore.primitives.signing import unb64


class MarkKeysInvalid(Refusal):
    """The key release holds no usable watermark keys. Nothing may be rendered without a mark."""

    code = "mark.keys_invalid"


@dataclass(frozen=True)
class MarkSlot:
    slot_id: int  # the 64-bit payload
    slot_index: int  # modulo 64: which signs

    @property
    def hex_id(self) -> str:
        return mark_id_text(self.slot_id)


@dataclass
class _Embedding:
    """The embedder of one size, and the slot whose signs it has."""

    embedder: Any
    slot_index: int


class SlottedMark:
    """An embedder whose signs change every few seconds, so that an average over a session takes less of it away.

    Use it from the frame thread only: `turn_for` a picture, then `embed` that picture. `slot`, the one in force, may be
    read from any thread.
    """

    def __init__(
        self, released: Mapping[str, Any] | None, width_px: int, height_px: int,
        make: Callable[..., Any] = Embedder,
    ) -> None:
        """Take the mark keys of a key release: {"epoch_key": b64, "slot_id": hex16, "first_index": int}.

        `make` makes the embedder from what `Embedder` takes.

        Raises:
            MarkKeysInvalid: missing or malformed.
        """
        try:
            if released is None:
                raise ValueError("no mark keys")
            self.key = MarkKey(unb64(released["epoch_key"]))
            self.slot = MarkSlot(int(released["slot_id"], 16), int(released["first_index"]) % SLOT_KEYS)
        except (KeyError, TypeError, ValueError) as error:
            raise MarkKeysInvalid("The key release holds no usable watermark keys.") from error
        self._schedule = SlotSchedule()
        self._make = make
        self._embedders: dict[tuple[int, int], _Embedding] = {}
        self.prepare(width_px, height_px)

    def prepare(self, width_px: int, height_px: int) -> None:
        """Be ready for pictures of this size, too."""
        made = self._make(self.key, self.slot.slot_id, self.slot.slot_index, width_px, height_px)
        self._embedders[height_px, width_px] = _Embedding(made, self.slot.slot_index)

    def to_json(self, lasts_s: float) -> tuple[dict[str, Any], ...]:
        """The slot id as the session manifest names it. When each slot will begin nobody knows yet.

        Args:
            lasts_s: how much longer the session can last at most.
        """
        return ({"slot_id": self.slot.hex_id, "start_ms": 0, "end_ms": max(1, round(lasts_s * 1000))},)

    def turn_for(self, media_time_90k: int, *, is_key: bool, is_low_rate: bool) -> bool:
        """Use the signs of the slot that this picture is in. True when they changed: it must be a key frame then.

        Args: as `SlotSchedule.is_over`.
        """
        if not self._schedule.is_over(media_time_90k, is_key=is_key, is_low_rate=is_low_rate):
            return False
        following = (self.slot.slot_index + 1) % SLOT_KEYS
        self.slot = MarkSlot(self.slot.slot_id, following)
        return True

    def embed(self, y: NDArray[np.uint8], u: NDArray[np.uint8], v: NDArray[np.uint8]) -> None:
        """Mark one picture in place: y [H, W], u and v [H/2, W/2]. Raises KeyError for a size not prepared."""
        embedding = self._embedders[y.shape[0], y.shape[1]]
        if embedding.slot_index != self.slot.slot_index:
            embedding.embedder.rekey(self.slot.slot_index)
            embedding.slot_index = self.slot.slot_index
        embedding.embedder.embed(y, u, v)
