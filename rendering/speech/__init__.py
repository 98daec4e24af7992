"""Text to sound with exact times of every speech sound, and the mouth shapes that go with them."""

from rendering.speech.utterance import Phoneme, Utterance, VisemeSpan, resample
from rendering.speech.voices import Voice, VoiceFault, pick_voice

__all__ = ["Phoneme", "Utterance", "VisemeSpan", "Voice", "VoiceFault", "pick_voice", "resample"]
