"""What every test shares. Unit tests use none of it: they need no database."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


@contextmanager
def _append_only_lifted() -> Iterator[None]:
    """Let a transactional test empty the log's tables afterwards. Only the table's owner can; the product never
    does."""
    from django.db import connection

    from trustcore.audit.triggers import APPEND_ONLY_TABLES

    with connection.cursor() as cursor:
        for table in APPEND_ONLY_TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {table}_append_only")
        yield
        for table in APPEND_ONLY_TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_append_only")


@pytest.fixture(autouse=True, scope="session")
def _transactional_tests_may_flush() -> None:
    """`TransactionTestCase` empties tables between tests; the log refuses that, so lift it for that moment."""
    from django.test import TransactionTestCase

    original: Any = TransactionTestCase._fixture_teardown

    def teardown(self: TransactionTestCase) -> None:
        with _append_only_lifted():
            original(self)

    # TestCase has its own method (a rollback) and is not touched.
    TransactionTestCase._fixture_teardown = teardown  # type: ignore[method-assign]


@pytest.fixture
def cast(db: None) -> Any:
    """Asha, Farah, Meera, Jonas, Dev, Erin and Mallory, in the database."""
    from tests.common.cast import assemble

    return assemble()


@pytest.fixture(autouse=True)
def _strangers_are_new() -> None:
    """Refusals of strangers are told once a minute; each test begins a new one."""
    from trustcore.accounts.services.strangers import strangers

    strangers.forget()


LIVE = "live"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say which tests stay in one process when `make test` shares them out: those with real media in real time go one
    after the other, and first, because two live streams at once would take each other's processor; of the others each
    file stays whole, for what its tests share."""
    items.sort(key=lambda item: "e2e" not in item.path.parts)
    for item in items:
        item.add_marker(pytest.mark.xdist_group(LIVE if "e2e" in item.path.parts else item.nodeid.split("::")[0]))
