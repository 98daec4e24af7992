"""A procedural person: own geometry, own voice, found by the tracker in every frame. For tests and the demo.

Frames are stylised: never quote image quality on this head as quality on people.
"""

from rendering.demo.clips import Clip, committed_footage, consent_clip, record_consent, record_speech, speaking_clip
from rendering.demo.people import DemoPerson
from rendering.demo.rig import Face

__all__ = [
    "Clip", "DemoPerson", "Face", "committed_footage", "consent_clip", "record_consent", "record_speech",
    "speaking_clip",
]  # fmt: skip
