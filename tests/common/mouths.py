"""The shipped models of the mouth, for tests that need them."""

import pytest

from rendering.engine.motion.mouth.release import MouthModels
from rendering.motion_models import mouth_models


def shipped_models() -> MouthModels:
    """The release; the test is skipped where none is installed."""
    models = mouth_models()
    if models is None:
        pytest.skip("no models of the mouth are installed")
    return models
