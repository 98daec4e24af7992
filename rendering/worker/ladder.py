"""What a viewer gets on a line, best first. PURE.

Every rung with a picture carries label, mark and attestation, a slow picture as well as a quick one. There is no loop
that was made beforehand: what is drawn and sealed now needs no trust in anything older. Below the last rung there is
only the line itself: it is lost, and made again (`session.py`, step 6).
"""

from dataclasses import dataclass

from rendering.protocol import RUNG_NAMES


@dataclass(frozen=True)
class Rung:
    """One thing that a viewer can get.

    `from_bps`: what the line must carry of it, headers and attestations counted; of pictures at their full size.
    `size_px`, `frames_per_s`: of the picture at most, 0 for none.
    """

    name: str
    from_bps: int
    size_px: int
    frames_per_s: int
    has_sound: bool = True

    @property
    def has_picture(self) -> bool:
        return self.frames_per_s > 0

    def needs_bps(self, most_px: int) -> int:
        """What the line must carry for this rung from a slot that draws at most `most_px` wide."""
        if self.size_px <= most_px:
            return self.from_bps
        # A rung of smaller pictures is never dearer than the smallest size's own.
        return max(SMALL.from_bps, self.from_bps * most_px // self.size_px)


FULL = Rung("full", 450_000, 512, 30)
MEDIUM = Rung("medium", 250_000, 384, 20)
SMALL = Rung("small", 130_000, 256, 12)
STILL = Rung("still", 60_000, 256, 2)
AUDIO = Rung("audio", 30_000, 0, 0)
CAPTIONS = Rung("captions", 0, 0, 0, has_sound=False)
RUNGS = (FULL, MEDIUM, SMALL, STILL, AUDIO, CAPTIONS)


def named(name: str) -> Rung:
    """The rung of this name. Raises ValueError for none."""
    return RUNGS[RUNG_NAMES.index(name)]


def carried_by(line_bps: float, most_px: int, top: Rung = FULL) -> Rung:
    """The best rung from `top` down that a line of this many bits a second carries."""
    return next(rung for rung in RUNGS[RUNGS.index(top) :] if rung.needs_bps(most_px) <= max(0.0, line_bps))
