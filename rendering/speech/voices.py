"""Voices: flite for English, espeak-ng in a process of its own for everything else.

Both say exactly when each speech sound ends, so mouth and sound need no recognition to stay in step.
"""

import io
import json
import os
import shutil
import subprocess
import sys
import wave
from pathlib import Path
from typing import Protocol

import numpy as np

from rendering.speech import visemes
from rendering.speech.utterance import Phoneme, Utterance, spans
from trustcore.primitives.errors import Fault

MAX_TEXT = 2000  # characters; about two minutes of speech
TIMEOUT_S = 30.0
ESPEAK_PROGRAM = Path(__file__).with_name("espeak_process.py")


class VoiceFault(Fault):
    """A voice is not installed or did not answer."""

    code = "voice.fault"


class Voice(Protocol):
    """Says text. Blocking and quick (about a hundredth of the spoken time): call it in a thread from async code."""

    name: str
    language: str

    def say(self, text: str) -> Utterance:
        """Raises VoiceFault when the program fails, ValueError when the text is empty or longer than MAX_TEXT."""
        ...


def pick_voice(language: str = "en") -> Voice:
    """The voice for a language tag such as "en", "hi", "bn", "as" or "en-GB".

    Raises:
        VoiceFault: no program for it is installed.
    """
    base = language.split("-")[0].lower()
    if base == "en" and shutil.which("flite"):
        return FliteVoice()
    return EspeakVoice(base if base != "en" else "en-us")


class FliteVoice:
    """flite (BSD-style licence) with a voice made from a recorded speaker. English only."""

    language = "en"

    def __init__(self, name: str = "slt", stretch: float = 1.0, pitch_hz: float | None = None) -> None:
        self.name = name
        self._settings = ["--setf", f"duration_stretch={stretch}"]  # 1.2 speaks a fifth slower
        if pitch_hz is not None:  # on average; rms keeps its own
            self._settings += ["--setf", f"int_f0_target_mean={pitch_hz}"]

    def say(self, text: str) -> Utterance:
        """Sound at 16 kHz and phones of the radio set."""
        wav_fd = os.memfd_create("flite-wav")
        try:
            ran = subprocess.run(
                ["flite", "-voice", self.name, *self._settings, "-psdur",
                 "-t", _checked(text), "-o", f"/proc/self/fd/{wav_fd}"],
                pass_fds=(wav_fd,), capture_output=True, timeout=TIMEOUT_S, check=True,
            )  # fmt: skip
            with os.fdopen(os.dup(wav_fd), "rb") as file:
                file.seek(0)
                wav = file.read()
        except (OSError, subprocess.SubprocessError) as error:
            raise VoiceFault("The voice program flite did not answer.", cause=type(error).__name__) from error
        finally:
            os.close(wav_fd)
        pcm, rate_hz = _read_wav(wav)
        phonemes = _flite_phonemes(ran.stdout.decode("ascii", "replace"), len(pcm) / rate_hz)
        return Utterance(pcm, rate_hz, phonemes, spans(phonemes, visemes.of_flite))


class EspeakVoice:
    """espeak-ng (GPL) in a process of its own: this program only reads numbers from a pipe."""

    def __init__(
        self,
        language: str,
        variant: str = "",
        words_per_minute: int | None = None,
        pitch: int | None = None,
        pitch_range: int | None = None,
    ) -> None:
        self.name = f"espeak-ng {language}+{variant}" if variant else "espeak-ng"
        self.language = language
        self._how = {
            "variant": variant, "words_per_minute": words_per_minute, "pitch": pitch, "pitch_range": pitch_range,
        }  # both pitches: 0..100  # fmt: skip

    def say(self, text: str) -> Utterance:
        """Sound at 22.05 kHz and IPA phonemes."""
        order = json.dumps({"text": _checked(text), "language": self.language, **self._how}).encode()
        try:
            ran = subprocess.run(
                [sys.executable, "-I", str(ESPEAK_PROGRAM)],
                input=order, capture_output=True, timeout=TIMEOUT_S, check=True, env={"LANG": "C.UTF-8"},
            )  # fmt: skip
            head, _, sound = ran.stdout.partition(b"\n")
            answer = json.loads(head)
            starts = [(str(symbol), float(at_s)) for symbol, at_s in answer["phonemes"]]
            pcm, rate_hz = np.frombuffer(sound, "<i2"), int(answer["rate_hz"])
        except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError) as error:
            raise VoiceFault("The voice program espeak-ng did not answer.", cause=type(error).__name__) from error
        if len(pcm) == 0:
            raise VoiceFault("The voice program espeak-ng gave no sound for this language.", language=self.language)
        phonemes = _from_starts(starts, len(pcm) / rate_hz)
        return Utterance(pcm, rate_hz, phonemes, spans(phonemes, lambda symbol: visemes.of_ipa(symbol, self.language)))


def _checked(text: str) -> str:
    """The text on one line. Control characters mean nothing to a voice and something to its program."""
    plain = " ".join("".join(letter if _is_spoken(letter) else " " for letter in text).split())
    if not plain:
        raise ValueError("There is nothing to say.")
    if len(plain) > MAX_TEXT:
        raise ValueError(f"The text is longer than {MAX_TEXT} characters; say it in parts.")
    return plain


def _is_spoken(letter: str) -> bool:
    # The two joiners are no control characters: they shape the letters of Hindi, Bengali and Assamese words.
    return letter.isprintable() or letter in "\u200c\u200d"


def _read_wav(wav: bytes) -> tuple[np.ndarray, int]:
    with wave.open(io.BytesIO(wav)) as file:
        if file.getnchannels() != 1 or file.getsampwidth() != 2:
            raise VoiceFault("The voice program flite gave sound in an unknown form.")
        return np.frombuffer(file.readframes(file.getnframes()), "<i2"), file.getframerate()


def _flite_phonemes(printed: str, total_s: float) -> tuple[Phoneme, ...]:
    """Reads "pau:0.164 s:0.268": each phone with its end. The last one is stretched to the end of the sound."""
    row: list[Phoneme] = []
    at_s = 0.0
    for item in printed.split():
        symbol, _, end = item.rpartition(":")
        end_s = min(max(float(end), at_s), total_s)
        row.append(Phoneme(symbol, at_s, end_s))
        at_s = end_s
    if not row:
        return (Phoneme("pau", 0.0, total_s),)
    row[-1] = Phoneme(row[-1].symbol, row[-1].start_s, total_s)
    return tuple(row)


def _from_starts(starts: list[tuple[str, float]], total_s: float) -> tuple[Phoneme, ...]:
    """Start events to spans that cover the whole sound, with silence before the first."""
    heard = ((min(max(at_s, 0.0), total_s), symbol) for symbol, at_s in starts)
    timed = sorted(heard, key=lambda item: item[0])
    ends = [at_s for at_s, _ in timed[1:]] + [total_s]
    row = [Phoneme(symbol, at_s, end_s) for (at_s, symbol), end_s in zip(timed, ends, strict=True) if end_s > at_s]
    first_s = row[0].start_s if row else total_s
    return (Phoneme("_", 0.0, first_s), *row) if first_s > 0 else tuple(row)
