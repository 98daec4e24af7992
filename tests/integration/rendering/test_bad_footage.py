"""Each kind of difficult footage is named by a finding or handled; none crashes anything (docs/bad-footage.md)."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import pytest

from rendering.training import capture_checks
from rendering.training.config import TrainingConfig
from rendering.training.fit import train
from tests.common import bad_footage as bad
from tests.common.bad_footage import Take
from trustcore.tracker.errors import MediaSeveralPeople

NAMED: list[tuple[str, Callable[[Take], Take], str]] = [
    ("glasses", bad.glasses, "glasses_detected"),
    ("a hand", bad.hand, "hands_obstructing_face"),
    ("changing light", bad.changing_light, "lighting_change_detected"),
    ("silence", bad.silent, "audio_processing"),
    ("music alone", bad.music, "background_noise_detected"),
]


@lru_cache(maxsize=4)
def findings(make: Callable[[Take], Take]) -> dict[str, capture_checks.Finding]:
    clip = bad.tracked(bad.encoded(make(bad.clean())))
    return {finding.error_type: finding for finding in capture_checks.check(clip)}


def as_it_is(take: Take) -> Take:
    return take


@pytest.mark.parametrize(("name", "make", "error_type"), NAMED, ids=[row[0] for row in NAMED])
def test_it_is_named(name: str, make: Callable[[Take], Take], error_type: str) -> None:
    assert findings(make)[error_type].verdict in ("warn", "fail"), (name, findings(make)[error_type])


def test_control_clean_footage_has_none_of_these() -> None:
    found = findings(as_it_is)
    assert {error_type: found[error_type].verdict for _, _, error_type in NAMED} == {
        error_type: "pass" for _, _, error_type in NAMED}


def test_two_people_are_refused_while_tracking() -> None:
    with pytest.raises(MediaSeveralPeople):
        bad.tracked(bad.encoded(bad.two_people(bad.clean())))


@pytest.mark.parametrize("fps", [24.0, 60.0])
def test_other_frame_rates_are_read_at_thirty_or_less(fps: float) -> None:
    clip = bad.tracked(bad.encoded(bad.at_rate(bad.clean(), fps)))
    assert clip.fps == pytest.approx(min(fps, 30.0), rel=0.02)
    assert not any(finding.is_refusal for finding in capture_checks.check(clip))


@pytest.mark.parametrize("make", [bad.beard, bad.portrait], ids=["a beard", "portrait"])
def test_what_is_handled_trains(make: Callable[[Take], Take]) -> None:
    config = TrainingConfig(size_px=128, splats=4000, iterations=150, training_frames=80, report_frames=12,
                            time_limit_s=1e9, progress_every_s=1e9)  # fmt: skip
    clip = bad.tracked(bad.encoded(make(bad.clean())))
    assert not any(finding.is_refusal for finding in capture_checks.check(clip))
    trained = train(clip, config)
    scores = trained.report["quality"]["held_out"]
    assert scores["psnr_full_db"] > 25 and scores["psnr_face_db"] > 22, scores
    assert np.isfinite(scores["ssim"])
