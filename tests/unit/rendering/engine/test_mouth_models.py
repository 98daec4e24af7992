"""The mouth's models: features against a readable truth, stream against whole, causality, files, both frameworks."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from rendering.engine.errors import MotionModelInvalid
from rendering.engine.motion.expression import EMOTIONS
from rendering.engine.motion.mouth import features, hearing
from rendering.engine.motion.mouth.features import BANDS, COLUMNS, FRAMES_PER_S, INPUTS, RATE_HZ, WINDOW
from rendering.engine.motion.mouth.motion import LOOK_AHEAD as MOTION_LOOK_AHEAD
from rendering.engine.motion.mouth.motion import STYLE, MotionModel
from rendering.engine.motion.mouth.recogniser import (
    HEARD,
    LOOK_AHEAD,
    SECOND_AFTER,
    Recogniser,
    RecogniserStream,
    settled,
    twice,
)
from rendering.engine.motion.mouth.release import MANIFEST_FILE, MODEL_FILE, MOST_BYTES, MouthModels
from rendering.engine.motion.visemes import MOUTH, VISEMES
from rendering.motion_models import SHIPPED
from rendering.training.mouth import nets
from tests.common.mouths import shipped_models


@pytest.fixture(scope="module")
def models() -> MouthModels:
    return shipped_models()


def sound(seconds: float = 1.5, seed: int = 1) -> np.ndarray:
    """Noise and tones that come and go, as float32 in -1..1."""
    random = np.random.default_rng(seed)
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    tone = np.sin(2 * np.pi * 300 * time_s) * (np.sin(2 * np.pi * 3 * time_s) > 0)
    return (0.2 * tone + 0.02 * random.normal(size=len(time_s))).astype(np.float32)


def readable_log_mel(samples: np.ndarray, frame: int) -> np.ndarray:
    """[INPUTS] one frame's features, written out sum by sum."""
    window = np.array([0.5 - 0.5 * np.cos(2 * np.pi * n / WINDOW) for n in range(WINDOW)])
    window /= window.sum()
    edges_mel = np.linspace(2595 * np.log10(1 + 60 / 700), 2595 * np.log10(1 + 7600 / 700), BANDS + 2)
    edges_hz = 700 * (10 ** (edges_mel / 2595) - 1)
    row = []
    for column in range(COLUMNS * frame - COLUMNS + 1, COLUMNS * frame + 1):
        end = column * RATE_HZ // 120
        piece = [samples[i] if 0 <= i < len(samples) else 0.0 for i in range(end - WINDOW, end)]
        power = np.abs(np.fft.fft(np.array(piece) * window, 512)[:257]) ** 2
        for band in range(BANDS):
            low, middle, high = edges_hz[band : band + 3]
            energy = 0.0
            for index, value in enumerate(power):
                hz = index * RATE_HZ / 512
                weight = (hz - low) / (middle - low) if hz <= middle else (high - hz) / (high - middle)
                energy += max(0.0, weight) * value
            row.append(np.log(energy + 1e-7))
    return np.array(row)


def test_features_are_those_of_the_readable_reference() -> None:
    samples = sound()
    whole = features.log_mel(samples)
    assert whole.shape == (len(samples) * FRAMES_PER_S // RATE_HZ + 1, INPUTS)
    for frame in (0, 1, 17, len(whole) - 1):
        np.testing.assert_allclose(whole[frame], readable_log_mel(samples, frame), atol=2e-3)


@pytest.mark.parametrize("piece", [1, 160, 533, 48_000])
def test_features_in_pieces_are_those_of_the_whole(piece: int) -> None:
    samples = sound(0.4 if piece == 1 else 1.5)
    stream = features.FeatureStream()
    pieces = [stream.push(samples[i : i + piece]) for i in range(0, len(samples), piece)]
    np.testing.assert_allclose(np.concatenate(pieces), features.log_mel(samples), atol=1e-4)


def test_features_do_not_look_ahead() -> None:
    samples, cut = sound(), RATE_HZ
    other = samples.copy()
    other[cut:] = 0.5
    frames = cut * FRAMES_PER_S // RATE_HZ + 1
    assert np.array_equal(features.log_mel(samples)[:frames], features.log_mel(other)[:frames])
    assert not np.allclose(features.log_mel(samples)[frames], features.log_mel(other)[frames])


def test_recognition_in_pieces_is_that_of_the_whole_two_frames_later(models: MouthModels) -> None:
    samples = sound()
    whole = models.recogniser.listen(samples)
    assert whole.shape == (len(features.log_mel(samples)), HEARD)
    np.testing.assert_allclose(whole.sum(1), 2.0, atol=1e-5)
    stream = RecogniserStream(models.recogniser)
    pieces = np.concatenate([stream.push(samples[i : i + 700]) for i in range(0, len(samples), 700)])
    assert len(pieces) == len(whole) - LOOK_AHEAD
    np.testing.assert_allclose(pieces, whole[: len(pieces)], atol=1e-4)
    hearing_stream = hearing.HearingStream(models.recogniser)
    gated = np.concatenate([hearing_stream.push(samples[i : i + 700]) for i in range(0, len(samples), 700)])
    heard = hearing.hear(models.recogniser, samples, has_motion_model=True)
    assert heard.rows is not None
    np.testing.assert_allclose(gated, heard.rows[: len(gated)], atol=1e-4)


def test_the_live_path_uses_no_sound_more_than_170_ms_ahead(models: MouthModels) -> None:
    samples, cut = sound(3.0), 2 * RATE_HZ - 1
    other = samples.copy()
    other[cut:] = 0.3 * np.random.default_rng(5).normal(size=len(other) - cut)
    moved = [_through(models.motion.heard, models.recogniser.listen(s)) for s in (samples, other)]
    first = int(np.flatnonzero(np.abs(moved[0] - moved[1]).max(1) > 0)[0])
    assert (LOOK_AHEAD + MOTION_LOOK_AHEAD) / FRAMES_PER_S < 0.170
    assert 0.10 < cut / RATE_HZ - first / FRAMES_PER_S < 0.170


def _through(model: MotionModel, shares: np.ndarray) -> np.ndarray:
    from rendering.training.mouth.evaluate import through

    return through(model, shares)


def test_numpy_runs_what_torch_has_trained() -> None:
    torch.manual_seed(3)
    random = np.random.default_rng(3)
    net = nets.MotionNet(len(VISEMES))
    shares = random.dirichlet(np.ones(len(VISEMES)) * 0.2, 40).astype(np.float32)
    style = random.normal(size=len(STYLE)).astype(np.float32)
    emotion = np.eye(len(EMOTIONS), dtype=np.float32)[2]
    with torch.no_grad():
        expected = net(*(torch.from_numpy(a)[None] for a in (shares, style, emotion)))[0].numpy()
    moved = net.frozen().run(shares, style, emotion)
    assert moved.shape == (40 - net.body.past_frames, len(MOUTH))
    np.testing.assert_allclose(moved[:, :-1], np.clip(expected[:, :-1], -0.2, 1.3), atol=1e-5)
    recogniser = nets.recogniser_net().eval()
    inputs = random.normal(size=(60, INPUTS)).astype(np.float32)
    with torch.no_grad():
        expected = recogniser(torch.from_numpy(inputs)[None])[0].numpy()
    np.testing.assert_allclose(recogniser.frozen().run(inputs), expected, atol=1e-4)


def test_the_shipped_release_is_small_and_says_where_it_comes_from(models: MouthModels) -> None:
    sizes = [(SHIPPED / name).stat().st_size for name in (MODEL_FILE, MANIFEST_FILE)]
    assert sum(sizes) < MOST_BYTES
    assert set(models.release) == {"name", "release", "sha256"}
    assert {"seed", "command", "training", "held_out"} <= set(models.facts)


def _files() -> dict[str, bytes]:
    shipped_models()
    return {name: (SHIPPED / name).read_bytes() for name in (MODEL_FILE, MANIFEST_FILE)}


@pytest.mark.parametrize(
    "fault",
    ["one_bit", "cut", "missing", "other_hash", "other_controls", "not_json", "dilation", "other_windows"],
)
def test_changed_model_files_are_refused(fault: str) -> None:
    files = _files()
    manifest = json.loads(files[MANIFEST_FILE])
    if fault == "one_bit":
        files[MODEL_FILE] = files[MODEL_FILE][:-1] + bytes([files[MODEL_FILE][-1] ^ 1])
    elif fault == "cut":
        files[MODEL_FILE] = files[MODEL_FILE][:-100]
    elif fault == "missing":
        del files[MODEL_FILE]
    elif fault == "not_json":
        files[MANIFEST_FILE] = b"{"
    else:
        changes = {
            "other_hash": {"sha256": "0" * 64}, "other_controls": {"controls": ["jaw"]},
            "dilation": {"dilations": {"recogniser": [1], "exact": [1], "heard": [1]}},
            "other_windows": {"dilations": {**manifest["dilations"], "heard": [1, 2, 8]}},
        }  # fmt: skip
        files[MANIFEST_FILE] = json.dumps({**manifest, **changes[fault]}).encode()
    with pytest.raises(MotionModelInvalid):
        MouthModels.from_files(files)


def test_values_that_are_not_finite_are_refused_even_with_a_right_hash(models: MouthModels) -> None:
    mean = models.recogniser.mean.copy()
    mean[0] = np.inf
    spoilt = MouthModels(Recogniser(models.recogniser.network, mean, models.recogniser.deviation), models.motion, {})
    with pytest.raises(MotionModelInvalid, match="finite"):
        MouthModels.from_files(spoilt.to_files())


def test_files_round_trip(models: MouthModels) -> None:
    again = MouthModels.from_files(models.to_files())
    assert again.release["sha256"] == models.release["sha256"]
    assert np.array_equal(again.motion.exact.enter, models.motion.exact.enter)
    assert np.array_equal(again.motion.heard.enter, models.motion.heard.enter)
    assert np.array_equal(again.motion.unevenness.factor, models.motion.unevenness.factor)


@pytest.mark.parametrize("version", [1, 3, "2", None])
def test_models_of_another_format_are_refused_and_told_so(version: object) -> None:
    files = _files()
    files[MANIFEST_FILE] = json.dumps({**json.loads(files[MANIFEST_FILE]), "version": version}).encode()
    with pytest.raises(MotionModelInvalid, match="reads format 2"):
        MouthModels.from_files(files)


def test_a_memory_that_never_fades_is_refused(models: MouthModels) -> None:
    endless = replace(models.motion, unevenness=replace(models.motion.unevenness, memory=1.0))
    with pytest.raises(MotionModelInvalid, match="shape"):
        MouthModels.from_files(replace(models, motion=endless).to_files())


def test_each_row_holds_a_frame_at_first_hearing_and_an_earlier_one_at_second() -> None:
    shares = np.eye(len(VISEMES), dtype=np.float32)[[3, 4, 5, 6, 7, 8, 9]]
    rows = twice(shares)
    assert rows.shape == (7, HEARD)
    assert [int(row[len(VISEMES) :].argmax()) for row in rows] == [0, 0, 0, 3, 4, 5, 6]
    assert np.array_equal(settled(rows), shares)
    doubted = rows.copy()
    doubted[:-SECOND_AFTER, : len(VISEMES)] = 1 / len(VISEMES)  # first hearings that were unsure
    assert np.array_equal(settled(doubted), shares)
