"""The adapter to eot-bench's data, on a tiny set of made voices in its schema, with nothing of ours in it."""

import json
import wave
from pathlib import Path

import numpy as np
import pytest

from rendering.training.turns.__main__ import main
from rendering.training.turns.files import UnreadableSet, read
from tests.unit.rendering.dialogue.turns.sounds import hush, voice

RATE_HZ = 16_000


def put_wav(path: Path, pcm: np.ndarray, width: int = 2) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(width)
        file.setframerate(RATE_HZ)
        file.writeframes(pcm.astype("<i2").tobytes() if width == 2 else pcm.astype(np.uint8).tobytes())


def put_row(folder: Path, name: str, pause_s: float, language: str = "en", width: int = 2) -> dict[str, object]:
    pcm = np.concatenate([hush(0.4), voice(0.8, 140), hush(pause_s), voice(0.9, 150, 110), hush(3.6)])
    put_wav(folder / f"{name}.wav", pcm, width)
    second_s = 1.2 + pause_s
    return {
        "id": name, "language": language, "audio": {"path": f"{name}.wav", "sampling_rate": RATE_HZ},
        "silence_spans": [{"start": 1.2, "end": second_s}, {"start": second_s + 0.9, "end": second_s + 4.5}],
        "words": [{"text": "i live in", "start": 0.4, "end": 1.2},
                  {"text": "a village", "start": second_s, "end": second_s + 0.9}],
        "messages": [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "Where do you live?"}],
    }  # fmt: skip


def put_set(folder: Path, *rows: dict[str, object]) -> None:
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_a_row_is_read_as_eot_bench_wrote_it(tmp_path: Path) -> None:
    put_set(tmp_path, put_row(tmp_path, "one", 0.6))
    (row,) = read(tmp_path)
    assert row.asked == "Where do you live?" and [word.word for word in row.words] == ["i live in", "a village"]
    assert np.ravel(row.silence_spans) == pytest.approx([1.2, 1.8, 2.7, 6.3]) and row.boundaries == ("open", "end")
    assert len(row.pcm) == round(6.3 * RATE_HZ) and row.is_first_of_speaker


def test_the_command_gives_the_figures_of_one_language(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [put_row(tmp_path, f"row{number}", pause_s) for number, pause_s in enumerate((0.3, 0.7, 1.1))]
    put_set(tmp_path, *rows, put_row(tmp_path, "other", 0.5, language="hi"))
    assert main(["eot-bench", "--set", str(tmp_path), "--language", "en"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["rows"] == 3 and found["silences"] == 6 and found["ends"] == 3
    # Silence alone cuts off the pauses longer than it waits: two of three after 0.6 s, none after 1.1 s.
    assert found["vad_cutoff_600"] == pytest.approx(2 / 3, abs=1e-4)
    assert found["vad_dead_air_ms_at_5pct"] == pytest.approx(1100)
    assert 200 <= found["dead_air_ms_at_5pct"] <= 1100


def test_a_language_without_rows_is_said(tmp_path: Path) -> None:
    put_set(tmp_path, put_row(tmp_path, "one", 0.6))
    with pytest.raises(UnreadableSet, match="'de'"):
        main(["eot-bench", "--set", str(tmp_path), "--language", "de"])


def test_what_is_no_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSet, match="neither"):
        list(read(tmp_path))
    put_set(tmp_path, put_row(tmp_path, "eight_bits", 0.6, width=1))
    with pytest.raises(UnreadableSet, match="16-bit"):
        list(read(tmp_path))
    (tmp_path / "eight_bits.wav").write_bytes(b"no sound")
    with pytest.raises(UnreadableSet, match="WAV"):
        list(read(tmp_path))
