"""The motion models that ship with the product, read once per process: one for mouths, one for life.

A model whose files are not there is not installed: what it would move falls back, and the session's record says so. A
model whose files were changed, or of which one is missing, is never used and never passed over in silence.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeVar

from rendering.engine.motion import life, mouth
from rendering.engine.motion.life import model as life_files
from rendering.engine.motion.life.model import LifeModel
from rendering.engine.motion.mouth import release as mouth_files
from rendering.engine.motion.mouth.release import MouthModels

SHIPPED = Path(mouth.__file__).with_name("weights")
SHIPPED_LIFE = Path(life.__file__).with_name("weights")
NO_LIFE = "no weights are installed"  # why heads move by noise, for the session's record

_Model = TypeVar("_Model")


@cache
def mouth_models() -> MouthModels | None:
    """The shipped release, or None where none is installed: mouths then move by the table of shapes alone.

    Raises:
        MotionModelInvalid: its files were changed, or only one of them is there.
    """
    return mouth_in(SHIPPED)


@cache
def life_model() -> LifeModel | None:
    """The shipped model, or None where none is installed: heads, eyes and brows then move by drifting noise.

    Raises:
        MotionModelInvalid: its files were changed, or only one of them is there.
    """
    return life_in(SHIPPED_LIFE)


def mouth_in(folder: Path) -> MouthModels | None:
    """As `mouth_models`, from a folder."""
    return _read(folder, (mouth_files.MODEL_FILE, mouth_files.MANIFEST_FILE), MouthModels.from_files)


def life_in(folder: Path) -> LifeModel | None:
    """As `life_model`, from a folder."""
    return _read(folder, (life_files.WEIGHTS_FILE, life_files.MANIFEST_FILE), LifeModel.from_files)


def motion_releases() -> list[dict[str, str]]:
    """Name, release and hash of the models that move mouths in this process, for records."""
    models = mouth_models()
    return [models.release] if models else []


def _read(folder: Path, names: tuple[str, ...], read: Callable[[dict[str, bytes]], _Model]) -> _Model | None:
    paths = [folder / name for name in names if (folder / name).exists()]
    return read({path.name: path.read_bytes() for path in paths}) if paths else None
