"""`--mark-key` through the whole path: label, mark, encode, attest, record, then read offline; and with a wrong key."""

import json
from pathlib import Path

import pytest

from provenance.manifests.label import Label
from provenance.manifests.permit import LeaseClock
from provenance.manifests.seal import RawFrame, Sealer
from provenance.marks.embed import Embedder
from provenance.marks.keys import MarkKey
from provenance.marks.planes import planes_of
from provenance.verify.__main__ import main
from rendering.worker.encoder import EncoderSettings, VideoEncoder
from tests.common.live_session import LiveSession, demo_signer
from tests.common.moving_frames import talking_frames
from tests.unit.provenance.manifests.test_permit import permit

SIZE = 256
FRAMES = 90
SLOT_ID = 0x0123456789ABCDEF
KEY = MarkKey(bytes(range(32)), "test-epoch")


@pytest.fixture(scope="module")
def sealed_recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    session = LiveSession(size=SIZE)
    allowed = permit(LeaseClock(1e6))
    sealer = Sealer(
        allowed, label=Label(SIZE, SIZE), embedder=Embedder(KEY, SLOT_ID, 0, SIZE, SIZE),
        encoder=VideoEncoder(EncoderSettings(SIZE, SIZE, bit_rate_bps=900_000)), attestor=session.attestor,
    )
    path = tmp_path_factory.mktemp("recording") / "recording.mp4"
    with path.open("wb") as sink:
        sink.write(session.init.encoded)
        for index, picture in enumerate(talking_frames(FRAMES, SIZE)):
            y, u, v = planes_of(picture)
            sink.write(sealer.seal(RawFrame(y, u, v, 3000 * index), allowed, now_s=101.0).fragment)
    assert sealer.counters.sealed == FRAMES
    return path


def verdict(path: Path, tmp_path: Path, key: MarkKey | None, capsys: pytest.CaptureFixture[str]) -> object:
    trust, key_file = tmp_path / "ca.pem", tmp_path / "mark.key"
    trust.write_text(demo_signer().anchor_pem)
    arguments = [str(path), "--trust", str(trust), "--json"]
    if key is not None:
        key_file.write_bytes(key.to_file())
        arguments += ["--mark-key", str(key_file)]
    assert main(arguments) == 0
    return json.loads(capsys.readouterr().out)["files"][0]["mark"]


def test_the_mark_of_a_sealed_recording_is_read(
    sealed_recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    mark = verdict(sealed_recording, tmp_path, KEY, capsys)
    assert isinstance(mark, dict)
    assert (mark["verdict"], mark["payload"]) == ("payload_read", f"{SLOT_ID:016x}")


def test_another_key_reads_nothing(
    sealed_recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    mark = verdict(sealed_recording, tmp_path, MarkKey(bytes(32), "another"), capsys)
    assert isinstance(mark, dict)
    assert (mark["verdict"], mark["payload"]) == ("no_mark", None)


def test_without_a_key_it_says_so(sealed_recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verdict(sealed_recording, tmp_path, None, capsys) == "not checked"
