"""The turn-taker's weights that lie beside its code, and the turn-taker of a persona's settings."""

from functools import cache
from pathlib import Path

from rendering.dialogue import turns
from rendering.dialogue.seams import FlowSettings, TurnTaker
from rendering.dialogue.turns.model import TurnModel, from_json
from rendering.dialogue.turns.taker import own_turn_taker

WEIGHTS = Path(turns.__file__).parent / "weights" / "turns.json"


@cache
def installed_turns() -> TurnModel:
    """The model this installation has, read once for all sessions. Raises TurnModelInvalid."""
    return from_json(WEIGHTS.read_text(encoding="utf-8"))


def turn_taker(flow: FlowSettings) -> TurnTaker:
    """A turn-taker for one conversation. Raises TurnModelInvalid."""
    return own_turn_taker(flow, installed_turns())
