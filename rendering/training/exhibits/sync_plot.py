"""Sound above, lips below, on one time axis: whoever looks sees whether they move together."""

from __future__ import annotations

from typing import Any

import numpy as np

from rendering.training.exhibits import sketch
from rendering.training.exhibits.stretch import Stretch

Array = np.ndarray[Any, np.dtype[Any]]
WIDTH_PX, MARGIN_PX = 1000, 92
SOUND_PX, LIPS_PX = 220, 170
LETTERS_PX = 22  # the page shows the plot at half its size or less
TOP_HZ = 5000
WINDOW_S, STEP_S = 0.025, 0.005
RANGE_DB = 60.0


def spectrogram(pcm: Array, rate_hz: int) -> Array:
    """[F, T] levels 0..1 of the loudest 60 dB below 5 kHz, low frequencies first, a column every 5 ms."""
    size, step = round(WINDOW_S * rate_hz), round(STEP_S * rate_hz)
    sound = np.concatenate([pcm.astype(np.float64), np.zeros(size)])
    windows = np.lib.stride_tricks.sliding_window_view(sound, size)[::step]
    power = np.abs(np.fft.rfft(windows * np.hanning(size), 2 * size, axis=1)) ** 2
    rows = power[:, : round(TOP_HZ / rate_hz * 2 * size)].T
    level = 10 * np.log10(rows + 1.0)
    return np.asarray(np.clip((level - level.max()) / RANGE_DB + 1, 0, 1))


def draw(stretch: Stretch) -> Array:
    """The plot, RGB [H, W, 3] uint8."""
    plot_px = WIDTH_PX - 2 * MARGIN_PX
    sheet = sketch.Sheet(WIDTH_PX, SOUND_PX + LIPS_PX + 136)
    _sound(sheet, stretch, plot_px)
    _lips(sheet, stretch, plot_px)
    _seconds(sheet, stretch, plot_px)
    return sheet.array()


def _sound(sheet: sketch.Sheet, stretch: Stretch, plot_px: int) -> None:
    if len(stretch.pcm) == 0:
        sheet.text(WIDTH_PX // 2, SOUND_PX // 2, "The footage has no sound.", size_px=LETTERS_PX, colour=sketch.QUIET,
                   anchor="ma")  # fmt: skip
        return
    levels = spectrogram(stretch.pcm, stretch.pcm_rate)
    rows = np.linspace(len(levels) - 1, 0, SOUND_PX).round().astype(int)
    columns = np.linspace(0, levels.shape[1] - 1, plot_px).round().astype(int)
    shade = 255 - np.round(levels[np.ix_(rows, columns)] * 225).astype(np.uint8)
    sheet.paste(shade[..., None].repeat(3, axis=2), MARGIN_PX, 30)
    for kilohertz in (0, 1, 2, 3, 4):
        y = 30 + round(SOUND_PX * (1 - 1000 * kilohertz / TOP_HZ))
        sheet.text(MARGIN_PX - 8, y, f"{kilohertz} kHz", size_px=LETTERS_PX, colour=sketch.QUIET, anchor="rm")
    sheet.text(MARGIN_PX, 2, "Sound", size_px=LETTERS_PX, colour=sketch.QUIET)


def _lips(sheet: sketch.Sheet, stretch: Stretch, plot_px: int) -> None:
    top = SOUND_PX + 80
    widest = max(float(stretch.filmed_gaps.max()), float(stretch.drawn_gaps.max()), 1e-3)
    seconds = np.arange(len(stretch.filmed_gaps)) / stretch.fps
    x = MARGIN_PX + seconds / (len(seconds) / stretch.fps) * plot_px
    sheet.lines(np.array([[MARGIN_PX, top + LIPS_PX], [MARGIN_PX + plot_px, top + LIPS_PX]]), sketch.LINE)
    # The replica's thin line lies on the film's broad one, so that both are seen where they agree.
    for gaps, colour, width_px in ((stretch.filmed_gaps, sketch.BAND, 8), (stretch.drawn_gaps, sketch.REPLICA, 2)):
        sheet.lines(np.stack([x, top + LIPS_PX * (1 - gaps / widest)], axis=1), colour, width_px)
    sheet.text(MARGIN_PX - 8, top, "open", size_px=LETTERS_PX, colour=sketch.QUIET, anchor="rm")
    sheet.text(MARGIN_PX - 8, top + LIPS_PX, "closed", size_px=LETTERS_PX, colour=sketch.QUIET, anchor="rm")
    for left, words, colour in ((0, "Lips, filmed", sketch.BAND), (200, "Lips, redrawn", sketch.REPLICA)):
        sheet.box(MARGIN_PX + left, top - 24, MARGIN_PX + left + 18, top - 16, colour)
        sheet.text(MARGIN_PX + left + 24, top - 34, words, size_px=LETTERS_PX,
                   colour=sketch.QUIET)  # fmt: skip


def _seconds(sheet: sketch.Sheet, stretch: Stretch, plot_px: int) -> None:
    length_s = len(stretch.filmed_gaps) / stretch.fps
    for second in range(int(length_s) + 1):
        x = MARGIN_PX + round(second / length_s * plot_px)
        sheet.text(x, SOUND_PX + LIPS_PX + 92, f"{stretch.start_s + second:.0f} s", size_px=LETTERS_PX,
                   colour=sketch.QUIET, anchor="ma")  # fmt: skip
