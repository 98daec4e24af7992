"""One turn as a picture: sound, pitch, how likely it is over, and what was decided."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw

from rendering.dialogue.seams import HOP_S, HOP_SAMPLES, Floor, Hop, TurnTaker
from rendering.dialogue.turns.hearing import Hearing
from rendering.training.turns.heard import said_by
from rendering.training.turns.scene import Row

SIZE = (1200, 560)
LEFT, RIGHT = 90, 1180
BANDS = {"sound": (30, 150), "pitch, Hz": (180, 300), "P(over)": (330, 450), "decision": (470, 500)}
COLOURS = {"listen": "#c9d6e8", "wait": "#f3d9a4", "prepare": "#a9d8b8", "speak": "#3c9d5d", "backchannel": "#c3a3dd"}
PITCHES_HZ = (60.0, 320.0)
SHOWN_AFTER_S = 1.2


def picture(row: Row, speech: np.ndarray, taker: TurnTaker, lag_s: float) -> bytes:
    """A PNG of one row as the turn-taker decides it; the end of the turn is a dashed line, pauses are shaded."""
    hops = int((row.silence_spans[-1][0] + SHOWN_AFTER_S) / HOP_S)
    image = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(image)
    x = np.linspace(LEFT, RIGHT, hops + 1)
    for start_s, end_s in row.silence_spans:
        draw.rectangle((x[int(start_s / HOP_S)], 25, x[min(int(end_s / HOP_S), hops)], 505), fill="#f4f4f4")
    for name, (top, bottom) in BANDS.items():
        draw.text((8, (top + bottom) // 2 - 6), name, fill="black")
    taker.reset(asked=row.asked)
    hearing = Hearing()
    last: float | None = None
    for hop in range(hops):
        pcm = row.pcm[hop * HOP_SAMPLES : (hop + 1) * HOP_SAMPLES]
        at_s = (hop + 1) * HOP_S
        words = said_by(row.words, at_s - lag_s)
        floor = taker.push(Hop(pcm, at_s, float(speech[hop])), words=words, is_replica_speaking=False)
        _draw_hop(draw, x[hop], x[hop + 1], pcm, hearing.push(pcm).pitch_hz, floor, last)
        last = floor.end_share
    for word in row.words:
        draw.text((x[min(int(word.start / HOP_S), hops)], 8), word.word, fill="#444444")
    end_x = x[int(row.silence_spans[-1][0] / HOP_S)]
    for top in range(25, 505, 10):
        draw.line((end_x, top, end_x, top + 5), fill="#b03030", width=2)
    for index, (name, colour) in enumerate(COLOURS.items()):
        draw.rectangle((LEFT + 200 * index, 525, LEFT + 200 * index + 20, 540), fill=colour)
        draw.text((LEFT + 200 * index + 28, 526), name, fill="black")
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def _draw_hop(
    draw: ImageDraw.ImageDraw, left: float, right: float, pcm: np.ndarray, pitch_hz: float, floor: Floor,
    last: float | None,
) -> None:
    top, bottom = BANDS["sound"]
    height = (bottom - top) / 2 * min(1.0, float(np.abs(pcm.astype(float)).max()) / 12000)
    middle = (top + bottom) / 2
    draw.line((left, middle - height, left, middle + height), fill="#4a6fa5", width=2)
    if pitch_hz > 0:
        top, bottom = BANDS["pitch, Hz"]
        low, high = np.log(PITCHES_HZ)
        y = bottom - (bottom - top) * np.clip((np.log(pitch_hz) - low) / (high - low), 0, 1)
        draw.ellipse((left - 2, y - 2, left + 2, y + 2), fill="#b5651d")
    top, bottom = BANDS["P(over)"]
    draw.line((left, bottom, right, bottom), fill="#999999")
    before = floor.end_share if last is None else last
    draw.line((left, bottom - (bottom - top) * before, right, bottom - (bottom - top) * floor.end_share), fill="black",
              width=2)  # fmt: skip
    top, bottom = BANDS["decision"]
    draw.rectangle((left, top, right, bottom), fill=COLOURS.get(floor.decision, "#dddddd"))
