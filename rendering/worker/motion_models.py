"""The base models of the mouth that ship with the product, read once per process."""

from functools import cache
from pathlib import Path

from rendering.engine.motion import mouth
from rendering.engine.motion.mouth.release import MANIFEST_FILE, MODEL_FILE, MouthModels

SHIPPED = Path(mouth.__file__).with_name("weights")


@cache
def mouth_models() -> MouthModels:
    """The shipped release.

    Raises:
        MotionModelInvalid: its files are missing or changed.
    """
    paths = (SHIPPED / MODEL_FILE, SHIPPED / MANIFEST_FILE)
    return MouthModels.from_files({path.name: path.read_bytes() for path in paths if path.exists()})
