"""Where a replica errs: the mean absolute error of every pixel over the held-out frames, as a heat map with a scale."""

from __future__ import annotations

from typing import Any

import numpy as np

from rendering.training.exhibits import sketch

Array = np.ndarray[Any, np.dtype[Any]]
FULL_SCALE = 24.0  # levels of 255 at the bright end
SHOWN_PX = 384  # each of the two pictures is at least this large
LETTERS_PX = 22  # the page shows the sheet at half its size or less


def mean_errors(drawn: Array, filmed: Array) -> Array:
    """[S, S] mean absolute error in levels, of pictures [T, S, S, 3] uint8."""
    total = np.zeros(drawn.shape[1:3])
    for one, other in zip(drawn, filmed, strict=True):
        total += np.abs(one.astype(np.int16) - other).mean(-1)
    return np.asarray(total / len(drawn))


def draw(drawn: Array, filmed: Array) -> Array:
    """The mean filmed picture beside the map, with the scale under it. RGB [H, W, 3] uint8."""
    times = max(1, -(-SHOWN_PX // drawn.shape[1]))
    side = drawn.shape[1] * times
    errors = mean_errors(drawn, filmed)
    sheet = sketch.Sheet(2 * side + 16, side + 84)
    sheet.paste(sketch.enlarge(filmed.mean(0).round().astype(np.uint8), times), 0, 0)
    sheet.paste(sketch.enlarge(sketch.heat(errors / FULL_SCALE), times), side + 16, 0)
    sheet.text(0, side + 8, f"Mean of {len(filmed)} filmed frames", size_px=LETTERS_PX, colour=sketch.QUIET)
    bar = sketch.heat(np.linspace(0, 1, side))[None].repeat(12, axis=0)
    sheet.paste(bar, side + 16, side + 8)
    for level in (0, 6, 12, 18, 24):
        anchor = {0: "la", int(FULL_SCALE): "ra"}.get(level, "ma")
        sheet.text(side + 16 + round(level / FULL_SCALE * side), side + 24, str(level),
                   size_px=LETTERS_PX, colour=sketch.QUIET, anchor=anchor)  # fmt: skip
    sheet.text(side + 16, side + 52, "mean error in levels of 255", size_px=LETTERS_PX, colour=sketch.QUIET)
    return sheet.array()
