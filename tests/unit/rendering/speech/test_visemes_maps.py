"""Every sound that a voice says in the four languages has a mouth shape of its own kind."""

from __future__ import annotations

import shutil

import pytest

from rendering.speech import visemes
from rendering.speech.voices import EspeakVoice, FliteVoice
from rendering.training.mouth import texts

LANGUAGES = {"en": "en-us", "hi": "hi", "bn": "bn", "as": "as"}


def said(language: str) -> list[str]:
    """Symbols of all test sentences and of a few hundred words of a language."""
    words = texts.WORDS.get(language) or texts.words(" ".join(texts.TEST_SENTENCES))
    rows = [" ".join(words[i : i + 80]) for i in range(0, len(words), 80)]
    voice = EspeakVoice(LANGUAGES[language])
    return [p.symbol for text in (*rows, *texts.test_sentences(language)) for p in voice.say(text).phonemes]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sound_of_the_language_is_unmapped(language: str) -> None:
    symbols = said(language)
    unknown = {symbol: visemes.unknown_letters(symbol) for symbol in set(symbols)}
    assert not {symbol: letters for symbol, letters in unknown.items() if letters}
    shapes = {shape for symbol in set(symbols) for shape in visemes.of_ipa(symbol, language)}
    assert shapes <= set(visemes.VISEMES)
    # A language without lips that meet, part, round and spread would be a broken map.
    assert {"sil", "PP", "DD", "kk", "CH", "SS", "nn", "aa", "E", "iy", "oh"} <= shapes


@pytest.mark.parametrize(
    ("language", "word", "shape"),
    [("hi", "पापा", "PP"), ("hi", "भाई", "PP"), ("hi", "चाचा", "CH"), ("hi", "जल", "CH"), ("hi", "वह", "FF"),
     ("bn", "মামা", "PP"), ("bn", "চাচা", "CH"), ("bn", "ভালো", "PP"), ("as", "মামা", "PP"), ("as", "চকী", "CH")],
)  # fmt: skip
def test_words_start_with_the_shape_of_their_letter(language: str, word: str, shape: str) -> None:
    spoken = [v.viseme for v in EspeakVoice(language).say(word).visemes if v.viseme != "sil"]
    assert spoken[0] == shape


def test_the_same_letter_can_mean_another_sound() -> None:
    assert visemes.of_ipa("ɾ", "en-us") == ("DD",)
    assert visemes.of_ipa("ɾ", "hi") == ("RR",)
    assert visemes.of_ipa("☃") == ("@",)
    assert visemes.unknown_letters("a☃ː") == {"☃"}


@pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")
def test_every_flite_phone_is_mapped() -> None:
    voice = FliteVoice()
    symbols = {p.symbol for text in texts.TEST_SENTENCES for p in voice.say(text).phonemes}
    assert symbols <= set(visemes.OF_FLITE)


def test_a_variant_that_is_not_there_is_refused() -> None:
    from rendering.speech import VoiceFault

    deep, high = (EspeakVoice("en-us", pitch=pitch).say("Good morning.").pcm for pitch in (10, 90))
    assert len(deep) and not (len(deep) == len(high) and (deep == high).all())
    with pytest.raises(VoiceFault):
        EspeakVoice("en-us", variant="nobody-of-this-name").say("Good morning.")
