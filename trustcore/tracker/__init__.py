"""Untrusted media in, frames and landmarks out: decoding happens in a sandboxed process of another environment."""

from trustcore.tracker.caller import MOST_VIEWS, track_clip, track_sound
from trustcore.tracker.clips import Limits, TrackedClip, TrackedSound
from trustcore.tracker.errors import MediaRefused, TrackerFault

__all__ = [
    "MOST_VIEWS", "Limits", "MediaRefused", "TrackedClip", "TrackedSound", "TrackerFault", "track_clip", "track_sound",
]
