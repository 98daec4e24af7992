"""Marked sound: the stream equals the whole, silence stays silence, and the mark stays below the sound."""

import numpy as np
import pytest

from provenance.marks.keys import MarkKey
from provenance.marks.sound import signs
from provenance.marks.sound.embed import LATENCY, SoundEmbedder, embed_reference
from provenance.marks.sound.masking import amplitudes
from provenance.marks.sound.transform import BINS, CYCLE_HOPS, HOP, basis, overlapped, windows
from tests.common.spoken import Samples, slots_from, speech

KEY, SLOT_ID = MarkKey(bytes(range(32)), "one"), 0x0123_4567_89AB_CDEF


def streamed(samples: Samples, block: int) -> Samples:
    embedder = SoundEmbedder(slots_from(KEY, SLOT_ID, 3))
    blocks = [embedder.embed(samples[i : i + block], i) for i in range(0, len(samples), block)]
    return np.concatenate([*blocks, embedder.embed(np.zeros(HOP, np.int16), len(samples))])[LATENCY:]


def test_the_stream_is_the_whole_to_one_step_and_the_block_size_does_not_matter() -> None:
    samples = speech()[: 9 * 48_000]
    whole = embed_reference(samples, slots_from(KEY, SLOT_ID, 3)).astype(int)
    of_20_ms = streamed(samples, 960)
    assert np.array_equal(of_20_ms, streamed(samples, 960))
    assert np.array_equal(of_20_ms, streamed(samples, 480)) and np.array_equal(of_20_ms, streamed(samples, 4800))
    change = np.abs(of_20_ms - whole)
    assert change.max() <= 1 and np.mean(change > 0) < 1e-3
    assert not np.array_equal(of_20_ms, samples)


def test_silence_stays_silence_and_so_do_the_moments_before_a_word() -> None:
    samples = np.zeros(48_000, np.int16)
    samples[24_000:] = speech()[48_000:72_000]
    marked = streamed(samples, 960)
    assert not marked[: 24_000 - 2 * HOP].any()
    assert np.abs(marked[: 24_000].astype(int)).max() < 0.02 * np.abs(samples.astype(int)).max()
    assert np.array_equal(streamed(np.full(9600, 3, np.int16), 960), np.full(9600, 3, np.int16))


def test_the_mark_lies_twenty_decibels_below_the_sound_and_inside_its_band() -> None:
    samples = speech()
    change = streamed(samples, 960).astype(float) - samples
    power_ratio = np.mean(samples.astype(float) ** 2) / np.mean(change**2)
    assert 10 * np.log10(power_ratio) > 20.0
    spectrum = np.abs(np.fft.rfft(change)) ** 2
    hertz = np.fft.rfftfreq(len(change), 1 / 48_000)
    assert spectrum[(hertz > 200) & (hertz < 6600)].sum() > 0.98 * spectrum.sum()


def test_after_a_jump_the_stream_starts_anew_and_odd_lengths_are_refused() -> None:
    samples = speech()[: 2 * 48_000]
    embedder = SoundEmbedder(slots_from(KEY, SLOT_ID, 3))
    embedder.embed(samples[:9600], 0)
    jumped = embedder.embed(samples[:9600], 48_000)
    assert not jumped[:HOP].any()
    assert np.array_equal(jumped[HOP:], SoundEmbedder(slots_from(KEY, SLOT_ID, 3)).embed(samples[:9600], 48_000)[HOP:])
    for wrong in (samples[:100], samples[:960].reshape(2, 480)):
        with pytest.raises(ValueError, match="whole hops"):
            embedder.embed(wrong, 0)
    with pytest.raises(ValueError, match="whole hops"):
        embedder.embed(samples[:480], 100)


def test_the_transform_gives_back_what_was_written() -> None:
    written = np.random.default_rng(1).normal(size=(20, BINS)).astype(np.float32)
    read = windows(overlapped(written @ basis(HOP)), HOP) @ basis(HOP).T
    assert np.abs(read[1:-1] - written[1:-1]).max() < 1e-3
    assert windows(np.zeros(HOP, np.float32), HOP).shape == (0, 2 * HOP)


def test_noise_hides_more_than_a_tone_of_the_same_energy() -> None:
    t = np.arange(2 * HOP) / 48_000
    noise = 1000.0 * np.random.default_rng(1).normal(size=2 * HOP)
    tone = 1000.0 * np.sqrt(2) * np.sin(2 * np.pi * 1000 * t)
    of_noise, of_tone = (amplitudes(one.astype(np.float32)[None])[0] for one in (noise, tone))
    near = slice(12, 18)  # 850 to 1150 Hz
    tone_in_band = 1000.0 * np.sqrt(2 * HOP) / np.sqrt(len(of_tone[near]))
    assert of_tone[near].mean() / tone_in_band < 0.1
    assert of_noise.mean() > 30.0


def test_signs_belong_to_key_and_slot_and_the_bits_share_the_chips_evenly() -> None:
    one, other = MarkKey(bytes(range(32))), MarkKey(bytes(range(1, 33)))
    first, again = signs.chips(one, SLOT_ID, 5), signs.chips(one, SLOT_ID, 5 + 64)
    assert first.shape == (CYCLE_HOPS, BINS) and np.array_equal(first, again) and set(np.unique(first)) == {-1.0, 1.0}
    deal = signs.layout(one)
    assert np.array_equal(first[deal.is_sync], signs.chips(one, 7, 6)[deal.is_sync])
    for unlike in (signs.chips(one, SLOT_ID, 6)[~deal.is_sync], signs.chips(other, SLOT_ID, 5)[~deal.is_sync]):
        assert abs(np.mean(unlike * first[~deal.is_sync])) < 0.02
    shares = np.bincount(deal.bit[~deal.is_sync], minlength=240)
    assert shares.max() - shares.min() <= 1
