"""Rows on disk in the schema of eot-bench: `rows.jsonl` and one 16 kHz WAV a row; also reads eot-bench's own parquet.

github.com/livekit/eot-bench: id, language, audio, silence_spans [{start, end}], words [{word, start, end}], messages.
The last silence of a row is the end of the turn, every earlier one a pause inside it.
"""

from __future__ import annotations

import io
import json
import wave
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendering.speech.utterance import resample
from rendering.training.turns.prosody import SOUND_HZ
from rendering.training.turns.scene import Row, Word
from rendering.training.turns.voices import Speaker

ROWS_FILE = "rows.jsonl"


class UnreadableSet(ValueError):
    """A folder holds no set that can be read; the message says what is missing."""


def write(rows: Iterable[Row], folder: Path) -> int:
    """Write rows as they come; how many."""
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    with (folder / ROWS_FILE).open("w") as out:
        for row in rows:
            (folder / f"{row.id}.wav").write_bytes(wav_of(row.pcm))
            out.write(json.dumps(_record(row)) + "\n")
            count += 1
    return count


def read(folder: Path) -> Iterator[Row]:
    """Rows of a folder: ours, or exported or downloaded from eot-bench.

    Raises:
        UnreadableSet: it holds neither `rows.jsonl` nor parquet, or parquet and no pyarrow to read it with.
    """
    lines = folder / ROWS_FILE
    if lines.is_file():
        with lines.open() as text:
            for line in text:
                record = json.loads(line)
                yield _row(record, (folder / record["audio"]["path"]).read_bytes())
        return
    parquet = sorted(folder.rglob("*.parquet"))
    if not parquet:
        raise UnreadableSet(f"{folder} holds neither {ROWS_FILE} nor parquet files of eot-bench.")
    for record in _parquet_records(parquet):
        yield _row(record, record["audio"]["bytes"])


def wav_of(pcm: NDArray[np.int16]) -> bytes:
    """A WAV file of mono sound at SOUND_HZ."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SOUND_HZ)
        file.writeframes(pcm.astype("<i2").tobytes())
    return out.getvalue()


def _record(row: Row) -> dict[str, Any]:
    return {
        "id": row.id, "language": row.language, "audio": {"path": f"{row.id}.wav", "sampling_rate": SOUND_HZ},
        "silence_spans": [{"start": round(start, 4), "end": round(end, 4)} for start, end in row.silence_spans],
        "words": [{"word": word.word, "start": round(word.start, 4), "end": round(word.end, 4)} for word in row.words],
        "messages": [{"role": "assistant", "content": row.asked}] if row.asked else [],
        "truth": {
            "turn_start_s": row.turn_start_s, "boundaries": row.boundaries, "replica": row.replica,
            "backchannels": row.backchannels, "barges_in": row.barges_in,
            "is_first_of_speaker": row.is_first_of_speaker, "speaker": vars(row.speaker),
        },
    }  # fmt: skip


def _row(record: Mapping[str, Any], sound: bytes) -> Row:
    """A row of ours or of eot-bench. Where the truth is missing each row has a speaker of its own."""
    spans = tuple((float(span["start"]), float(span["end"])) for span in record["silence_spans"])
    words = tuple(
        Word(str(word.get("word", word.get("text", ""))), float(word["start"]), float(word["end"]))
        for word in record.get("words") or ()
    )  # fmt: skip
    said = [message for message in record.get("messages") or () if message.get("role") == "assistant"]
    truth = record.get("truth") or {}
    pcm = _pcm(sound)
    return Row(
        id=str(record["id"]), pcm=pcm, silence_spans=spans, words=words,
        asked=str(said[-1]["content"]) if said else "",
        turn_start_s=float(truth.get("turn_start_s", words[0].start if words else 0.0)),
        boundaries=tuple(truth.get("boundaries") or ["open"] * (len(spans) - 1) + ["end"]),
        replica=tuple(truth.get("replica") or (0.0, 0.0)),
        backchannels=tuple((float(a), float(b)) for a, b in truth.get("backchannels") or ()),
        barges_in=bool(truth.get("barges_in", False)),
        is_first_of_speaker=bool(truth.get("is_first_of_speaker", True)), language=str(record["language"]),
        speaker=Speaker(**truth["speaker"]) if "speaker" in truth else Speaker("", ""),
    )  # fmt: skip


def _pcm(sound: bytes) -> NDArray[np.int16]:
    try:
        with wave.open(io.BytesIO(sound)) as file:
            rate_hz, channels, width = file.getframerate(), file.getnchannels(), file.getsampwidth()
            raw = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise UnreadableSet("The sound of a row is no PCM WAV. Export the set with 16-bit WAV.") from error
    if width != 2:
        raise UnreadableSet("The sound of a row is no 16-bit PCM.")
    mono = np.frombuffer(raw, "<i2").reshape(-1, channels)[:, 0]
    return resample(mono, rate_hz, SOUND_HZ)


def _parquet_records(paths: list[Path]) -> Iterator[Mapping[str, Any]]:
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise UnreadableSet("Parquet needs pyarrow, which is not part of this product: pip install pyarrow.") from error
    for path in paths:
        yield from parquet.read_table(path).to_pylist()
