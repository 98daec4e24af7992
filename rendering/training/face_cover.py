"""What covers a face: hands and other things that pass before it, and glasses that stay on it.

The tracker guesses landmarks under a hand, so a covered face is still "found". Skin tells: its colour at a landmark
stays nearly the same over a clip, whatever the face does.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
# Skin that neither lips, lids nor brows reach: forehead, cheeks, nose, chin.
SKIN = np.array([
    10, 151, 108, 337, 69, 299, 67, 297, 54, 284, 50, 280, 101, 330, 118, 347, 123, 352, 147, 376, 187, 411, 205, 425,
    36, 266, 6, 197, 195, 5, 4, 199, 175, 171, 396, 140, 369,
])  # fmt: skip
CHANGED_LEVELS = 30.0  # of 255: more than turning in one light does to most skin
COVERED_SHARE = 0.22  # of the skin points of one frame; clean footage stays below 0.17 in 99 of 100 frames
# A line from the lower lid down the cheek on either side, and one down the bridge of the nose: rims cross them.
_LIDS, _CHEEKS = (145, 374), (50, 280)
_BRIDGE = (8, 195)
_STEPS = 24


def covered_share(frames: Array, points: Array) -> float:
    """Share of the frames [T, H, W, 3] uint8 in which something hides much of the face at `points` [T, 478, 3].

    A hand over half of the face is seen, whatever its colour; a finger of the same colour on a cheek is not.
    """
    colours = _look_up(frames, points[:, SKIN, :2])
    colours = colours - np.median(colours, axis=1, keepdims=True)  # the light on the whole face may change
    away = np.abs(colours - np.median(colours, axis=0)).max(axis=-1)
    return float(((away > CHANGED_LEVELS).mean(axis=1) > COVERED_SHARE).mean())


def rim_levels(frames: Array, points: Array) -> float:
    """How dark or bright a line crosses the cheeks under the eyes and the bridge of the nose, in levels of 255.

    Skin shades smoothly there; a rim is a narrow line that stays at its place in most frames. The weaker of cheeks and
    bridge counts, because glasses have both. Rimless glasses stay unseen.
    """
    cheeks = [_crossing(frames, points[:, lid, :2], points[:, cheek, :2])
              for lid, cheek in zip(_LIDS, _CHEEKS, strict=True)]  # fmt: skip
    bridge = _crossing(frames, points[:, _BRIDGE[0], :2], points[:, _BRIDGE[1], :2])
    return float(min(*cheeks, bridge))


def _crossing(frames: Array, start: Array, stop: Array) -> float:
    """Largest difference of the usual profile along a line [T, 2] -> [T, 2] from its own smooth course."""
    places = np.linspace(0.12, 0.95, _STEPS)[None, :, None]
    along = start[:, None] * (1 - places) + stop[:, None] * places
    profile = np.median(_look_up(frames, along).mean(-1), axis=0)
    # A straight shade from end to end is skin; what is left after taking out the widest steps is a line.
    smooth = np.array([np.median(profile[max(0, i - 6) : i + 7]) for i in range(_STEPS)])
    return float(np.abs(profile - smooth).max())


def _look_up(frames: Array, places: Array) -> Array:
    """Colours [T, N, 3] float32 at pixel places [T, N, 2], each the nearest pixel within the picture."""
    height, width = frames.shape[1:3]
    x = np.clip(np.rint(places[..., 0]), 0, width - 1).astype(int)
    y = np.clip(np.rint(places[..., 1]), 0, height - 1).astype(int)
    return np.asarray(frames[np.arange(len(frames))[:, None], y, x], np.float32)
