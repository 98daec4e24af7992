"""What approvers look at: the film shows the frames it says, the map is bright where the error is, the card says it."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import av
import numpy as np
import pytest

from rendering.training import fit, model_card, report_page
from rendering.training.config import TrainedReplica, TrainingConfig
from rendering.training.dataset import prepare
from rendering.training.exhibits import coverage, error_map, film, stretch, sync_plot
from rendering.training.exhibits.stretch import Stretch
from tests.common.moving_face import record

CONFIG = TrainingConfig(size_px=64, splats=800, iterations=5, training_frames=40, time_limit_s=1e9, shapes=20)
TONE = (8000 * np.sin(np.arange(8 * 16_000) * 2 * np.pi * 1000 / 16_000)).astype(np.int16)
CLIP = replace(record(200, 64), pcm=TONE)


@pytest.fixture(scope="module")
def trained() -> TrainedReplica:
    return fit.train(CLIP, CONFIG)


def a_stretch(frames: int = 20, **changed: Any) -> Stretch:
    random = np.random.default_rng(1)
    filmed = np.full((frames, 64, 64, 3), 90, np.uint8)
    gaps = random.random(frames)
    given: dict[str, Any] = {
        "filmed": filmed, "drawn": filmed.copy(), "filmed_gaps": gaps, "drawn_gaps": gaps,
        "pcm": TONE[: round(frames / 25 * 16_000)], "pcm_rate": 16_000, "fps": 25.0, "start_s": 3.0, **changed}
    return Stretch(**given)


def test_the_stretch_is_an_unbroken_part_of_the_tail() -> None:
    chosen = stretch.choose(CLIP, CONFIG)
    assert chosen is not None
    first, last = chosen
    assert first >= 160 and last <= 200 and last - first >= 25
    frames = prepare(CLIP, CONFIG)
    assert first > frames.times[frames.places[frames.train]].max()


def test_a_gap_in_the_tail_is_never_crossed() -> None:
    points = CLIP.landmarks.copy()
    points[170] = np.nan
    first, last = stretch.choose(replace(CLIP, landmarks=points), CONFIG) or (0, 0)
    assert first > 170 and last == 200
    points[161::20] = np.nan
    assert stretch.choose(replace(CLIP, landmarks=points), CONFIG) is None


def test_a_training_makes_all_of_them(trained: TrainedReplica) -> None:
    assert {"comparison.mp4", "error_map.png", "lips_and_sound.png"} <= set(trained.pictures)
    told = trained.report["film"]
    assert told["fps"] == 25.0 and told["start_s"] >= 6.4
    with av.open(io.BytesIO(trained.pictures["comparison.mp4"])) as container:
        pictures = sum(1 for _ in container.decode(video=0))
    assert pictures == len(told["errors"])
    assert "coverage" in trained.report


def test_the_film_shows_film_left_and_replica_right_with_its_label() -> None:
    shown = a_stretch(drawn=np.full((20, 64, 64, 3), 200, np.uint8))
    with av.open(io.BytesIO(film.encode(shown))) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
        first = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert first.shape == (64, 128, 3)
    assert abs(int(first[8, 8, 0]) - 90) < 8 and abs(int(first[8, 120, 0]) - 200) < 8
    assert first[50:, 66:80].min() < 60  # the plate of the words "AI replica"
    assert first[50:, :64].min() > 70  # and none on the filmed half


def test_the_film_of_silent_footage_has_no_sound() -> None:
    with av.open(io.BytesIO(film.encode(a_stretch(pcm=np.zeros(0, np.int16))))) as container:
        assert [stream.type for stream in container.streams] == ["video"]


def test_the_map_is_bright_where_the_error_is() -> None:
    filmed = np.full((4, 64, 64, 3), 100, np.uint8)
    drawn = filmed.copy()
    drawn[:, 10:20, 30:40] += 30
    errors = error_map.mean_errors(drawn, filmed)
    assert errors[15, 35] == 30 and errors[40, 40] == 0
    picture = error_map.draw(drawn, filmed).astype(int)
    side = 64 * 6
    assert picture[15 * 6, side + 16 + 35 * 6].sum() > 600 > 120 > picture[40 * 6, side + 16 + 40 * 6].sum()


def test_a_tone_lies_at_its_frequency() -> None:
    levels = sync_plot.spectrogram(TONE[:16_000], 16_000)
    loudest = levels.mean(axis=1).argmax() / len(levels) * sync_plot.TOP_HZ
    assert abs(loudest - 1000) < 60
    assert sync_plot.draw(a_stretch()).shape[1] == sync_plot.WIDTH_PX
    assert sync_plot.draw(a_stretch(pcm=np.zeros(0, np.int16))).shape[1] == sync_plot.WIDTH_PX


def test_coverage_sees_turns_blinks_and_sound() -> None:
    seen = coverage.measure(CLIP, CONFIG)
    assert seen["seconds"] == pytest.approx(6.4) and seen["sound_s"] == pytest.approx(6.4, abs=0.11)
    assert seen["yaw_low_deg"] < -8 and seen["yaw_high_deg"] > 8
    assert 10 <= seen["blinks"] <= 16  # two frames in eleven of 160
    assert coverage.sound_s(np.zeros(16_000, np.int16), 16_000) == 0


def card_text(report: dict[str, Any]) -> str:
    return " ".join(sentence for section in model_card.sections(report) for sentence in section.sentences)


def test_the_card_says_where_a_version_is_weak_and_what_is_missing() -> None:
    seen = {"seconds": 110.0, "sound_s": 90.0, "blinks": 30.0, "yaw_low_deg": -25.0, "yaw_high_deg": 24.0,
            "pitch_low_deg": -8.0, "pitch_high_deg": 9.0}  # fmt: skip
    good = {"coverage": seen, "calibration": {"emotion_caps_milli": {"neutral": 1000, "joy": 900}},
            "quality": {"held_out": {"psnr_full_db": 33.0, "psnr_face_db": 34.0, "psnr_mouth_db": 32.0}}}
    assert "less than a minute" not in card_text(good)
    assert "the mouth is drawn least exactly (32.0 dB)" in card_text(good)
    poor = {**good, "coverage": {**seen, "seconds": 30.0, "sound_s": 2.0, "blinks": 1.0, "yaw_high_deg": 6.0},
            "calibration": {"emotion_caps_milli": {"joy": 400, "anger": 300}}}
    text = card_text(poor)
    for words in ("less than a minute", "little speech", "only a few times", "more than 6°", "anger 300, joy 400"):
        assert words in text
    assert card_text({}).count(model_card.MISSING) == 2


def test_the_report_is_one_file_and_its_words_are_escaped(trained: TrainedReplica) -> None:
    page = report_page.page(trained.report, trained.pictures, "<b>Asha</b>")
    assert "<b>Asha" not in page and "&lt;b&gt;Asha" in page
    assert page.count("data:image/png;base64,") == 4 + 7 and page.count("data:video/mp4;base64,") == 1
    assert "http" not in page.replace("http-equiv", "")
