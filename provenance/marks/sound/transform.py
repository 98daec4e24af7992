"""Where the mark lives in sound: 125 frequencies of a lapped transform (MDCT), anew every 10 ms.

A hop is 10 ms; the wave of a hop is 20 ms long and fades into its neighbours'. The frequencies end at 6.5 kHz, because
the speech mode of Opus keeps no wave above that, only its loudness.
"""

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

RATE_HZ: Final = 48_000
HOP: Final = 480  # samples at 48 kHz
WINDOW: Final = 2 * HOP
BIN_HZ: Final = 50.0  # bin k of the transform is centred at (k + 0.5) * 50 Hz
FIRST_BIN: Final = 5
BINS: Final = 125
CYCLE_HOPS: Final = 800  # after 8 s the sync signs come again
SLOT_STEP_HOPS: Final = 100  # divides the cycle; a slot begins at a multiple of it, that is at a whole second

CENTRES_HZ: Final = (np.arange(FIRST_BIN, FIRST_BIN + BINS) + 0.5) * BIN_HZ


@lru_cache(maxsize=2)
def basis(hop: int) -> NDArray[np.float32]:
    """The waves of all bins with `hop` samples a hop, orthonormal: float32 [125, 2 * hop]."""
    n, k = np.arange(2 * hop), np.arange(FIRST_BIN, FIRST_BIN + BINS)[:, None]
    window = np.sin(np.pi * (n + 0.5) / (2 * hop))
    waves = np.sqrt(2.0 / hop) * window * np.cos(np.pi / hop * (n + 0.5 + hop / 2) * (k + 0.5))
    return np.ascontiguousarray(waves, dtype=np.float32)


def windows(samples: NDArray[np.float32], hop: int) -> NDArray[np.float32]:
    """Windows of two hops, one a hop, as a view: [N] -> [N // hop - 1, 2 * hop]; none where there are too few."""
    if len(samples) < 2 * hop:
        return np.empty((0, 2 * hop), dtype=np.float32)
    return np.lib.stride_tricks.sliding_window_view(samples, 2 * hop)[::hop]


def overlapped(waves: NDArray[np.float32]) -> NDArray[np.float32]:
    """Waves of two hops laid one hop apart and added: [T, 2 * hop] -> [(T + 1) * hop]."""
    hop = waves.shape[1] // 2
    out = np.zeros((len(waves) + 1, hop), dtype=np.float32)
    out[:-1] += waves[:, :hop]
    out[1:] += waves[:, hop:]
    return out.reshape(-1)
