"""How far a change of a sound lies below what the sound masks: an ingredient of PEAQ, not PEAQ and not its grade.

For each 21 ms: energies in 24 Bark bands; the sound's spread by Schroeder's function and lowered by 5.5 dB where it is
like noise and by 14.5 dB and more where it is like a tone (Johnston 1988); never below the threshold of hearing, with a
full-scale sine at 92 dB. It is stricter with tones than ears are.
"""

import numpy as np
from numpy.typing import NDArray

from provenance.marks.sound.masking import bark

SIZE = 1024
RATE_HZ = 48_000
BANDS = 22  # up to 9.5 kHz; a voice made at 16 kHz has nothing above
CENTRES_KHZ = np.array([50, 150, 250, 350, 450, 570, 700, 840, 1000, 1170, 1370, 1600, 1850, 2150, 2500, 2900, 3400,
                        4000, 4800, 5800, 7000, 8500]) / 1000.0
FULL_SCALE_DB = 92.0
QUIET_DB = -50.0  # below the loudest frame: not looked at
DISTURBED_DB = 1.5  # a frame with any band above this is disturbed (as PEAQ counts it)

_HERTZ = np.fft.rfftfreq(SIZE, 1.0 / RATE_HZ)
_BAND_OF = bark(_HERTZ).astype(int)
_INTO_BANDS = ((_BAND_OF[:, None] == np.arange(BANDS)[None, :]) & (_HERTZ[:, None] >= 100)).astype(float)


def _power(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    frames = np.lib.stride_tricks.sliding_window_view(samples, SIZE)[:: SIZE // 2]
    return np.asarray(np.abs(np.fft.rfft(frames * np.hanning(SIZE), axis=1)) ** 2)


def _spread() -> NDArray[np.float64]:
    bands = np.arange(BANDS)
    distance = bands[None, :] - bands[:, None] + 0.474
    spread = 10.0 ** ((15.81 + 7.5 * distance - 17.5 * np.sqrt(1.0 + distance**2)) / 10.0)
    return np.asarray(spread / spread.sum(axis=0))


def _threshold(power: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a sound masks in each band, from its power spectra: [T, lines] -> [T, BANDS]."""
    voiced = power[:, (_HERTZ > 100) & (_HERTZ < 8000)] + 1e-3
    flatness_db = 10.0 * (np.log10(voiced).mean(axis=1) - np.log10(voiced.mean(axis=1)))
    tone = np.minimum(flatness_db / -60.0, 1.0)[:, None]
    below_db = tone * (14.5 + np.arange(BANDS) + 0.5) + (1.0 - tone) * 5.5
    quiet_db = 3.64 * CENTRES_KHZ**-0.8 - 6.5 * np.exp(-0.6 * (CENTRES_KHZ - 3.3) ** 2) + 1e-3 * CENTRES_KHZ**4
    hearing = 2.0 * (32768.0 * SIZE / 4.0) ** 2 * 10.0 ** ((quiet_db - FULL_SCALE_DB) / 10.0)
    return np.maximum((power @ _INTO_BANDS) @ _spread() * 10.0 ** (-below_db / 10.0), hearing)


def _ratios(sound: NDArray[np.int16], changed: NDArray[np.int16]) -> NDArray[np.float64]:
    power = _power(sound.astype(np.float64))
    change = _power(changed.astype(np.float64) - sound) @ _INTO_BANDS
    level = power.sum(axis=1)
    return np.asarray((change / _threshold(power))[level > level.max() * 10.0 ** (QUIET_DB / 10.0)])


def noise_to_mask_db(sound: NDArray[np.int16], changed: NDArray[np.int16]) -> float:
    """Mean noise-to-mask ratio over frames and bands, in dB; below 0 the change is mostly masked."""
    return float(10.0 * np.log10(np.mean(_ratios(sound, changed))))


def disturbed_share(sound: NDArray[np.int16], changed: NDArray[np.int16]) -> float:
    """Share of frames in which some band's change is more than DISTURBED_DB above what is masked."""
    return float(np.mean(_ratios(sound, changed).max(axis=1) > 10.0 ** (DISTURBED_DB / 10.0)))
