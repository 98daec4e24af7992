"""Models that ship with the product: absent is a fallback, damaged is an end."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rendering import motion_models
from rendering.engine.errors import MotionModelInvalid
from rendering.engine.motion.performer import Performer
from rendering.engine.stand_in import replica
from rendering.motion_models import NO_LIFE, SHIPPED, SHIPPED_LIFE, life_in, mouth_in
from rendering.worker import main as worker
from tests.common.life_models import random_life_files

READERS = {"mouth": (mouth_in, SHIPPED), "life": (life_in, SHIPPED_LIFE)}


def copied(kind: str, folder: Path) -> tuple[Callable[[Path], object], list[Path]]:
    read, shipped = READERS[kind]
    files = random_life_files() if kind == "life" else {path.name: path.read_bytes() for path in shipped.iterdir()}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return read, sorted(folder / name for name in files)


@pytest.fixture(autouse=True)
def _read_again():
    motion_models.mouth_models.cache_clear()
    motion_models.life_model.cache_clear()
    yield
    motion_models.mouth_models.cache_clear()
    motion_models.life_model.cache_clear()


@pytest.mark.parametrize("kind", READERS)
def test_whole_files_are_read_and_absent_ones_are_none(kind, tmp_path):
    assert READERS[kind][0](tmp_path) is None
    read, _ = copied(kind, tmp_path)
    assert read(tmp_path) is not None


@pytest.mark.parametrize("which", [0, 1], ids=["the manifest", "the tensors"])
@pytest.mark.parametrize("kind", READERS)
def test_a_damaged_or_lonely_file_is_refused(kind, which, tmp_path):
    read, paths = copied(kind, tmp_path)
    content = paths[which].read_bytes()
    paths[which].write_bytes(content[:-9])
    with pytest.raises(MotionModelInvalid):
        read(tmp_path)
    paths[which].unlink()
    with pytest.raises(MotionModelInvalid):
        read(tmp_path)


@pytest.mark.parametrize("kind", READERS)
def test_a_worker_with_damaged_models_ends_at_its_start_and_says_why(kind, tmp_path, monkeypatch, capsys):
    _, paths = copied(kind, tmp_path)
    paths[1].write_bytes(paths[1].read_bytes()[:-9])
    monkeypatch.setattr(motion_models, "SHIPPED" if kind == "mouth" else "SHIPPED_LIFE", tmp_path)
    monkeypatch.setattr(worker, "from_environment", lambda: None)
    assert worker.main() == 2
    assert "model" in capsys.readouterr().err


def test_a_session_without_life_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(motion_models, "SHIPPED_LIFE", tmp_path)
    assert motion_models.life_model() is None
    performer = Performer(replica(), life=motion_models.life_model(), no_life=NO_LIFE)
    assert performer.life_facts == {"source": "noise", "reason": "no weights are installed"}
