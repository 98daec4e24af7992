"""The sheet of emotions: every cell is a face, columns grow apart from the resting face, caps are hatched."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from rendering.engine.motion import expression
from rendering.engine.replica import Replica
from rendering.training import emotion_grid
from rendering.training.emotion_grid import GAP_PX, HEAD_PX, SIDE_PX, STRENGTHS_MILLI
from tests.common import quick_replica

CELL = 96


@pytest.fixture(scope="module")
def replica() -> Replica:
    return Replica.from_files(quick_replica.files())


def with_caps(replica: Replica, milli: int) -> Replica:
    caps = dict.fromkeys(expression.EMOTIONS, milli)
    return replace(replica, facts={**replica.facts, "calibration": {**replica.facts["calibration"],
                                                                    "emotion_caps_milli": caps}})  # fmt: skip


def cell(sheet: bytes, row: int, column: int) -> np.ndarray:
    picture = np.asarray(Image.open(io.BytesIO(sheet)))
    top, left = HEAD_PX + row * (CELL + GAP_PX), SIDE_PX + column * (CELL + GAP_PX)
    return picture[top : top + CELL, left : left + CELL].astype(int)


def test_every_row_starts_at_rest_and_moves_away_from_it(replica: Replica) -> None:
    drawn = emotion_grid.drawn(replica, CELL).astype(int)
    assert drawn.shape == (len(expression.EMOTIONS) - 1, len(STRENGTHS_MILLI), CELL, CELL, 3)
    for row in drawn:
        assert np.array_equal(row[0], drawn[0][0])
        away = [np.abs(one - row[0]).mean() for one in row]
        assert (np.diff(away) > 0).all()
        assert away[-1] > 1.0


def test_only_what_lies_beyond_the_cap_is_hatched(replica: Replica) -> None:
    open_sheet, capped = (emotion_grid.sheet(with_caps(replica, milli), CELL) for milli in (1000, 500))
    for row in range(len(expression.EMOTIONS) - 1):
        for column, milli in enumerate(STRENGTHS_MILLI):
            is_same = np.array_equal(cell(open_sheet, row, column), cell(capped, row, column))
            assert is_same == (milli <= 500)
    frame = cell(capped, 0, 4)[0]
    assert (frame == emotion_grid.HATCH).all()
