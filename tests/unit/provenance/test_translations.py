"""The public check and the live page speak four languages: nothing is missing or out of date, and no figure is lost."""

import gettext
import io
import re
from pathlib import Path

import pytest

from deploy import messages

LANGUAGES = ("as", "bn", "hi")


@pytest.fixture(scope="module")
def wanted() -> set[str]:
    return messages.wanted()


def test_there_is_a_catalog_for_each_language() -> None:
    assert tuple(messages.catalogs()) == LANGUAGES


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_sentence_is_translated(code: str, wanted: set[str]) -> None:
    catalog = messages.read(messages.catalogs()[code])
    assert len(wanted) > 120
    assert {sentence for sentence in wanted if not catalog.get(sentence)} == set()


@pytest.mark.parametrize("code", LANGUAGES)
def test_figures_and_scripts_are_kept(code: str) -> None:
    letters = {"hi": r"[\u0900-\u097f]", "bn": r"[\u0980-\u09ff]", "as": r"[\u0980-\u09ff]"}[code]
    for sentence, translation in messages.read(messages.catalogs()[code]).items():
        if sentence:
            assert sorted(re.findall(r"%\(\w+\)s", sentence)) == sorted(re.findall(r"%\(\w+\)s", translation)), sentence
            assert re.search(letters, translation) or translation.startswith("%("), translation


def test_assamese_is_written_with_its_own_letters() -> None:
    text = "".join(messages.read(messages.catalogs()["as"]).values())
    assert "ৰ" in text and "র" not in text


@pytest.mark.parametrize("code", LANGUAGES)
def test_compiled_catalog_is_current_and_readable_by_anybody(code: str) -> None:
    path = messages.catalogs()[code]
    compiled = path.with_suffix(".mo").read_bytes()
    assert compiled == messages.compiled(messages.read(path)), "run `python -m deploy.messages`"
    read = gettext.GNUTranslations(io.BytesIO(compiled))
    assert read.gettext("Watermark") == messages.read(path)["Watermark"]
    assert read.gettext("not a sentence of ours") == "not a sentence of ours"


def test_no_answer_promises_what_nobody_can_know(wanted: set[str]) -> None:
    promises = re.compile(r"\b(authentic|genuine|real|fake|safe|score|probab|percent|confidence)", re.I)
    assert [sentence for sentence in wanted if promises.search(sentence)] == []


def test_broken_catalogs_are_seen(tmp_path: Path) -> None:
    path = tmp_path / "django.po"
    path.write_text('msgid "a"\nmsgstr "b"\n\nmsgid "a"\nmsgstr "c"\n')
    with pytest.raises(ValueError, match="twice"):
        messages.read(path)
