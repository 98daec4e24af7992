"""The bytes by which a viewer's page measures its line: for that viewer only, bounded, and not for ever."""

from typing import Any

import pytest
from django.test import Client

from rendering.views import line_test
from tests.functional.rendering.test_perception import talk_of
from tests.functional.rendering.test_sessions import Talk
from trustcore.web.rate_limits import RateLimit

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nobody_asked_yet(monkeypatch: Any) -> None:
    monkeypatch.setattr(line_test, "_LIMIT", RateLimit())


@pytest.fixture
def talk(stage: Any) -> Talk:
    talk = Talk(stage)
    assert talk.join().status_code == 200
    return talk


def down(talk: Talk, text: str, client: Any = None) -> Any:
    return (client or talk.viewer).get(f"/c/{talk.id}/line?bytes={text}")


def up(talk: Talk, data: bytes, client: Any = None) -> Any:
    return (client or talk.viewer).post(f"/c/{talk.id}/line", data, content_type="application/octet-stream")


def test_as_many_bytes_come_as_were_asked_for_and_nothing_can_shrink_them(talk: Talk) -> None:
    answers = [down(talk, "40000") for _ in range(2)]
    assert [len(answer.content) for answer in answers] == [40_000, 40_000]
    assert answers[0].content != answers[1].content and answers[0]["Cache-Control"] == "no-store"
    assert down(talk, "0").content == b"" and up(talk, b"x" * 1000).json() == {"received": 1000}


def test_too_much_and_nonsense_are_refused(talk: Talk) -> None:
    for text in ("524289", "99999999999999999999", "-1", "1e3", "", "\u0661"):
        assert down(talk, text).json()["code"] == "request.invalid", text
    assert up(talk, b"x" * (line_test.MAX_UP_BYTES + 1)).json()["code"] == "request.too_large"
    assert talk.viewer.put(f"/c/{talk.id}/line").status_code == 405


def test_mallory_measures_nothing(stage: Any, talk: Talk) -> None:
    other = Talk(stage)
    other.join()
    for client in (Client(), other.viewer, Client(headers={"x-api-key": stage.api_key})):
        assert down(talk, "1000", client).json()["code"] == "conversation.join_refused"
        assert up(talk, b"x", client).json()["code"] == "conversation.join_refused"
    assert Client().get(f"/c/{talk.id}/embed/line?bytes=9", headers={"x-viewer-secret": "guess"}).status_code == 409


def test_so_many_calls_a_minute_and_none_when_it_is_over(talk: Talk, stage: Any) -> None:
    codes = [down(talk, "1").status_code for _ in range(line_test.CALLS_A_MINUTE + 1)]
    assert codes == [200] * line_test.CALLS_A_MINUTE + [429]
    other = Talk(stage)
    other.join()
    assert down(other, "1").status_code == 200  # one viewer's many calls are not another's
    other.post("leave")
    assert down(other, "1").json()["code"] == "conversation.ended"


@pytest.mark.parametrize(("level", "is_asked"), [("full", True), ("limited", False), ("off", False)])
def test_there_is_a_camera_to_test_only_where_a_face_may_be_read(stage: Any, level: str, is_asked: bool) -> None:
    page = talk_of(stage, level).join()
    assert ('data-line="camera"' in page.content.decode()) is is_asked
    assert ("camera=(self)" in page["Permissions-Policy"]) is is_asked
    assert 'data-line="microphone"' in page.content.decode()


def test_where_speech_is_not_understood_no_microphone_is_tested(stage: Any, settings: Any) -> None:
    settings.HEARD_LANGUAGES = frozenset({"sv"})
    page = Talk(stage).join().content.decode()
    assert 'data-line="microphone"' not in page and 'data-line="speed"' in page
