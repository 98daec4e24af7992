"""What every rasteriser takes and gives: splats on the screen, a drawn picture, derivatives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Splats2D:
    """Splats ready to be drawn: N Gaussians on the screen, all float32."""

    means_px: Array  # [N, 2] x right, y down
    covariances_px2: Array  # [N, 3] xx, xy, yy
    colours: Array  # [N, 3]
    opacities: Array  # [N]
    depths: Array  # [N] larger is nearer

    @staticmethod
    def empty(count: int) -> Splats2D:
        """Room for `count` splats, to be filled by a set-up kernel."""
        return Splats2D(
            np.zeros((count, 2), np.float32),
            np.zeros((count, 3), np.float32),
            np.zeros((count, 3), np.float32),
            np.zeros(count, np.float32),
            np.zeros(count, np.float32),
        )


@dataclass(frozen=True)
class Drawn:
    """A picture and what the backward pass needs to replay it."""

    picture: Array  # [H, W, 3] float32
    transmittance: Array  # [H, W] share of the backdrop that shows
    records: Array  # [N, RECORD] the splats as the compositing loop reads them (`records.py`)
    pairs: Array  # [M] splat index of each (tile, splat) pair, tile by tile, near to far
    tile_starts: Array  # [tiles + 1] first pair of each tile
    tile_stops: Array  # [tiles] one past the last pair that was composited (early stop)


@dataclass(frozen=True)
class SplatGradients:
    """Derivatives of a loss; same shapes as `Splats2D` without depth, and the backdrop's."""

    means_px: Array  # [N, 2]
    covariances_px2: Array  # [N, 3]; the off-diagonal counts both symmetric entries
    colours: Array  # [N, 3]
    opacities: Array  # [N]
    backdrop: Array  # [H, W, 3]


def smallest_picture() -> tuple[Splats2D, Array]:
    """Two splats and a black backdrop [16, 16, 3]: enough to compile every kernel that draws arrays."""
    splats = Splats2D.empty(2)
    splats.covariances_px2[:] = (4.0, 0.0, 4.0)
    splats.means_px[:] = 8.0
    splats.opacities[:] = 0.5
    return splats, np.zeros((16, 16, 3), np.float32)
