"""Speech to mark, and what happens to sound in the wild: codecs, rates, gain, noise, clocks."""

import io
from collections.abc import Callable
from functools import lru_cache

import av
import numpy as np
from numpy.typing import NDArray

from provenance.marks.keys import SLOT_KEYS, MarkKey
from provenance.marks.sound import signs
from provenance.marks.sound.embed import ChipsOf
from provenance.marks.sound.transform import CYCLE_HOPS, SLOT_STEP_HOPS
from rendering.speech.voices import EspeakVoice, FliteVoice, Voice, pick_voice
from rendering.worker.audio import PACKET_SAMPLES, RATE_HZ, OpusEncoder, Samples, resample
from rendering.worker.sound_settings import SoundSettings

TEXTS = (
    "Good morning. Your claim reached us on Friday, and the payment takes five working days. "
    "Storm damage to roofs is covered up to ten lakh rupees.",
    "I am an AI replica. Please tell me what happened, when it happened, and who was there. "
    "We will look at the photographs you sent and answer you by Tuesday.",
    "The river rose overnight and the lower road was closed, so the buses took the long way round the hill. "
    "Nobody was hurt, but the market opened late.",
)
HINDI = "नमस्ते, आप कैसे हैं? आपका दावा शुक्रवार को हमारे पास पहुँचा, और भुगतान में पाँच दिन लगते हैं। कृपया बताइए क्या हुआ और कब हुआ।"
FLITE_VOICES = ("slt", "rms", "awb", "kal")
OPUS_DELAY_SAMPLES = 312


def said(voice: Voice, *texts: str) -> Samples:
    """The texts one after the other, int16 [N] at 48 kHz, N a multiple of a packet."""
    spoken = [voice.say(text) for text in texts]
    whole = np.concatenate([resample(one.pcm, one.rate_hz) for one in spoken])
    return whole[: len(whole) // PACKET_SAMPLES * PACKET_SAMPLES]


@lru_cache(maxsize=1)
def speech() -> Samples:
    """About 25 s of English in the voice that a session would pick."""
    return said(pick_voice("en"), *TEXTS)


def voices() -> dict[str, Samples]:
    """Four English voices of flite, Hindi and English of espeak-ng, about 130 s in all."""
    spoken = {name: said(FliteVoice(name), *TEXTS) for name in FLITE_VOICES}
    return spoken | {"hi": said(EspeakVoice("hi"), HINDI), "en-us": said(EspeakVoice("en-us"), *TEXTS[:2])}


def slots_from(key: MarkKey, slot_id: int, first_index: int, slot_s: int = 8) -> ChipsOf:
    """The chips of a session whose slots are all of one length, in whole seconds."""
    made: dict[int, NDArray[np.float32]] = {}

    def chips_of(hop: int) -> NDArray[np.float32]:
        index = (first_index + max(hop, 0) // (slot_s * SLOT_STEP_HOPS)) % SLOT_KEYS
        if index not in made:
            made[index] = signs.chips(key, slot_id, index)
        return made[index][hop % CYCLE_HOPS]

    return chips_of


def through_opus(samples: Samples, bps: int = 32_000) -> Samples:
    """What a viewer hears: encoded by the worker's own encoder, decoded by libopus, without its delay."""
    encoder, decoder = OpusEncoder(SoundSettings(bps)), av.CodecContext.create("libopus", "r")
    decoder.sample_rate, decoder.layout = RATE_HZ, "mono"
    heard = []
    for first in range(0, len(samples) - PACKET_SAMPLES + 1, PACKET_SAMPLES):
        for packet in encoder.encode(np.ascontiguousarray(samples[first : first + PACKET_SAMPLES]), first):
            heard += [_int16(frame) for frame in decoder.decode(packet)]
    return np.concatenate(heard)[OPUS_DELAY_SAMPLES:]


def as_file(samples: Samples, codec: str, bps: int, kind: str) -> bytes:
    """A media file with one mono sound track at 48 kHz."""
    out = io.BytesIO()
    with av.open(out, "w", format=kind) as container:
        stream = container.add_stream(codec, rate=RATE_HZ)
        stream.bit_rate, stream.layout = bps, "mono"
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None]), format="s16", layout="mono")
        frame.sample_rate, frame.pts = RATE_HZ, 0
        fitting = av.AudioResampler(stream.format, "mono", RATE_HZ, frame_size=stream.codec_context.frame_size or 1024)
        for piece in [*fitting.resample(frame), *fitting.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return out.getvalue()


def through_file(samples: Samples, codec: str, bps: int, kind: str) -> Samples:
    """Encoded into a file and decoded again."""
    with av.open(io.BytesIO(as_file(samples, codec, bps, kind))) as source:
        return np.concatenate([_int16(frame) for frame in source.decode(audio=0)])


def _int16(frame: av.AudioFrame) -> Samples:
    values = frame.to_ndarray().reshape(-1)
    if values.dtype == np.int16:
        return values
    return np.clip(np.rint(values * 32768.0), -32768, 32767).astype(np.int16)


def at_rate(samples: Samples, rate_hz: int) -> Samples:
    """Resampled to another rate and back."""
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None]), format="s16", layout="mono")
    frame.sample_rate = RATE_HZ
    resampler = av.AudioResampler(format="s16", layout="mono", rate=rate_hz)
    there = np.concatenate([out.to_ndarray()[0] for one in (frame, None) for out in resampler.resample(one)])
    return resample(there, rate_hz)


def louder(samples: Samples, db: float) -> Samples:
    """With gain; what does not fit is clipped."""
    return np.clip(np.rint(samples * 10.0 ** (db / 20.0)), -32768, 32767).astype(np.int16)


def with_noise(samples: Samples, snr_db: float, seed: int = 1) -> Samples:
    """With white noise, `snr_db` below the sound."""
    noise = np.random.default_rng(seed).normal(0.0, _rms(samples) * 10.0 ** (-snr_db / 20.0), len(samples))
    return np.clip(np.rint(samples + noise), -32768, 32767).astype(np.int16)


def with_music(samples: Samples, music_db: float, seed: int = 5) -> Samples:
    """Half as loud, so that nothing is clipped, with music that is `music_db` above it (below: negative)."""
    score = music(len(samples) / RATE_HZ + 1, seed)[: len(samples)].astype(np.float64)
    mixed = samples + score * (_rms(samples) / _rms(score) * 10.0 ** (music_db / 20.0))
    return np.clip(np.rint(mixed / 2.0), -32768, 32767).astype(np.int16)


def _rms(samples: NDArray[np.generic]) -> float:
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))


def at_another_clock(samples: Samples, parts_per_million: float) -> Samples:
    """As a recorder whose clock is off hears it."""
    at = np.arange(0, len(samples) - 1, 1.0 + parts_per_million * 1e-6)
    return np.rint(np.interp(at, np.arange(len(samples)), samples)).astype(np.int16)


def music(seconds: float, seed: int) -> Samples:
    """Chords of decaying harmonics over a noise beat; no melody anyone would pay for."""
    random = np.random.default_rng(seed)
    t = np.arange(round(0.5 * RATE_HZ)) / RATE_HZ
    bars = []
    for _ in range(round(seconds / 0.5)):
        roots = 110.0 * 2.0 ** (random.integers(0, 24, size=3) / 12.0)
        chord = sum(np.sin(2 * np.pi * root * k * t) / k * np.exp(-3.0 * t) for root in roots for k in range(1, 12))
        bars.append(3000.0 * chord + 800.0 * random.normal(size=len(t)) * np.exp(-30.0 * t))
    return np.clip(np.concatenate(bars), -32768, 32767).astype(np.int16)


CHANGES: dict[str, Callable[[Samples], Samples]] = {
    "opus 32k": through_opus,
    "opus 32k, then aac 64k": lambda heard: through_file(through_opus(heard), "aac", 64_000, "mp4"),
    "opus 32k, then mp3 64k": lambda heard: through_file(through_opus(heard), "libmp3lame", 64_000, "mp3"),
    "opus 32k, kept at 44.1 kHz": lambda heard: at_rate(through_opus(heard), 44_100),
    "opus 32k, twice": lambda heard: through_opus(through_opus(heard)),
    "opus 32k, 12 dB quieter": lambda heard: louder(through_opus(heard), -12.0),
    "opus 32k, 6 dB louder": lambda heard: louder(through_opus(heard), 6.0),
    "opus 32k, polarity turned": lambda heard: -through_opus(heard),
    "opus 32k, noise at 35 dB": lambda heard: with_noise(through_opus(heard), 35.0),
    "opus 32k, clock 60 ppm fast": lambda heard: at_another_clock(through_opus(heard), 60.0),
    "opus 32k, clock 0.05 % slow": lambda heard: at_another_clock(through_opus(heard), -500.0),
}
