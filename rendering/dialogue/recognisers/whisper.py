"""Ears with faster-whisper and a model on the operator's disk. Neither is shipped; nothing is ever downloaded."""

import asyncio
import importlib
import math
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from rendering.dialogue.recognisers.buffered import BufferedListening, hints_of
from rendering.dialogue.seams import Heard, PartFailed, Samples

WITHIN_S = 5.0
LOAD_WITHIN_S = 120.0


class Segment(Protocol):
    """What faster-whisper says of a stretch of speech."""

    text: str
    avg_logprob: float


class Model(Protocol):
    """The part of `faster_whisper.WhisperModel` that is used."""

    def transcribe(self, audio: Any, **how: Any) -> tuple[Iterable[Segment], Any]: ...


class WhisperEars:
    """Understands each utterance with a local model (`Ears`).

    Args:
        executor: where the model works; what is cancelled there still comes to its end, and its words are dropped.
        load: reads the model in that folder.
    """

    def __init__(
        self, folder: Path, executor: Executor, within_s: float = WITHIN_S,
        load: Callable[[Path], Model] | None = None,
    ) -> None:
        self._folder = folder
        self._executor = executor
        self._within_s = within_s
        self._load = load or load_model
        self._model: Model | None = None
        self._loading = asyncio.Lock()

    def listen(self, *, language: str, expected: Sequence[str] = ()) -> "WhisperListening":
        return WhisperListening(self, language.split("-")[0], hints_of(tuple(expected)))

    async def warm_up(self, expected: Sequence[str] = ()) -> None:
        """Reads the model. Raises PartFailed ("missing", "stalled")."""
        async with self._loading:
            if self._model is None:
                self._model = await self._in_thread(LOAD_WITHIN_S, self._load, self._folder)

    async def understand(self, pcm: Samples, language: str, hints: str) -> Heard:
        """The words of [N] samples. Raises PartFailed."""
        await self.warm_up()
        heard: Heard = await self._in_thread(self._within_s, _transcribed, self._model, pcm, language, hints)
        return heard

    async def _in_thread(self, within_s: float, work: Callable[..., Any], *arguments: Any) -> Any:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(within_s):
                return await loop.run_in_executor(self._executor, work, *arguments)
        except TimeoutError as error:
            raise PartFailed("The recogniser gave nothing in time.", part="ears", trouble="stalled") from error
        except (RuntimeError, ValueError, OSError) as error:  # of ctranslate2, for a model or sound it cannot use
            raise PartFailed("The recogniser failed.", part="ears", trouble="broken") from error


class WhisperListening(BufferedListening):
    """One utterance."""

    def __init__(self, ears: WhisperEars, language: str, hints: str) -> None:
        super().__init__()
        self._ears = ears
        self._language = language
        self._hints = hints

    async def _understand(self, pcm: Samples) -> Heard:
        return await self._ears.understand(pcm, self._language, self._hints)


def load_model(folder: Path) -> Model:
    """The model in a folder of the operator's. Raises PartFailed with "missing" where it, or the library, is not."""
    if not (folder / "model.bin").is_file():
        raise PartFailed(
            "There is no model in the folder that the settings name.", part="ears", trouble="missing")
    try:
        library: Any = importlib.import_module("faster_whisper")
    except ImportError as error:
        raise PartFailed(
            "faster-whisper is not installed in the worker's environment.", part="ears", trouble="missing") from error
    model: Model = library.WhisperModel(str(folder), device="auto", compute_type="int8", local_files_only=True)
    return model


def _transcribed(model: Model, pcm: Samples, language: str, hints: str) -> Heard:
    sound = pcm.astype(np.float32) / 32768
    segments, _ = model.transcribe(
        sound, language=language, initial_prompt=hints or None, beam_size=1, condition_on_previous_text=False)
    told = list(segments)
    if not told:
        return Heard("", is_final=True)
    mean = sum(segment.avg_logprob for segment in told) / len(told)
    if not math.isfinite(mean):
        raise PartFailed("The recogniser is sure of its words by no number.", part="ears", trouble="garbage")
    return Heard(" ".join(segment.text.strip() for segment in told), True, min(1.0, math.exp(mean)))
