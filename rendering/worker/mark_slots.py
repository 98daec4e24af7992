"""The watermark of one session: which slot's pattern is in force at which media time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from provenance.marks.embed import Embedder
from provenance.marks.keys import MarkKey
from trustcore.primitives.errors import Refusal
from trustcore.primitives.signing import unb64


class MarkKeysInvalid(Refusal):
    """The key release holds no usable watermark keys. Nothing may be rendered without a mark."""

    code = "mark.keys_invalid"


@dataclass(frozen=True)
class MarkSlot:
    slot_id: int  # the 64-bit payload
    slot_index: int

    @property
    def hex_id(self) -> str:
        return f"{self.slot_id:016x}"


class SlottedMark:
    """An embedder that changes its pattern every `slot_s` seconds, so that an average over a session takes less
    of it away.

    Use it from the frame thread only: `turn_to` the time of a picture, then `embed` that picture. The sound asks
    `slot_at` alone.
    """

    def __init__(
        self, released: Mapping[str, Any] | None, width_px: int, height_px: int,
        make: Callable[..., Any] = Embedder,
    ) -> None:
        """Take the mark keys of a key release: {"epoch_key": b64, "slots": [{"slot_id", "slot_index"}], "slot_s"}.

        `make` makes the embedder from what `Embedder` takes.

        Raises:
            MarkKeysInvalid: missing or malformed.
        """
        try:
            if released is None:
                raise ValueError("no mark keys")
            self.key = MarkKey(unb64(released["epoch_key"]))
            self.slots = tuple(MarkSlot(int(s["slot_id"], 16), int(s["slot_index"])) for s in released["slots"])
            self._slot_s = float(released["slot_s"])
            if not self.slots or self._slot_s <= 0:
                raise ValueError("no slots")
        except (KeyError, TypeError, ValueError) as error:
            raise MarkKeysInvalid("The key release holds no usable watermark keys.") from error
        self._size = (width_px, height_px)
        self._make_embedder = make
        self.slot = self.slots[0]
        self._embedder = self._make(self.slot)

    def to_json(self) -> tuple[dict[str, Any], ...]:
        """The slots as the session manifest names them: id, index, and when each is first in force."""
        ms = round(self._slot_s * 1000)
        return tuple(
            {"slot_id": slot.hex_id, "slot_index": slot.slot_index, "start_ms": i * ms, "end_ms": (i + 1) * ms}
            for i, slot in enumerate(self.slots)
        )

    def slot_at(self, media_time_s: float) -> MarkSlot:
        """The slot in force at a media time. From any thread."""
        return self.slots[int(media_time_s / self._slot_s) % len(self.slots)]

    def turn_to(self, media_time_s: float) -> bool:
        """Use the pattern of this time. True when it changed: the picture should then be a key frame."""
        slot = self.slot_at(media_time_s)
        if slot == self.slot:
            return False
        if slot.slot_id == self.slot.slot_id:
            self._embedder.rekey(slot.slot_index)
        else:
            self._embedder = self._make(slot)
        self.slot = slot
        return True

    def embed(self, y: NDArray[np.uint8], u: NDArray[np.uint8], v: NDArray[np.uint8]) -> None:
        """Mark one picture in place: y [H, W], u and v [H/2, W/2]."""
        self._embedder.embed(y, u, v)

    def _make(self, slot: MarkSlot) -> Any:
        return self._make_embedder(self.key, slot.slot_id, slot.slot_index, *self._size)
