"""Voices say when each sound ends, and the sound agrees."""

import shutil
import subprocess
import sys

import numpy as np
import pytest

from rendering.speech import Utterance, VoiceFault, pick_voice, resample
from rendering.speech.visemes import OF_FLITE, OF_IPA, VISEMES, of_flite, of_ipa
from rendering.speech.voices import MAX_TEXT, EspeakVoice, FliteVoice

needs_flite = pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")
TEXT = "Bob, may map, my big, amber home."


def loudness(utterance: Utterance, start_s: float, end_s: float) -> float:
    part = utterance.pcm[int(start_s * utterance.rate_hz) : int(end_s * utterance.rate_hz)].astype(float)
    return float(np.sqrt(np.mean(part**2))) if len(part) else 0.0


def check_shape(utterance: Utterance) -> None:
    for row in (utterance.phonemes, utterance.visemes):
        assert row[0].start_s == 0.0
        assert row[-1].end_s == pytest.approx(utterance.seconds, abs=0.01)
        assert all(a.end_s == pytest.approx(b.start_s) for a, b in zip(row, row[1:], strict=False))
    assert {span.viseme for span in utterance.visemes} <= set(VISEMES)
    assert np.abs(utterance.pcm.astype(int)).max() > 3000


@needs_flite
def test_flite_is_the_english_voice_and_its_times_fit_the_sound() -> None:
    voice = pick_voice("en-GB")
    assert isinstance(voice, FliteVoice)
    utterance = voice.say(TEXT)
    check_shape(utterance)
    assert sum(p.symbol in ("p", "b", "m") for p in utterance.phonemes) >= 9
    vowels = [p for p in utterance.phonemes if of_flite(p.symbol)[0] in ("aa", "ih", "oh", "E")]
    loud = np.median([loudness(utterance, p.start_s, p.end_s) for p in vowels])
    pauses = [p for p in utterance.phonemes if p.symbol == "pau" and p.end_s - p.start_s > 0.08][1:-1]
    quiet = np.median([loudness(utterance, p.start_s + 0.02, p.end_s - 0.02) for p in pauses])
    assert quiet < 0.1 * loud
    shifted = np.median([loudness(utterance, p.start_s + 0.15, p.end_s + 0.11) for p in pauses])
    assert shifted > 3 * quiet, "a wrong clock must not pass this test"


@needs_flite
def test_flite_says_the_same_twice() -> None:
    assert np.array_equal(pick_voice().say(TEXT).pcm, pick_voice().say(TEXT).pcm)


@pytest.mark.parametrize(
    ("language", "text"), [("hi", "नमस्ते, आप कैसे हैं?"), ("bn", "নমস্কার, আপনি কেমন আছেন?"), ("as", "নমস্কাৰ"), ("en-us", TEXT)]
)
def test_espeak_speaks_in_its_own_process(language: str, text: str) -> None:
    utterance = EspeakVoice(language).say(text)
    check_shape(utterance)
    assert len({span.viseme for span in utterance.visemes}) >= 4


def test_the_gpl_library_is_never_loaded_here() -> None:
    loads = "import sys, rendering.speech; sys.exit('espeakng_loader' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", loads], check=False).returncode == 0


def test_an_unknown_language_is_a_named_fault() -> None:
    with pytest.raises(VoiceFault):
        EspeakVoice("xx-none").say("hello")


def test_text_is_bounded_and_cleaned() -> None:
    for text in ("", " \n\x00 ", "a" * (MAX_TEXT + 1)):
        with pytest.raises(ValueError, match="text|say"):
            EspeakVoice("en-us").say(text)


@needs_flite
def test_text_that_looks_like_an_option_is_only_said() -> None:
    assert pick_voice().say("-o /tmp/owned --help").seconds > 1.0


def test_every_table_entry_is_a_known_shape() -> None:
    assert {shape for shapes in OF_FLITE.values() for shape in shapes} | set(OF_IPA.values()) <= set(VISEMES)
    assert of_ipa("tʃʰ") == ("CH",)
    assert of_ipa("aɪ") == ("aa", "ih")
    assert of_ipa("") == ("sil",)
    assert of_flite("no such phone") == ("@",)


@pytest.mark.parametrize("rates", [(16000, 48000), (22050, 48000), (48000, 16000)])
def test_resampling_keeps_a_tone_and_its_place(rates: tuple[int, int]) -> None:
    from_hz, to_hz = rates
    tone = np.sin(2 * np.pi * 440 * np.arange(from_hz) / from_hz) * 10000
    out = resample(tone.astype(np.int16), from_hz, to_hz).astype(float)
    want = np.sin(2 * np.pi * 440 * np.arange(to_hz) / to_hz) * 10000
    assert len(out) == to_hz
    inner = slice(to_hz // 50, -to_hz // 50)
    error = np.sqrt(np.mean((out[inner] - want[inner]) ** 2)) / np.sqrt(np.mean(want[inner] ** 2))
    assert error < 0.01


def test_resampling_down_removes_what_cannot_be_kept() -> None:
    high = (np.sin(2 * np.pi * 12000 * np.arange(48000) / 48000) * 10000).astype(np.int16)
    assert np.abs(resample(high, 48000, 16000)[200:-200]).max() < 200
