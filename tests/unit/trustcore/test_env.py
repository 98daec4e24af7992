"""Settings from the environment: a wrong value stops the start and names its variable; secrets have no default."""

from pathlib import Path

import pytest

from trustcore import initial_state
from trustcore.env import SettingInvalid, env_bool, env_choice, env_int, env_list, env_pairs, env_secret, env_str


def test_value_file_and_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert env_str("TC_X", "fallback") == "fallback"
    monkeypatch.setenv("TC_X", "value")
    assert env_str("TC_X", "fallback") == "value"
    (tmp_path / "x").write_text(" from file \n")
    monkeypatch.setenv("TC_X_FILE", str(tmp_path / "x"))
    assert env_str("TC_X", "fallback") == "from file"


WRONG = [
    (lambda: env_bool("TC_X", False), "maybe"),
    (lambda: env_int("TC_X", 1), "many"),
    (lambda: env_int("TC_X", 1, minimum=2), "1"),
    (lambda: env_choice("TC_X", ("on", "off")), "On"),
    (lambda: env_pairs("TC_X"), "w1=Guwahati, w2"),
    (lambda: env_pairs("TC_X"), "=Guwahati"),
    (lambda: env_pairs("TC_X", longest=3), "w1=Guwahati"),
]


@pytest.mark.parametrize(("call", "text"), WRONG)
def test_wrong_values_name_the_variable(call, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TC_X", text)
    with pytest.raises(SettingInvalid, match="TC_X"):
        call()


def test_missing_and_unreadable_are_told_apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(SettingInvalid, match="TC_X is not set"):
        env_str("TC_X")
    monkeypatch.setenv("TC_X_FILE", str(tmp_path / "nothing"))
    with pytest.raises(SettingInvalid, match="TC_X_FILE"):
        env_str("TC_X", "default")


def test_booleans_and_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    for text, wanted in (("1", True), ("Yes", True), ("off", False), ("FALSE", False)):
        monkeypatch.setenv("TC_X", text)
        assert env_bool("TC_X", not wanted) is wanted
    monkeypatch.setenv("TC_X", " a, b ,,c")
    assert env_list("TC_X", "") == ["a", "b", "c"]


def test_choices_and_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env_choice("TC_X", ("on", "off")) == "on" and env_pairs("TC_X") == {}
    monkeypatch.setenv("TC_X", "off")
    assert env_choice("TC_X", ("on", "off")) == "off"
    monkeypatch.setenv("TC_X", "w1 = Guwahati, *=Greater Noida")
    assert env_pairs("TC_X") == {"w1": "Guwahati", "*": "Greater Noida"}


def test_secret_has_no_default_and_is_not_short(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(SettingInvalid, match="init_state"):
        env_secret("TC_SECRET", tmp_path)
    (tmp_path / "tc_secret").write_text("s" * 32)
    assert env_secret("TC_SECRET", tmp_path) == "s" * 32
    monkeypatch.setenv("TC_SECRET", "short")
    with pytest.raises(SettingInvalid, match="32 characters"):
        env_secret("TC_SECRET", tmp_path)


def test_initial_state_is_written_once_and_for_its_owner_only(tmp_path: Path) -> None:
    assert set(initial_state.write_missing(tmp_path)) == set(initial_state.SECRET_NAMES)
    first = {name: (tmp_path / "secrets" / name).read_text() for name in initial_state.SECRET_NAMES}
    assert initial_state.write_missing(tmp_path) == []
    for name, text in first.items():
        path = tmp_path / "secrets" / name
        assert path.read_text() == text and path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "keystore").stat().st_mode & 0o777 == 0o700


def test_state_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(initial_state.StateUnwritable, match="TRUSTCORE_STATE_DIR"):
        initial_state.write_missing(tmp_path / "file")
