"""The secret pattern: what is written into each dimension of each tile, and the picture that makes.

Every tile has signs of its own. A pattern that repeats can be found without the key by its own period, and lifted off
by averaging the tiles of one frame. Neighbouring tiles fade into each other (sine and cosine, so that the strength
stays even): abutting tiles would leave a visible seam.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from provenance.marks import keys, payload
from provenance.marks.grid import CHROMA, LUMA, TILE_ROWS, Band, Grid, grid_for
from provenance.marks.keys import SLOT_KEYS, AnyMarkKey, MarkKey
from provenance.marks.planes import resized

SYNC_EVERY: Final = 5  # every fifth dimension proves presence; the others carry the payload
RADIUS_JITTER: Final = 0.5  # cycles; a secret jitter, so that which dimension is sync cannot be told from its radius

BANDS: Final = {band.name: band for band in (LUMA, CHROMA)}


@dataclass(frozen=True)
class Layout:
    """Which dimension of a band is sync, and which coded bit each of the others carries. The same in all tiles."""

    sync: NDArray[np.intp]  # [S] dimensions
    message: NDArray[np.intp]  # [P] dimensions
    bit_of_message: NDArray[np.intp]  # [P] coded bit 0..239


def layout_for(key: AnyMarkKey, band: Band) -> Layout:
    """Deal the dimensions of a band: ordered by radius, every fifth to sync, the rest in groups of 240 to the bits."""
    presence = key.presence_key()
    jitter = keys.words(presence, f"jitter/{band.name}", band.dimensions).astype(np.float64) / 2.0**64
    order = np.argsort(np.repeat(band.radius, 2) + RADIUS_JITTER * jitter, kind="stable")
    start = int(keys.words(presence, f"start/{band.name}", 1)[0]) % SYNC_EVERY
    is_sync = np.arange(band.dimensions) % SYNC_EVERY == start
    message = order[~is_sync]
    groups = -(-len(message) // payload.CODED_BITS)
    bits = np.concatenate(
        [np.argsort(keys.words(presence, f"deal/{band.name}/{g}", payload.CODED_BITS)) for g in range(groups)]
    )
    return Layout(order[is_sync], message, bits[: len(message)])


@lru_cache(maxsize=16)
def layout(key: AnyMarkKey, band_name: str) -> Layout:
    """`layout_for`, remembered."""
    return layout_for(key, BANDS[band_name])


def _tile_signs(key: bytes, purpose: str, band: Band, grid: Grid, count: int) -> NDArray[np.float32]:
    """Signs float32 [tiles, count], one secret stream a tile, named by its place."""
    return np.stack(
        [
            keys.signs(key, f"{purpose}/{band.name}/{row}/{column}", count)
            for row in range(TILE_ROWS)
            for column in range(grid.tile_columns)
        ]
    )


@lru_cache(maxsize=32)
def sync_signs(key: AnyMarkKey, band_name: str, grid: Grid) -> NDArray[np.float32]:
    """Sync signs of an epoch, float32 [tiles, S]."""
    band = BANDS[band_name]
    return _tile_signs(key.presence_key(), "sync", band, grid, len(layout(key, band_name).sync))


@lru_cache(maxsize=4 * SLOT_KEYS)
def message_signs(key: MarkKey, band_name: str, grid: Grid, slot_index: int) -> NDArray[np.float32]:
    """Payload signs of one slot, float32 [tiles, P]; call with slot_index already modulo 64."""
    band = BANDS[band_name]
    return _tile_signs(key.slot_key(slot_index), "message", band, grid, len(layout(key, band_name).message))


def chips(key: MarkKey, band: Band, grid: Grid, slot_id: int, slot_index: int) -> NDArray[np.float32]:
    """What is written into every dimension, +-1: float32 [tiles, dimensions]."""
    deal = layout(key, band.name)
    coded = payload.encode(slot_id)
    values = np.empty((grid.tiles, band.dimensions), dtype=np.float32)
    values[:, deal.sync] = sync_signs(key, band.name, grid)
    values[:, deal.message] = message_signs(key, band.name, grid, slot_index % SLOT_KEYS) * coded[deal.bit_of_message]
    return values


@lru_cache(maxsize=4)
def taper_window(tile: int, taper: int) -> NDArray[np.float32]:
    """Weight of a tile over its own area and `taper` pixels beyond each side: float32 [tile+2t, tile+2t]."""
    rise = np.sin((np.arange(2 * taper) + 0.5) * np.pi / (4 * taper))
    line = np.concatenate([rise, np.ones(tile - 2 * taper), rise[::-1]]).astype(np.float32)
    return np.outer(line, line)


def synthesise(values: NDArray[np.float32], band: Band, grid: Grid) -> NDArray[np.float32]:
    """The picture of chips [tiles, dimensions] on the canonical picture of the band: float32 [H, W]."""
    tile, taper, patch = band.tile, band.taper, band.patch
    spectra = np.zeros((grid.tiles, patch, patch), dtype=np.complex64)
    spectra[:, band.rows, band.columns] = values[:, 0::2] + 1j * values[:, 1::2]
    waves = np.fft.ifft2(spectra).real * taper_window(tile, taper)  # half the plane's spectrum gives half the signal
    canvas = np.zeros((TILE_ROWS * tile + 2 * taper, grid.tile_columns * tile + 2 * taper), dtype=np.float32)
    for index in range(grid.tiles):
        top, left = (index // grid.tile_columns) * tile, (index % grid.tile_columns) * tile
        canvas[top : top + patch, left : left + patch] += waves[index]
    height, width = grid.canonical_size(band)
    return canvas[taper : taper + height, taper : taper + width]


@dataclass(frozen=True)
class Pattern:
    """The pattern of one slot at one frame size, of standard deviation 1."""

    luma: NDArray[np.float32]  # [H, W]
    chroma: NDArray[np.float32]  # [H/2, W/2]; U takes it with a plus sign, V with a minus


def make_pattern(key: MarkKey, slot_id: int, slot_index: int, width: int, height: int) -> Pattern:
    """Make the pattern of one slot (a few milliseconds; once per slot and size)."""
    grid = grid_for(width, height)
    luma = synthesise(chips(key, LUMA, grid, slot_id, slot_index), LUMA, grid)
    chroma = synthesise(chips(key, CHROMA, grid, slot_id, slot_index), CHROMA, grid)
    return Pattern(_fit(luma, width, height), _fit(chroma, width // 2, height // 2))


def _fit(picture: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """Resize to the frame and scale to standard deviation 1."""
    fitted = resized(picture, height, width)
    return np.ascontiguousarray(fitted / fitted.std(), dtype=np.float32)
