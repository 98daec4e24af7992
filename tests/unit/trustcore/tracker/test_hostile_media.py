"""Every kind of bad upload is refused by name, inside the sandbox."""

import sys
import tempfile
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from trustcore.tracker import Limits, MediaRefused, TrackerFault, caller, track_clip, track_sound
from trustcore.tracker.errors import REFUSALS

SIDE = 128
NO_FACE_WANTED: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Recipe:
    """What to write into a test clip."""

    seconds: float = 1.0
    fps: int = 10
    codec: str = "mpeg4"
    form: str = "mp4"
    side: int = SIDE
    picture: bool = True
    sound: str = ""  # codec
    sound_seconds: float = 0.0  # where other than the picture's
    blank: bool = False
    options: dict[str, str] = field(default_factory=dict)


def clip_bytes(seconds: float = 1.0, **more: Any) -> bytes:
    """A small clip of moving noise, with or without sound."""
    recipe = Recipe(seconds, **more)
    with tempfile.NamedTemporaryFile() as file:  # a header in front needs a file that can be opened twice
        with av.open(file.name, "w", format=recipe.form, options=recipe.options) as container:
            # Every stream must be there before the first packet is written.
            video = container.add_stream(recipe.codec, rate=recipe.fps) if recipe.picture else None
            audio = container.add_stream(recipe.sound, rate=16000, layout="mono") if recipe.sound else None
            if video is not None:
                _draw(container, video, recipe)
            if audio is not None:
                _play(container, audio, recipe)
        return Path(file.name).read_bytes()


def test_stills_are_read_where_they_are_allowed_and_nowhere_else() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    allowed = Limits(min_seconds=0.0, min_fps=0.5, allows_stills=True)
    for ending in (".png", ".jpg", ".webp"):
        still = cv2.imencode(ending, picture)[1].tobytes()
        clip = track_clip(still, limits=allowed, want=NO_FACE_WANTED)
        assert clip.frames.shape == (1, SIDE, SIDE, 3) and clip.seconds > 0
        with pytest.raises(MediaRefused) as refusal:
            track_clip(still, want=NO_FACE_WANTED)
        assert refusal.value.code == "media.not_video"
    for broken in (b"\x89PNG\r\n\x1a\n" + b"x" * 100, b"\xff\xd8\xff" + b"0" * 50, b"RIFF\x08\x00\x00\x00WEBPVP8 "):
        with pytest.raises(MediaRefused):
            track_clip(broken, limits=allowed, want=NO_FACE_WANTED)


def test_part_of_a_clip_can_be_read() -> None:
    clip = clip_bytes(3.0)
    limits = {"min_seconds": 0.0, "min_fps": 0.5}
    first = track_clip(clip, limits=Limits(read_s=1.0, **limits), want=NO_FACE_WANTED)
    later = track_clip(clip, limits=Limits(read_s=1.0, skip_s=1.5, **limits), want=NO_FACE_WANTED)
    whole = track_clip(clip, limits=Limits(**limits), want=NO_FACE_WANTED)
    assert (len(first.frames), len(later.frames), len(whole.frames)) == (10, 10, 30)
    assert np.array_equal(first.frames, whole.frames[:10]) and np.array_equal(later.frames, whole.frames[15:25])
    with pytest.raises(MediaRefused):
        track_clip(clip, limits=Limits(read_s=1.0, skip_s=9.0, **limits), want=NO_FACE_WANTED)


def _draw(container: Any, video: Any, recipe: Recipe) -> None:
    rng = np.random.default_rng(1)
    video.width = video.height = recipe.side
    video.pix_fmt = "yuv420p"
    for _ in range(int(recipe.seconds * recipe.fps)):
        shape = (recipe.side, recipe.side, 3)
        picture = np.zeros(shape, np.uint8) if recipe.blank else rng.integers(0, 256, shape, np.uint8)
        container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
    container.mux(video.encode())


def _play(container: Any, audio: Any, recipe: Recipe) -> None:
    time_s = np.arange(int((recipe.sound_seconds or recipe.seconds) * 16000)) / 16000
    tone = (np.sin(time_s * 2 * np.pi * 440) * 8000).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(tone[None], format="s16", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = 16000, 0, Fraction(1, 16000)
    container.mux(audio.encode(frame))
    container.mux(audio.encode())


def refused(media: bytes, code: str, *, limits: Limits | None = None, want: frozenset[str] = NO_FACE_WANTED) -> None:
    with pytest.raises(MediaRefused) as caught:
        track_clip(media, limits=limits or Limits(), want=want)
    assert caught.value.code == code
    assert caught.value.error_type == REFUSALS[code].error_type
    assert str(caught.value).endswith(".")


def test_a_good_clip_comes_back_whole_with_sound_in_step() -> None:
    clip = track_clip(clip_bytes(2.0, sound="aac"), want=NO_FACE_WANTED, size=64)
    assert clip.frames.shape == (20, 64, 64, 3)
    assert clip.fps == pytest.approx(10.0)
    assert abs(len(clip.pcm) / clip.pcm_rate - 2.0) < 0.15
    assert np.abs(clip.pcm.astype(int)).max() > 4000
    assert not clip.has_face.any()
    assert not clip.frames.flags.writeable


def test_a_live_recording_without_a_length_in_its_header_is_read() -> None:
    live = clip_bytes(2.0, form="webm", codec="libvpx", sound="libopus", options={"live": "1"})
    clip = track_clip(live, want=NO_FACE_WANTED)
    assert len(clip.frames) == 20
    assert len(clip.pcm) > 1.8 * clip.pcm_rate


def test_the_walls_of_the_sandbox_hold() -> None:
    clip = track_clip(clip_bytes(), want=NO_FACE_WANTED)
    assert clip.report["sandbox"]["network_gone"]
    assert clip.report["sandbox"]["seccomp"]


def test_empty_and_too_large() -> None:
    refused(b"", "media.empty")
    refused(b"x" * 100, "media.too_large", limits=Limits(max_bytes=99))


def test_text_and_other_containers_are_not_video() -> None:
    refused(b"<html>hello</html>" * 100, "media.not_video")
    refused(clip_bytes(form="avi"), "media.not_video")
    playlist = b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
    refused(playlist, "media.not_video")


def test_sound_only() -> None:
    refused(clip_bytes(picture=False, sound="aac"), "media.no_picture")


@pytest.mark.parametrize("options", [{}, {"movflags": "faststart"}], ids=["header_last", "header_first"])
def test_a_cut_file_is_truncated(options: dict[str, str]) -> None:
    whole = clip_bytes(3.0, options=options)
    refused(whole[: len(whole) // 2], "media.truncated")


def test_damaged_packets_are_truncated() -> None:
    whole = bytearray(clip_bytes(6.0, codec="libx264", options={"movflags": "faststart"}))
    start = whole.index(b"mdat") + 8
    whole[start:] = np.random.default_rng(0).bytes(len(whole) - start)
    refused(bytes(whole), "media.truncated")


def test_the_sound_of_a_file_can_be_asked_for_alone_and_is_bounded() -> None:
    limits = Limits(read_s=1.5)
    for media in (clip_bytes(2.0, sound="aac"), clip_bytes(2.0, sound="aac", picture=False)):
        heard = track_sound(media, limits=limits)
        assert len(heard.pcm) == 1.5 * heard.pcm_rate and np.abs(heard.pcm).max() > 1000
        assert not heard.pcm.flags.writeable
    for media in (clip_bytes(), b"no media at all", b"\x89PNG\r\n\x1a\n" + bytes(50)):
        with pytest.raises(MediaRefused) as caught:
            track_sound(media, limits=limits)
        assert caught.value.code == "media.no_sound"
    with pytest.raises(ValueError, match="how much"):
        track_sound(b"x")


def test_sound_that_goes_on_after_the_pictures_makes_no_clip_truncated_and_is_bounded_by_what_is_read() -> None:
    media = clip_bytes(1.0, sound="aac", sound_seconds=4.0)
    assert track_clip(media, want=NO_FACE_WANTED).pcm.size <= 2.2 * 16_000  # ends with the pictures
    clip = track_clip(media, limits=Limits(read_s=3.0), want=NO_FACE_WANTED)
    assert 2.9 * 16_000 <= clip.pcm.size <= 3.1 * 16_000 and clip.report["has_sound"]
    assert not track_clip(clip_bytes(), want=NO_FACE_WANTED).report["has_sound"]


def test_codec_outside_the_list() -> None:
    refused(clip_bytes(codec="ffv1", form="matroska"), "media.codec")


def test_length_and_frame_rate() -> None:
    refused(clip_bytes(1.0), "media.too_short", limits=Limits(min_seconds=5))
    refused(clip_bytes(3.0), "media.too_long", limits=Limits(max_seconds=1))
    refused(clip_bytes(4.0, fps=2), "media.frame_rate")


def test_picture_sizes() -> None:
    refused(clip_bytes(side=64), "media.dimensions")
    bomb = clip_bytes(0.2, side=6000, blank=True)  # 400 kB that ask for 108 MB a frame
    assert len(bomb) < 500_000
    refused(bomb, "media.dimensions")


def test_a_clip_that_decodes_to_too_much_is_refused_before_and_while_decoding() -> None:
    refused(clip_bytes(3.0), "media.too_large", limits=Limits(max_output_bytes=300_000))
    live = clip_bytes(3.0, form="webm", codec="libvpx", options={"live": "1"})  # a header without a length
    refused(live, "media.too_large", limits=Limits(max_output_bytes=300_000))


def test_noise_has_no_face() -> None:
    refused(clip_bytes(), "media.no_face", want=frozenset({"landmarks"}))


def test_wall_clock_ends_a_slow_clip() -> None:
    refused(clip_bytes(), "media.too_costly", limits=Limits(max_wall_s=0.05))


def test_a_missing_environment_is_our_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(caller.PYTHON_SETTING, "/nonexistent/python")
    with pytest.raises(TrackerFault):
        track_clip(clip_bytes(), want=NO_FACE_WANTED)


LIES = {
    "no_end": "import os\nwhile True: os.write(1, b'x' * 65536)",
    "not_json": "print('{')",
    "not_an_object": "print('[1]')",
    "wrong_length": "print('{\"sandbox\":{\"network_gone\":true}}'); "
    "print('{\"done\":{\"frames\":9,\"height\":9,\"width\":9,\"samples\":0}}')",
    "bad_count": "print('{\"sandbox\":{\"network_gone\":true}}'); "
    "print('{\"done\":{\"frames\":-1,\"height\":9,\"width\":9,\"samples\":0}}')",
    "open_network": "print('{\"sandbox\":{\"network_gone\":false}}'); print('{\"done\":{}}')",
    "unknown_refusal": "print('{\"refused\":\"media.invented\"}')",
}


@pytest.mark.parametrize("lie", LIES)
def test_a_tracker_that_lies_is_not_believed(lie: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "__main__.py").write_text(LIES[lie])
    monkeypatch.setattr(caller, "INSIDE", tmp_path)
    monkeypatch.setenv(caller.PYTHON_SETTING, sys.executable)
    with pytest.raises(TrackerFault):
        track_clip(b"anything", want=NO_FACE_WANTED)
