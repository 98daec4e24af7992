from collections.abc import Iterator
from typing import Any

import pytest

from tests.common import replicas


@pytest.fixture(autouse=True, scope="package")
def _listener_closes(django_db_setup: None) -> Iterator[None]:
    """The LISTEN connection goes before the test database does."""
    yield
    from trustcore.jobs.wakeups import LISTENER

    LISTENER.close()


@pytest.fixture
def stage(cast: Any, monkeypatch: Any) -> replicas.Stage:
    """An approved replica with an approved policy, a slot and an API key."""
    return replicas.set_stage(cast, monkeypatch)
