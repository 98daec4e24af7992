"""A demo person: a look and a voice."""

import shutil
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rendering.demo.draw import render_frame
from rendering.demo.looks import Look, look_of
from rendering.demo.rig import Face
from rendering.speech import Voice, pick_voice
from rendering.speech.voices import FliteVoice


@dataclass(frozen=True)
class DemoPerson:
    """Asha ("A"), Ben ("B"), or the person drawn by a whole number."""

    who: str | int = "A"

    @property
    def look(self) -> Look:
        """Proportions and colours."""
        return look_of(self.who)

    @property
    def seed(self) -> int:
        """Draws this person's habits: blinks, glances, head motion."""
        return {"A": 101, "B": 102}[self.who] if isinstance(self.who, str) else 1000 + self.who

    def voice(self) -> Voice:
        """A flite speaker where flite is installed, else espeak-ng."""
        if shutil.which("flite") is None:
            return pick_voice("en")
        return FliteVoice("rms" if self.look.hair == "short" else "slt", stretch=1.08)

    def frame(self, face: Face, size: int = 256, *, smooth: bool = True) -> npt.NDArray[np.uint8]:
        """[size, size, 3] RGB of this person making a face."""
        return render_frame(self.look, face, size, smooth=smooth)
