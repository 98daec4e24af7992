"""The embedder on a GPU: the same sum as `embed.Embedder`, in one fused kernel over the three planes.

For planes that the renderer already holds on the device, after the visible label. The mask is worked out on the reduced
picture by a few small operations of torch; the kernel enlarges it on the fly and writes luma and chroma in one pass, so
that a frame's pixels are read and written once. `Embedder` is the truth: the two differ by one level at most, where
a value lies on the edge of rounding.

Without a GPU the kernel runs in Triton's interpreter (TRITON_INTERPRET=1), slowly, which is how it is tested.
"""

from typing import Final

import torch
import triton  # type: ignore[import-untyped]
import triton.language as tl  # type: ignore[import-untyped]

from provenance.marks import embed
from provenance.marks.keys import MarkKey
from provenance.marks.pattern import make_pattern

BLOCK: Final = 1024  # chroma pixels a program; each brings four pixels of luma
BOX_SIDE: Final = embed.BOX[0]

Plane = torch.Tensor  # uint8 on one device, contiguous


class GpuEmbedder:
    """Marks the frames of one slot at one size, on one device."""

    def __init__(
        self, key: MarkKey, slot_id: int, slot_index: int, width: int, height: int, *, device: str = "cuda",
    ) -> None:
        """Make the pattern on the CPU (milliseconds) and take it to the device. Arguments and errors as `Embedder`."""
        pattern = make_pattern(key, slot_id, slot_index, width, height)
        self._size = (width, height)
        self._luma = torch.from_numpy(pattern.luma).to(device)
        self._chroma = torch.from_numpy(pattern.chroma).to(device)

    def embed(self, y: Plane, u: Plane, v: Plane) -> None:
        """Mark one frame in place: y uint8 [H, W]; u, v uint8 [H/2, W/2].

        Raises:
            ValueError: planes of another size, not uint8, or not contiguous.
        """
        width, height = self._size
        wanted = ((y, (height, width)), (u, (height // 2, width // 2)), (v, (height // 2, width // 2)))
        for plane, shape in wanted:
            if tuple(plane.shape) != shape or plane.dtype != torch.uint8 or not plane.is_contiguous():
                raise ValueError("The planes do not fit this embedder: contiguous uint8 of its own size is needed.")
        mask = luma_mask(y)
        places = (height // 2) * (width // 2)
        _add_mark[(triton.cdiv(places, BLOCK),)](
            y, u, v, mask, self._luma, self._chroma, width, height, mask.shape[1], mask.shape[0],
            mask.shape[1] / width, mask.shape[0] / height,
            floor=embed.CHROMA_FLOOR, slope=embed.CHROMA_PER_LUMA_MASK, base=embed.LUMA_STRENGTH * embed.LUMA_FLOOR,
            ceiling=embed.CHROMA_CEILING, u_strength=embed.U_STRENGTH, v_strength=embed.V_STRENGTH, BLOCK=BLOCK,
        )


def luma_mask(y: Plane) -> torch.Tensor:
    """`embed.luma_mask` on the device: uint8 [H, W] -> float32 [h, w] on the halved picture."""
    small = _halved(y[None, None].float())
    while small.shape[2] > embed.MASK_LINES:
        small = _halved(small)
    activity = _blurred((small - _blurred(small)).abs())
    strength = (embed.LUMA_FLOOR + embed.LUMA_PER_ACTIVITY * activity).clamp(max=embed.LUMA_CEILING)
    return (embed.LUMA_STRENGTH * strength)[0, 0].contiguous()


def _halved(picture: torch.Tensor) -> torch.Tensor:
    """Mean of each square of four, rounded half up as OpenCV rounds it."""
    return torch.floor(torch.nn.functional.avg_pool2d(picture, 2) + 0.5)


def _blurred(picture: torch.Tensor) -> torch.Tensor:
    edge = BOX_SIDE // 2
    padded = torch.nn.functional.pad(picture, (edge, edge, edge, edge), mode="reflect")
    return torch.nn.functional.avg_pool2d(padded, BOX_SIDE, stride=1)


@triton.jit
def _mask_at(mask, row, column, rows, columns, row_scale, column_scale, inside):  # type: ignore[no-untyped-def]
    """Bilinear value of the reduced mask at a pixel of a larger picture, edges held."""
    at_row = tl.maximum((row.to(tl.float32) + 0.5) * row_scale - 0.5, 0.0)
    at_column = tl.maximum((column.to(tl.float32) + 0.5) * column_scale - 0.5, 0.0)
    top = tl.minimum(at_row.to(tl.int32), rows - 1)
    left = tl.minimum(at_column.to(tl.int32), columns - 1)
    bottom = tl.minimum(top + 1, rows - 1)
    right = tl.minimum(left + 1, columns - 1)
    down = at_row - top.to(tl.float32)
    across = at_column - left.to(tl.float32)
    upper_left = tl.load(mask + top * columns + left, mask=inside, other=0.0)
    upper_right = tl.load(mask + top * columns + right, mask=inside, other=0.0)
    lower_left = tl.load(mask + bottom * columns + left, mask=inside, other=0.0)
    lower_right = tl.load(mask + bottom * columns + right, mask=inside, other=0.0)
    upper = upper_left + (upper_right - upper_left) * across
    lower = lower_left + (lower_right - lower_left) * across
    return upper + (lower - upper) * down


@triton.jit
def _write(plane, place, change, inside):  # type: ignore[no-untyped-def]
    value = tl.load(plane + place, mask=inside, other=0).to(tl.float32) + change + 0.5
    tl.store(plane + place, tl.minimum(tl.maximum(value, 0.0), 255.0).to(tl.uint8), mask=inside)


@triton.jit  # type: ignore[untyped-decorator]
def _add_mark(  # type: ignore[no-untyped-def]
    y, u, v, mask, luma, chroma, width, height, columns, rows, column_scale, row_scale,
    floor: tl.constexpr, slope: tl.constexpr, base: tl.constexpr, ceiling: tl.constexpr,
    u_strength: tl.constexpr, v_strength: tl.constexpr, BLOCK: tl.constexpr,
):
    """One program marks BLOCK chroma pixels and the four luma pixels under each."""
    place = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    half = width // 2
    inside = place < half * (height // 2)
    row = place // half
    column = place % half
    for down in tl.static_range(2):
        for across in tl.static_range(2):
            y_row = 2 * row + down
            y_column = 2 * column + across
            at = y_row * width + y_column
            strength = _mask_at(mask, y_row, y_column, rows, columns, row_scale, column_scale, inside)
            _write(y, at, strength * tl.load(luma + at, mask=inside, other=0.0), inside)
    strength = _mask_at(mask, row, column, rows, columns, 2.0 * row_scale, 2.0 * column_scale, inside)
    share = tl.minimum(floor + slope * (strength - base), ceiling)
    change = share * tl.load(chroma + place, mask=inside, other=0.0)
    _write(u, place, u_strength * change, inside)
    _write(v, place, v_strength * change, inside)
