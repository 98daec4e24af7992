"""Opus packets of a voice, as a browser's microphone sends them."""

from fractions import Fraction
from functools import cache

import av
import numpy as np

from rendering.speech.voices import EspeakVoice, FliteVoice, VoiceFault

RATE_HZ = 48_000


@cache
def speech(text: str = "What happened to my claim? Please tell me what I have to send.") -> np.ndarray:
    """[N] int16 samples at 16 kHz."""
    try:
        return FliteVoice().say(text).pcm
    except VoiceFault:
        spoken = EspeakVoice("en-us").say(text)
        at = np.arange(0, len(spoken.pcm), spoken.rate_hz / 16_000)
        return np.interp(at, np.arange(len(spoken.pcm)), spoken.pcm).astype(np.int16)


def packets(pcm: np.ndarray, *, bit_rate_bps: int = 32_000, with_fec: bool = True, samples: int = 960) -> list[bytes]:
    """`pcm` at 16 kHz as packets of `samples` at 48 kHz."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = RATE_HZ, "mono", "s16"
    encoder.bit_rate = bit_rate_bps
    encoder.options = {"application": "voip", "frame_duration": str(samples / 48), **(
        {"fec": "1", "packet_loss": "20"} if with_fec else {})}
    sound = np.interp(np.arange(len(pcm) * 3) / 3, np.arange(len(pcm)), pcm).astype(np.int16)
    made: list[bytes] = []
    for at in range(0, len(sound) // samples * samples, samples):
        frame = av.AudioFrame.from_ndarray(sound[None, at : at + samples], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, at, Fraction(1, RATE_HZ)
        made += [bytes(packet) for packet in encoder.encode(frame)]
    return made
