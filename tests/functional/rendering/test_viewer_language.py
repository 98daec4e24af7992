"""The viewer's page speaks the conversation's language: no English sentence is left in page, notices or script."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.utils import translation

from rendering.services import perception_notice
from rendering.views import viewer
from tests.common import consenting
from tests.functional.rendering.test_perception import talk_of
from tests.functional.rendering.test_sessions import Talk
from trustcore.audit.models import Event
from trustcore.web import embed_origins

pytestmark = pytest.mark.django_db

SCRIPTS = Path(__file__).resolve().parents[3] / "trustcore/static/js/viewer"
DISCLOSED = {"hi": "एआई प्रतिकृति", "bn": "এআই প্রতিরূপ", "as": "এআই প্ৰতিৰূপ"}
# Names of people, companies, browsers and protocols, which are the same in every language.
NAMES = {"Asha", "Baruah", "Brahmaputra", "Mutual", "Acme", "Trustcore", "Chrome", "Edge", "Firefox", "Safari", "UDP",
         "TCP", "TLS", "STUN", "TURN"}
READ_ALOUD = ("aria-label", "placeholder", "title", "alt")
# Addresses, ids and states for the script; every other data attribute holds words that it may show.
NO_WORDS = re.compile(
    r"data-(part|state|for|drawer|ending|opens|.*-?url|conversation-id|ice-servers|relay-only|csrf-token|live-.*|role"
    r"|embed-origins|viewer-secret|level|perception|act|viewer|while|over|line|precall|max-rung)$")
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"' + r"|`((?:[^`\\]|\\.)*)`")


@pytest.fixture(autouse=True)
def _she_agreed_to_all_four(monkeypatch: Any) -> None:
    monkeypatch.setitem(consenting.SCOPE, "languages", ["en", "hi", "bn", "as"])


class Words(HTMLParser):
    """Everything in a page that somebody may read or hear."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.language = ""
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag == "html":
            self.language = told.get("lang") or ""
        self._silent += tag in ("script", "style")
        self._silent += "mono" in (told.get("class") or "").split()
        for name, value in told.items():
            if value and (name in READ_ALOUD or (name.startswith("data-") and not NO_WORDS.match(name))):
                self.found.append(value)

    def handle_endtag(self, tag: str) -> None:
        if self._silent and tag in ("script", "style", "dd"):
            self._silent -= 1

    def handle_data(self, data: str) -> None:
        if not self._silent and data.strip():
            self.found.append(data.strip())


def words_of(page: str) -> Words:
    words = Words()
    words.feed(page)
    return words


def english_in(texts: list[str], known: set[str]) -> list[str]:
    """The texts that hold a Latin word which is no name and no place for a figure."""
    found = []
    for text in texts:
        left = re.sub(r"\{\w+\}", "", text)
        if set(re.findall(r"[A-Za-z]{2,}", left)) - NAMES - known:
            found.append(text)
    return found


def whole_page(language: str, **more: Any) -> str:
    with translation.override(language):
        return render_to_string("rendering/viewer.html", {
            "conversation_id": "c1", "person_name": "Asha Baruah", "organisation_name": "Brahmaputra Mutual",
            "replica_version": 1, "policy_version": 1, "is_identity_checked": True, "language": language,
            **more})


@pytest.mark.parametrize("language", ["hi", "bn", "as"])
@pytest.mark.parametrize("more", [
    {}, {"is_embedded": True}, {"is_typed_only": True},
    {"perception_level": "full", "reads_face": True}, {"perception_level": "limited"},
], ids=str)
def test_no_english_is_left_on_the_page(language: str, more: dict[str, Any]) -> None:
    with translation.override(language):
        notice = perception_notice.sentences(more.get("perception_level", "off"))
    words = words_of(whole_page(language, perception_notice=notice, **more))
    assert words.language == language and len(words.found) > 100
    assert english_in(words.found, set()) == []


def test_an_english_sentence_would_be_seen() -> None:
    page = whole_page("hi").replace("</main>", "<p>Press this</p><i data-busy='Wait a moment'></i></main>")
    assert english_in(words_of(page).found, set()) == ["Press this", "Wait a moment"]


def test_scripts_of_the_page_hold_no_sentences_of_their_own() -> None:
    """What they show stands in the page's data attributes. An error for the console is no sentence of the page."""
    found = {}
    for path in SCRIPTS.rglob("*.js"):
        code = re.sub(r"(?m)(^|\s)//.*$", "", path.read_text(encoding="utf-8"))
        code = re.sub(r"new \w*(Error|Exception)\([^)]*\)", "", code)
        texts = [quoted or drawn for quoted, drawn in LITERAL.findall(code)]
        sentences = [text for text in texts if re.search(r"[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}", text)]
        if sentences:
            found[path.name] = sentences
    assert found == {}


@pytest.mark.parametrize("language", ["hi", "bn", "as"])
def test_the_page_follows_the_conversation_and_not_the_browser(stage: Any, language: str) -> None:
    talk = Talk(stage, language=language)
    page = talk.viewer.get(talk.link, follow=True, headers={"accept-language": "sv, en;q=0.9"})
    words = words_of(page.content.decode())
    assert words.language == language == page["Content-Language"]
    assert any(DISCLOSED[language] in text for text in words.found)
    known = {*re.findall(r"[A-Za-z]+", talk.row.organisation.name), *re.findall(
        r"[A-Za-z]+", viewer.page_context(talk.row, "/c/x")["person_name"])}
    assert english_in(words.found, known) == []  # months of the consent's end, too


def test_an_english_conversation_stays_english_in_a_hindi_browser(stage: Any) -> None:
    talk = Talk(stage)
    page = talk.viewer.get(talk.link, follow=True, headers={"accept-language": "hi"})
    assert words_of(page.content.decode()).language == "en" and page["Content-Language"] == "en"
    assert "You are talking with an AI replica of" in page.content.decode()


def test_tags_with_a_region_and_unknown_languages_have_a_page() -> None:
    assert [viewer.page_language(tag) for tag in ("en-IN", "AS", "bn-BD", "sv", "")] == ["en", "as", "bn", "en", "en"]


def test_a_consent_to_be_perceived_names_the_notice_that_was_read(stage: Any) -> None:
    talk = talk_of(stage, "full", language="bn")
    page = talk.join().content.decode()
    with translation.override("bn"):
        assert perception_notice.sentences("full")[0] in page
    answer = talk.viewer.post(
        f"/c/{talk.id}/perception", '{"word": "grant"}', content_type="application/json",
        headers={"accept-language": "hi"})
    assert answer.status_code == 200
    told = Event.objects.get(action="perception.consented", object_id=talk.id).details["open"]
    assert told["notice_language"] == "bn"
    assert told["notice_sha256"] == perception_notice.notice_sha256("full", "bn")


def test_a_used_link_says_so_in_the_same_language(stage: Any, settings: Any) -> None:
    settings.EMBED_ORIGINS = embed_origins.read(["https://shop.example"])
    talk = Talk(stage, language="hi")
    address = talk.link.replace("/?t=", "/embed/?t=")
    framed = {"referer": "https://shop.example/", "sec-fetch-dest": "iframe", "accept-language": "en"}
    assert Client().get(address, headers=framed).status_code == 200
    again = Client().get(address, headers=framed)
    assert again.status_code == 409 and words_of(again.content.decode()).language == "hi"
    assert english_in(words_of(again.content.decode()).found, set()) == []
    for link, language in ((talk.link, "hi"), (Talk(stage).link.partition("?")[0], "en"), ("/c/cnothing/?t=x", "en")):
        alone = Client().get(link, headers={"accept-language": "as"})
        assert (alone.status_code, words_of(alone.content.decode()).language) == (409, language), link
