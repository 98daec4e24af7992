"""The public check in the reader's language."""

import re

import pytest
from django.conf import settings
from django.test import Client

from provenance.models import ClipCheck
from tests.common.checking import ask, verdict_of
from tests.common.moving_frames import talking_frames
from tests.common.simulators.marked_session import as_mp4

pytestmark = pytest.mark.django_db
QUESTION = {
    "en": "Did this clip come from a Trustcore replica?", "hi": "प्रतिरूप से आई है?",
    "bn": "প্রতিরূপ থেকে এসেছে?", "as": "প্ৰতিৰূপৰ পৰা আহিছেনে?",
}


@pytest.mark.parametrize("code", QUESTION)
def test_page_follows_the_browser_and_says_which_language_it_is_in(client: Client, code: str) -> None:
    page = client.get("/check/", HTTP_ACCEPT_LANGUAGE=code).content.decode()
    assert QUESTION[code] in page
    assert f'<html lang="{code}">' in page
    assert f'lang="{code}" aria-current="true"' in page


def test_every_language_can_be_chosen_in_its_own_name(client: Client) -> None:
    page = client.get("/check/", HTTP_ACCEPT_LANGUAGE="hi").content.decode()
    for code, name in settings.LANGUAGES:
        assert re.search(rf'<button [^>]*lang="{code}"[^>]*>{name}</button>', page)


@pytest.mark.parametrize("code", QUESTION)
def test_choice_lasts(client: Client, code: str) -> None:
    answer = client.post("/check/language/", {"language": code, "next": "/check/"})
    assert answer.status_code == 302 and answer["Location"] == "/check/"
    assert QUESTION[code] in client.get("/check/", HTTP_ACCEPT_LANGUAGE="en").content.decode()


@pytest.mark.parametrize("where", [
    "https://elsewhere.example/", "//elsewhere.example/check/", "/console/", "/check//elsewhere.example", "",
    "javascript:1", "/check/../../elsewhere",
])
def test_choice_leads_to_these_pages_only(client: Client, where: str) -> None:
    answer = client.post("/check/language/", {"language": "hi", "next": where})
    assert answer["Location"].startswith("/check/") and "elsewhere.example" not in answer["Location"]


def test_other_languages_are_refused(client: Client) -> None:
    assert client.post("/check/language/", {"language": "xx"}).status_code == 400
    assert client.get("/check/language/").status_code == 405


def test_an_answer_is_read_in_whatever_language_one_reads(client: Client) -> None:
    page = ask(client, as_mp4(list(talking_frames(20, 256, seed=5))))
    assert verdict_of(page) == "no_mark"
    address = f"/check/{ClipCheck.objects.get().public_id}/"
    told = {code: client.get(address, HTTP_ACCEPT_LANGUAGE=code).content.decode() for code in QUESTION}
    assert "No evidence." in told["en"] and "कोई प्रमाण नहीं।" in told["hi"]
    assert "কোনো প্রমাণ নেই।" in told["bn"] and "কোনো প্ৰমাণ নাই।" in told["as"]
    assert all('data-verdict="no_mark"' in page for page in told.values())


def test_refusals_are_translated_too(client: Client) -> None:
    assert "कोई दूसरा पता नहीं" in client.post("/check/", {"link": "x"}, HTTP_ACCEPT_LANGUAGE="hi").content.decode()
