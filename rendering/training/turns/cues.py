"""How people end and hold turns, as far as the generated set knows: how often each cue is there and how strong.

No cue is certain. A third of the ends does not fall in pitch, a quarter of the pauses inside a turn does, people
stretch the sound before a hesitation as well as the last one of a turn, and a filler is followed by silence of any
length.
"""

from __future__ import annotations

import numpy as np

from rendering.training.turns.prosody import Ending
from rendering.training.turns.texts import Boundary

PAUSE_MEDIAN_S, PAUSE_SPREAD, PAUSE_S = 0.5, 0.6, (0.2, 1.5)
PAUSE_LONGER = {"filler": 1.35, "open": 1.1, "clause": 1.0, "number": 0.8}
GAP_S, GAP_SPREAD_S, GAP_LIMITS_S = 0.2, 0.25, (-0.6, 1.2)
BACKCHANNEL_S = (0.3, 0.5)
# Shares of falling, level and rising pitch.
MOVES = {"end": (0.68, 0.17, 0.15), "question_end": (0.3, 0.15, 0.55), "clause": (0.27, 0.38, 0.35),
         "open": (0.15, 0.6, 0.25), "filler": (0.2, 0.7, 0.1), "number": (0.2, 0.4, 0.4)}  # fmt: skip
# Mean and deviation.
STRETCH = {"end": (1.3, 0.12), "question_end": (1.25, 0.12), "clause": (1.2, 0.12), "open": (1.12, 0.18),
           "filler": (1.5, 0.25), "number": (1.15, 0.15)}  # fmt: skip
FALL_DB = {"end": (5.0, 2.5), "question_end": (3.5, 2.5), "clause": (3.0, 2.0), "open": (1.5, 2.0),
           "filler": (3.0, 2.5), "number": (2.0, 2.0)}  # fmt: skip
DROPPED = 0.25  # of the stretches lack each of: the move, the stretch, the fall
PUNCTUATION = {"end": (".", ".", ".", ","), "question_end": ("?", "?", "."), "clause": (",", ",", "."),
               "open": (",", "", "."), "filler": (",", ",", "."), "number": (",", ",", ".")}  # fmt: skip


def draw_ending(boundary: Boundary, place: float, draw: np.random.Generator) -> Ending:
    """How a stretch ends.

    Args:
        place: 0 for the first stretch of the turn, 1 for the last: pitch sinks along a turn.
    """
    falls, level, _ = MOVES[boundary]
    kind = draw.random()
    if draw.random() < DROPPED:
        move = draw.normal(0.0, 0.7)
    elif kind < falls:
        move = -abs(draw.normal(4.0, 1.5))
    elif kind < falls + level:
        move = draw.normal(0.0, 0.8)
    else:
        move = abs(draw.normal(3.2, 1.3))
    stretch = 1.0 if draw.random() < DROPPED else float(np.clip(draw.normal(*STRETCH[boundary]), 0.9, 2.2))
    fall = draw.normal(1.0, 1.0) if draw.random() < DROPPED else draw.normal(*FALL_DB[boundary])
    sinking = draw.normal(1.0, 0.8)  # semitones over the turn
    return Ending(
        shift_semitones=float(sinking * (0.5 - place) + draw.normal(0.0, 0.4)), move_semitones=float(move),
        move_s=float(draw.uniform(0.25, 0.5)), stretch=stretch, stretch_s=float(draw.uniform(0.15, 0.3)),
        fall_db=float(np.clip(fall, -2.0, 12.0)),
    )  # fmt: skip


def draw_pause_s(boundary: Boundary, draw: np.random.Generator) -> float:
    """Log-normal, 200 to 1,500 ms; drawn again until it lies there."""
    while True:
        pause = PAUSE_MEDIAN_S * PAUSE_LONGER[boundary] * float(np.exp(draw.normal(0.0, PAUSE_SPREAD)))
        if PAUSE_S[0] <= pause <= PAUSE_S[1]:
            return pause


def draw_gap_s(draw: np.random.Generator) -> float:
    """From the replica's last sound to the viewer's first: N(200, 250) ms; below zero they overlap."""
    return float(np.clip(draw.normal(GAP_S, GAP_SPREAD_S), *GAP_LIMITS_S))


def punctuation(boundary: Boundary, draw: np.random.Generator) -> str:
    """The mark a voice reads its own melody from; often one that misleads."""
    marks = PUNCTUATION[boundary]
    return marks[int(draw.integers(len(marks)))]
