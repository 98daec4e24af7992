"""Every emotion in five strengths, so that people can judge with their eyes what figures cannot.

Beyond the strength that the footage supports a cell is hatched: it is drawn to be looked at and never shown live. A
training's report holds a strip for each emotion, because control shows those alone that the person agreed to; the whole
sheet is made by hand.

    python -m rendering.training.emotion_grid DIR OUT.png [PX]      # DIR holds a replica's two files
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from rendering.engine.mesh import turned
from rendering.engine.motion import expression
from rendering.engine.motion.performer import neutral_state
from rendering.engine.renderer import Renderer
from rendering.engine.replica import MANIFEST_FILE, MODEL_FILE, Replica
from rendering.engine.state import FaceState
from rendering.training import pictures

Array = np.ndarray[Any, np.dtype[Any]]

STRENGTHS_MILLI = (0, 250, 500, 750, 1000)
CELL_PX = 168
GAP_PX, HEAD_PX, SIDE_PX = 4, 30, 108
PAPER, INK, QUIET = (246, 246, 244), (24, 30, 28), (110, 118, 114)
HATCH = (176, 58, 46)
HATCH_EVERY_PX = 28
FACE_MARGIN = 1.24  # side of a cell over the longer side of the face's points


def sheet(replica: Replica, cell_px: int = CELL_PX) -> bytes:
    """A PNG with one row for each felt emotion and one column for each of STRENGTHS_MILLI, close to the face."""
    shown = [name for name in expression.EMOTIONS if name != "neutral"]
    step = cell_px + GAP_PX
    image = Image.new("RGB", (SIDE_PX + len(STRENGTHS_MILLI) * step, HEAD_PX + len(shown) * step), PAPER)
    pen = ImageDraw.Draw(image)
    for column, milli in enumerate(STRENGTHS_MILLI):
        pen.text((SIDE_PX + column * step + 4, 8), str(milli), INK, ImageFont.load_default(14))
    cells = drawn(replica, cell_px)
    for row, name in enumerate(shown):
        cap = replica.emotion_caps_milli.get(name, 0)
        top = HEAD_PX + row * step
        pen.text((8, top + cell_px // 2 - 18), name, INK, ImageFont.load_default(16))
        pen.text((8, top + cell_px // 2 + 4), f"shown to {cap}", QUIET, ImageFont.load_default(12))
        for column, milli in enumerate(STRENGTHS_MILLI):
            cell = Image.fromarray(cells[row, column])
            if milli > cap:
                _hatch(cell)
            image.paste(cell, (SIDE_PX + column * step, top))
    return pictures.png(np.asarray(image))


def strips(replica: Replica, cell_px: int = CELL_PX) -> dict[str, bytes]:
    """File name -> PNG: for each felt emotion its face in each of STRENGTHS_MILLI, side by side."""
    made = {}
    for name, faces in zip(expression.EMOTIONS[1:], drawn(replica, cell_px), strict=True):
        image = Image.new("RGB", (len(faces) * (cell_px + GAP_PX) - GAP_PX, cell_px), PAPER)
        for column, (milli, face) in enumerate(zip(STRENGTHS_MILLI, faces, strict=True)):
            cell = Image.fromarray(face)
            if milli > replica.emotion_caps_milli.get(name, 0):
                _hatch(cell)
            image.paste(cell, (column * (cell_px + GAP_PX), 0))
        made[f"emotion_{name}.png"] = pictures.png(np.asarray(image))
    return made


def drawn(replica: Replica, cell_px: int) -> Array:
    """[emotions but neutral, strengths, cell, cell, 3] uint8 faces at rest in silence, facing the camera."""
    box = _face_box(replica)
    # Drawn at the size at which the face fills its cell, so that nothing is scaled afterwards.
    size_px = int(np.clip(round(replica.size_px * cell_px / (box[2] - box[0])), 64, 1024))
    renderer, pose = Renderer(replica, size_px), neutral_state(replica).pose
    left, top = (round(value * size_px / replica.size_px) for value in box[:2])
    left, top = (min(max(0, value), max(0, size_px - cell_px)) for value in (left, top))
    rows = []
    for name in expression.EMOTIONS[1:]:
        faces = [expression.amounts(name, milli) for milli in STRENGTHS_MILLI]
        whole = [renderer.draw(FaceState(face, expression.resting_closure(face), pose)) for face in faces]
        rows.append(np.stack([picture[top : top + cell_px, left : left + cell_px] for picture in whole]))
    return np.stack(rows)


def _face_box(replica: Replica) -> tuple[float, float, float, float]:
    """Square around the resting face in pixels of the training size: left, top, right, bottom."""
    space, pose = replica.space, neutral_state(replica).pose
    points = turned(space.shape(space.neutral, pose.vector()), pose.vector())[:, :2]
    low, high = points.min(0), points.max(0)
    side = min(float(FACE_MARGIN * (high - low).max()), float(replica.size_px))
    left, top = (low + high - side) / 2
    return float(left), float(top), float(left) + side, float(top) + side


def _hatch(cell: Image.Image) -> None:
    pen, side = ImageDraw.Draw(cell), cell.width
    for start in range(-side, side, HATCH_EVERY_PX):
        pen.line((start, side, start + side, 0), HATCH, 1)
    pen.rectangle((0, 0, side - 1, side - 1), outline=HATCH, width=3)


def main(arguments: list[str]) -> None:
    """Read a replica's folder and write its sheet."""
    if len(arguments) not in (2, 3):
        raise SystemExit("Name the replica's folder, the PNG to write and, if you like, the side of a cell in pixels.")
    folder, out = Path(arguments[0]), Path(arguments[1])
    replica = Replica.from_files({name: (folder / name).read_bytes() for name in (MODEL_FILE, MANIFEST_FILE)})
    out.write_bytes(sheet(replica, int(arguments[2]) if len(arguments) == 3 else CELL_PX))


if __name__ == "__main__":
    main(sys.argv[1:])
