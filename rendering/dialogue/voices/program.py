"""A voice in a program of its own, such as Piper or Kokoro: the text on its stdin, raw sound on its stdout.

The program is started for each clause, without a shell and with an empty environment but for what finds it; it is
ended with its whole process group when nobody wants the clause any more. Its licence stays in its own process.
"""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, suppress

from rendering.dialogue.seams import PartFailed
from rendering.dialogue.service import Bounds, bounded
from rendering.dialogue.voices.speech_service import spoken_pieces
from rendering.speech.utterance import Utterance

BOUNDS = Bounds(first_s=3.0, between_s=2.0, total_s=30.0)
CHUNK_BYTES = 8192
KEPT_ENVIRONMENT = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH")


class ProgramVoice:
    """Speaks through a program (`StreamingVoice`).

    Args:
        command: program and arguments; "{language}" in an argument becomes the language of the clause.
        rate_hz: of its raw sound; a WAV header says its own.
    """

    def __init__(self, command: Sequence[str], rate_hz: int, bounds: Bounds = BOUNDS) -> None:
        self._command = tuple(command)
        self._rate_hz = rate_hz
        self._bounds = bounds

    async def speak(self, text: str, *, language: str) -> AsyncIterator[Utterance]:
        """Pieces of 0.2 s and then 0.6 s.

        Raises:
            PartFailed: missing, slow_start, stalled, broken or garbage.
        """
        source = bounded(self._sound(text, language), self._bounds, "voice")
        async with aclosing(source) as chunks:
            async for piece in spoken_pieces(chunks, self._rate_hz):
                yield piece

    async def warm_up(self) -> None:
        """Starts the program once, so that its files are read from the disk."""
        async for _ in self.speak("Hello.", language="en"):
            pass

    async def _sound(self, text: str, language: str) -> AsyncGenerator[bytes, None]:
        process = await self._start(language)
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write((" ".join(text.split()) + "\n").encode())
            process.stdin.close()
            while chunk := await process.stdout.read(CHUNK_BYTES):
                yield chunk
            if await process.wait() != 0:
                raise _failed("broken", "The voice program failed; look at its log.", status=process.returncode)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise _failed("broken", "The voice program ended before it read the text.") from error
        finally:
            await _end(process)

    async def _start(self, language: str) -> asyncio.subprocess.Process:
        base = "".join(letter for letter in language.split("-")[0] if letter.isalnum())
        command = [argument.replace("{language}", base) for argument in self._command]
        environment = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
        try:
            return await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL, env=environment, start_new_session=True)
        except OSError as error:
            raise _failed("missing", "The voice program does not start; look at its path.") from error


def piper_command(program: str, model: str) -> tuple[str, ...]:
    """Piper's command line: raw 16-bit sound on stdout, at the rate that its voice's `.onnx.json` says."""
    return (program, "--model", model, "--output-raw")


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ends the program, and whatever it started, if it still runs."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # it leads a session, so its group has its number
        # What was written and not read holds the pipe, and with it the end of the process.
        while process.stdout is not None and await process.stdout.read(CHUNK_BYTES):
            pass
        await process.wait()


def _failed(trouble: str, message: str, **facts: object) -> PartFailed:
    return PartFailed(message, part="voice", trouble=trouble, **facts)  # type: ignore[arg-type]
