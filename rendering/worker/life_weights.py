"""The weights of the life model that lie beside its code. Without them the session goes on with drifting noise."""

from functools import cache
from pathlib import Path

from rendering.engine.errors import MotionModelInvalid
from rendering.engine.motion import life
from rendering.engine.motion.life.model import MANIFEST_FILE, WEIGHTS_FILE, LifeModel

FOLDER = Path(life.__file__).parent / "weights"


def life_from(folder: Path) -> tuple[LifeModel | None, str]:
    """The model in a folder, or none and why, in words for the session's record."""
    paths = (folder / WEIGHTS_FILE, folder / MANIFEST_FILE)
    if not all(path.is_file() for path in paths):
        return None, "no weights are installed"
    try:
        return LifeModel.from_files({path.name: path.read_bytes() for path in paths}), ""
    except MotionModelInvalid as error:
        return None, str(error)


@cache
def installed_life() -> tuple[LifeModel | None, str]:
    """The model this installation has, read once for all sessions."""
    return life_from(FOLDER)
