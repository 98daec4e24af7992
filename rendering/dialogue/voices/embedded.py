"""The voices that come with this program (`rendering.speech`), a clause at a time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Executor

from rendering.dialogue.clauses import clauses
from rendering.dialogue.seams import PartFailed
from rendering.speech.utterance import Utterance, without_silence
from rendering.speech.voices import Voice, VoiceFault, pick_voice

LEAD_SILENCE_S = 0.02
PAUSE_INSIDE_S = 0.12  # after a clause that is not the last one
PAUSE_AFTER_S = 0.25
CLAUSE_WITHIN_S = 10.0


class EmbeddedVoice:
    """flite for English, espeak-ng for the other languages; both say when each sound is heard.

    Args:
        executor: where the programs are waited for; one thread, so that what is said later is spoken later.
        languages: those that are warmed up.
        pick: the voice for a language.
    """

    def __init__(
        self, executor: Executor, languages: Sequence[str] = ("en",), pick: Callable[[str], Voice] = pick_voice,
    ) -> None:
        self._executor = executor
        self._languages = languages
        self._pick = pick
        self._voices: dict[str, Voice] = {}

    async def speak(self, text: str, *, language: str) -> AsyncIterator[Utterance]:
        """One piece a clause (`StreamingVoice`)."""
        pieces = clauses(text)
        for number, piece in enumerate(pieces, start=1):
            spoken = await self._say(piece, language)
            tail_s = PAUSE_AFTER_S if number == len(pieces) else PAUSE_INSIDE_S
            yield without_silence(spoken, lead_s=LEAD_SILENCE_S, tail_s=tail_s)

    async def warm_up(self) -> None:
        """Starts each program once: the first start reads it from the disk."""
        for language in self._languages:
            await self._say("a", language)

    async def _say(self, text: str, language: str) -> Utterance:
        loop = asyncio.get_running_loop()
        try:
            voice = self._voices.get(language) or self._voices.setdefault(language, self._pick(language))
            async with asyncio.timeout(CLAUSE_WITHIN_S):
                return await loop.run_in_executor(self._executor, voice.say, text)
        except TimeoutError as error:
            raise PartFailed("The voice gave nothing in time.", part="voice", trouble="stalled") from error
        except VoiceFault as error:
            missing = error.facts.get("cause") == "FileNotFoundError"
            raise PartFailed(
                f"{error.message} Install it, or set another voice.", part="voice",
                trouble="missing" if missing else "broken") from error
