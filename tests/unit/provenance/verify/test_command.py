"""The offline verifier as a person runs it: verdict, exit code, JSON; and every way a recording can be spoilt."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from provenance.manifests import fmp4, recording
from provenance.manifests.frame_codecs import CODECS
from provenance.verify.__main__ import main
from tests.common.live_session import LiveSession, as_fragment_list, demo_signer, recording_of


@pytest.fixture(scope="module", params=CODECS.values(), ids=lambda codec: codec.name)
def whole(request: pytest.FixtureRequest) -> bytes:
    return recording_of(LiveSession(codec=request.param))


@pytest.fixture
def trust(tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    path.write_text(demo_signer().anchor_pem)
    return str(path)


def run(path: Path, trust: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, object]]:
    code = main([str(path), "--trust", trust, "--json"])
    document = json.loads(capsys.readouterr().out)
    return code, document["files"][0]


def test_a_good_recording_verifies(
    tmp_path: Path, trust: str, whole: bytes, capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "recording.mp4"
    path.write_bytes(whole)
    assert main([str(path), "--trust", trust]) == 0
    said = capsys.readouterr().out
    assert said.startswith("✓ VERIFIED")
    assert "30 of 30 frames were signed by this session's key" in said
    assert re.search(r"mark +not checked", said)


def reordered(init: bytes, frames: list[bytes]) -> bytes:
    return init + b"".join([frames[1], frames[0], *frames[2:]])


SPOILT: dict[str, tuple[Callable[[bytes, list[bytes]], bytes], str]] = {
    "picture_bit": (lambda init, f: init + f[0] + f[1][:-9] + bytes([f[1][-9] ^ 1]) + f[1][-8:], "differ from what"),
    "frame_cut_out": (lambda init, f: init + b"".join(f[:5] + f[6:]), "are missing"),
    "beginning_cut_off": (lambda init, f: init + b"".join(f[3:]), "begins at frame 4"),
    "frame_twice": (lambda init, f: init + b"".join([*f[:5], f[4], *f[5:]]), "there before"),
    "frames_swapped": (reordered, "another order"),
    "attestation_removed": (lambda init, f: init + f[0] + f[1][int.from_bytes(f[1][:4], "big"):], "no attestation"),
    "cut_inside_a_frame": (lambda init, f: init + f[0] + f[1][:-5], "cut short"),
    "no_frames": (lambda init, f: init + fmp4.box(b"moof"), "inside a fragment"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_spoilt_recording_does_not(
    name: str, tmp_path: Path, trust: str, whole: bytes, capsys: pytest.CaptureFixture[str],
) -> None:
    spoil, why = SPOILT[name]
    path = tmp_path / "recording.mp4"
    path.write_bytes(spoil(fmp4.split_recording(whole)[0], as_fragment_list(whole)))
    code, said = run(path, trust, capsys)
    assert code == 1
    assert said["outcome"] == "changed"
    assert why in " ".join(said["sentences"])  # type: ignore[arg-type]


def test_frames_of_another_session_do_not_verify(
    tmp_path: Path, trust: str, whole: bytes, capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "recording.mp4"
    path.write_bytes(LiveSession().init.encoded + b"".join(as_fragment_list(whole)))
    code, said = run(path, trust, capsys)
    assert (code, said["outcome"]) == (1, "changed")


def test_without_an_anchor_the_signer_is_not_trusted(
    tmp_path: Path, whole: bytes, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("TRUSTCORE_TRUST", raising=False)
    path = tmp_path / "recording.mp4"
    path.write_bytes(whole)
    assert main([str(path)]) == 3
    assert capsys.readouterr().out.startswith("! SIGNER NOT TRUSTED")


def test_the_signed_whole_file(tmp_path: Path, trust: str, capsys: pytest.CaptureFixture[str]) -> None:
    session = LiveSession()
    mp4 = recording.playable_mp4(recording_of(session))
    made = recording.sign_recording(
        session.signer, mp4, session.facts, session.init, fragment_file_sha256="00" * 32,
        mark_slots=session.facts.mark_slots, frames=30,
    )
    path = tmp_path / "whole.mp4"
    path.write_bytes(made.encoded)
    code, said = run(path, trust, capsys)
    assert (code, said["outcome"]) == (0, "verified")
    assert said["facts"]["session_id"] == session.facts.session_id  # type: ignore[index]
    changed = bytearray(made.encoded)
    changed[-100] ^= 1
    path.write_bytes(changed)
    assert run(path, trust, capsys)[0] == 1
    path.write_bytes(mp4)
    code, said = run(path, trust, capsys)
    assert (code, said["outcome"]) == (4, "unsigned")


@pytest.mark.parametrize(("content", "code"), [(b"", 5), (b"hello", 5), (b"\0\0\0\x08ftyp\0\0\0\x01", 1)])
def test_other_files(content: bytes, code: int, tmp_path: Path, trust: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert run(path, trust, capsys)[0] == code


def test_a_missing_file_and_a_bad_anchor(tmp_path: Path, trust: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "absent", trust, capsys)[0] == 5
    bad = tmp_path / "bad.pem"
    bad.write_text("no certificate")
    with pytest.raises(SystemExit) as raised:
        main(["x", "--trust", str(bad)])
    assert raised.value.code == 2


def test_the_worst_file_decides(tmp_path: Path, trust: str, whole: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.write_bytes(whole)
    bad.write_bytes(whole[:-3])
    assert main([str(good), str(bad), str(tmp_path / "absent"), "--trust", trust]) == 1
