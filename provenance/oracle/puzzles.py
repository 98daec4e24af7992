"""A small puzzle that costs the asker a second and the server nothing. PURE.

    puzzle = "1.<until>.<bits>.<nonce>.<network>.<mac>"
    solution = a decimal number n such that SHA-256(puzzle + "." + n) begins with <bits> zero bits

The server keeps nothing until a puzzle is used: the mac proves that it made it, for whom, and until when.
"""

import hmac
import re
from dataclasses import dataclass
from typing import Final

from trustcore.primitives.hashing import sha256

VALID_S: Final = 1800
_FORM: Final = re.compile(r"1\.(\d{10})\.(\d{1,2})\.([0-9a-f]{32})\.([0-9a-f]{32})\.([0-9a-f]{64})")
_SOLUTION: Final = re.compile(r"\d{1,15}")


@dataclass(frozen=True)
class Puzzle:
    """A puzzle: what it asks for and whom it was made for. `nonce` is used once."""

    until_s: int  # Unix seconds
    bits: int
    nonce: str  # 32 hex digits
    network: str  # name of the network, 32 hex digits

    def text(self, secret: bytes) -> str:
        """The puzzle as it is given out."""
        body = f"1.{self.until_s}.{self.bits}.{self.nonce}.{self.network}"
        return f"{body}.{_mac(secret, body)}"


def make(secret: bytes, *, bits: int, nonce: str, network: str, now_s: int) -> str:
    """A fresh puzzle. `nonce`: 32 random hex digits."""
    return Puzzle(now_s + VALID_S, bits, nonce, network).text(secret)


def solved(secret: bytes, text: str, solution: str, *, network: str, now_s: int) -> Puzzle | None:
    """The puzzle, if we made it for this network, it is still valid, and `solution` solves it; else None.

    Not checked here: that it was not used before.
    """
    form = _FORM.fullmatch(text)
    if form is None or not _SOLUTION.fullmatch(solution):
        return None
    puzzle = Puzzle(int(form[1]), int(form[2]), form[3], form[4])
    if not hmac.compare_digest(text, puzzle.text(secret)) or puzzle.network != network or now_s > puzzle.until_s:
        return None
    return puzzle if is_solution(text, solution, puzzle.bits) else None


def is_solution(text: str, solution: str, bits: int) -> bool:
    """Whether the hash of puzzle and solution begins with `bits` zero bits."""
    digest = sha256(f"{text}.{solution}".encode())
    return int.from_bytes(digest, "big") >> (256 - bits) == 0


def _mac(secret: bytes, body: str) -> str:
    return hmac.digest(secret, b"trustcore.oracle.puzzle/" + body.encode(), "sha256").hex()
