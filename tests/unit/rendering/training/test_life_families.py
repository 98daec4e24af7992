"""The procedural families, the codec fitted to them, footage, and the measures that judge them."""

from functools import partial

import numpy as np
import pytest

from rendering.engine.motion.life.channels import CHUNK, FRAMES_PER_S, INDEX, Motion
from rendering.engine.motion.life.person import STYLE, measure
from rendering.engine.motion.life.scene import STRESS
from rendering.training.life import baseline, dataset, footage, intervals, judge, scenes
from rendering.training.life.families import recorded, reorient, splines, stop_and_go, submovements
from rendering.training.life.recording import Recording

FAMILIES = {**dataset.FAMILIES, "submovements": dataset.HELD_OUT, "reorient": dataset.DEVELOPMENT}


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_moves_like_a_person_and_by_its_seed(name):
    first, same, other = (dataset.draw_clip(name, FAMILIES[name], np.random.default_rng(k)) for k in (1, 1, 2))
    assert np.array_equal(first.motion.smooth, same.motion.smooth)
    assert not np.array_equal(first.motion.smooth, other.motion.smooth)
    rates = [len(clip.motion.blinks) for clip in (first, other)]
    assert all(4 <= rate <= 50 for rate in rates)  # a minute each
    assert np.isfinite(first.motion.smooth).all() and np.abs(first.motion.aim).max() <= 0.36
    assert first.manner.style.shape == (STYLE,) and np.isfinite(first.manner.style).all()


def test_neither_the_held_out_family_nor_the_one_for_choosing_is_trained_on():
    clips = dataset.draw_clips(1, [], 0)
    assert {clip.source for clip in clips} == {*dataset.FAMILIES, "blends"} == set(dataset.names([]))
    for unseen, own in ((dataset.HELD_OUT, submovements.move), (dataset.DEVELOPMENT, reorient.move)):
        assert unseen is own and own not in dataset.FAMILIES.values()
    assert len(dataset.FAMILIES) >= 5


def test_stressed_syllables_are_heard_as_stress():
    talk = scenes.converse(60.0, np.random.default_rng(3))
    frames = (talk.stresses * FRAMES_PER_S).astype(int)
    frames = frames[frames < len(talk.scene)]
    assert talk.scene.heard[frames, STRESS].mean() > 3 * talk.scene.heard[:, STRESS].mean()


def test_a_recording_is_continued_with_its_own_spread():
    clip = dataset.draw_clip("wander", dataset.FAMILIES["wander"], np.random.default_rng(1))
    model = recorded.fit(Recording(clip.motion, clip.scene))
    again = dataset.draw_clip("recorded", partial(recorded.move, models=[model]), np.random.default_rng(2))
    assert 0.3 < again.motion.smooth[:, :6].std() < 3


def test_a_reach_is_made_once_and_stops_and_goes_really_stop():
    way = reorient.reach(np.arange(60) / 30, 0.5, 0.6)
    assert way[15] == 0 and way[-1] == 1 and (np.diff(way) >= 0).all()
    talk = scenes.converse(60.0, np.random.default_rng(5))
    turns = [stop_and_go.move(talk, np.random.default_rng(k)).smooth[:, 0] for k in range(6)]
    speeds = [np.abs(np.diff(turn)) for turn in turns]
    still = [float((speed < 0.05 * speed.std()).mean()) for speed in speeds]
    assert max(still) > 0.2


def test_splines_pass_through_their_keys():
    keys = np.random.default_rng(0).normal(size=(5, 6))
    moments = np.array([0.0, 1.0, 1.5, 3.0, 4.0])
    assert np.allclose(splines.through(keys, moments, moments), keys)


def test_a_stroke_goes_all_the_way_and_never_back():
    way = submovements.stroke(90, 0.5, 0.3, 0.35)
    assert way[10] == 0 and way[-1] == pytest.approx(1.0) and (np.diff(way) >= 0).all()


def test_fixations_become_jumps_and_holds():
    aim = np.zeros((90, 2))
    aim[30:60] = [0.1, -0.05]
    noisy = aim + 0.002 * np.random.default_rng(0).normal(size=aim.shape)
    held = footage.fixations(noisy)
    motion = Motion(np.zeros((90, 12)), held, np.zeros(0))
    assert len(motion.saccades()) == 2 and np.abs(motion.saccades() - [30, 60]).max() <= 1
    assert np.abs(held - aim)[[10, 45, 80]].max() < 0.003


def test_every_number_of_the_code_is_centred_and_of_about_unit_size():
    clips = dataset.draw_clips(3, [], 4)
    codec = dataset.fit_codec(clips)
    found = dataset.pairs(clips, codec, np.random.default_rng(1), 0.0)
    spread = found.code.std(0)
    # Tails heavier than the code takes out leave the rest of a number small, never large.
    assert spread.min() > 0.5
    assert spread.max() < 1.15
    off = np.abs(found.code.mean(0))
    # Frowns, smiles and cheeks rest on one side of their mean: the place foretells a return that seldom comes.
    one_sided = [INDEX[name] * CHUNK + k for name in ("brow_down", "smile", "cheek") for k in range(CHUNK)]
    assert np.delete(off, one_sided).max() < 0.1 and off.max() < 0.15


def samples(name: str, seeds: range, seconds: float = 45.0) -> list[Recording]:
    clips = [dataset.draw_clip(name, FAMILIES[name], np.random.default_rng([7, k]), seconds) for k in seeds]
    return [Recording(clip.motion, clip.scene) for clip in clips]


def halves(whole: list[Recording]) -> tuple[list[Recording], list[Recording]]:
    middle = len(whole[0].motion) // 2
    parts = ((0, middle), (middle, 2 * middle))
    first, second = ([s.part(*p) for s in whole] for p in parts)
    return first, second


def test_the_classifier_finds_no_difference_where_there_is_none_and_a_great_one_where_there_is():
    truth, alike = halves(samples("springs", range(4), 90.0))  # the same people, later
    motion, scene = truth[0].motion, truth[0].scene
    assert judge.two_sample(truth, alike).accuracy < 0.68
    noise = [Recording(baseline.play(baseline.fit([s.motion]), len(s.motion), np.random.default_rng(k)), s.scene)
             for k, s in enumerate(truth)]  # fmt: skip
    assert judge.two_sample(truth, noise).accuracy > 0.75
    frozen = Recording(Motion(np.zeros_like(motion.smooth), np.zeros_like(motion.aim), np.zeros(0)), scene)
    assert judge.two_sample(truth, [frozen] * 4).accuracy > 0.95


def test_measures_know_their_negative_controls():
    truth = samples("nod_grammar", range(3))
    assert judge.spectrum_distance(truth, truth) == 0 and judge.blink_interval_ks(truth, truth) == 0
    fast = [Recording(Motion(s.motion.smooth[::2], s.motion.aim[::2], s.motion.blinks / 2), s.scene) for s in truth]
    assert judge.spectrum_distance(truth, fast) > 0.3 and judge.blink_interval_ks(truth, fast) > 0.3
    late = [Recording(Motion(np.roll(s.motion.smooth, 450, 0), s.motion.aim, s.motion.blinks), s.scene) for s in truth]
    assert judge.head_prosody_correlation(truth) > judge.head_prosody_correlation(late)
    whole = truth[0].motion
    looped = Motion(np.tile(whole.smooth[:450], (4, 1)), np.tile(whole.aim[:450], (4, 1)), whole.blinks)
    assert judge.closest_return(looped) > 0.99 > judge.closest_return(whole)


def test_manner_measures_what_differs_between_people():
    quick, slow = (dataset.draw_clip("springs", FAMILIES["springs"], np.random.default_rng(k)).manner for k in (1, 2))
    assert not np.allclose(quick.style, slow.style)
    clip = dataset.draw_clip("springs", FAMILIES["springs"], np.random.default_rng(1))
    larger = Motion(3 * clip.motion.smooth, clip.motion.aim, clip.motion.blinks)
    # Three times as far is the same manner in larger units.
    assert np.allclose(measure(larger, clip.scene).style, clip.manner.style, atol=1e-4)
    assert np.allclose(measure(larger, clip.scene).deviation, 3 * clip.manner.deviation)


def test_a_gain_is_sure_where_there_is_one_and_unsure_where_there_is_none():
    truth, alike = halves(samples("springs", range(4), 90.0))
    motions = [sample.motion for sample in truth]
    frozen = [Recording(Motion(np.zeros_like(m.smooth), np.zeros_like(m.aim), m.blinks[:2]), s.scene)
              for m, s in zip(motions, truth, strict=True)]  # fmt: skip
    found = intervals.gains(truth, alike, frozen)
    assert found["spectrum_distance"][0] > 1 and found["two_sample_accuracy"][0] > 0.1
    for low, high in intervals.gains(truth, alike, alike).values():
        assert low == high == 0


def test_the_two_ways_to_measure_agree():
    truth, other = samples("springs", range(3)), samples("wander", range(3))
    once = np.ones((1, sum(len(sample.motion) // judge.BLOCK for sample in truth)), int)
    ks, prosody = intervals.blink_ks(truth, other, once)[0], intervals.prosody(truth, once, 3)[0]
    assert ks == pytest.approx(judge.blink_interval_ks(truth, other), abs=1e-9)
    assert prosody == pytest.approx(judge.head_prosody_correlation(truth), abs=1e-6)
    assert intervals.spectrum_distance(truth, other, once)[0] == pytest.approx(
        judge.spectrum_distance(truth, other), rel=0.3)
