"""PNG files and the side-by-side sheets of a report."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def png(picture: Array) -> bytes:
    """A PNG of an RGB picture [H, W, 3] uint8."""
    height, width = picture.shape[:2]
    # Each row stores its difference to the row above (filter 2), which deflates far better than raw pixels.
    above = np.concatenate([np.zeros((1, width, 3), np.uint8), picture[:-1]])
    rows = (picture - above).reshape(height, -1)
    filtered = np.concatenate([np.full((height, 1), 2, np.uint8), rows], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(filtered.tobytes(), 6)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def side_by_side(*columns: Array) -> Array:
    """Rows of pictures: each column [R, S, S, 3] uint8, with a thin light gap between them."""
    height = columns[0].shape[1]
    gap = np.full((height, 4, 3), 235, np.uint8)
    rows = []
    for row in zip(*columns, strict=True):
        parts = [part for picture in row for part in (picture, gap)]
        rows.append(np.concatenate(parts[:-1], axis=1))
    line = np.full((4, rows[0].shape[1], 3), 235, np.uint8)
    stacked = [part for row in rows for part in (row, line)]
    return np.asarray(np.concatenate(stacked[:-1], axis=0))


def difference(drawn: Array, truth: Array, gain: float = 4.0) -> Array:
    """Grey where equal; brighter or darker where drawn differs."""
    shifted: Array = 128 + gain * (drawn.astype(np.float32) - truth.astype(np.float32))
    return np.asarray(np.clip(shifted, 0, 255), np.uint8)
