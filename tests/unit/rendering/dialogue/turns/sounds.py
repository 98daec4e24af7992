"""Made sounds: a buzzing voice of known pitch and loudness, and noise."""

import numpy as np

from rendering.dialogue.seams import HOP_S, HOP_SAMPLES, Hop

RATE_HZ = 16_000


def voice(seconds: float, from_hz: float, to_hz: float | None = None, level: float = 0.2) -> np.ndarray:
    """[N] int16: ten harmonics gliding from one pitch to another."""
    count = int(seconds * RATE_HZ)
    hertz = np.geomspace(from_hz, to_hz or from_hz, count)
    phase = 2 * np.pi * np.cumsum(hertz) / RATE_HZ
    sound = sum(np.sin(k * phase) / k for k in range(1, 11))
    return (level * 32767 * sound / np.abs(sound).max()).astype(np.int16)


def hush(seconds: float, level: float = 0.0005, seed: int = 1) -> np.ndarray:
    """[N] int16 of quiet noise."""
    noise = np.random.default_rng(seed).normal(0, level * 32767, int(seconds * RATE_HZ))
    return noise.astype(np.int16)


def hops(pcm: np.ndarray, speech: float, at_s: float = 0.0, **more: object) -> list[Hop]:
    """The sound as hops that are all as likely speech."""
    count = len(pcm) // HOP_SAMPLES
    return [
        Hop(pcm[i * HOP_SAMPLES : (i + 1) * HOP_SAMPLES], at_s + (i + 1) * HOP_S, speech, **more)  # type: ignore[arg-type]
        for i in range(count)
    ]
