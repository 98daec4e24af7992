"""The voices of the generated set: flite's recorded speakers and espeak-ng's accents, each in one split alone."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from rendering.speech.utterance import resample
from rendering.speech.voices import ESPEAK_PROGRAM, TIMEOUT_S, FliteVoice, VoiceFault
from rendering.training.turns.prosody import SOUND_HZ, Ending
from rendering.training.turns.texts import Split

Floats = NDArray[np.float64]

SILENT = 0.012  # of the loudest sample: quieter sound at both ends is cut off


@dataclass(frozen=True)
class Speaker:
    """One voice. `program` flite or espeak; `rate` 1.0 as the voice speaks by itself, 1.2 a fifth faster."""

    program: str
    name: str
    variant: str = ""
    rate: float = 1.0
    pitch: int = 50


FLITE: dict[Split, tuple[str, ...]] = {
    "train": ("rms", "slt", "kal16"), "development": ("kal",), "held_out": ("awb",),
}  # fmt: skip
ESPEAK: dict[Split, tuple[tuple[str, str], ...]] = {
    "train": (("en-us", "m1"), ("en-us", "f2"), ("en-us", "m3"), ("en-us", "anika"), ("en", "m7"), ("en", "f4"),
              ("en", "adam"), ("en-029", "m2"), ("en-029", "f1"), ("en-gb-x-rp", "steph"), ("en-us", "klatt3"),
              ("en-us", "Alicia"), ("en", "Andy"), ("en-us", "Gene"), ("en-029", "Lee"), ("en-gb-x-rp", "Hugo"),
              ("en-us", "Annie"), ("en", "Mario"), ("en-us", "aunty"), ("en", "david"), ("en-us", "edward"),
              ("en-gb-x-rp", "john"), ("en-029", "grandma"), ("en-us", "max"), ("en", "norbert"), ("en-us", "travis")),
    "development": (("en-gb-x-gbclan", "m5"), ("en-us", "linda"), ("en-gb-x-gbclan", "f3"), ("en-gb-x-gbclan", "m8"),
                    ("en-us", "benjamin"), ("en-gb-x-gbclan", "Andrea"), ("en", "rob"), ("en-029", "quincy"),
                    ("en-us", "zac"), ("en-gb-x-gbclan", "ian"), ("en-gb-x-rp", "Diogo"), ("en-us", "Jacky"),
                    ("en", "shelby"), ("en-029", "paul")),
    "held_out": (("en-gb-scotland", "m4"), ("en-gb-scotland", "f5"), ("en-us-nyc", "Michael"),
                 ("en-gb-x-gbcwmd", "belinda"), ("en-gb-x-gbcwmd", "m6")),
}  # fmt: skip


def draw_speaker(split: Split, draw: np.random.Generator) -> Speaker:
    """One voice of a split with a rate and a pitch of its own."""
    rate = float(np.clip(draw.normal(1.0, 0.12), 0.75, 1.3))
    if draw.random() < 0.4:
        return Speaker("flite", FLITE[split][int(draw.integers(len(FLITE[split])))], rate=rate)
    name, variant = ESPEAK[split][int(draw.integers(len(ESPEAK[split])))]
    return Speaker("espeak", name, variant, rate, int(draw.integers(30, 70)))


def say(speaker: Speaker, text: str, mark: str, in_markup: Ending | None = None) -> Floats:
    """[N] at SOUND_HZ, -1..1, cut to its first and last sound.

    Args:
        mark: punctuation after the text, from which the voice takes its own melody.
        in_markup: give this ending to espeak-ng as SSML around the last word.
    """
    if speaker.program == "flite":
        said = FliteVoice(speaker.name, 1.0 / speaker.rate).say(text + mark)
        pcm, rate_hz = said.pcm, said.rate_hz
    else:
        pcm, rate_hz = _espeak(speaker, text, mark, in_markup)
    sound = resample(pcm, rate_hz, SOUND_HZ).astype(np.float64) / 32768
    loud = np.flatnonzero(np.abs(sound) > SILENT * np.abs(sound).max())
    return sound[loud[0] : loud[-1] + 1]


def _espeak(speaker: Speaker, text: str, mark: str, ending: Ending | None) -> tuple[NDArray[np.int16], int]:
    order = {
        "language": speaker.name, "variant": speaker.variant, "pitch": speaker.pitch,
        "words_per_minute": round(165 * speaker.rate), "text": text + mark, "is_markup": ending is not None,
    }  # fmt: skip
    if ending is not None:
        head, _, last = text.rpartition(" ")
        percent = round(100 * (2 ** (ending.move_semitones / 12) - 1))
        rate = round(100 / ending.stretch)
        slow = f'<prosody pitch="{percent:+d}%" rate="{rate}%">{escape(last)}{mark}</prosody>'
        order["text"] = f"<speak>{escape(head)} {slow}</speak>"
    ran = subprocess.run(
        [sys.executable, "-I", str(ESPEAK_PROGRAM)], input=json.dumps(order).encode(), capture_output=True,
        timeout=TIMEOUT_S, check=False, env={"LANG": "C.UTF-8"},
    )  # fmt: skip
    head_line, _, sound = ran.stdout.partition(b"\n")
    if ran.returncode != 0 or not sound:
        raise VoiceFault("espeak-ng gave no sound.", voice=f"{speaker.name}+{speaker.variant}")
    return np.frombuffer(sound, "<i2"), int(json.loads(head_line)["rate_hz"])
