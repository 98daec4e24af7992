"""The viewer's page and the microphone: offered where speech is understood, and allowed to this page alone."""

from typing import Any

import pytest

from tests.functional.rendering.test_sessions import Talk

pytestmark = pytest.mark.django_db


def test_a_page_has_a_microphone_where_speech_is_understood(stage: Any) -> None:
    answer = Talk(stage).join()
    page = answer.content.decode()
    assert 'data-part="microphone"' in page and "does not keep it" in page
    assert "microphone=(self)" in answer["Permissions-Policy"]


def test_elsewhere_it_says_that_typing_is_the_way(stage: Any, settings: Any) -> None:
    settings.HEARD_LANGUAGES = frozenset({"sv"})
    page = Talk(stage).join().content.decode()
    assert "Please type." in page and 'data-part="microphone"' not in page and 'data-part="message"' in page
