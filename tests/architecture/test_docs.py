"""Tables in docs/ that come from code say what the code says today, and the README's commands exist."""

import re
from pathlib import Path

import pytest

from deploy import docs

DOCS = docs.REPOSITORY / "docs"


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    docs.load()


@pytest.mark.parametrize("name", docs.TABLES)
def test_table_is_current(name: str) -> None:
    text = (DOCS / name).read_text()
    assert docs.TABLES[name]() in text, f"run `python -m deploy.docs`: docs/{name} lacks its table"
    assert docs.replaced(text, docs.TABLES[name]()) == text, (
        f"run `python -m deploy.docs`: docs/{name} is behind the code"
    )


def test_error_codes_are_unique_in_meaning_and_well_formed() -> None:
    for cls in docs.error_classes():
        assert re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)*", cls.code), cls
        assert (cls.__doc__ or "").strip(), f"{cls.__name__} does not say what it means"


def test_readme_names_commands_that_exist() -> None:
    readme = (docs.REPOSITORY / "README.md").read_text()
    targets = set(re.findall(r"^([a-z-]+):", (docs.REPOSITORY / "Makefile").read_text(), flags=re.M))
    named = set(re.findall(r"(?:^ {4}|`)make ([a-z-]+)", readme, flags=re.M))  # commands, not the verb in a sentence
    assert {"demo", "test"} <= named <= targets


def test_linked_files_exist() -> None:
    for page in [docs.REPOSITORY / "README.md", *DOCS.rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} links to {target}, which is not there"


def test_documents_do_not_name_this_machine() -> None:
    wrong = re.compile(r"(^|[^a-z.])/(work|root|home)/[a-z.]")
    for page in [docs.REPOSITORY / "README.md", *DOCS.rglob("*.md")]:
        assert not wrong.search(page.read_text()), page
    assert Path(docs.REPOSITORY / "LICENSE").read_text().lstrip().startswith("Apache License")


def test_the_threat_model_names_tests_that_exist() -> None:
    named = re.findall(r"`(tests/[^`]+)`", (DOCS / "threat-model.md").read_text())
    assert named and [path for path in named if not (docs.REPOSITORY / path).exists()] == []
