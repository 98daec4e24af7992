"""`--mark-key` reads the sound of a file as well: a clip from a call, a sound file, and what holds no sound."""

import io
import json
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from provenance.marks.embed import Embedder
from provenance.marks.keys import MarkKey
from provenance.marks.planes import planes_of
from provenance.marks.sound.embed import embed_reference
from provenance.verify.__main__ import main
from tests.common.moving_frames import talking_frames
from tests.common.spoken import Samples, as_file, slots_from, speech, through_opus

SIZE = 256
KEY, OTHER_KEY, SLOT_ID = MarkKey(bytes(range(32)), "one"), MarkKey(bytes(32), "other"), 0x0123_4567_89AB_CDEF


@lru_cache(maxsize=1)
def heard() -> Samples:
    six_s = speech()[: 6 * 48_000 + 9600]
    return through_opus(embed_reference(six_s, slots_from(KEY, SLOT_ID, 3)))[: 6 * 48_000]


def captured_clip(samples: Samples) -> bytes:
    """An MP4 with a marked picture and AAC at 44.1 kHz, two channels, as a screen recorder makes it."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        picture = container.add_stream("libx264", rate=Fraction(30))
        picture.width = picture.height = SIZE
        picture.pix_fmt, picture.bit_rate = "yuv420p", 900_000
        sound = container.add_stream("aac", rate=44_100)
        sound.bit_rate, sound.layout = 96_000, "stereo"
        embedder = Embedder(KEY, SLOT_ID, 3, SIZE, SIZE)
        for frame in talking_frames(30, SIZE, 1):
            embedder.embed(*planes_of(frame))
            container.mux(picture.encode(av.VideoFrame.from_ndarray(frame, format="yuv420p")))
        whole = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None]), format="s16", layout="mono")
        whole.sample_rate = 48_000
        resampler = av.AudioResampler("fltp", "stereo", 44_100, frame_size=1024)
        for piece in [*resampler.resample(whole), *resampler.resample(None)]:
            container.mux(sound.encode(piece))
        for stream in (picture, sound):
            container.mux(stream.encode(None))
    return out.getvalue()


def report(content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str], key: MarkKey | None, *more: str) -> str:
    path, key_file = tmp_path / "clip", tmp_path / "mark.key"
    path.write_bytes(content)
    arguments = [str(path), *more]
    if key is not None:
        key_file.write_bytes(key.to_file())
        arguments += ["--mark-key", str(key_file)]
    main(arguments)
    return capsys.readouterr().out


def test_picture_and_sound_of_a_clip_captured_from_a_call_name_the_same_slot(
    tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    said = json.loads(report(captured_clip(heard()), tmp_path, capsys, KEY, "--json"))["files"][0]
    audible_s = said["sound"].pop("audible_s")
    assert said["sound"] == {"verdict": "payload_read", "payload": f"{SLOT_ID:016x}"} and 4 < audible_s < 6
    assert said["mark"]["payload"] == said["sound"]["payload"]


def test_a_sound_file_is_read_though_it_is_no_video(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = report(as_file(heard(), "pcm_s16le", 0, "wav"), tmp_path, capsys, KEY)
    assert "CANNOT BE READ" in said and f"sound  mark found, payload {SLOT_ID:016x}. A mark says where" in said


def test_another_key_finds_nothing_and_says_what_that_is_worth(
    tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    said = report(as_file(heard(), "aac", 64_000, "mp4"), tmp_path, capsys, OTHER_KEY)
    assert "sound  no mark found; that proves nothing." in said


def test_silence_no_sound_and_no_key_are_told_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    silent = as_file(np.zeros(48_000, np.int16), "aac", 64_000, "mp4")
    assert "sound  too quiet to hold a mark" in report(silent, tmp_path, capsys, KEY)
    still = cv2.imencode(".png", np.full((128, 128, 3), 90, np.uint8))[1].tobytes()
    assert "sound  no sound" in report(still, tmp_path, capsys, KEY)
    assert "sound  not checked" in report(still, tmp_path, capsys, None)


def test_a_damaged_file_is_said_to_be_unreadable(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "sound  could not be read" in report(b"\0\0\0\x08ftyp\0\0\0\x01", tmp_path, capsys, KEY)
