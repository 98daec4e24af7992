"""The offline verifier over folders, and what it prints: every kind of file, the JSON's schema, the terminal's look."""

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

from provenance.manifests import fmp4
from provenance.verify import folders
from provenance.verify.__main__ import main
from provenance.verify.reports import Outcome, Report
from provenance.verify.terminal import Page, ProgressBar, fitting, printable, wants_colour
from tests.common.live_session import LiveSession, as_fragment_list, demo_signer, recording_of
from tests.common.stills import plain_still, signed_still
from tests.unit.provenance.test_bundle_attacks import _hostile

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def whole() -> bytes:
    return recording_of(LiveSession())


@pytest.fixture
def trust(tmp_path: Path) -> list[str]:
    path = tmp_path / "ca.pem"
    path.write_text(demo_signer().anchor_pem)
    return ["--trust", str(path)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "clips"
    made.mkdir()
    return made


def told(capsys: Capture, *arguments: str) -> tuple[int, dict[str, Any]]:
    code = main([*arguments, "--json"])
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, answer


def every_kind(whole: bytes) -> dict[str, tuple[bytes, str]]:
    """name -> (content, outcome under the demo authority)."""
    init, _ = fmp4.split_recording(whole)
    return {
        "a/recording.mp4": (whole, "verified"), "a/cut.mp4": (whole[:-4], "changed"),
        "a/init.mp4": (init, "verified"), "b/deep/part.m4s": (as_fragment_list(whole)[4], "unreadable"),
        "b/signed.png": (signed_still("image/png"), "verified"), "b/plain.jpg": (plain_still("image/jpeg"), "unsigned"),
        "b/signed.jpg": (signed_still("image/jpeg"), "verified"), "bundle.zip": (_hostile(), "changed"),
        "empty.bin": (b"", "unreadable"), "notes.txt": (b"hello", "unreadable"),
    }


def test_a_folder_is_every_file_in_it_in_order(
    folder: Path, whole: bytes, trust: list[str], capsys: Capture,
) -> None:
    kinds = every_kind(whole)
    for name, (content, _) in kinds.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    code, answer = told(capsys, str(folder), *trust)
    assert code == answer["exit_code"] == 1
    found = {str(Path(report["file"]).relative_to(folder)): report["outcome"] for report in answer["files"]}
    assert found == {name: outcome for name, (_, outcome) in kinds.items()}
    assert [report["file"] for report in answer["files"]] == sorted(report["file"] for report in answer["files"])
    assert answer["summary"] == {
        "files": 10, "verified": 4, "changed": 2, "untrusted": 0, "unsigned": 1, "unreadable": 3,
        "links_not_followed": [],
    }


def test_the_json_has_the_names_it_promises(folder: Path, whole: bytes, trust: list[str], capsys: Capture) -> None:
    (folder / "r.mp4").write_bytes(whole)
    _, answer = told(capsys, str(folder), *trust)
    assert set(answer) == {"schema", "outcome", "exit_code", "summary", "files"}
    assert answer["schema"] == "trustcore-verify/1"
    assert set(answer["files"][0]) >= {"file", "kind", "outcome", "verified", "sentences", "facts", "mark"}
    assert answer["files"][0]["facts"]["frames"]["verified"] == 30


@pytest.mark.parametrize(("present", "code"), [
    (["good"], 0), (["good", "odd"], 5), (["good", "plain"], 4), (["odd", "plain"], 4), (["good", "cut", "plain"], 1),
    ([], 5),
])
def test_the_worst_in_a_folder_decides(
    present: list[str], code: int, folder: Path, whole: bytes, trust: list[str], capsys: Capture,
) -> None:
    contents = {"good": whole, "odd": b"?", "plain": plain_still("image/png"), "cut": whole[:-1]}
    for name in present:
        (folder / name).write_bytes(contents[name])
    assert told(capsys, str(folder), *trust)[0] == code


def test_without_an_authority_a_folder_has_no_trusted_signer(
    folder: Path, whole: bytes, capsys: Capture, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("TRUSTCORE_TRUST", raising=False)
    for name, content in {"r.mp4": whole, "s.png": signed_still("image/png"), "i.mp4": whole[:0] + whole}.items():
        (folder / name).write_bytes(content)
    code, answer = told(capsys, str(folder))
    assert code == 3 and answer["summary"]["untrusted"] == 3


def test_links_in_a_folder_are_not_followed_and_one_that_is_named_is(
    folder: Path, whole: bytes, trust: list[str], capsys: Capture,
) -> None:
    real = folder.parent / "real.mp4"
    real.write_bytes(whole)
    (folder / "circle").symlink_to(folder)
    (folder / "out").symlink_to(real)
    code, answer = told(capsys, str(folder), *trust)
    assert code == 5 and answer["files"][0]["sentences"] == ["This folder holds no file."]
    assert answer["summary"]["links_not_followed"] == [str(folder / "circle"), str(folder / "out")]
    assert told(capsys, str(folder / "out"), *trust)[0] == 0


def test_what_is_no_ordinary_file_is_not_opened(folder: Path, trust: list[str], capsys: Capture) -> None:
    """Whoever opens a pipe that nobody writes to waits for ever."""
    os.mkfifo(folder / "pipe")
    code, answer = told(capsys, str(folder), *trust)
    assert code == 5 and answer["files"][0]["sentences"] == ["This is no ordinary file."]


def test_a_folder_and_a_file_that_may_not_be_opened(
    folder: Path, trust: list[str], capsys: Capture, monkeypatch: pytest.MonkeyPatch,
) -> None:
    (folder / "locked").mkdir()
    real = os.scandir

    def refuse(path: Any) -> Any:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(folders.os, "scandir", refuse)
    code, answer = told(capsys, str(folder), str(folder.parent / "absent"), *trust)
    assert code == 5
    assert [report["sentences"][0] for report in answer["files"]] == [
        "This folder cannot be opened: Permission denied.", "The file cannot be opened: No such file or directory."]


def test_a_file_that_may_not_be_read_is_told_and_the_others_are_judged(
    folder: Path, whole: bytes, trust: list[str], capsys: Capture, monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("a.mp4", "b.mp4"):
        (folder / name).write_bytes(whole)
    real = Path.open

    def refuse(path: Path, *arguments: Any, **named: Any) -> Any:
        if path.name == "a.mp4":
            raise PermissionError(13, "Permission denied")
        return real(path, *arguments, **named)

    monkeypatch.setattr(Path, "open", refuse)
    code, answer = told(capsys, str(folder), *trust)
    assert code == 5 and [report["outcome"] for report in answer["files"]] == ["unreadable", "verified"]
    assert answer["files"][0]["sentences"] == ["The file cannot be opened: Permission denied."]


def test_too_many_files_are_refused_before_any_is_opened(
    folder: Path, trust: list[str], capsys: Capture, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(folders, "MAX_FILES", 3)
    for number in range(5):
        (folder / str(number)).write_bytes(b"x")
    opened: list[Path] = []
    monkeypatch.setattr("provenance.verify.files.read_bounded", lambda path, _: (opened.append(path), (b"", "x"))[1])
    code, answer = told(capsys, str(folder), *trust)
    assert code == 5 and not opened and "more than 3 files" in answer["files"][0]["sentences"][0]


def test_folders_without_end_are_refused(folder: Path, trust: list[str], capsys: Capture) -> None:
    deep = folder.joinpath(*["d"] * (folders.MAX_DEPTH + 1))
    deep.mkdir(parents=True)
    code, answer = told(capsys, str(folder), *trust)
    assert code == 5 and "folders deep" in answer["files"][0]["sentences"][0]


def test_fragments_need_their_session_manifest(
    folder: Path, whole: bytes, trust: list[str], capsys: Capture,
) -> None:
    init, _ = fmp4.split_recording(whole)
    frames = as_fragment_list(whole)
    (folder / "init.mp4").write_bytes(init)
    part = folder / "part.m4s"
    part.write_bytes(b"".join(frames[4:9]))
    code, answer = told(capsys, str(part), *trust)
    assert code == 5 and "--init" in answer["files"][0]["sentences"][0]
    named = ["--init", str(folder / "init.mp4"), *trust]
    code, answer = told(capsys, str(part), *named)
    assert code == 0 and "They are frames 5 to 9." in " ".join(answer["files"][0]["sentences"])
    part.write_bytes(b"".join([*frames[4:6], *frames[7:9]]))
    assert told(capsys, str(part), *named)[0] == 1
    part.write_bytes(b"".join(frames[4:9])[:-1])
    assert told(capsys, str(part), *named)[0] == 1
    part.write_bytes(b"".join(as_fragment_list(recording_of(LiveSession()))[4:9]))
    assert told(capsys, str(part), *named)[0] == 1


@pytest.mark.parametrize("option", ["--trust", "--init", "--mark-key"])
def test_an_option_that_names_no_file_is_wrong_usage(option: str, folder: Path) -> None:
    with pytest.raises(SystemExit) as raised:
        main([str(folder), option, str(folder / "absent")])
    assert raised.value.code == 2


# --- the look ---------------------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    encoding = "utf-8"  # type: ignore[assignment]

    def isatty(self) -> bool:
        return True


GOOD = Report("good.mp4", "recording", Outcome.VERIFIED, ["All hold."], {"session_id": "c1", "tenant": "acme"})
BAD = Report("bad.mp4", "recording", Outcome.CHANGED, ["Cut short."])


def test_one_file_is_shown_in_full_and_its_facts_are_aligned() -> None:
    assert Page(is_coloured=False, shows_details=False).text([GOOD], []) == "\n".join([
        "✓ VERIFIED  good.mp4  (recording)", "    All hold.", "",
        "    session id  c1", "    tenant      acme", "    mark        not checked",
        "    sound       not checked"])


def test_of_many_only_what_does_not_verify_is_explained() -> None:
    assert Page(is_coloured=False, shows_details=False).text([GOOD, BAD, GOOD], [Path("x/link")]) == "\n".join([
        "✓ VERIFIED         good.mp4  (recording)",
        "✗ DOES NOT VERIFY  bad.mp4  (recording)", "    Cut short.", "",
        "✓ VERIFIED         good.mp4  (recording)",
        "link not followed: x/link", "", "3 files: 2 verified, 1 not verifying."])
    assert "session id" in Page(is_coloured=False, shows_details=True).text([GOOD, BAD], [])


def test_colour_is_for_terminals_that_want_it() -> None:
    assert wants_colour(Terminal(), {"TERM": "xterm"})
    assert not wants_colour(Terminal(), {"TERM": "xterm", "NO_COLOR": "1"})
    assert not wants_colour(Terminal(), {"TERM": "dumb"})
    assert not wants_colour(io.StringIO(), {"TERM": "xterm"})
    assert "\033[32m" in Page(is_coloured=True, shows_details=False).text([GOOD], [])
    assert "\033" not in Page(is_coloured=False, shows_details=True).text([GOOD, BAD], [])


def test_a_file_cannot_write_on_the_terminal() -> None:
    """A title or a name with control characters could repaint the verdict above it."""
    hostile = Report("a\033[2J.mp4", "r", Outcome.UNSIGNED, ["\r✓ VERIFIED"], {"title": "\x9b31m", "s": "\u202e"})
    text = Page(is_coloured=False, shows_details=True).text([hostile], [])
    assert "\\x1b[2J" in text and "\\x0d" in text
    assert all(letter == "\n" or letter.isprintable() for letter in text)
    assert printable("Åsa – 漢字") == "Åsa – 漢字"


def test_a_terminal_of_another_age_gets_plain_signs() -> None:
    assert fitting("✓ VERIFIED é", "ascii") == "+ VERIFIED ?"
    assert fitting("✓ é", "utf-8") == "✓ é"


def test_the_bar_counts_files_on_a_terminal_and_is_silent_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    screen = Terminal()
    bar = ProgressBar(2, screen)
    bar.begin(Path("a.mp4"))
    bar(50, 100)
    bar.begin(Path("b\033.mp4"))
    bar.close()
    shown = screen.getvalue().split("\r\033[K")
    assert shown[1].endswith("] 1 of 2  a.mp4") and shown[2].endswith("1 of 2  a.mp4  50 %")
    assert shown[2].count("█") == 6 and shown[3].endswith("2 of 2  b\\x1b.mp4") and shown[-1] == ""
    piped = io.StringIO()
    ProgressBar(1, piped).begin(Path("a"))
    assert piped.getvalue() == ""
