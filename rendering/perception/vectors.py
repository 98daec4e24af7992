"""One message of perception: at most forty whole numbers, twice a second. PURE.

`trustcore.perception` on the data channel, properties:

    {"consent": token, "number": n,
     "face": null | {"units_milli": [13], "units_sure_milli": [13], "affect_milli": [6], "affect_sure_milli": s},
     "voice": null | {"arousal_milli": a, "sure_milli": s}}

in the order of `units.ACTION_UNITS` and `units.EMOTIONS`, all 0..1000. There is no field that a picture or a sound
would fit into, and a message that has more than this is no message.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rendering.errors import VectorInvalid
from rendering.perception.units import ACTION_UNITS, EMOTIONS, FULL_MILLI
from trustcore.policy import perception

EVENT_TYPE = "trustcore.perception"
MOST_A_SECOND = 2.0
MAX_MESSAGE_CHARS = 600
MAX_NUMBERS = 40
MAX_NUMBER = 10**6  # six days of two messages a second
_PARTS = {"consent", "number", "face", "voice"}
_FACE = {"units_milli": len(ACTION_UNITS), "units_sure_milli": len(ACTION_UNITS), "affect_milli": len(EMOTIONS)}

# How an emotion of the face counts for the mood of a listener: valence -1..1 and arousal 0..1 (Russell, 1980).
_CIRCLE = {
    "joy": (0.9, 0.6), "sadness": (-0.7, 0.2), "anger": (-0.7, 0.8), "surprise": (0.1, 0.9), "fear": (-0.7, 0.8),
    "disgust": (-0.8, 0.4),
}  # fmt: skip


@dataclass(frozen=True)
class FaceReading:
    """Action units and emotions of a face, in thousandths, each with how sure the reading is."""

    units_milli: tuple[int, ...]  # of ACTION_UNITS
    units_sure_milli: tuple[int, ...]
    affect_milli: tuple[int, ...]  # of EMOTIONS
    affect_sure_milli: int

    @property
    def strongest(self) -> tuple[str, int]:
        """Name and thousandths of the emotion that is read most."""
        milli = max(self.affect_milli)
        return EMOTIONS[self.affect_milli.index(milli)], milli


@dataclass(frozen=True)
class VoiceReading:
    """How lively a voice is. Valence is not read: prosody hardly tells it."""

    arousal_milli: int
    sure_milli: int


@dataclass(frozen=True)
class Vector:
    """What one message says. At least one of the two is there."""

    number: int
    face: FaceReading | None
    voice: VoiceReading | None

    @property
    def mood(self) -> tuple[float, float]:
        """Valence -1..1 and arousal 0..1, each weighted by how sure it is."""
        valence = arousal = 0.0
        if self.face is not None:
            name, milli = self.face.strongest
            share = milli / FULL_MILLI * self.face.affect_sure_milli / FULL_MILLI
            valence, arousal = _CIRCLE[name][0] * share, _CIRCLE[name][1] * share
        if self.voice is not None:
            arousal = max(arousal, self.voice.arousal_milli / FULL_MILLI * self.voice.sure_milli / FULL_MILLI)
        return valence, arousal


def read_vector(properties: Any, level: str) -> tuple[str, Vector]:
    """(consent token, vector) of an unchecked message's properties.

    Args:
        level: what the grant lets be perceived; a message that holds more is refused whole.

    Raises:
        VectorInvalid
    """
    if not isinstance(properties, Mapping) or set(properties) != _PARTS:
        raise VectorInvalid("A vector has consent, number, face and voice, and nothing else.")
    token = properties["consent"]
    if not isinstance(token, str) or not 0 < len(token) <= 64:
        raise VectorInvalid("A vector carries the token of the viewer's consent.")
    face, voice = _face(properties["face"]), _voice(properties["voice"])
    if face is None and voice is None:
        raise VectorInvalid("A vector says something of a face or of a voice.")
    for part, reading in (("face", face), ("voice", voice)):
        if reading is not None and not perception.includes(level, part):  # type: ignore[arg-type]
            raise VectorInvalid(f"The grant does not let the {part} be read.", part=part)
    return token, Vector(_whole(properties["number"], MAX_NUMBER), face, voice)


def _face(unverified: Any) -> FaceReading | None:
    if unverified is None:
        return None
    if not isinstance(unverified, Mapping) or set(unverified) != {*_FACE, "affect_sure_milli"}:
        raise VectorInvalid("A face has its units, its emotions, and how sure they are, and nothing else.")
    rows = {name: _row(unverified[name], length) for name, length in _FACE.items()}
    return FaceReading(**rows, affect_sure_milli=_whole(unverified["affect_sure_milli"]))


def _voice(unverified: Any) -> VoiceReading | None:
    if unverified is None:
        return None
    if not isinstance(unverified, Mapping) or set(unverified) != {"arousal_milli", "sure_milli"}:
        raise VectorInvalid("A voice has its arousal and how sure it is, and nothing else.")
    return VoiceReading(_whole(unverified["arousal_milli"]), _whole(unverified["sure_milli"]))


def _row(unverified: Any, length: int) -> tuple[int, ...]:
    if not isinstance(unverified, list) or len(unverified) != length:
        raise VectorInvalid(f"A row of a vector has {length} numbers.")
    return tuple(_whole(one) for one in unverified)


def _whole(unverified: Any, most: int = FULL_MILLI) -> int:
    if type(unverified) is not int or not 0 <= unverified <= most:
        raise VectorInvalid(f"Each number of a vector is a whole one from 0 to {most}.")
    return int(unverified)
