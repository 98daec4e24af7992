"""Where the mark lives: a grid of tiles on a frame scaled to 512 lines, and the frequencies used in each tile.

The grid is relative to the frame, so scaling a whole frame needs no search. Chroma is looked at on half as many lines
with tiles half as wide: its frequencies end at 12 of 64 cycles, so nothing is lost.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from provenance.marks.errors import FrameTooSmall

CANONICAL_HEIGHT: Final = 512
TILE: Final = 128
TILE_ROWS: Final = CANONICAL_HEIGHT // TILE
SMALLEST_SIDE: Final = 128


@dataclass(frozen=True)
class Band:
    """Frequencies of one plane. Dimensions 2i and 2i+1 are the real and imaginary part of coefficient i.

    A tile's wave is `patch` wide and fades into its neighbours' over its outer `patch - tile` pixels. The transform is
    as wide as the patch: were it as wide as the tile, the faded part would repeat the tile's other side, and the
    picture would give its own period away.
    """

    name: str
    tile: int  # distance from tile to tile, pixels of this plane's canonical picture
    taper: int  # pixels by which a patch goes beyond its tile, to each side
    rows: NDArray[np.intp]  # [C] index into the patch's DFT
    columns: NDArray[np.intp]  # [C]
    radius: NDArray[np.float64]  # [C] cycles per tile

    @property
    def patch(self) -> int:
        """Pixels a side on which a tile has any weight."""
        return self.tile + 2 * self.taper

    @property
    def dimensions(self) -> int:
        """Real dimensions in one tile."""
        return 2 * len(self.rows)


def _band(name: str, tile: int, taper: int, lowest: float, highest: float) -> Band:
    patch = tile + 2 * taper
    frequency = np.fft.fftfreq(patch, 1.0 / patch) * (tile / patch)
    v, u = np.meshgrid(frequency, frequency, indexing="ij")
    radius = np.hypot(u, v)
    half_plane = (v > 0) | ((v == 0) & (u > 0))
    rows, columns = np.nonzero(half_plane & (radius >= lowest) & (radius <= highest))
    return Band(name, tile, taper, rows, columns, radius[rows, columns])


LUMA: Final = _band("luma", TILE, 8, 5.0, 24.0)
CHROMA: Final = _band("chroma", TILE // 2, 4, 3.0, 12.0)


@dataclass(frozen=True)
class Grid:
    """The tile grid of one frame shape."""

    canonical_width: int  # at 512 lines
    tile_columns: int

    @property
    def tiles(self) -> int:
        """Tiles in the frame."""
        return TILE_ROWS * self.tile_columns

    def canonical_size(self, band: Band) -> tuple[int, int]:
        """(height, width) of the picture on which this band's tiles are `band.tile` wide."""
        shrink = TILE // band.tile
        return CANONICAL_HEIGHT // shrink, -(-self.canonical_width // shrink)


@lru_cache(maxsize=64)
def grid_for(width: int, height: int) -> Grid:
    """The grid of a frame.

    Raises:
        FrameTooSmall: a side is under 128 pixels or odd (I420 needs even sides).
    """
    if min(width, height) < SMALLEST_SIDE or width % 2 or height % 2:
        raise FrameTooSmall(width, height)
    canonical_width = round(width * CANONICAL_HEIGHT / height)
    return Grid(canonical_width, -(-canonical_width // TILE))
