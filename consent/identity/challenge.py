"""The one-time challenge: a phrase, then head turns, in an order and at times that nobody can know beforehand.

The page shows each instruction at its time; the clip's own clock is the challenge's clock, which starts when recording
starts. A challenge is bound to a device, a moment and the notice that was read, by hashing all of it into the nonce's
statement, and it is used once.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from consent.identity.words import WORDS
from trustcore.primitives.clock import from_rfc3339, to_rfc3339
from trustcore.primitives.hashing import statement_sha256

Direction = Literal["left", "right"]  # the person's own

LIFETIME = timedelta(minutes=10)
PHRASE_WORDS = 7  # nearly 56 bits
TURNS = 4
LEAD_IN_S = 2.5
PHRASE_S = 6.0
TURN_S = 3.0  # from one cue to the earliest next cue: time to turn and to look ahead again
JITTER_MS = 1000
TAIL_S = 3.5
REACTION_MIN_S = 0.25  # faster is not a reaction: the turn was known beforehand
REACTION_MAX_S = 2.5


class Randomness(Protocol):
    """What drawing needs of `secrets`."""

    def randbelow(self, exclusive_upper_bound: int, /) -> int: ...

    def token_hex(self, nbytes: int | None = None, /) -> str: ...


@dataclass(frozen=True)
class Turn:
    """One asked turn: which way, and when the page asks, in seconds from the start of the recording."""

    direction: Direction
    at_s: float


@dataclass(frozen=True)
class Challenge:
    """What a person is asked to do once, and what that is bound to."""

    nonce: str
    words: tuple[str, ...]
    phrase_at_s: float
    turns: tuple[Turn, ...]
    duration_s: float
    opens_at: datetime
    closes_at: datetime
    device_sha256: str
    notice_sha256: str

    @property
    def phrase(self) -> str:
        return " ".join(self.words)

    @property
    def sha256(self) -> str:
        """What the clip is bound to: the hash of everything asked, of whom, when and under which notice."""
        return statement_sha256(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """JSON form: stored, shown to the page and read by anybody who plays the challenge. Times in milliseconds."""
        return {
            "v": 1, "nonce": self.nonce, "phrase": self.phrase, "phrase_at_ms": round(self.phrase_at_s * 1000),
            "turns": [{"direction": turn.direction, "at_ms": round(turn.at_s * 1000)} for turn in self.turns],
            "duration_ms": round(self.duration_s * 1000), "opens_at": to_rfc3339(self.opens_at),
            "closes_at": to_rfc3339(self.closes_at), "device_sha256": self.device_sha256,
            "notice_sha256": self.notice_sha256,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> "Challenge":
        """Reverse of `to_dict`. Raises KeyError or ValueError on anything else."""
        return cls(
            nonce=stored["nonce"], words=tuple(stored["phrase"].split()), phrase_at_s=stored["phrase_at_ms"] / 1000,
            turns=tuple(Turn(turn["direction"], turn["at_ms"] / 1000) for turn in stored["turns"]),
            duration_s=stored["duration_ms"] / 1000, opens_at=from_rfc3339(stored["opens_at"]),
            closes_at=from_rfc3339(stored["closes_at"]), device_sha256=stored["device_sha256"],
            notice_sha256=stored["notice_sha256"],
        )  # fmt: skip


def draw(
    *,
    now: datetime,
    device_sha256: str,
    notice_sha256: str,
    randomness: Randomness = secrets,
) -> Challenge:
    """A fresh challenge. Randomness is an argument so that a test can draw; no setting fixes it."""
    words = _draw_words(randomness)
    turns = _draw_turns(randomness, first_at_s=LEAD_IN_S + PHRASE_S)
    return Challenge(
        nonce=randomness.token_hex(16), words=words, phrase_at_s=LEAD_IN_S, turns=turns,
        duration_s=turns[-1].at_s + TAIL_S, opens_at=now, closes_at=now + LIFETIME,
        device_sha256=device_sha256, notice_sha256=notice_sha256,
    )  # fmt: skip


def _draw_words(randomness: Randomness) -> tuple[str, ...]:
    """Words of which none comes twice: a repeated word is easily taken for a slip of the page."""
    left = list(WORDS)
    return tuple(left.pop(randomness.randbelow(len(left))) for _ in range(PHRASE_WORDS))


def _draw_turns(randomness: Randomness, first_at_s: float) -> tuple[Turn, ...]:
    """Random directions, at least one of each, at times that a rhythm cannot predict."""
    sides: tuple[Direction, Direction] = ("left", "right")
    # All-left and all-right are left out because a still picture shaken sideways would fit them best.
    pattern = 1 + randomness.randbelow(2**TURNS - 2)
    turns = []
    at_s = first_at_s
    for index in range(TURNS):
        at_s += randomness.randbelow(JITTER_MS + 1) / 1000
        turns.append(Turn(sides[pattern >> index & 1], round(at_s, 3)))
        at_s += TURN_S
    return tuple(turns)
