from typing import Any

import pytest

from tests.common import replicas


@pytest.fixture
def stage(cast: Any, monkeypatch: Any) -> replicas.Stage:
    """An approved replica with an approved policy, a slot and an API key."""
    return replicas.set_stage(cast, monkeypatch)
