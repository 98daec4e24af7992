"""How often a network may ask, and what it must pay first. PURE."""

import hmac
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

WINDOW: Final = timedelta(hours=1)
FEWEST_BITS, MOST_BITS = 15, 20  # of a puzzle: about 33,000 to a million hashes


@dataclass(frozen=True)
class Quota:
    """Questions that one network may ask in WINDOW: with the puzzle solved, and without."""

    proven: int
    unproven: int

    def is_used_up(self, asked: int, asked_unproven: int, *, is_proven: bool) -> bool:
        """Whether one more question is one too many, after `asked` in all of which `asked_unproven` without proof."""
        return asked >= self.proven or (not is_proven and asked_unproven >= self.unproven)


def network_name(secret: bytes, network: str, day: date) -> str:
    """The name under which a network is counted: without the secret it tells nothing, and tomorrow it is another."""
    text = f"trustcore.oracle.network/{day.isoformat()}/{network}".encode()
    return hmac.digest(secret, text, "sha256").hex()[:32]


def bits_for(asked: int) -> int:
    """How hard the next puzzle of a network is: one bit more, twice the work, for every fourth question of the hour."""
    return min(FEWEST_BITS + asked // 4, MOST_BITS)
