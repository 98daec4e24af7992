"""What somebody can learn who asks the detector about one picture after another."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from provenance.marks.detect import PRESENCE_Z
from provenance.marks.verdicts import MarkReading, Tampering, Verdict
from provenance.oracle.answers import BAND_Z, REMEMBERED_FOR, Asked, Remembered, Told, tell
from provenance.oracle.neighbourhoods import RADIUS, SIGNATURE_BITS, coin, distance, signature
from tests.common.moving_frames import talking_frames, through_codec

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
SECRET = b"s" * 32
SIDE = 128


def luma(seed: int, count: int = 1) -> list[NDArray[np.uint8]]:
    return [frame[:SIDE] for frame in talking_frames(count, SIDE, seed)]


def noisy(picture: NDArray[np.uint8], seed: int, strength: float = 8.0) -> NDArray[np.uint8]:
    noise = np.random.default_rng(seed).normal(0.0, strength, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def reading(z: float, payload: int = 7) -> MarkReading:
    """What the detector says at this statistic: no mark below its own threshold."""
    if z <= -PRESENCE_Z:
        return MarkReading(Verdict.TAMPERING, tampering=Tampering.INVERTED, z=z)
    if z < PRESENCE_Z:
        return MarkReading(Verdict.NO_MARK, z=z)
    return MarkReading(Verdict.PAYLOAD_READ, payload, z=z)


class Detector:
    """The house's side: rules and memory. The asker sees `ask` alone."""

    def __init__(self) -> None:
        self.memory: list[Remembered] = []
        self.now = NOW

    def ask(self, look: int, z: float, payload: int = 7) -> Told:
        told = tell(Asked(reading(z, payload), PRESENCE_Z, look), self.memory, SECRET, self.now)
        if not told.is_remembered:
            self.memory.append(Remembered(look, told.reading, self.now))
        return told


def test_nearly_identical_pictures_lie_in_one_neighbourhood() -> None:
    frames = list(talking_frames(12, SIDE, seed=1))
    clip = [frame[:SIDE] for frame in frames]
    first = signature(clip)
    encoded, _ = through_codec(frames, 100)
    changed = {
        "noise": [noisy(picture, 1) for picture in clip],
        "codec": [frame[:SIDE] for frame in encoded],
        "blur": [cv2.GaussianBlur(picture, (0, 0), 2) for picture in clip],
        "brighter": [np.clip(picture * 1.2 + 10, 0, 255).astype(np.uint8) for picture in clip],
        "smaller": [cv2.resize(picture, (90, 90), interpolation=cv2.INTER_AREA) for picture in clip],
        "one line cut": [picture[1:-1, 1:-1] for picture in clip],
    }
    assert {name: distance(first, signature(some)) <= RADIUS for name, some in changed.items()} == dict.fromkeys(
        changed, True)


def test_other_scenes_lie_in_others() -> None:
    looks = [signature(luma(seed)) for seed in range(8)]
    assert min(distance(a, b) for i, a in enumerate(looks) for b in looks[:i]) > RADIUS


def test_signature_needs_a_picture() -> None:
    with pytest.raises(ValueError, match="picture"):
        signature([])


def test_the_same_neighbourhood_has_nearly_always_the_same_coin() -> None:
    picture = luma(1)[0]
    tosses = [coin(SECRET, signature([noisy(picture, seed)])) for seed in range(60)]
    most = max(set(tosses), key=tosses.count)
    assert tosses.count(most) > 30
    assert len({coin(SECRET, signature(luma(seed))) for seed in range(12)}) > 6
    assert all(0.0 <= toss < 1.0 for toss in tosses)
    assert coin(SECRET, signature([picture])) != coin(b"t" * 32, signature([picture]))


@pytest.mark.parametrize("z", [0.0, 5.9, -5.9])
def test_nothing_below_the_threshold_is_ever_told(z: float) -> None:
    for look in range(50):
        assert tell(Asked(reading(z), PRESENCE_Z, look), [], SECRET, NOW).reading.verdict is Verdict.NO_MARK


def test_plain_marks_are_told_and_weak_ones_by_a_secret_amount_above_the_threshold() -> None:
    looks = [signature(luma(seed)) for seed in range(24)]

    def share(z: float) -> float:
        told = [tell(Asked(reading(z), PRESENCE_Z, look), [], SECRET, NOW) for look in looks]
        return sum(one.reading.verdict is not Verdict.NO_MARK for one in told) / len(told)

    assert share(PRESENCE_Z + BAND_Z) == share(40.0) == share(-40.0) == 1.0
    assert 0.1 < share(PRESENCE_Z + BAND_Z / 2) < 0.9
    assert share(PRESENCE_Z - 0.01) == 0.0


def test_what_is_told_carries_no_statistic() -> None:
    detector = Detector()
    assert {detector.ask(1 << 200, z).reading.z for z in (40.0, 6.1, 0.0)} == {0.0}


def gradient(start_z: float, end_z: float, steps: int) -> Iterator[tuple[int, float]]:
    """An attack: one picture, changed a little more at each step, its statistic going from one end to the other."""
    picture = luma(1)[0]
    for step in range(steps):
        share = step / (steps - 1)
        yield signature([noisy(picture, step, 2.0 + 10.0 * share)]), start_z + (end_z - start_z) * share


def test_washing_a_mark_away_step_by_step_gets_one_answer() -> None:
    detector = Detector()
    answers = [detector.ask(look, z).reading.verdict for look, z in gradient(30.0, 0.0, 300)]
    assert set(answers) == {Verdict.PAYLOAD_READ}


def test_putting_a_mark_on_step_by_step_shows_one_change_and_then_nothing_more() -> None:
    detector = Detector()
    up = [detector.ask(look, z).reading.verdict for look, z in gradient(0.0, 30.0, 300)]
    down = [detector.ask(look, z).reading.verdict for look, z in gradient(30.0, 0.0, 300)]
    changes = sum(one is not other for one, other in zip([*up, *down], [*up, *down][1:], strict=False))
    assert changes == 1
    assert set(down) == {Verdict.PAYLOAD_READ}


def test_the_place_where_it_changes_is_no_threshold_of_the_detector() -> None:
    """Where a plain mark is first told, the statistic is far above the detector's threshold, and elsewhere for others.
    """
    places = set()
    for seed in range(8):
        detector, look = Detector(), signature(luma(seed))
        detector.ask(look, 0.0)
        places.add(next(z / 10 for z in range(200) if detector.ask(look, z / 10).reading.payload is not None))
    assert min(places) >= PRESENCE_Z + BAND_Z and max(places) <= PRESENCE_Z + 2 * BAND_Z + 0.1
    assert len(places) > 3


def test_distinct_answers_are_bounded_by_neighbourhoods_however_often_one_asks() -> None:
    """A random walk over pictures: fresh answers come only with pictures that are far from all before."""
    random, detector = np.random.default_rng(5), Detector()
    look, asked, fresh, centres = signature(luma(1)), 0, 0, []
    for _ in range(2000):
        look ^= 1 << int(random.integers(SIGNATURE_BITS))
        told = detector.ask(look, float(random.uniform(-5.0, 9.0)))
        asked += 1
        fresh += not told.is_remembered
        if all(distance(look, centre) > RADIUS for centre in centres):
            centres.append(look)
    plain = sum(one.reading.verdict is not Verdict.NO_MARK for one in detector.memory)
    assert fresh <= len(centres) + plain
    assert fresh < asked / 5


def test_after_a_day_it_is_asked_anew_but_the_blur_stays_the_same() -> None:
    detector, look = Detector(), signature(luma(1))
    detector.ask(look, 30.0)
    weak = PRESENCE_Z + BAND_Z * coin(SECRET, look) - 0.01
    assert detector.ask(look, weak).is_remembered
    for day in range(1, 30):
        detector.now = NOW + REMEMBERED_FOR * day + timedelta(seconds=day)
        assert detector.ask(look, weak).reading.verdict is Verdict.NO_MARK


def test_another_session_that_looks_alike_is_told_by_its_own_mark() -> None:
    detector, look = Detector(), signature(luma(1))
    assert detector.ask(look, 30.0, payload=7).reading.payload == 7
    assert detector.ask(look, 30.0, payload=8).reading.payload == 8
