"""A voice behind an OpenAI-compatible speech service (`POST /audio/speech`), played while it still comes."""

from collections.abc import AsyncIterator
from contextlib import aclosing

from rendering.dialogue.seams import PartFailed
from rendering.dialogue.service import Bounds, Service, ServiceClient, bounded
from rendering.dialogue.voices.sound import SoundInvalid, SoundPieces
from rendering.speech.utterance import Utterance

BOUNDS = Bounds(first_s=2.0, between_s=1.5, total_s=30.0)
RAW_RATE_HZ = 24_000  # of the API's "pcm"
MAX_SPOKEN_S = 120.0  # for one clause; then it is a stream that does not end
SOUNDS = ("audio/pcm", "audio/l16", "audio/wav", "audio/x-wav", "audio/wave", "application/octet-stream")


class SpeechService:
    """Asks a speech service (`StreamingVoice`).

    Args:
        voice: its name at the service.
        form: "pcm" for raw sound at 24 kHz, "wav" where the service does not stream raw sound.
    """

    def __init__(self, service: Service, voice: str, form: str = "pcm", bounds: Bounds = BOUNDS) -> None:
        self._client = ServiceClient(service, "voice")
        self._voice = voice
        self._form = form
        self._bounds = bounds

    async def speak(self, text: str, *, language: str) -> AsyncIterator[Utterance]:
        """Pieces of 0.2 s and then 0.6 s.

        Raises:
            PartFailed: slow_start, stalled, busy, refused, broken or garbage.
        """
        body = {"model": self._client.service.model, "voice": self._voice, "input": text, "response_format": self._form}
        source = bounded(self._client.post("/audio/speech", json=body, answers=SOUNDS), self._bounds, "voice")
        async with aclosing(source) as chunks:
            async for piece in spoken_pieces(chunks, RAW_RATE_HZ):
                yield piece

    async def warm_up(self) -> None:
        """Opens the connection and lets the service read its model."""
        async with aclosing(self.speak("Hello.", language="en")) as pieces:  # type: ignore[type-var]
            async for _ in pieces:
                return

    async def close(self) -> None:
        await self._client.close()


async def spoken_pieces(chunks: AsyncIterator[bytes], rate_hz: int) -> AsyncIterator[Utterance]:
    """Pieces of the sound in `chunks`. Raises PartFailed with "garbage" when it is none, or has no end."""
    pieces, spoken_s = SoundPieces(rate_hz), 0.0
    try:
        async for chunk in chunks:
            for piece in pieces.push(chunk):
                spoken_s += piece.seconds
                if spoken_s > MAX_SPOKEN_S:
                    raise SoundInvalid("It does not end.")
                yield piece
        for piece in pieces.finish():
            yield piece
    except SoundInvalid as error:
        raise PartFailed(
            "The voice gave something that is no 16-bit mono sound.", part="voice", trouble="garbage") from error
