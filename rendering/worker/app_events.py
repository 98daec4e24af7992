"""Events of a conversation as they travel on the viewer's data channel.

Names and shapes follow the Tavus app messages (`conversation.*`); our own start with `trustcore.`.
"""

import json
from collections.abc import Callable
from typing import Any

from trustcore.primitives.clock import to_rfc3339, utc_now


class AppEvents:
    """Numbers events and sends them.

    Args:
        emit: sends one text to the viewer.
    """

    def __init__(self, conversation_id: str, emit: Callable[[str], Any]) -> None:
        self._conversation_id = conversation_id
        self._emit = emit
        self._sequence = 0
        self.turn = 0  # of the replica: counts what it was asked to say

    def send(self, event_type: str, properties: dict[str, Any]) -> None:
        """Send one event to the viewer."""
        self._emit(self.text(event_type, properties))

    def text(self, event_type: str, properties: dict[str, Any]) -> str:
        """The next event as it travels."""
        self._sequence += 1
        return json.dumps({
            "message_type": "trustcore" if event_type.startswith("trustcore.") else "conversation",
            "event_type": event_type, "conversation_id": self._conversation_id, "seq": self._sequence,
            "turn_idx": self.turn, "timestamp": to_rfc3339(utc_now()), "properties": properties,
        })
