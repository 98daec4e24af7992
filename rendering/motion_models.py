"""The base models of the mouth that ship with the product, read once per process."""

from functools import cache
from pathlib import Path

from rendering.engine.motion import mouth
from rendering.engine.motion.mouth.release import MANIFEST_FILE, MODEL_FILE, MouthModels

SHIPPED = Path(mouth.__file__).with_name("weights")


@cache
def mouth_models() -> MouthModels | None:
    """The shipped release, or None where none is installed: mouths then move by the table of shapes alone.

    Raises:
        MotionModelInvalid: its files were changed, or only one of them is there.
    """
    paths = [path for path in (SHIPPED / MODEL_FILE, SHIPPED / MANIFEST_FILE) if path.exists()]
    return MouthModels.from_files({path.name: path.read_bytes() for path in paths}) if paths else None


def motion_releases() -> list[dict[str, str]]:
    """Name, release and hash of the models that move mouths in this process, for records."""
    models = mouth_models()
    return [models.release] if models else []
