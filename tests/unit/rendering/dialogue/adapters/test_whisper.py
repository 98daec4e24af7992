"""Ears with faster-whisper: their contract, against a package that stands in for it, and the real one if installed."""

import asyncio
import importlib.util
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rendering.dialogue.recognisers.whisper import WhisperEars, load_model
from rendering.dialogue.seams import PartFailed

# The part of faster-whisper that is used. What it does is written in the model's file; what it was told, beside it.
PACKAGE = '''
import json, pathlib, time
from collections import namedtuple
Segment = namedtuple("Segment", "text avg_logprob")
class WhisperModel:
    def __init__(self, folder, **how):
        self.folder = pathlib.Path(folder)
        self.fault = (self.folder / "model.bin").read_text()
        (self.folder / "made.json").write_text(json.dumps(how))
        if self.fault == "unreadable":
            raise RuntimeError("Unsupported model binary version: /secret/folder")
    def transcribe(self, sound, **how):
        asked = [len(sound), str(sound.dtype), float(abs(sound).max()), how]
        (self.folder / "asked.json").write_text(json.dumps(asked))
        if self.fault == "refuses":
            raise ValueError("not a language: /secret/folder")
        return self.segments(), None
    def segments(self):
        if self.fault == "silent":
            return
        yield Segment(" Is my claim", float("nan") if self.fault == "no number" else -0.1)
        if self.fault == "breaks":
            raise RuntimeError("out of memory")
        while self.fault == "stalls" and not (self.folder / "let go").exists():
            time.sleep(0.01)
        yield Segment(" paid?\\n", -0.3)
'''


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a model whose file says what it does, and the package that reads it."""
    (tmp_path / "faster_whisper.py").write_text(PACKAGE)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "faster_whisper", raising=False)
    folder = tmp_path / "model"
    folder.mkdir()
    yield folder
    (folder / "let go").touch()
    sys.modules.pop("faster_whisper", None)


@pytest.fixture
def thread() -> Iterator[ThreadPoolExecutor]:
    executor = ThreadPoolExecutor(1)
    yield executor
    executor.shutdown(wait=False)  # what stalls there is let go afterwards


def ears_of(folder: Path, thread: ThreadPoolExecutor, fault: str = "", within_s: float = 20.0) -> WhisperEars:
    (folder / "model.bin").write_text(fault)
    return WhisperEars(folder, thread, within_s)


async def understood(ears: WhisperEars, language: str = "en") -> Any:
    listening = ears.listen(language=language, expected=("claim number", "  policy\n"))
    for _ in range(10):
        listening.push(np.full(320, 16_384, np.int16))
        assert listening.partial().text == ""
    return await listening.finish()


async def test_words_come_with_how_sure_they_are(library: Path, thread: ThreadPoolExecutor) -> None:
    ears = ears_of(library, thread)
    await ears.warm_up()
    heard = await understood(ears, "en-IN")
    assert heard.text == "Is my claim paid?" and heard.is_final
    assert heard.confidence == pytest.approx(np.exp(-0.2))
    # Nothing is fetched over the network, whatever the folder lacks.
    assert '"local_files_only": true' in (library / "made.json").read_text()
    asked = (library / "asked.json").read_text()
    assert asked.startswith('[3200, "float32", 0.5,')
    assert '"language": "en"' in asked and '"initial_prompt": "claim number policy"' in asked


async def test_the_model_is_read_once_for_all_who_ask_at_once(library: Path, thread: ThreadPoolExecutor) -> None:
    ears = ears_of(library, thread)
    loads: list[Path] = []

    def load(folder: Path) -> Any:
        loads.append(folder)
        return load_model(folder)

    ears = WhisperEars(library, thread, 20.0, load)
    await asyncio.gather(ears.warm_up(), ears.warm_up(), understood(ears), understood(ears))
    assert loads == [library]


async def test_silence_is_no_words_and_nothing_heard_asks_nobody(library: Path, thread: ThreadPoolExecutor) -> None:
    ears = ears_of(library, thread, "silent")
    assert (await ears.listen(language="en").finish()).text == ""
    assert not (library / "made.json").exists()
    assert (await understood(ears)).text == ""


@pytest.mark.parametrize(("fault", "trouble"), [
    ("unreadable", "broken"), ("refuses", "broken"), ("breaks", "broken"), ("no number", "garbage"),
    ("stalls", "stalled"),
])  # fmt: skip
async def test_every_fault_ends_in_its_trouble_within_its_bound_and_tells_no_path(
    library: Path, thread: ThreadPoolExecutor, fault: str, trouble: str,
) -> None:
    ears = ears_of(library, thread, fault, within_s=0.3 if fault == "stalls" else 20.0)
    with suppress(PartFailed):  # a model that cannot be read says so again below
        await ears.warm_up()
    with pytest.raises(PartFailed) as failed:
        async with asyncio.timeout(30):
            await understood(ears)
    assert failed.value.facts == {"part": "ears", "trouble": trouble}
    assert "secret" not in str(failed.value)


async def test_what_stalled_once_is_understood_again_afterwards(library: Path, thread: ThreadPoolExecutor) -> None:
    ears = ears_of(library, thread, "stalls", within_s=0.3)
    await ears.warm_up()
    with pytest.raises(PartFailed):
        await understood(ears)
    (library / "let go").touch()
    await asyncio.get_running_loop().run_in_executor(thread, threading.Event().is_set)  # the model came to its end
    ears._within_s = 20.0
    assert (await understood(ears)).text == "Is my claim paid?"


async def test_a_cancelled_utterance_is_let_go_at_once(library: Path, thread: ThreadPoolExecutor) -> None:
    ears = ears_of(library, thread, "stalls")
    await ears.warm_up()
    task = asyncio.create_task(understood(ears))
    while not (library / "asked.json").exists():  # noqa: ASYNC110, ASYNC240
        await asyncio.sleep(0.005)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_folder_without_a_model_and_a_library_that_is_not_there_are_missing(
    tmp_path: Path, thread: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(PartFailed, match="no model in the folder") as failed:
        await WhisperEars(tmp_path, thread).warm_up()
    assert failed.value.facts["trouble"] == "missing"
    (tmp_path / "model.bin").touch()
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(PartFailed, match="not installed") as failed:
        await WhisperEars(tmp_path, thread).warm_up()
    assert failed.value.facts["trouble"] == "missing"


@pytest.mark.skipif(importlib.util.find_spec("faster_whisper") is None, reason="faster-whisper is not installed")
async def test_the_real_library_refuses_what_is_no_model(tmp_path: Path, thread: ThreadPoolExecutor) -> None:
    (tmp_path / "model.bin").write_bytes(b"no model")
    with pytest.raises(PartFailed) as failed:
        await WhisperEars(tmp_path, thread).warm_up()
    assert failed.value.facts["trouble"] == "broken"
