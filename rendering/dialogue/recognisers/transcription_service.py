"""Ears behind an OpenAI-compatible transcription service (`POST /audio/transcriptions`)."""

import json
from collections.abc import Sequence
from contextlib import aclosing

import numpy as np

from rendering.dialogue.recognisers.buffered import BufferedListening, hints_of
from rendering.dialogue.seams import HEARING_RATE_HZ, Heard, Samples
from rendering.dialogue.service import Bounds, Service, ServiceClient, bounded
from rendering.dialogue.voices.sound import wav_of

BOUNDS = Bounds(first_s=3.0, between_s=1.0, total_s=5.0)
MAX_ANSWER_BYTES = 256 * 1024


class TranscriptionService:
    """Sends each utterance, when it is over, to a service (`Ears`)."""

    def __init__(self, service: Service, bounds: Bounds = BOUNDS) -> None:
        self._client = ServiceClient(service, "ears")
        self._bounds = bounds

    def listen(self, *, language: str, expected: Sequence[str] = ()) -> "ServiceListening":
        return ServiceListening(self._client, self._bounds, language, hints_of(tuple(expected)))

    async def warm_up(self, expected: Sequence[str] = ()) -> None:
        """Opens the connection and lets the service read its model, with half a second of silence."""
        listening = self.listen(language="en")
        listening.push(np.zeros(HEARING_RATE_HZ // 2, np.int16))
        await listening.finish()

    async def close(self) -> None:
        await self._client.close()


class ServiceListening(BufferedListening):
    """One utterance."""

    def __init__(self, client: ServiceClient, bounds: Bounds, language: str, hints: str) -> None:
        super().__init__()
        self._client = client
        self._bounds = bounds
        self._data = {
            "model": client.service.model, "language": language.split("-")[0], "response_format": "json",
            "prompt": hints}

    async def _understand(self, pcm: Samples) -> Heard:
        """Raises PartFailed: slow_start, stalled, busy, refused, broken or garbage."""
        source = self._client.post(
            "/audio/transcriptions", data=self._data, answers=("application/json",),
            files={"file": ("heard.wav", wav_of(pcm, HEARING_RATE_HZ), "audio/wav")})
        answer = b""
        async with aclosing(bounded(source, self._bounds, "ears")) as chunks:
            async for chunk in chunks:
                answer += chunk
                if len(answer) > MAX_ANSWER_BYTES:
                    raise self._client.failed("garbage", "The service heard more than was said.")
        try:
            text = json.loads(answer)["text"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise self._client.failed("garbage", "The service sent an answer that makes no sense.") from error
        if not isinstance(text, str):
            raise self._client.failed("garbage", "The service sent an answer that is no text.")
        return Heard(text, is_final=True)
