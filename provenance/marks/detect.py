"""Read the mark from frames whose picture was scaled as a whole, but not cropped (aligned detection).

Steps, for each window of frames: (1) scale to 512 lines; (2) take away the picture, keep the rest, evened out; (3) add
the frames up; (4) per tile, fade as the embedder did, DFT, whiten by rings; (5) compare with the secret signs. The
comparison with the sync signs is a sum of numbers that depend on the picture alone, each with a secret +-1, so for any
unmarked picture P(z >= t) <= exp(-t^2/2) (Hoeffding). Every hypothesis tried is counted against that bound;
docs/watermark.md has the proof.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from math import log, sqrt
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from provenance.marks import pattern, payload
from provenance.marks.grid import CHROMA, LUMA, TILE_ROWS, Band, Grid, grid_for
from provenance.marks.keys import SLOT_KEYS, AnyMarkKey, MarkKey, PresenceKey
from provenance.marks.planes import Planes, resized
from provenance.marks.slots import (
    PAYLOAD_FALSE_RATE,
    SMALLEST_WEIGHT,
    SoftReading,
    clearest_soft_bits,
    follow_slots,
    other_payloads,
    payload_alone,
    take_payload,
)
from provenance.marks.verdicts import MarkReading, Tampering, Verdict

WINDOW_FRAMES: Final = 30
RESIDUAL_SIGMA: Final = 7.0  # luma; half on chroma, whose canonical picture is half as large
RMS_BOX: Final = 17
RMS_FLOOR: Final = 2.0
RESIDUAL_CLIP: Final = 2.0
RING_CYCLES: Final = 2.0
WHITE_CLIP: Final = 1.8
V_WEIGHT: Final = 0.7
LIVE_RMS: Final = 0.05  # grey levels: below this a plane holds no picture, let alone a mark

PRESENCE_Z: Final = 6.0  # 1.5e-8 by the bound
SEARCHED_PRESENCE_Z: Final = 10.0  # of 3.5e10 alignments (`search`): 3.5e10 * exp(-50) = 6.8e-12


@dataclass(frozen=True)
class Field:
    """Whitened tile spectra of one plane summed over a window: what the picture gives, before any key is used."""

    band: Band
    values: NDArray[np.float32]  # [tiles, dimensions]
    is_live: bool


def payload_threshold(hypotheses: int) -> float:
    """The z at which a payload whose CRC holds may be believed, when the CRC has `hypotheses` chances to hold."""
    return sqrt(2.0 * log(hypotheses * 2.0**-payload.CRC_BITS / PAYLOAD_FALSE_RATE))


def residual(plane: NDArray[np.float32], sigma: float, box: int) -> NDArray[np.float32]:
    """What is left of a plane without its picture, evened out and clipped: float32 [H, W] -> [H, W]."""
    high = plane - cv2.GaussianBlur(plane, (0, 0), sigma)
    rms = np.sqrt(np.maximum(cv2.blur(high * high, (box, box)), 0.0))
    return np.asarray(np.clip(high / (rms + RMS_FLOOR), -RESIDUAL_CLIP, RESIDUAL_CLIP), dtype=np.float32)


def _canonical(plane: NDArray[np.float32], grid: Grid, band: Band) -> NDArray[np.float32]:
    return resized(plane, *grid.canonical_size(band))


def _plane_residual(plane: NDArray[np.float32], grid: Grid, band: Band) -> NDArray[np.float32] | None:
    """Residual of one plane, or None where the plane is dead (a grey picture has no chroma)."""
    picture = _canonical(plane, grid, band)
    scale = band.tile / LUMA.tile
    high = picture - cv2.GaussianBlur(picture, (0, 0), RESIDUAL_SIGMA * scale)
    if float(np.sqrt(np.mean(high * high))) < LIVE_RMS:
        return None
    return residual(picture, RESIDUAL_SIGMA * scale, round(RMS_BOX * scale) | 1)


def window_fields(frames: Iterable[Planes]) -> tuple[Grid, tuple[Field, Field], int] | None:
    """Sum the residuals of frames of one size and take tile spectra. None without frames.

    Raises:
        ValueError: the frames differ in size.
        FrameTooSmall: they cannot carry a mark.
    """
    sums: dict[str, NDArray[np.float32]] = {}
    grid: Grid | None = None
    shape: tuple[int, ...] = ()
    count = 0
    for frame in frames:
        if grid is None:
            shape, grid = frame.y.shape, grid_for(frame.y.shape[1], frame.y.shape[0])
        if frame.y.shape != shape:
            raise ValueError("The frames of a clip must have one size.")
        chroma = frame.u.astype(np.float32) - np.float32(V_WEIGHT) * frame.v.astype(np.float32)
        for band, plane in ((LUMA, frame.y.astype(np.float32)), (CHROMA, chroma)):
            left_over = _plane_residual(plane, grid, band)
            if left_over is not None:
                sums[band.name] = sums[band.name] + left_over if band.name in sums else left_over
        count += 1
    if grid is None:
        return None
    return grid, (field_of(sums.get(LUMA.name), LUMA, grid), field_of(sums.get(CHROMA.name), CHROMA, grid)), count


def field_of(left_over: NDArray[np.float32] | None, band: Band, grid: Grid) -> Field:
    """Whitened tile spectra of a residual on a band's canonical picture; None is a dead plane."""
    if left_over is None:
        return Field(band, np.zeros((grid.tiles, band.dimensions), dtype=np.float32), is_live=False)
    return Field(band, _whitened(_tile_spectra(left_over, band, grid), band), is_live=True)


def _tile_spectra(picture: NDArray[np.float32], band: Band, grid: Grid) -> NDArray[np.complex64]:
    """DFT of every tile's patch under the embedder's own taper: complex64 [tiles, C]."""
    tile, taper, patch = band.tile, band.taper, band.patch
    height, width = picture.shape
    padded = np.zeros((TILE_ROWS * tile + 2 * taper, grid.tile_columns * tile + 2 * taper), dtype=np.float32)
    padded[taper : taper + height, taper : taper + width] = picture
    window = pattern.taper_window(tile, taper)
    spectra = np.empty((grid.tiles, len(band.rows)), dtype=np.complex64)
    for index in range(grid.tiles):
        top, left = (index // grid.tile_columns) * tile, (index % grid.tile_columns) * tile
        wave = padded[top : top + patch, left : left + patch] * window
        spectra[index] = np.fft.fft2(wave)[band.rows, band.columns]
    return spectra


def _whitened(spectra: NDArray[np.complex64], band: Band) -> NDArray[np.float32]:
    """Divide each tile's rings by their rms and clip: complex64 [tiles, C] -> float32 [tiles, dimensions]."""
    ring = ((band.radius - band.radius.min()) // RING_CYCLES).astype(np.intp)
    power = np.abs(spectra) ** 2
    white = np.zeros_like(spectra)
    for number in range(int(ring.max()) + 1):
        inside = ring == number
        rms = np.sqrt(power[:, inside].mean(axis=1, keepdims=True))
        white[:, inside] = np.where(rms > 0, spectra[:, inside] / np.where(rms > 0, rms, 1.0), 0.0)
    magnitude = np.abs(white)
    white *= np.minimum(1.0, WHITE_CLIP / np.maximum(magnitude, WHITE_CLIP))
    values = np.empty((spectra.shape[0], band.dimensions), dtype=np.float32)
    values[:, 0::2], values[:, 1::2] = white.real, white.imag
    return values


def sync_z(field: Field, key: AnyMarkKey, grid: Grid) -> float:
    """Presence statistic of one plane: standard normal or narrower without a mark, 0 for a dead plane."""
    layout = pattern.layout(key, field.band.name)
    values = field.values[:, layout.sync]
    energy = float(np.sum(values.astype(np.float64) ** 2))
    if not field.is_live or energy == 0.0:
        return 0.0
    return float(np.sum(pattern.sync_signs(key, field.band.name, grid) * values, dtype=np.float64)) / sqrt(energy)


def presence_z(fields: tuple[Field, ...], key: AnyMarkKey, grid: Grid) -> float:
    """Presence statistic over the live planes, which weigh alike; 0 when all are dead."""
    live = [sync_z(field, key, grid) for field in fields if field.is_live]
    return sum(live) / sqrt(len(live)) if live else 0.0


def _added(whole: tuple[Field, ...] | None, fields: tuple[Field, ...]) -> tuple[Field, ...]:
    """The windows' spectra summed, plane by plane.

    The signs of an epoch are the same in every window, and so is a picture that stands still: the statistics of two
    such windows are one number twice. Only the spectra may be added up; then the whole clip is again one sum of numbers
    that depend on the pictures alone, each with a secret sign, and the bound holds for it.
    """
    if whole is None:
        return fields
    return tuple(
        Field(one.band, one.values + other.values, one.is_live or other.is_live) for one,
        other in zip(whole, fields, strict=True)
    )


def _plane_soft_bits(field: Field, key: MarkKey, grid: Grid, slot_index: int) -> NDArray[np.float64]:
    """Soft bits [240] of one plane under one slot hypothesis, variance about 1 on noise."""
    layout = pattern.layout(key, field.band.name)
    values = field.values[:, layout.message]
    energy = float(np.sum(values.astype(np.float64) ** 2))
    if not field.is_live or energy == 0.0:
        return np.zeros(payload.CODED_BITS)
    matched = np.einsum("tp,tp->p", pattern.message_signs(key, field.band.name, grid, slot_index), values)
    bits = np.bincount(layout.bit_of_message, weights=matched, minlength=payload.CODED_BITS)
    return np.asarray(bits / sqrt(energy / payload.CODED_BITS), dtype=np.float64)


def soft_bits(grid: Grid, fields: tuple[Field, ...], key: AnyMarkKey, slots: Iterable[int]) -> SoftReading:
    """Compare one window with the signs of `key`, for each slot hypothesis in `slots`."""
    live = [field for field in fields if field.is_live]
    z_of = {field.band.name: sync_z(field, key, grid) for field in live}
    z = presence_z(fields, key, grid)
    weights = {name: max(value, SMALLEST_WEIGHT) for name, value in z_of.items()}
    norm = sqrt(sum(weight**2 for weight in weights.values())) or 1.0
    soft = np.zeros((SLOT_KEYS, payload.CODED_BITS), dtype=np.float32)
    energy = np.full(SLOT_KEYS, -np.inf)
    if isinstance(key, MarkKey):
        for slot in slots:
            total = sum(
                (weights[field.band.name] / norm * _plane_soft_bits(field, key, grid, slot) for field in live),
                start=np.zeros(payload.CODED_BITS),
            )
            soft[slot] = total
            energy[slot] = (float(np.mean(total**2)) - 1.0) * sqrt(payload.CODED_BITS / 2.0)
    return SoftReading(z, soft, energy)


def detect(
    frames: Iterable[Planes],
    key: AnyMarkKey,
    *,
    slot_index: int | None = None,
    window_frames: int = WINDOW_FRAMES,
) -> MarkReading:
    """Look for a mark in the frames of a clip whose picture was at most scaled as a whole; else use `search`.

    Args:
        frames: planes of one size, in order; read once, a window at a time.
        key: epoch key of the mark looked for; with a presence key the most that is said is `MARK_PRESENT`.
        slot_index: when the slot is known from elsewhere, only it is tried.
        window_frames: frames summed before the signs are compared.

    Returns:
        What was read. `PAYLOAD_READ` means the payload passed presence, CRC and the slot's own energy test, or stands
        out so far by itself that it needs none of them (`slots.payload_alone`).

    Raises:
        ValueError: the frames differ in size.
        FrameTooSmall: they cannot carry a mark.
    """
    hypotheses = range(SLOT_KEYS) if slot_index is None else (slot_index % SLOT_KEYS,)
    readings, clip_z, count = _read_windows(frames, key, hypotheses, window_frames)
    return _judge(readings, clip_z, len(hypotheses) if isinstance(key, MarkKey) else 0, count)


def clip_soft_bits(frames: Iterable[Planes], key: MarkKey) -> NDArray[np.float32] | None:
    """The coded bits [240] that a clip seems to carry, marked or not; None without frames. For comparing marks: it says
    nothing about presence. Raises as `detect` does.
    """
    readings, _, _ = _read_windows(frames, key, range(SLOT_KEYS), WINDOW_FRAMES)
    return clearest_soft_bits(readings) if readings else None


def _read_windows(
    frames: Iterable[Planes], key: AnyMarkKey, hypotheses: Sequence[int], window_frames: int,
) -> tuple[list[SoftReading], float, int]:
    """Each window against the signs, the presence statistic of the whole clip, and the number of frames."""
    readings: list[SoftReading] = []
    whole: tuple[Field, ...] | None = None
    clip_z, count = 0.0, 0
    for window in _windows(frames, window_frames):
        found = window_fields(window)
        if found is not None:
            grid, fields, length = found
            readings.append(soft_bits(grid, fields, key, hypotheses))
            whole, count = _added(whole, fields), count + length
            clip_z = presence_z(whole, key, grid)
    return readings, clip_z, count


def _windows(frames: Iterable[Planes], size: int) -> Iterator[list[Planes]]:
    source = iter(frames)
    while window := list(islice(source, size)):
        yield window


def _strongest(z: float, windows: list[float]) -> float:
    """The best of the whole clip and its single windows, each lowered by what trying it costs in the union bound.

    So a clip that holds the mark for one second only is still found, and the bound stays exp(-z^2/2).
    """
    if len(windows) == 1:
        return z
    tries = [(z, 2.0), *((window, 2.0 * len(windows)) for window in windows)]
    return max(sqrt(max(value**2 - 2.0 * log(count), 0.0)) if value > 0 else 0.0 for value, count in tries)


def _judge(readings: list[SoftReading], z: float, hypotheses: int, frames: int) -> MarkReading:
    """From the windows of a clip, and the whole clip's presence statistic `z`, to one verdict. No hypotheses: presence
    alone was looked for.
    """
    if not readings:
        return MarkReading(Verdict.NO_MARK)
    z_found = _strongest(z, [reading.z for reading in readings])
    if z <= -PRESENCE_Z:
        return MarkReading(Verdict.TAMPERING, tampering=Tampering.INVERTED, frames=frames, z=z)
    if not hypotheses:  # a presence key: there is no payload to read
        return MarkReading(Verdict.MARK_PRESENT if z_found >= PRESENCE_Z else Verdict.NO_MARK, frames=frames, z=z_found)
    # Each take is one more chance for a CRC to hold by accident, and there are at most as many as windows.
    if z_found < payload_threshold(max(hypotheses, len(readings))):
        return _judge_alone(readings, z_found, frames)
    takes = follow_slots(readings)
    read = [(take, value) for take in takes if (value := take_payload(readings, take)) is not None]
    if not read:
        return MarkReading(Verdict.MARK_PRESENT, frames=frames, z=z_found)
    others = {value for take in takes for value in other_payloads(readings, take)}
    values = {value for _, value in read} | others
    slots = tuple(dict.fromkeys(slot for take, _ in read for slot in take.slots))
    if len(values) > 1:
        return MarkReading(Verdict.TAMPERING, None, slots, Tampering.TWO_MARKS, frames, z_found)
    return MarkReading(Verdict.PAYLOAD_READ, values.pop(), slots, frames=frames, z=z_found)


def _judge_alone(readings: list[SoftReading], z: float, frames: int) -> MarkReading:
    """The verdict where the sync signs do not carry a payload: only one that stands out by itself is believed."""
    if (found := payload_alone(readings)) is not None:
        value, slot = found
        return MarkReading(Verdict.PAYLOAD_READ, value, (slot,), frames=frames, z=z)
    return MarkReading(Verdict.MARK_PRESENT if z >= PRESENCE_Z else Verdict.NO_MARK, frames=frames, z=z)


def judge_searched(
    grid: Grid, fields: tuple[Field, ...], key: AnyMarkKey, least_z: float, frames: int
) -> MarkReading:
    """The verdict on one alignment that a search found. A payload needs `least_z` and its CRC. Presence alone is
    claimed with a presence key only, and far above: a search tries too many places for less.
    """
    reading = soft_bits(grid, fields, key, range(SLOT_KEYS))
    if reading.z < least_z:
        return MarkReading(Verdict.NO_MARK, frames=frames, z=reading.z)
    if isinstance(key, PresenceKey):
        is_plain = reading.z >= SEARCHED_PRESENCE_Z
        return MarkReading(Verdict.MARK_PRESENT if is_plain else Verdict.NO_MARK, frames=frames, z=reading.z)
    for take in follow_slots([reading]):
        if (value := take_payload([reading], take)) is not None:
            return MarkReading(Verdict.PAYLOAD_READ, value, tuple(take.slots), frames=frames, z=reading.z)
    return MarkReading(Verdict.NO_MARK, frames=frames, z=reading.z)
