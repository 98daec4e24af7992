"""The mouth's training: the truth it learns, the measures and their negative controls, a person's style, the corpus."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from rendering.engine.motion import controls
from rendering.engine.motion.mouth import hearing
from rendering.engine.motion.mouth.features import FRAMES_PER_S, RATE_HZ, log_mel
from rendering.engine.motion.mouth.motion import FRAME_S, MEAN_STYLE, STYLE
from rendering.engine.motion.mouth.recogniser import twice
from rendering.engine.motion.mouth.spoken import style_of
from rendering.engine.motion.visemes import CLASS_OF, CLOSURE, MOUTH, SILENCE, VISEMES
from rendering.engine.replica import Replica
from rendering.speech.voices import EspeakVoice
from rendering.training import canonical, fit, lip_sound
from rendering.training.config import TrainingConfig
from rendering.training.mouth import (
    augment,
    closing,
    corpus,
    cycle,
    evaluate,
    kept,
    measures,
    movement,
    recognise,
    style,
    texts,
    tracked,
    truth,
)
from rendering.training.mouth.corpus import Speech
from rendering.training.mouth.evaluate import Judged, failed_bars, from_text, negative_controls
from rendering.training.mouth.movement import JAW, opening
from rendering.training.mouth.recognise import labels
from rendering.training.mouth.step import with_style
from rendering.training.mouth.truth import Sounds
from tests.common.mouths import shipped_models
from tests.common.moving_face import record


@pytest.fixture(scope="module")
def speech() -> Speech:
    """A minute of a voice that is kept out of training."""
    voice = EspeakVoice("en-us", variant=corpus.HELD_OUT_VARIANTS[1])
    return corpus.spoken_by(voice, texts.test_sentences("en")[:20])


def test_the_truth_closes_on_every_bilabial_in_any_style(speech: Speech) -> None:
    random = np.random.default_rng(1)
    for _ in range(4):
        moved = evaluate.table_driver(speech, truth.draw_style(random))
        assert measures.compare(moved, moved, speech.bilabials_s).closure_share == 1.0
        near = np.round(speech.bilabials_s * FRAMES_PER_S).astype(int)
        lowest = np.min([opening(moved)[near + k] for k in (-1, 0, 1)], axis=0)
        assert np.mean(lowest < measures.CLOSED) > 0.95


def test_style_feeling_and_unevenness_change_the_truth_and_leave_closing(speech: Speech) -> None:
    sounds, times_s = Sounds(speech.starts_s, speech.ends_s, speech.classes), np.arange(300) * FRAME_S
    plain = truth.move(times_s, sounds, MEAN_STYLE)
    late, wide = MEAN_STYLE.copy(), MEAN_STYLE.copy()
    late[STYLE.index("lead")], wide[STYLE.index("gain_jaw")] = -1.5, 1.0
    assert lip_sound.best_lag_s(truth.move(times_s, sounds, late)[:, JAW], plain[:, JAW], 30, 0.2)[0] > 0.01
    assert truth.move(times_s, sounds, wide)[:, JAW].mean() > 1.2 * plain[:, JAW].mean()
    glad = np.zeros(8, np.float32)
    glad[1] = 1.0
    felt = truth.move(times_s, sounds, MEAN_STYLE, glad)
    assert np.array_equal(felt[:, [JAW, CLOSURE]], plain[:, [JAW, CLOSURE]])
    assert not np.allclose(felt, plain)
    uneven = truth.move(times_s, sounds, MEAN_STYLE, None, truth.Unevenness(), np.random.default_rng(2))
    assert 0.01 < np.abs(uneven - plain).mean() < 0.1


def test_a_perfect_movement_measures_as_perfect(speech: Speech) -> None:
    wanted = evaluate.table_driver(speech, MEAN_STYLE)
    perfect = measures.compare(wanted, wanted, speech.bilabials_s)
    assert perfect.rmse == 0.0
    assert (perfect.closure_share, perfect.false_closures_per_min) == (1.0, 0.0)
    assert (perfect.variance_ratio, perfect.jitter_ratio) == (pytest.approx(1.0, abs=0.01), 1.0)
    assert perfect.lag_ms == pytest.approx(0.0, abs=0.1)
    later = np.concatenate([wanted[:3], wanted[:-3]])
    assert measures.compare(later, wanted, speech.bilabials_s).lag_ms == pytest.approx(100.0, abs=3.0)


def test_energy_and_opening_find_the_lag_of_the_sound(speech: Speech) -> None:
    wanted = opening(evaluate.table_driver(speech, MEAN_STYLE))
    plain = lip_sound.agreement(wanted, FRAMES_PER_S, speech.samples, RATE_HZ)
    later = np.concatenate([np.zeros(round(0.2 * RATE_HZ), np.float32), speech.samples])
    shifted = lip_sound.agreement(np.concatenate([wanted, np.zeros(6)]), FRAMES_PER_S, later, RATE_HZ)
    assert plain.margin > 0.2
    assert plain.lag_ms - shifted.lag_ms == pytest.approx(200.0, abs=15.0)


CAUGHT_BY = {
    "another_utterance": {"closure", "false_closures"}, "late_200_ms": {"lag"},
    "always_closed": {"false_closures", "variance"}, "moving_average": {"jitter"},
    "loudness": {"closure", "energy_peak"},
}  # fmt: skip


@pytest.mark.parametrize("control", CAUGHT_BY)
def test_negative_controls_miss_the_bars_that_are_there_for_them(speech: Speech, control: str) -> None:
    judged = Judged.of(speech)
    moved = negative_controls(from_text(shipped_models().motion.exact, speech), speech)[control]
    sync = lip_sound.agreement(opening(moved), FRAMES_PER_S, speech.samples, RATE_HZ)
    assert set(failed_bars(judged.score(moved), sync.peak, sync.margin, is_text=False)) >= CAUGHT_BY[control]


def test_exact_times_hold_every_bar_on_a_voice_kept_out_of_training(speech: Speech) -> None:
    judged, moved = Judged.of(speech), from_text(shipped_models().motion.exact, speech)
    sync = lip_sound.agreement(opening(moved), FRAMES_PER_S, speech.samples, RATE_HZ)
    assert failed_bars(judged.score(moved), sync.peak, sync.margin, is_text=True) == []
    random = np.random.default_rng(7)
    strangers = [evaluate.table_driver(speech, truth.draw_style(random)) for _ in range(4)]
    assert judged.score(moved).rmse < judged.score(*strangers).rmse


@pytest.mark.parametrize(("fps", "shift_s"), [(25.0, 0.10), (30.0, -0.067)])
def test_style_and_sound_offset_are_found_again(speech: Speech, fps: float, shift_s: float) -> None:
    wanted_style = truth.draw_style(np.random.default_rng(5))
    sounds = Sounds(speech.starts_s, speech.ends_s, speech.classes)
    times_s = np.arange(int(len(speech.samples) / RATE_HZ * fps)) / fps
    # The picture shows at t what the sound says at t + shift: sound that comes later than the picture.
    mouth = truth.move(times_s + shift_s, sounds, wanted_style, None, truth.Unevenness(), np.random.default_rng(6))
    mouth[100] = np.nan
    found = style.fit(shipped_models(), mouth, fps, speech.samples)
    own_lead_s = truth.LEAD_SD_S * wanted_style[STYLE.index("lead")]
    assert found.offset_ms == pytest.approx(1000 * (shift_s + own_lead_s), abs=25.0)
    assert found.note == "Fitted to the footage."
    assert found.error_after < 0.97 * found.error_before
    # Every vowel shows the jaw; the lips' rarer movements are learnt only as far as the recogniser hears their sounds.
    jaw = STYLE.index("gain_jaw")
    assert found.vector[jaw] == pytest.approx(wanted_style[jaw], abs=0.5)
    wanted = truth.move(np.arange(speech.frames) * FRAME_S, sounds, wanted_style)
    errors = [
        measures.compare(from_text(shipped_models().motion.exact, speech, s), wanted, speech.bilabials_s).rmse
        for s in (MEAN_STYLE, found.vector)
    ]
    assert errors[1] < errors[0]


@pytest.mark.parametrize("kind", ["silence", "music", "another_sound", "no_sound"])
def test_footage_without_usable_speech_gives_the_mean_style_and_says_so(speech: Speech, kind: str) -> None:
    count = 40 * RATE_HZ
    mouth = evaluate.table_driver(speech, MEAN_STYLE)[: 40 * FRAMES_PER_S]
    samples = {
        "silence": np.zeros(count, np.float32), "no_sound": np.zeros(0, np.float32),
        "music": augment.levelled(augment.coloured(count, np.random.default_rng(1), 1.0)),
        "another_sound": np.roll(speech.samples, 17 * RATE_HZ)[:count],
    }[kind]  # fmt: skip
    found = style.fit(shipped_models(), mouth, FRAMES_PER_S, samples)
    assert np.array_equal(found.vector, MEAN_STYLE)
    assert "mean style" in found.note
    assert found.to_facts()["vector"] == [0.0] * len(STYLE)


def test_tracked_lips_are_taken_apart_into_controls() -> None:
    clip = record(60, 64)
    mean = canonical.canonicalise(clip.landmarks)
    space = canonical.fit_space(mean, canonical.align(clip.landmarks, mean), 12)
    basis = controls.build(space, 0.2)
    jaws = np.linspace(0, 1, 30)
    rest = space.mean + np.tensordot(space.neutral, space.basis, 1)
    one = np.tensordot(basis.coefficients[0], space.basis, 1) + basis.residuals[0]
    found = tracked.mouth_controls((rest + jaws[:, None, None] * one).astype(np.float32), space, 0.2)
    assert found.shape == (30, len(MOUTH))
    assert np.corrcoef(found[:, JAW], jaws)[0, 1] > 0.95
    assert (found >= 0).all()
    assert found[0, CLOSURE] == 1.0
    assert found[-1, CLOSURE] < 0.6


def test_a_drawn_corpus_is_seeded_and_keeps_the_held_out_voice_out() -> None:
    one, same = corpus.build(0.15, 4), corpus.build(0.15, 4)
    assert np.array_equal(one.samples, same.samples)
    assert corpus.HELD_OUT_VOICE not in one.voices
    assert not any(held in name for name in one.voices for held in corpus.HELD_OUT_VARIANTS)
    shares = labels(one)
    assert shares.shape == (one.frames, len(VISEMES))
    np.testing.assert_allclose(shares.sum(1), 1.0, atol=2e-3)  # a sample of rounding at a seam
    middle = round(one.bilabials_s[0] * FRAMES_PER_S)
    assert shares[middle - 1 : middle + 2, CLASS_OF["PP"]].max() > 0.3
    assert (np.diff(one.starts_s) >= 0).all()


def test_strangers_are_parted_from_the_voices_that_are_learnt_and_nothing_is_lost() -> None:
    whole, strangers = corpus.build(0.6, 9), {*corpus.STRANGERS, *corpus.RECORDED_STRANGERS}
    known, strange = whole.parted(tuple(strangers))
    assert len(known.samples) + len(strange.samples) == pytest.approx(len(whole.samples), abs=2 * len(whole.starts_s))
    assert len(known.classes) + len(strange.classes) == len(whole.classes)
    said = {whole.voices[k].rpartition("+")[2] for k in strange.speakers}
    assert said
    assert said <= strangers
    assert not {whole.voices[k].rpartition("+")[2] for k in known.speakers} & strangers
    early, late = strange.split(0.7)
    assert len(early.classes) + len(late.classes) == len(strange.classes)
    assert early.ends_s[-1] == pytest.approx(0.7 * strange.ends_s[-1], abs=1.0)
    for part in (known, strange, early, late):
        assert part.starts_s[0] == pytest.approx(0.0, abs=1e-4)
        assert part.ends_s[-1] == pytest.approx(len(part.samples) / RATE_HZ, abs=1e-3)
        np.testing.assert_allclose(part.ends_s[:-1], part.starts_s[1:], atol=1e-3)


def test_readiness_to_close_is_a_higher_logit(speech: Speech) -> None:
    models = shipped_models()
    plain = models.recogniser.listen(speech.samples)
    readier = closing.with_readiness(models.recogniser, 0.7).listen(speech.samples)
    np.testing.assert_allclose(readier, closing.readier(plain, 0.7), atol=1e-5)


def test_the_readiest_lips_within_the_bound_of_false_closures_are_chosen(speech: Speech) -> None:
    models, judged = shipped_models(), Judged.of(speech)

    def tried(readiness: float) -> measures.Quality:
        ready = closing.with_readiness(models.recogniser, readiness)
        rows = hearing.hear(ready, speech.samples, has_motion_model=True).rows
        return judged.score(evaluate.through(models.motion.heard, rows[: speech.frames]))

    bound = round(tried(0.0).false_closures_per_min + 1.0, 2)
    chosen = closing.choose([closing.Stranger(models.recogniser, models.motion.heard, speech)], bound)
    assert chosen.false_closures_per_min <= bound
    assert tried(chosen.readiness).closure_share == pytest.approx(chosen.closure_share, abs=0.02)
    for other in closing.READINESS[::3]:
        found = tried(other)
        assert found.closure_share <= chosen.closure_share + 0.02 or found.false_closures_per_min > bound - 1.0


def test_a_recogniser_that_is_less_ready_is_helped_by_as_much(speech: Speech) -> None:
    models = shipped_models()
    plain = closing.choose([closing.Stranger(models.recogniser, models.motion.heard, speech)])
    shifted = -0.5 if plain.readiness < 0 else 0.5
    other = closing.choose(
        [closing.Stranger(closing.with_readiness(models.recogniser, shifted), models.motion.heard, speech)]
    )
    assert other.readiness == pytest.approx(plain.readiness - shifted)
    assert other.closure_share == pytest.approx(plain.closure_share, abs=0.01)


def test_when_no_readiness_is_within_the_bound_the_least_false_one_is_chosen(speech: Speech) -> None:
    models = shipped_models()
    chosen = closing.choose([closing.Stranger(models.recogniser, models.motion.heard, speech)], most_false_per_min=-1.0)
    freer = closing.choose([closing.Stranger(models.recogniser, models.motion.heard, speech)], most_false_per_min=1e9)
    assert chosen.false_closures_per_min < freer.false_closures_per_min
    assert chosen.readiness < freer.readiness


def test_motions_learn_from_windows_whose_rows_sounds_and_times_belong_together(speech: Speech) -> None:
    random = np.random.default_rng(3)
    sounds = Sounds(speech.starts_s, speech.ends_s, speech.classes)
    rows = twice(labels(speech))
    overheard = movement.Overheard(((rows, sounds), (rows[:400], sounds.between(0.0, 400 * FRAME_S))))
    for material in (movement.Timed(sounds, jittered_share=0.0), overheard):
        for _ in range(20):
            inputs, near, times_s = material.window(90, random)
            assert inputs.shape == (90, material.inputs)
            middle_s = 0.5 * (near.starts_s + near.ends_s)
            long = (near.ends_s - near.starts_s > 0.1) & (middle_s > times_s[5]) & (middle_s < times_s[-5])
            for at_s, heard in zip(middle_s[long], near.classes[long], strict=True):
                assert inputs[round((at_s - times_s[0]) / FRAME_S), : len(VISEMES)].argmax() == heard
        inputs, styles, emotions, wanted = movement.batch(material, 14, random)
        assert inputs.shape[:2] == (movement.BATCH, 14 + movement.WINDOW_FRAMES)
        assert wanted.shape == (movement.BATCH, movement.WINDOW_FRAMES, len(MOUTH))
        assert (len(styles), len(emotions)) == (movement.BATCH, movement.BATCH)


def test_other_throats_and_tones_move_bands_and_keep_the_time(speech: Speech) -> None:
    random = np.random.default_rng(5)
    plain = np.stack([log_mel(speech.samples[:RATE_HZ])] * 6)
    other = recognise.another_voice(plain, random)
    assert other.shape == plain.shape
    assert np.isfinite(other).all()
    assert all(np.abs(one - plain[0]).mean() > 0.1 for one in other)
    for one in other:
        assert np.corrcoef(one.mean(1), plain[0].mean(1))[0, 1] > 0.9


def test_what_a_build_keeps_is_read_again_only_for_the_same_cause(tmp_path, speech: Speech) -> None:
    cause = {"seed": 1, "minutes": 1.0}
    kept.keep_speech(tmp_path / "speech.npz", speech, cause)
    again = kept.kept_speech(tmp_path / "speech.npz", cause)
    assert again is not None
    assert np.abs(again.samples - speech.samples).max() < 1e-4
    assert np.array_equal(again.classes, speech.classes)
    assert again.voices == speech.voices
    assert kept.kept_speech(tmp_path / "speech.npz", {**cause, "seed": 2}) is None
    recogniser = shipped_models().recogniser
    kept.keep_recogniser(tmp_path / "recogniser.npz", recogniser, 70, cause)
    found = kept.kept_recogniser(tmp_path / "recogniser.npz", cause)
    assert found is not None
    assert found[1] == 70
    assert np.array_equal(found[0].listen(speech.samples[:RATE_HZ]), recogniser.listen(speech.samples[:RATE_HZ]))
    assert kept.kept_recogniser(tmp_path / "recogniser.npz", {}) is None
    assert kept.kept_recogniser(tmp_path / "none.npz", cause) is None


def test_spoiled_sound_stays_in_range_and_other_sounds_are_many() -> None:
    random = np.random.default_rng(9)
    voice = 0.2 * np.sin(2 * np.pi * 200 * np.arange(RATE_HZ) / RATE_HZ).astype(np.float32)
    for _ in range(12):
        spoiled = augment.spoil(voice, random)
        assert spoiled.shape == voice.shape
        assert np.abs(spoiled).max() <= 1.0
        assert np.isfinite(spoiled).all()
    others = [augment.not_speech(RATE_HZ // 2, random) for _ in range(30)]
    assert all(np.isfinite(other).all() and other.std() > 1e-4 for other in others)
    assert SILENCE == 0


def test_the_rate_rises_falls_and_ends_with_the_steps_or_the_time() -> None:
    heights = [cycle.height(share) for share in np.linspace(0, 1, 101)]
    assert np.argmax(heights) == 30
    assert heights[30] == pytest.approx(1.0)
    assert heights[0] == pytest.approx(cycle.START)
    assert heights[-1] < 1e-3
    net = torch.nn.Linear(2, 1)
    updates = cycle.Cycle(3).start(net)
    count = 0
    while not updates.is_over():
        updates.take(net(torch.ones(1, 2)).square().mean())
        count += 1
    assert count == 3
    hurried = cycle.Cycle(10**6, limit_s=1e-6).start(net)
    hurried.take(net(torch.ones(1, 2)).square().mean())
    assert hurried.is_over()


def test_training_leaves_style_and_models_in_the_replica_and_the_mean_one_for_silent_footage() -> None:
    clip = record(60, 64)
    config = TrainingConfig(
        size_px=64, splats=500, iterations=1, training_frames=40, time_limit_s=1e9, shapes=20, preview_every_s=1e9
    )
    trained = fit.train(clip, config)
    silent = SimpleNamespace(
        fps=clip.fps, landmarks=clip.landmarks, pcm=np.zeros(40_000, np.int16), pcm_rate=RATE_HZ
    )  # fmt: skip
    styled = with_style(trained, silent, shipped_models(), config)
    replica = Replica.from_files(styled.files)
    assert np.array_equal(style_of(replica.facts["calibration"]), MEAN_STYLE)
    assert "mean style" in replica.facts["calibration"]["mouth_style"]["note"]
    assert replica.facts["motion_models"] == [shipped_models().release]
    assert styled.report["calibration"]["mouth_style"] == replica.facts["calibration"]["mouth_style"]
    assert with_style(trained, silent, None, config) is trained
    heard: list[int] = []
    real = style.fit
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(style, "fit", lambda *given: heard.append(len(given[-1])) or real(*given))
        for sound_s in (2, 30):  # sound that goes on after the last picture is not held-out sound
            silent.pcm = np.zeros(sound_s * RATE_HZ, np.int16)
            with_style(trained, silent, shipped_models(), config)
    assert heard[0] == heard[1] == pytest.approx(0.8 * 60 / clip.fps * RATE_HZ, abs=RATE_HZ / clip.fps)
