"""Read the mark from a picture that was cropped, scaled by an unknown factor, mirrored or set into another picture.

One correlation over the whole frame for each scale: the secret sync pattern of an epoch does not repeat, so where it
fits, it fits once. Steps: (1) take away the picture once, add the frames up; (2) for each scale and mirror orientation,
resize what is left, even out its spectrum ring by ring, and correlate it with the sync pattern over all shifts, at half
the canonical size, which still holds every frequency of the mark; (3) refine the best fits in scale, in the end at full
size; (4) lay the picture on the frame where it fits, and go on as `detect` does.

What is judged at the end is the statistic of aligned detection, so that for any unmarked picture and any one alignment
P(z >= t) <= exp(-t^2/2). For pictures no wider than 16:9 a search may end at any of fewer than 3.5e10 alignments (544
coarse scales and orientations with 11 fine scales each, 5.4 million shifts at most), so P(any z >= 8.5) <= 3.5e10 *
2.1e-16 = 7.2e-6. At an alignment one slot is chosen by the energy of its soft bits before any CRC is looked at, and a
CRC of 16 bits holds by accident once in 65,536 times: 1.1e-10 for a false payload. docs/watermark.md has the proof.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import exp, log
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from provenance.marks import detect, pattern
from provenance.marks.grid import CANONICAL_HEIGHT, CHROMA, LUMA, TILE, Band, Grid
from provenance.marks.keys import AnyMarkKey
from provenance.marks.planes import Planes, resized
from provenance.marks.verdicts import MarkReading, Progress, Verdict

# The picture's height as a share of the frame's: 0.45 is a crop to less than half the height, 2.3 a small player on a
# screenshot.
SCALE_MIN: Final = 0.45
SCALE_MAX: Final = 2.3
SCALE_STEP: Final = 0.006  # of the logarithm: half a step moves the frame's edge by less than a pixel
REFINE_STEP: Final = 0.001
REFINE_STEPS: Final = 5
CLOSE_STEPS: Final = 2
CANDIDATES: Final = 4
MAX_FRAMES: Final = 60
SEARCHED_FRAMES: Final = 30  # of a clip: within one slot of the mark, which lasts five seconds at least
COARSE: Final = 2
FINE: Final = 1
BASE_LINES: Final = (256, 1024)
SEARCHED_Z: Final = 8.5
# The frame's shape is unknown: a grid as wide as 16:9 holds every narrower one, because tiles are named by their place.
GRID: Final = Grid(canonical_width=910, tile_columns=-(-910 // TILE))

Picture = NDArray[np.float32]


@dataclass(frozen=True)
class Fit:
    """Where a picture lies on the canonical frame."""

    score: float  # standard deviations of the correlation map
    scale: float
    top: int  # canonical luma pixels; negative: the picture begins before the frame
    left: int
    is_mirrored: bool


@dataclass(frozen=True)
class _Residual:
    """What is left of the pictures without their content, summed over frames, at one size for both planes."""

    luma: Picture
    chroma: Picture | None  # None: grey

    def mirrored(self) -> "_Residual":
        chroma = None if self.chroma is None else np.ascontiguousarray(self.chroma[:, ::-1])
        return _Residual(np.ascontiguousarray(self.luma[:, ::-1]), chroma)


def search(
    frames: Iterable[Planes], key: AnyMarkKey, *, on_progress: Progress = lambda share: None
) -> MarkReading:
    """Look for a mark in a still (one frame) or a clip, whatever was cut off, scaled or mirrored.

    Args:
        frames: planes of one size, in order; at most MAX_FRAMES are read, so give them from one slot.
        key: epoch key of the mark looked for.
        on_progress: told the share done, 0..1.

    Returns:
        `PAYLOAD_READ` needs SEARCHED_Z and the CRC. Presence without a payload is claimed with a presence key only.

    Raises:
        ValueError: the frames differ in size.
    """
    left_over, count = _summed(frames)
    if left_over is None:
        return MarkReading(Verdict.NO_MARK, frames=count)
    sides = (left_over, left_over.mirrored())
    found: list[Fit] = []
    scales = list(_scales())
    for number, scale in enumerate(scales):
        found += _best_fits(left_over, key, scale, COARSE, (False, True))
        on_progress(0.9 * (number + 1) / len(scales))
    found.sort(key=lambda fit: -fit.score)
    best = MarkReading(Verdict.NO_MARK, frames=count)
    for candidate in found[:CANDIDATES]:
        fit = _refined(left_over, key, candidate)
        reading = _read(sides[fit.is_mirrored], key, fit, count)
        if reading.verdict is not Verdict.NO_MARK:
            on_progress(1.0)
            return reading
        best = max(best, reading, key=lambda one: one.z)
    on_progress(1.0)
    return best


def _scales() -> Iterator[float]:
    steps = int((log(SCALE_MAX) - log(SCALE_MIN)) / SCALE_STEP) + 1
    yield from (SCALE_MIN * exp(SCALE_STEP * step) for step in range(steps))


def _summed(frames: Iterable[Planes]) -> tuple[_Residual | None, int]:
    luma: Picture | None = None
    chroma: Picture | None = None
    count, shape = 0, None
    for frame in frames:
        if count >= MAX_FRAMES:
            break
        shape = shape or frame.y.shape
        if frame.y.shape != shape:
            raise ValueError("The frames of a clip must have one size.")
        colour = frame.u.astype(np.float32) - np.float32(detect.V_WEIGHT) * frame.v.astype(np.float32)
        one, other = _base(frame.y.astype(np.float32), 1), _base(colour, 2)
        luma = one if luma is None or one is None else luma + one
        chroma = other if chroma is None or other is None else chroma + other
        count += 1
    return (None if luma is None else _Residual(luma, chroma)), count


def _base(plane: Picture, shrink: int) -> Picture | None:
    """Residual of one plane at the search's base size; None where it holds no picture."""
    lines = min(max(plane.shape[0], BASE_LINES[0] // shrink), BASE_LINES[1] // shrink)
    picture = resized(plane, lines, round(plane.shape[1] * lines / plane.shape[0]))
    sigma = detect.RESIDUAL_SIGMA * lines / CANONICAL_HEIGHT
    high = picture - cv2.GaussianBlur(picture, (0, 0), sigma)
    if float(np.sqrt(np.mean(high * high))) < detect.LIVE_RMS:
        return None
    return detect.residual(picture, sigma, round(detect.RMS_BOX * lines * shrink / CANONICAL_HEIGHT) | 1)


@lru_cache(maxsize=8)
def _sync_picture(key: AnyMarkKey, band_name: str, reduce: int) -> Picture:
    """The sync chips of an epoch as a picture on the canonical frame, reduced: standard deviation 1."""
    band = pattern.BANDS[band_name]
    values = np.zeros((GRID.tiles, band.dimensions), dtype=np.float32)
    values[:, pattern.layout(key, band_name).sync] = pattern.sync_signs(key, band_name, GRID)
    picture = pattern.synthesise(values, band, GRID)
    if reduce > 1:
        picture = resized(picture, picture.shape[0] // reduce, -(-picture.shape[1] // reduce))
    return np.asarray(picture / picture.std(), dtype=np.float32)


@lru_cache(maxsize=8)
def _sync_spectrum(
    key: AnyMarkKey, band_name: str, reduce: int, height: int, width: int
) -> NDArray[np.complex64]:
    found = np.fft.rfft2(_sync_picture(key, band_name, reduce), s=(height, width))
    return np.asarray(np.conj(found), dtype=np.complex64)


@dataclass(frozen=True)
class _Spectrum:
    """A resized residual's even spectrum, padded so that the sync pattern can be laid anywhere over it."""

    values: NDArray[np.complex64]  # [H, W/2+1]
    padded: tuple[int, int]  # H, W
    picture_width: int

    def mirrored(self) -> "_Spectrum":
        """That of the mirrored picture: conjugate, rows backwards, and a phase for where the picture begins."""
        u = np.arange(self.values.shape[1])
        phase = np.exp(-2j * np.pi * u * (self.picture_width - 1) / self.padded[1]).astype(np.complex64)
        turned = np.conj(np.roll(self.values[::-1], 1, axis=0)) * phase
        return _Spectrum(turned, self.padded, self.picture_width)


def _spectrum(residual: Picture, key: AnyMarkKey, band: Band, lines: int, reduce: int) -> _Spectrum:
    picture = resized(residual, lines, max(8, round(residual.shape[1] * lines / residual.shape[0])))
    frame = _sync_picture(key, band.name, reduce).shape
    # Rounded up coarsely, so that few spectra of the sync pattern are made.
    height, width = (cv2.getOptimalDFTSize(-(-(a + b) // 64) * 64) for a, b in zip(picture.shape, frame, strict=True))
    return _Spectrum(_evened(_transform(picture, height, width), height, width, band, reduce), (height, width),
                     picture.shape[1])


def _transform(picture: Picture, height: int, width: int) -> NDArray[np.complex64]:
    """`np.fft.rfft2(picture, s=(height, width))` in a quarter of its time.

    Only the rows that hold a picture are transformed, and the columns by the inverse transform of the conjugate: numpy
    pads and transforms columns forwards much more slowly.
    """
    rows = np.zeros((height, width // 2 + 1), dtype=np.complex64)
    rows[: picture.shape[0]] = np.conj(np.fft.rfft(picture, n=width))
    return np.asarray(np.conj(np.fft.ifft(rows, axis=0, norm="forward")), dtype=np.complex64)


def _correlation(spectrum: _Spectrum, key: AnyMarkKey, band: Band, reduce: int) -> Picture:
    """Correlation over all shifts, in standard deviations: [H, W] of the padded size. Entry (y, x) is for the picture's
    corner at (-y, -x) of the frame, modulo the padded size.
    """
    sync = _sync_spectrum(key, band.name, reduce, *spectrum.padded)
    found = np.fft.irfft2(spectrum.values * sync, s=spectrum.padded)
    return np.asarray(found / found.std(), dtype=np.float32)


@lru_cache(maxsize=8)
def _rings(height: int, width: int, band_name: str, reduce: int) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Ring number and whether it is in the band, for each coefficient of a padded picture."""
    band = pattern.BANDS[band_name]
    v = np.fft.fftfreq(height)[:, None] * band.tile / reduce
    u = np.fft.rfftfreq(width)[None, :] * band.tile / reduce
    radius = np.hypot(v, u)
    inside = (radius >= band.radius.min() - 1) & (radius <= band.radius.max() + 1)
    return radius[inside].astype(np.intp), inside


def _evened(
    spectrum: NDArray[np.complex64], height: int, width: int, band: Band, reduce: int
) -> NDArray[np.complex64]:
    """Each ring divided by its rms; outside the band nothing."""
    ring, inside = _rings(height, width, band.name, reduce)
    values = spectrum[inside]
    power = np.bincount(ring, weights=values.real**2 + values.imag**2)
    rms = np.sqrt(power / np.maximum(np.bincount(ring), 1))
    gain = np.where(rms > 0, 1.0 / np.where(rms > 0, rms, 1.0), 0.0).astype(np.float32)
    evened = np.zeros_like(spectrum)
    evened[inside] = values * gain[ring]
    return evened


def _best_fits(side: _Residual, key: AnyMarkKey, scale: float, reduce: int, mirrored: tuple[bool, ...]) -> list[Fit]:
    """Where a picture of this scale fits best, in each of the wanted orientations."""
    lines = max(16, round(CANONICAL_HEIGHT * scale / reduce))
    width = round(side.luma.shape[1] * lines / side.luma.shape[0])
    luma = _spectrum(side.luma, key, LUMA, lines, reduce)
    chroma = None if side.chroma is None else _spectrum(side.chroma, key, CHROMA, lines // 2, reduce)
    fits = []
    for is_mirrored in mirrored:
        total = _correlation(luma.mirrored() if is_mirrored else luma, key, LUMA, reduce)
        if chroma is not None:
            other = _correlation(chroma.mirrored() if is_mirrored else chroma, key, CHROMA, reduce)
            doubled = cv2.resize(other, (2 * other.shape[1], 2 * other.shape[0]), interpolation=cv2.INTER_LINEAR)
            total = (total + _as_large(doubled, total.shape)) / np.float32(np.sqrt(2.0))
        fits.append(_peak(total, lines, width, scale, reduce, is_mirrored=is_mirrored))
    return fits


def _peak(total: Picture, lines: int, width: int, scale: float, reduce: int, *, is_mirrored: bool) -> Fit:
    """The best place in a correlation map of a picture `lines` high and `width` wide."""
    peak = int(np.argmax(total))
    row, column = divmod(peak, total.shape[1])
    # A row beyond the picture's own height stands for a corner inside the frame: the map is a circle.
    down = row if row < lines else row - total.shape[0]
    right = column if column < width else column - total.shape[1]
    return Fit(float(total.flat[peak]), scale, -down * reduce, -right * reduce, is_mirrored)


def _as_large(picture: Picture, shape: tuple[int, ...]) -> Picture:
    """A correlation map of another padded size as one of `shape`: shifts before and after zero keep their place."""
    out = np.zeros(shape, dtype=np.float32)
    heights, widths = (min(a, b) // 2 for a, b in zip(picture.shape, shape, strict=True))
    out[:heights, :widths], out[:heights, -widths:] = picture[:heights, :widths], picture[:heights, -widths:]
    out[-heights:, :widths], out[-heights:, -widths:] = picture[-heights:, :widths], picture[-heights:, -widths:]
    return out


def _refined(side: _Residual, key: AnyMarkKey, fit: Fit) -> Fit:
    """The best of eleven scales around a fit: all at the coarse size, then the best one's neighbours in full."""
    near = _best_step(side, key, fit, range(-REFINE_STEPS, REFINE_STEPS + 1), COARSE)[0]
    close = range(max(near - CLOSE_STEPS, -REFINE_STEPS), min(near + CLOSE_STEPS, REFINE_STEPS) + 1)
    return _best_step(side, key, fit, close, FINE)[1]


def _best_step(side: _Residual, key: AnyMarkKey, fit: Fit, steps: Iterable[int], reduce: int) -> tuple[int, Fit]:
    """The fine step of scale that fits best, and its fit."""
    tried: list[tuple[int, Fit]] = []
    for step in steps:
        (found,) = _best_fits(side, key, fit.scale * exp(REFINE_STEP * step), reduce, (fit.is_mirrored,))
        tried.append((step, found))
    return max(tried, key=lambda one: one[1].score)


def _laid(residual: Picture, fit: Fit, band: Band) -> Picture:
    """The residual on the canonical frame of a band, nothing where the picture is not."""
    shrink = TILE // band.tile
    lines = max(8, round(CANONICAL_HEIGHT * fit.scale) // shrink)
    picture = resized(residual, lines, max(8, round(residual.shape[1] * lines / residual.shape[0])))
    height, width = GRID.canonical_size(band)
    move = np.array([[1, 0, fit.left / shrink], [0, 1, fit.top / shrink]], dtype=np.float32)
    return np.asarray(cv2.warpAffine(picture, move, (width, height), flags=cv2.INTER_LINEAR), dtype=np.float32)


def _read(side: _Residual, key: AnyMarkKey, fit: Fit, frames: int) -> MarkReading:
    planes = ((LUMA, side.luma), (CHROMA, side.chroma))
    fields = tuple(
        detect.field_of(None if plane is None else _laid(plane, fit, band), band, GRID) for band, plane in planes)
    return detect.judge_searched(GRID, fields, key, SEARCHED_Z, frames)
