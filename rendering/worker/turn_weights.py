"""The turn-taker of a persona's settings, with the weights that lie beside its code."""

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from rendering.dialogue import turns
from rendering.dialogue.seams import FlowSettings, TurnTaker
from rendering.dialogue.turns import taker
from rendering.dialogue.turns.model import TurnModel, from_json
from rendering.dialogue.turns.smart import SmartJudge, SmartTurn

WEIGHTS = Path(turns.__file__).parent / "weights" / "turns.json"


@cache
def installed_turns() -> TurnModel:
    """The model this installation has, read once for all sessions. Raises TurnModelInvalid."""
    return from_json(WEIGHTS.read_text(encoding="utf-8"))


def turn_taker(flow: FlowSettings) -> TurnTaker:
    """A turn-taker for one conversation. Raises TurnModelInvalid, and PartFailed where a chosen part is missing."""
    return taker.turn_taker(flow, installed_turns(), _smart)


@cache
def _smart_turn() -> SmartTurn:
    return SmartTurn.installed()


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="smart-turn")


def _smart() -> SmartJudge:
    return SmartJudge(_smart_turn().share, _pool())
