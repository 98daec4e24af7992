"""The secret signs of the sound's mark: what is written into each bin of each hop of the 8 s cycle.

Every sixth chip is sync, the same in all slots of an epoch; the others carry the payload under signs of the slot. Which
chip does what is itself secret. The labels differ from those of the picture's signs, so neither helps with the other.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from provenance.marks import keys, payload
from provenance.marks.keys import MarkKey
from provenance.marks.sound.transform import BINS, CYCLE_HOPS

SYNC_EVERY: Final = 6
CHIPS: Final = CYCLE_HOPS * BINS


@dataclass(frozen=True)
class Layout:
    """What each chip of the cycle is for."""

    is_sync: NDArray[np.bool_]  # [800, 125]
    sync: NDArray[np.float32]  # [800, 125]: sync signs, 0 at the chips of the payload
    bit: NDArray[np.intp]  # [800, 125]: coded bit 0..239; at sync chips it means nothing


@lru_cache(maxsize=4)
def layout(key: MarkKey) -> Layout:
    """Deal the chips of the cycle: in each run of six a secret one to sync, the rest in groups of 240 to the bits."""
    presence = key.presence_key()
    runs = -(-CHIPS // SYNC_EVERY)
    chosen = (keys.words(presence, "sound/sync place", runs) % np.uint64(SYNC_EVERY)).astype(np.intp)
    is_sync = (np.arange(CHIPS) % SYNC_EVERY) == chosen[np.arange(CHIPS) // SYNC_EVERY]
    groups = -(-int((~is_sync).sum()) // payload.CODED_BITS)
    orders = keys.words(presence, "sound/deal", groups * payload.CODED_BITS).reshape(groups, payload.CODED_BITS)
    bit = np.zeros(CHIPS, dtype=np.intp)
    bit[~is_sync] = np.argsort(orders, axis=1).reshape(-1)[: int((~is_sync).sum())]
    sync = np.where(is_sync, keys.signs(presence, "sound/sync", CHIPS), np.float32(0.0))
    shape = (CYCLE_HOPS, BINS)
    return Layout(is_sync.reshape(shape), sync.astype(np.float32).reshape(shape), bit.reshape(shape))


@lru_cache(maxsize=2 * keys.SLOT_KEYS)
def message_signs(key: MarkKey, slot_index: int) -> NDArray[np.int8]:
    """Payload signs of one slot, int8 [800, 125], 0 at sync chips; call with slot_index already modulo 64."""
    drawn = keys.signs(key.slot_key(slot_index), "sound/message", CHIPS).reshape(CYCLE_HOPS, BINS)
    return np.where(layout(key).is_sync, 0.0, drawn).astype(np.int8)


def chips(key: MarkKey, slot_id: int, slot_index: int) -> NDArray[np.float32]:
    """What is written into each chip of a slot's cycle, +-1: float32 [800, 125]."""
    deal = layout(key)
    coded = payload.encode(slot_id)
    return deal.sync + message_signs(key, slot_index % keys.SLOT_KEYS) * coded[deal.bit]
