"""The end of speech to the hop: sooner than the detector says, never in the middle of a word, not at all in noise."""

import shutil

import numpy as np
import pytest

from rendering.dialogue.hearing.voice_activity import SileroVoiceActivity, pick_voice_activity
from rendering.dialogue.seams import HOP_SAMPLES, Hop, Samples
from rendering.dialogue.speech_edge import SpeechEdge
from rendering.speech.voices import FliteVoice

pytestmark = pytest.mark.skipif(shutil.which("flite") is None, reason="no flite")
SENTENCES = ("When will I be paid?", "What happened to my claim?", "Is storm damage covered?", "Where is your office?")
LOUD = 0.01


def heard(pcm: Samples) -> tuple[np.ndarray, np.ndarray]:
    """Speech of each hop by the detector alone, and behind the edge."""
    detector, edge, rows = pick_voice_activity(), SpeechEdge(), []
    for first in range(0, len(pcm) - HOP_SAMPLES + 1, HOP_SAMPLES):
        hop = Hop(pcm[first : first + HOP_SAMPLES], first / 16_000, detector.push(pcm[first : first + HOP_SAMPLES]))
        rows.append((hop.speech, edge.push(hop).speech))
    return np.array(rows)[:, 0], np.array(rows)[:, 1]


def spoken(voice: str, text: str) -> tuple[Samples, int]:
    """The sentence between silences, and the hop behind its last loud 10 ms."""
    pcm = np.concatenate([np.zeros(8000, np.int16), FliteVoice(voice).say(text).pcm, np.zeros(12_000, np.int16)])
    blocks = pcm[: len(pcm) // 160 * 160].reshape(-1, 160) / 32768
    last = int(np.flatnonzero(np.sqrt((blocks**2).mean(axis=1)) > LOUD)[-1]) + 1
    return pcm, -(-last // 2)


@pytest.mark.parametrize("voice", ["rms", "awb"])
@pytest.mark.parametrize("text", SENTENCES)
def test_the_end_of_a_sentence_is_found_within_three_hops_of_its_last_sound(voice: str, text: str) -> None:
    if not isinstance(pick_voice_activity(), SileroVoiceActivity):
        pytest.skip("no silero-vad")
    pcm, end = spoken(voice, text)
    detector, edge = heard(pcm)
    assert int(np.flatnonzero(edge >= 0.5)[-1]) + 1 - end <= 3
    assert int(np.flatnonzero(detector >= 0.5)[-1]) + 1 - end >= 4  # which is why there is an edge
    # Inside the sentence no hole is longer than the pause after which an answer is prepared.
    inside = edge[int(np.flatnonzero(edge >= 0.5)[0]) : end] < 0.35
    run = longest = 0
    for is_hole in inside:
        run = run + 1 if is_hole else 0
        longest = max(longest, run)
    assert longest <= 5


def test_in_noise_the_detector_alone_decides() -> None:
    random = np.random.default_rng(0)
    edge = SpeechEdge()
    for number in range(200):
        hop = Hop(random.normal(0, 600, HOP_SAMPLES).astype(np.int16), number * 0.02, 0.7)
        assert edge.push(hop) == hop


def test_a_hop_that_the_network_lost_ends_no_speech() -> None:
    edge = SpeechEdge()
    edge.push(Hop(np.full(HOP_SAMPLES, 5000, np.int16), 0.0, 0.9))
    lost = Hop(np.zeros(HOP_SAMPLES, np.int16), 0.02, 0.9, is_concealed=True)
    assert edge.push(lost).speech == 0.9
    assert edge.push(Hop(lost.pcm, 0.04, 0.9)).speech == 0.0
