"""Lips and lids as surfaces that meet: they close exactly where asked to and never pass through each other."""

from __future__ import annotations

from typing import Any

import numpy as np

from rendering.engine import landmarks

Array = np.ndarray[Any, np.dtype[Any]]

_UPPER_ROWS = (landmarks.UPPER_INNER_LIP, landmarks.UPPER_LOWER_LIP, landmarks.UPPER_MIDDLE_LIP)
_LOWER_ROWS = (landmarks.LOWER_INNER_LIP, landmarks.LOWER_UPPER_LIP, landmarks.LOWER_MIDDLE_LIP)
_ROW_SHARES = (1.0, 0.9, 0.75)  # rows farther from the opening follow less
_OUTER_SHARE = 0.6
_LOWER_TRAVEL = 0.62  # the lower lip does most of the way
_LIDS_UPPER = np.array(landmarks.RIGHT_UPPER_LID + landmarks.LEFT_UPPER_LID)
_LIDS_LOWER = np.array(landmarks.RIGHT_LOWER_LID + landmarks.LEFT_LOWER_LID)
_INNER_UPPER = np.array(landmarks.UPPER_INNER_LIP)
_INNER_LOWER = np.array(landmarks.LOWER_INNER_LIP)


# Irises, and the lid lines from left to right in the picture, corners included.
_EYES = (
    (
        np.array(landmarks.RIGHT_IRIS),
        np.array([landmarks.RIGHT_OUTER_EYE, *landmarks.RIGHT_UPPER_LID, landmarks.RIGHT_INNER_EYE]),
        np.array([landmarks.RIGHT_OUTER_EYE, *landmarks.RIGHT_LOWER_LID, landmarks.RIGHT_INNER_EYE]),
    ),
    (
        np.array(landmarks.LEFT_IRIS),
        np.array([landmarks.LEFT_INNER_EYE, *landmarks.LEFT_UPPER_LID[::-1], landmarks.LEFT_OUTER_EYE]),
        np.array([landmarks.LEFT_INNER_EYE, *landmarks.LEFT_LOWER_LID[::-1], landmarks.LEFT_OUTER_EYE]),
    ),
)


def _followers() -> tuple[Array, Array, Array]:
    """Lip points that move with a closing, the column of the inner row they follow, and their signed share."""
    points: list[int] = []
    columns: list[int] = []
    shares: list[float] = []
    upper = [*zip(_UPPER_ROWS, _ROW_SHARES, strict=True), (landmarks.UPPER_OUTER_LIP, _OUTER_SHARE)]
    lower = [*zip(_LOWER_ROWS, _ROW_SHARES, strict=True), (landmarks.LOWER_OUTER_LIP, _OUTER_SHARE)]
    for rows, travel in ((upper, 1 - _LOWER_TRAVEL), (lower, -_LOWER_TRAVEL)):
        for row, share in rows:
            points += row
            columns += range(len(row))
            shares += [share * travel] * len(row)
    return np.array(points), np.array(columns), np.array(shares, np.float32)


_POINTS, _COLUMNS, _SHARES = _followers()


def close(face: Array, closure: float) -> Array:
    """A copy of canonical points [478, 3] with the lips brought together by `closure` (1: they meet everywhere).

    Lips or lids that the sum of several movements has pushed through each other are set back to where they meet.
    """
    out = face.copy()
    gap = out[_INNER_LOWER] - out[_INNER_UPPER]
    crossed = gap[:, 1] < 0
    share = np.where(crossed, 1.0, closure).astype(np.float32)[:, None]
    out[_POINTS] += _SHARES[:, None] * (gap * share)[_COLUMNS]
    lid_gap = out[_LIDS_LOWER] - out[_LIDS_UPPER]
    pushed = np.minimum(lid_gap[:, 1:2], 0.0) * np.array([0.0, 1.0, 0.0], np.float32)
    out[_LIDS_UPPER] += 0.5 * pushed
    out[_LIDS_LOWER] -= 0.5 * pushed
    return tuck_irises(out)


def tuck_irises(face: Array) -> Array:
    """Canonical points [478, 3] with the iris points held between the lids, changed in place.

    The tracker keeps an iris round under a closing lid. A mesh that did so would fold over and draw the iris on the
    lid.
    """
    for iris, upper, lower in _EYES:
        high = np.interp(face[iris, 0], face[upper, 0], face[upper, 1])
        low = np.interp(face[iris, 0], face[lower, 0], face[lower, 1])
        middle = 0.5 * (high + low)
        face[iris, 1] = np.clip(face[iris, 1], np.minimum(high, middle), np.maximum(low, middle))
    return face


def lip_gap(face: Array) -> float:
    """Mean height of the inner lip opening of canonical points [478, 3], in their own unit."""
    return float(np.mean(face[_INNER_LOWER, 1] - face[_INNER_UPPER, 1]))
