"""What many questions to the public check teach: every part of an answer may be read by whoever washes a mark away."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.test import Client

from provenance.marks.verdicts import MarkReading, Verdict
from provenance.models import ClipCheck
from provenance.services import checks, clip_reading
from tests.common.checking import ask, verdict_of
from tests.common.moving_frames import talking_frames
from tests.common.simulators import marked_session
from tests.common.simulators.marked_session import as_mp4
from trustcore.keys.services import mark_keys
from trustcore.primitives.clock import utc_now
from trustcore.primitives.ids import new_id

pytestmark = pytest.mark.django_db
STRANGER, ELSEWHERE = "192.0.2.7", "198.51.100.9"
Statistic = Callable[[float], None]


@pytest.fixture(scope="module")
def clip() -> bytes:
    return as_mp4(list(talking_frames(10, 256, seed=5)))


@pytest.fixture
def statistic(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Statistic:
    """Sets what the detector measures on the mark as it lies; a search finds nothing."""
    settings.MARK_SEARCH_S = 30
    settings.CHECKS_AN_HOUR = settings.CHECKS_AN_HOUR_UNPROVEN = 100
    mark_keys.current()
    now = [0.0]

    def detect(planes: Any, _key: Any) -> MarkReading:
        for _ in planes:
            pass
        return MarkReading(Verdict.MARK_PRESENT if now[0] >= 6.0 else Verdict.NO_MARK, z=now[0])

    monkeypatch.setattr(clip_reading, "detect", detect)
    monkeypatch.setattr(clip_reading, "search", lambda *_, **__: MarkReading(Verdict.NO_MARK, z=3.0))
    return lambda z: now.__setitem__(0, z)


def told(client: Client, clip: bytes, address: str = STRANGER) -> tuple[Any, ...]:
    """Everything that the signed answer says, but its number and time."""
    ask(client, clip, is_proven=False, address=address)
    said = checks.find(ClipCheck.objects.order_by("-id").first().public_id)["answer"]
    return said["verdict"], *((fact["what"], fact["result"]) for fact in (*said["found"], *said["unknown"]))


def test_nothing_in_an_answer_tells_on_which_side_of_the_threshold_a_weak_mark_lies(
    client: Client, clip: bytes, statistic: Statistic
) -> None:
    answers = []
    for z in (5.9, 6.0, 5.9, 6.0, 30.0, 6.2, 5.9, 30.0, 7.0):
        statistic(z)
        answers.append(told(client, clip))
    assert len(set(answers[:4])) == 1 and ("mark", "no_mark_searched") in answers[0]
    assert len(set(answers[4:])) == 1 and ("mark", "mark_present") in answers[4]


def test_whether_a_search_is_made_tells_no_more_than_the_answer(
    client: Client, clip: bytes, statistic: Statistic, monkeypatch: pytest.MonkeyPatch
) -> None:
    searches: list[float] = []
    monkeypatch.setattr(
        clip_reading, "search", lambda *_, **__: searches.append(1) or MarkReading(Verdict.NO_MARK, z=3.0))
    for z, count in ((5.9, 1), (6.0, 2), (30.0, 2), (6.0, 2), (0.0, 2)):
        statistic(z)
        told(client, clip)
        assert len(searches) == count, z


def test_what_was_told_to_one_network_does_not_speak_about_the_clip_of_another(
    client: Client, clip: bytes, statistic: Statistic
) -> None:
    statistic(30.0)
    assert told(client, clip)[0] == "mark_present"
    statistic(0.0)
    assert told(client, clip, ELSEWHERE)[0] == "no_mark"
    assert told(client, clip)[0] == "mark_present"


def test_inverted_mark_on_a_copy_does_not_accuse_the_unmarked_clip(client: Client) -> None:
    session = marked_session.play(tenant="studio", subject_id=new_id("subject"), now=utc_now(), frames=2)
    frames = list(talking_frames(30, 256, seed=9))
    marked = marked_session.marked(session.slot_id, iter([frame.copy() for frame in frames]))
    inverted = [np.clip(2 * f.astype(int) - m, 0, 255).astype(np.uint8) for f, m in zip(frames, marked, strict=True)]
    assert verdict_of(ask(client, as_mp4(inverted), is_proven=False)) == "tampering"
    assert verdict_of(ask(client, as_mp4(frames), is_proven=False, address=ELSEWHERE)) == "no_mark"
