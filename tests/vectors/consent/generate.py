"""Draw the consent clips of the tests: `python -m tests.vectors.consent.generate`. Takes some minutes.

`asha_first` and `asha_second` answer two challenges, `other_first` is another person who answers the first. Each .json
is the challenge as the page shows it.
"""

import json
import random
from datetime import UTC, datetime
from pathlib import Path

from consent.identity import challenge as challenges
from rendering.demo.clips import consent_clip
from rendering.demo.people import DemoPerson

FOLDER = Path(__file__).parent
NOW = datetime(2026, 11, 24, 9, 51, tzinfo=UTC)
CLIPS = {"asha_first": ("A", 1), "asha_second": ("A", 2), "other_first": ("B", 1)}


class SeededRandomness:
    """Stands in for `secrets`, so that these challenges can be drawn again."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def randbelow(self, bound: int) -> int:
        return self._random.randrange(bound)

    def token_hex(self, nbytes: int | None = None) -> str:
        return self._random.randbytes(nbytes or 32).hex()


def main() -> None:
    for name, (look, seed) in CLIPS.items():
        challenge = challenges.draw(
            now=NOW, device_sha256="d" * 64, notice_sha256="a" * 64, randomness=SeededRandomness(seed)
        )
        (FOLDER / f"{name}.json").write_text(json.dumps(challenge.to_dict(), indent=1) + "\n")
        clip = consent_clip(DemoPerson(look), challenge.to_dict(), size=160, fps=12.0, take=seed)
        (FOLDER / f"{name}.mp4").write_bytes(clip)
        print(name, len(clip))


if __name__ == "__main__":
    main()
