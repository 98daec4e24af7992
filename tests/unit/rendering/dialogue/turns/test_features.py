"""The turn's features on made voices of known prosody."""

import numpy as np
import pytest

from rendering.dialogue.turns.features import FEATURES, Speaker, Turn
from rendering.dialogue.turns.hearing import Hearing
from tests.unit.rendering.dialogue.turns.sounds import hops, hush, voice


def after(*parts: tuple[np.ndarray, float], words: str = "", asked: str = "", turn: Turn | None = None) -> Turn:
    turn, ear = turn or Turn(Speaker()), Hearing()
    turn.begin(asked)
    for pcm, speech in parts:
        for hop in hops(pcm, speech):
            turn.push(ear.push(hop.pcm), hop.speech, words)
    return turn


def value(turn: Turn, name: str) -> float:
    return float(turn.features()[FEATURES.index(name)])


def test_the_pause_is_counted_from_the_last_speech() -> None:
    turn = after((voice(1.0, 120), 0.9), (hush(0.4), 0.1))
    assert turn.pause_s == pytest.approx(0.4, abs=0.021)
    assert turn.turn_s == pytest.approx(1.0, abs=0.021)


def test_a_click_does_not_end_a_pause_and_speech_does() -> None:
    clicked = after((voice(1.0, 120), 0.9), (hush(0.4), 0.1), (hush(0.04, 0.2), 0.9), (hush(0.2), 0.1))
    assert clicked.pause_s == pytest.approx(0.64, abs=0.021) and clicked.pauses == 0
    spoken = after((voice(1.0, 120), 0.9), (hush(0.4), 0.1), (voice(0.2, 120), 0.9), (hush(0.2), 0.1))
    assert spoken.pause_s == pytest.approx(0.2, abs=0.021) and spoken.pauses == 1


def test_falling_and_rising_pitch_have_their_slope() -> None:
    falling = after((voice(1.0, 150), 0.9), (voice(0.5, 150, 112.5), 0.9), (hush(0.2), 0.1))
    rising = after((voice(1.0, 150), 0.9), (voice(0.5, 150, 200), 0.9), (hush(0.2), 0.1))
    assert value(falling, "pitch_slope") == pytest.approx(-10, abs=2)  # five semitones in half a second
    assert value(rising, "pitch_slope") == pytest.approx(10, abs=2)
    assert value(falling, "pitch_at_end") < -2 < 2 < value(rising, "pitch_at_end")


def test_a_long_last_sound_is_long_against_the_speakers_own() -> None:
    def syllables(count: int, last_s: float) -> list[tuple[np.ndarray, float]]:
        sounds = [(voice(0.14, 120), 0.9), (hush(0.06, 0.02), 0.9)] * count
        return [*sounds, (voice(last_s, 120), 0.9), (hush(0.3), 0.1)]

    assert value(after(*syllables(8, 0.36)), "final_length") > 0.5
    assert abs(value(after(*syllables(8, 0.14)), "final_length")) < 0.3


def test_loudness_that_fades_falls() -> None:
    steady = voice(1.0, 120)
    fading = (steady * np.concatenate([np.ones(11_200), np.geomspace(1, 0.1, 4_800)])).astype(np.int16)
    assert value(after((fading, 0.9), (hush(0.2), 0.1)), "level_slope") < -40
    assert abs(value(after((steady, 0.9), (hush(0.2), 0.1)), "level_slope")) < 5


def push_words(turn: Turn, seconds: float, words: str, speech: float = 0.1) -> None:
    ear = Hearing()
    for hop in hops(hush(seconds), speech):
        turn.push(ear.push(hop.pcm), hop.speech, words)


def test_words_count_once_they_are_those_of_this_pause() -> None:
    turn = after((voice(1.0, 120), 0.9), (hush(0.2), 0.1), words="i live in")
    assert value(turn, "words_known") == 1.0
    assert value(turn, "words_settled") == 0.0 and value(turn, "open_last") == 0.0  # the last word is on its way
    push_words(turn, 0.14, "i live in")
    push_words(turn, 0.04, "i live in delhi")
    assert value(turn, "words_settled") == 1.0 and value(turn, "open_last") == 0.0
    assert value(turn, "sentence_end") == value(turn, "sentence_over") > 0


def test_words_that_never_come_late_are_waited_for_no_longer() -> None:
    quick = after((voice(1.0, 120), 0.9), (hush(0.8), 0.1), words="yes it is")  # known before the pause began
    again = after((voice(1.0, 120), 0.9), words="yes it is and", turn=quick)
    push_words(again, 0.3, "yes it is and")
    assert value(again, "words_settled") == 1.0 and value(again, "open_last") == 1.0
    slow = after((voice(1.0, 120), 0.9), (hush(0.3), 0.1), words="yes it is and")
    assert value(slow, "words_settled") == 0.0
    push_words(slow, 0.3, "yes it is and")
    assert value(slow, "words_settled") == 1.0  # nothing more came: these are all


def test_the_end_against_its_stretch() -> None:
    level = after((voice(1.0, 150), 0.9), (hush(0.2), 0.1))
    falling = after((voice(0.8, 150), 0.9), (voice(0.2, 120, 112), 0.9), (hush(0.2), 0.1))
    assert abs(value(level, "pitch_move")) < 0.3 and value(level, "pitch_moved") < 0.3
    assert value(falling, "pitch_move") < -3 and value(falling, "pitch_moved") > 3


def test_a_new_turn_keeps_the_speaker_and_forgets_the_words() -> None:
    turn = after((voice(2.0, 220), 0.9), (hush(0.6), 0.1), words="yes", asked="Did it arrive?")
    assert value(turn, "answer_given") == 1.0
    turn.begin("")
    assert not turn.has_started and value(turn, "words_known") == 0.0
    again = after((voice(0.5, 220), 0.9), (hush(0.2), 0.1), turn=turn)
    assert abs(value(again, "pitch_at_end")) < 0.5  # 220 Hz is usual for this speaker


def test_speech_that_goes_on_belongs_to_the_new_turn() -> None:
    turn = after((voice(1.0, 120), 0.9))
    turn.begin("")
    assert turn.has_started and turn.is_speaking


def test_features_are_finite_before_anything_was_heard() -> None:
    assert np.isfinite(Turn(Speaker()).features()).all()
