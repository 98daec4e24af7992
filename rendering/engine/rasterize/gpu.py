"""The rasteriser for graphics processors: the same tiles, order and formulas as `cpu`, in kernels of Triton.

`forward` and `backward_parallel` take and give the arrays that `cpu` takes and gives, so that a fit runs on either.
`Painter` draws the frames of a live replica and can leave them on the device, as RGB or as I420 planes. Splats are
sorted into tiles by torch.

Everything runs on `DEVICE`. Without a GPU that is the processor and the kernels need Triton's interpreter
(TRITON_INTERPRET=1 before the first import), which is for tests alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import triton  # type: ignore[import-untyped]

from rendering.engine import gaussians as g
from rendering.engine.face_space import MOUTH
from rendering.engine.gaussians import Gaussians
from rendering.engine.mesh import Mesh, lip_lines
from rendering.engine.rasterize import gpu_kernels as kernels
from rendering.engine.rasterize import records
from rendering.engine.rasterize.splats import Drawn, SplatGradients, Splats2D, smallest_picture

__all__ = ["Drawn", "Painter", "SplatGradients", "Splats2D", "backward_parallel", "forward", "forward_parallel"]

Array = np.ndarray[Any, np.dtype[Any]]
Tensor = torch.Tensor
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
BLOCK = 128


@dataclass(frozen=True)
class Canvas:
    """A picture in the making, all on the device. Fields as in `Drawn`."""

    picture: Tensor
    transmittance: Tensor
    pairs: Tensor
    tile_starts: Tensor
    tile_stops: Tensor


def tiles(height: int, width: int) -> tuple[int, int]:
    """Columns and rows of tiles."""
    return -(-width // records.TILE_PX), -(-height // records.TILE_PX)


def bin_tiles(boxes: Tensor, depths: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """As `kernels.bin_tiles` of the processor: pairs [M] int32 near to far by tile, first pair of each tile."""
    columns, rows = tiles(height, width)
    ranks = torch.empty_like(depths, dtype=torch.int64)
    ranks[torch.argsort(depths, descending=True, stable=True)] = torch.arange(depths.numel(), device=depths.device)
    wide, high = (boxes[:, 2] - boxes[:, 0]).clamp(min=0), (boxes[:, 3] - boxes[:, 1]).clamp(min=0)
    counts = (wide * high).long()
    splat = torch.repeat_interleave(torch.arange(counts.numel(), device=counts.device), counts)
    first = torch.cumsum(counts, 0) - counts
    place = torch.arange(splat.numel(), device=counts.device) - first[splat]
    box, across = boxes[splat].long(), wide[splat].long()
    tile = (box[:, 1] + place // across) * columns + box[:, 0] + place % across
    order = torch.argsort(tile * counts.numel() + ranks[splat])
    starts = torch.zeros(columns * rows + 1, dtype=torch.int64, device=counts.device)
    starts[1:] = torch.cumsum(torch.bincount(tile, minlength=columns * rows), 0)
    return splat[order].int(), starts


def composite(rows: Tensor, boxes: Tensor, depths: Tensor, backdrop: Tensor) -> Canvas:
    """Draw records [N, RECORD] over a backdrop [H, W, 3]."""
    height, width = backdrop.shape[:2]
    pairs, starts = bin_tiles(boxes, depths, height, width)
    picture = torch.empty_like(backdrop)
    through = torch.empty(height, width, device=backdrop.device)
    stops = torch.empty(starts.numel() - 1, dtype=torch.int32, device=backdrop.device)
    kernels.composite[(stops.numel(),)](rows, pairs, starts, stops, backdrop, picture, through, height, width)
    return Canvas(picture, through, pairs, starts, stops)


def forward(splats: Splats2D, backdrop: Array) -> Drawn:
    """Draw `splats` over `backdrop` [H, W, 3] float32; the result is on the processor again."""
    height, width = backdrop.shape[:2]
    count = splats.opacities.size
    rows = torch.zeros(count, records.RECORD, device=DEVICE)
    boxes = torch.zeros(count, 4, dtype=torch.int32, device=DEVICE)
    kernels.from_arrays[(triton.cdiv(count, BLOCK),)](
        _to_device(splats.means_px), _to_device(splats.covariances_px2), _to_device(splats.colours),
        _to_device(splats.opacities), rows, boxes, count, *tiles(height, width), BLOCK=BLOCK,
    )  # fmt: skip
    canvas = composite(rows, boxes, _to_device(splats.depths), _to_device(backdrop))
    found = (
        canvas.picture, canvas.transmittance, rows, canvas.pairs, canvas.tile_starts, canvas.tile_stops.long()
    )  # fmt: skip
    return Drawn(*(tensor.cpu().numpy() for tensor in found))


forward_parallel = forward  # a GPU is parallel anyway


def backward_parallel(splats: Splats2D, drawn: Drawn, picture_gradient: Array) -> SplatGradients:
    """As `cpu.backward_parallel`."""
    height, width = drawn.picture.shape[:2]
    pairs = _to_device(drawn.pairs)
    by_pair = torch.zeros(max(1, pairs.numel()), kernels.ROW.value, device=DEVICE)
    kernels.replay[(drawn.tile_stops.size,)](
        _to_device(drawn.records), pairs, _to_device(drawn.tile_starts), _to_device(drawn.tile_stops.astype(np.int32)),
        _to_device(drawn.picture), _to_device(picture_gradient), by_pair, height, width,
    )  # fmt: skip
    sums = torch.zeros(splats.opacities.size, kernels.ROW.value, device=DEVICE)
    sums.index_add_(0, pairs.long(), by_pair[: pairs.numel()])
    covariance_gradient = _to_covariance(_to_device(drawn.records), sums[:, 2:5])
    return SplatGradients(
        _to_host(sums[:, :2]), _to_host(covariance_gradient), _to_host(sums[:, 5:8]), _to_host(sums[:, 8]),
        drawn.transmittance[..., None] * picture_gradient,
    )  # fmt: skip


def _to_covariance(rows: Tensor, by_conic: Tensor) -> Tensor:
    """As `kernels.conic_to_covariance` of the processor: dV = -Q dQ Q."""
    s, q, t = 4 * rows[:, records.S], 4 * rows[:, records.Q], 4 * rows[:, records.T]
    inverse = torch.stack([s * s, s * q, s * q, q * q + t * t], 1).view(-1, 2, 2)
    half = 0.5 * by_conic[:, 1]
    change = torch.stack([by_conic[:, 0], half, half, by_conic[:, 2]], 1).view(-1, 2, 2)
    found = -(inverse @ change @ inverse)
    return torch.stack([found[:, 0, 0], found[:, 0, 1] + found[:, 1, 0], found[:, 1, 1]], 1)


def _to_device(array: Array) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array)).to(DEVICE)


def _to_host(tensor: Tensor) -> Array:
    return np.asarray(tensor.contiguous().cpu().numpy())


class Painter:
    """Paints one replica's frames over one backdrop. Holds the replica on the device; use it from one thread."""

    def __init__(self, mesh: Mesh, splats: Gaussians, backdrop: Array) -> None:
        """`backdrop`: [H, W, 3] float32, as large as the pictures; both sides even."""
        layers = mesh.layers[splats.triangles]
        ready = records.prepare(splats, mesh.layers)
        features = ready.linear.shape[1]
        places = ready.owners >= 0
        linear = np.empty((features, records.MOVES, len(splats)), np.float32)
        base = np.empty((records.MOVES, len(splats)), np.float32)
        linear[:, :, ready.owners[places]] = ready.linear.transpose(1, 2, 0, 3)[:, :, places]
        base[:, ready.owners[places]] = ready.base.transpose(1, 0, 2)[:, places]
        self._count, self._feature_count = len(splats), features
        self._statics = tuple(_to_device(array) for array in (
            mesh.triangles.astype(np.int32), mesh.rest_inverses(), splats.triangles, layers.astype(np.int32),
        ))  # fmt: skip
        self._shapes = tuple(_to_device(array) for array in (
            splats.barycentrics, linear, base, ready.axes, ready.lifts, ready.opacities, ready.reaches2
        ))  # fmt: skip
        self._inside = _to_device(np.flatnonzero(layers == MOUTH))
        self._backdrop = _to_device(backdrop)
        self._records = torch.zeros(self._count, records.RECORD, device=DEVICE)
        self._boxes = torch.zeros(self._count, 4, dtype=torch.int32, device=DEVICE)
        self._depths = torch.zeros(self._count, device=DEVICE)

    def paint(self, vertices: Array, features: Array, unit: float) -> Array:
        """As `cpu.Painter.paint`: the picture [H, W, 3] uint8, on the processor."""
        picture = self.paint_on_device(vertices, features, unit)
        return _to_host(torch.floor((picture * 255 + 0.5).clamp(0, 255)).byte())

    def paint_on_device(self, vertices: Array, features: Array, unit: float) -> Tensor:
        """The picture [H, W, 3] float32, left on the device."""
        height, width = self._backdrop.shape[:2]
        corners, inverses, owners, layers = self._statics
        kernels.from_mesh[(triton.cdiv(self._count, BLOCK),)](
            _to_device(vertices.astype(np.float32)), corners, inverses, owners, layers,
            _to_device(features.astype(np.float32)), *self._shapes, self._records, self._boxes, self._depths,
            float(unit), float(g.BLUR_PX2), self._count, *tiles(height, width), F=self._feature_count, BLOCK=BLOCK,
        )  # fmt: skip
        self._hide_behind_lips(_to_device(lip_lines(vertices)), float(unit))
        return composite(self._records, self._boxes, self._depths, self._backdrop).picture

    def _hide_behind_lips(self, lips: Tensor, unit: float) -> None:
        """As `records.hide_behind_lips`; `lips` [2, P, 2] as `gaussians.seen_between` names them."""
        inside, soft = self._inside, float(g.LIP_SOFTNESS) * unit
        x, y = self._records[inside, records.X], self._records[inside, records.Y]
        edges = []
        for line in lips:
            after = torch.searchsorted(line[:, 0].contiguous(), x).clamp(1, len(line) - 1)
            left, right = line[after - 1], line[after]
            part = ((x - left[:, 0]) / (right[:, 0] - left[:, 0]).clamp(min=1e-3)).clamp(0, 1)
            edges.append(left[:, 1] + part * (right[:, 1] - left[:, 1]))
        between = ((y - edges[0]) / soft + 0.5).clamp(0, 1) * ((edges[1] - y) / soft + 0.5).clamp(0, 1)
        seen = between * ((edges[1] - edges[0]) / soft).clamp(0, 1)
        seen = torch.where((x > lips[0, 0, 0]) & (x < lips[0, -1, 0]), seen, 0.0)
        shown = self._shapes[5][inside] * seen
        cut = float(records.ALPHA_CUT)
        self._records[inside, records.OPACITY] = shown
        self._records[inside, records.LEVEL] = torch.log(shown.clamp(min=cut)) / 8
        self._boxes[inside, 2] = torch.where(shown <= cut, self._boxes[inside, 0], self._boxes[inside, 2])

    def paint_planes(self, vertices: Array, features: Array, unit: float) -> tuple[Tensor, Tensor, Tensor]:
        """The picture as I420 planes uint8 [H, W], [H/2, W/2] twice, left on the device."""
        return to_i420(self.paint_on_device(vertices, features, unit))


def to_i420(picture: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """A float picture [H, W, 3] on the device as I420 planes uint8, limited range BT.601. Both sides even."""
    height, width = picture.shape[:2]
    y = torch.empty(height, width, dtype=torch.uint8, device=picture.device)
    u, v = (torch.empty(height // 2, width // 2, dtype=torch.uint8, device=picture.device) for _ in range(2))
    kernels.to_i420[(triton.cdiv(u.numel(), BLOCK),)](picture, y, u, v, height, width, BLOCK=BLOCK)
    return y, u, v


def warm_up(*, training: bool = False) -> None:
    """Compile the kernels that drawing arrays needs; those of a live frame compile with a painter's first picture."""
    splats, backdrop = smallest_picture()
    drawn = forward(splats, backdrop)
    if training:
        backward_parallel(splats, drawn, backdrop)
