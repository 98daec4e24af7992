"""The keystore: one file a key, written once, gone when removed, and no name leads out of the folder."""

from pathlib import Path

import pytest

from trustcore.keys import keystore
from trustcore.keys.errors import KeyExists, KeyMissing, KeystoreUnusable


def test_a_key_is_written_once_and_read_back(tmp_path: Path) -> None:
    path = keystore.path_of(tmp_path, "subjects", "s1")
    keystore.write_once(path, b"wrapped")
    assert keystore.read(path) == b"wrapped" and path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(KeyExists):
        keystore.write_once(path, b"another")
    assert keystore.read(path) == b"wrapped"
    assert [found.name for found in path.parent.iterdir()] == ["s1.key"]  # nothing half-written is left


def test_a_removed_key_is_gone(tmp_path: Path) -> None:
    path = keystore.path_of(tmp_path, "subjects", "s1")
    keystore.write_once(path, b"wrapped")
    assert keystore.remove(path) is True
    assert keystore.remove(path) is False
    with pytest.raises(KeyMissing):
        keystore.read(path)


@pytest.mark.parametrize("name", ["../../etc/passwd", "", ".hidden", "a/b", "a\x00b", "x" * 200])
def test_names_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="keystore name"):
        keystore.path_of(tmp_path, "subjects", name)


def test_a_folder_that_cannot_be_used_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "subjects").write_text("in the way")
    with pytest.raises(KeystoreUnusable):
        keystore.write_once(keystore.path_of(tmp_path, "subjects", "s1"), b"wrapped")
