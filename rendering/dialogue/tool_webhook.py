"""Tool calls to the app, by a signed request.

    POST <the operator's address>
    Trustcore-Delivery: <conversation>/<call>            the same for every try of one call, and for no other
    Trustcore-Signature: t=<unix seconds>,v1=<HMAC-SHA256 of "t.body", hex>

The address is the operator's, never a persona's, and is asked through the same door as every service: no redirect is
followed and no proxy used. An app answers 200 with {"result": ...}, or 202 and by the API later. It refuses what
`is_genuine` refuses, and keeps the deliveries of the last five minutes: what was overheard cannot be said again.
"""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

from rendering.dialogue.seams import PartFailed, ToolCall
from rendering.dialogue.service import Bounds, Service, ServiceClient, bounded

BOUNDS = Bounds(first_s=6.0, between_s=2.0, total_s=8.0)  # of one try
PAUSES_S = (0.5, 1.5)  # before the second and the third try; there is no fourth
RETRIED = ("busy", "broken", "slow_start")  # a refusal, or nonsense, would come again
LONGEST_PAUSE_S = 5.0  # that a busy app may ask for
MAX_REPLY_BYTES = 64 * 1024
MAX_RESULT_CHARS = 8000  # as `conversation.tool_result` may hold
GENUINE_FOR_S = 300
SIGNATURE, DELIVERY = "Trustcore-Signature", "Trustcore-Delivery"


class ToolWebhook:
    """Tells one app of the tool calls of one conversation.

    Args:
        key: shared with the app, at least 32 bytes.
        now_s: unix time.
    """

    def __init__(
        self, address: str, key: bytes, conversation_id: str, bounds: Bounds = BOUNDS,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._address, self._client = address, ServiceClient(Service(address, ""), "brain")
        self._key, self._conversation_id, self._bounds, self._now_s = key, conversation_id, bounds, now_s

    async def ask(self, call: ToolCall) -> str | None:
        """What the app answers to a call; None where it answers by the API later.

        Raises:
            PartFailed: refused or garbage at once; busy, broken or slow_start after the last try.
        """
        body = json.dumps({
            "event_type": "conversation.tool_call", "conversation_id": self._conversation_id,
            "properties": {"name": call.name, "arguments": dict(call.arguments), "tool_call_id": call.call_id},
        }).encode()
        for pause_s in PAUSES_S:
            try:
                return await self._once(body, call.call_id)
            except PartFailed as fault:
                wait_s = max(pause_s, float(fault.facts.get("retry_after_s") or 0.0))
                if fault.facts["trouble"] not in RETRIED or wait_s > LONGEST_PAUSE_S:
                    raise
            await asyncio.sleep(wait_s)
        return await self._once(body, call.call_id)

    async def close(self) -> None:
        """Lets go of the connections."""
        await self._client.close()

    async def _once(self, body: bytes, call_id: str) -> str | None:
        headers = {
            "Content-Type": "application/json", SIGNATURE: signature(self._key, int(self._now_s()), body),
            DELIVERY: f"{self._conversation_id}/{call_id}"}
        reply = bytearray()
        chunks = self._client.post(
            self._address, answers=("application/json",), content=body, headers=headers, taken=(202, 204))
        async for chunk in bounded(chunks, self._bounds, "brain"):
            reply += chunk
            if len(reply) > MAX_REPLY_BYTES:
                raise self._client.failed("garbage", "The app answers a tool call with more than it may.")
        return self._result_in(bytes(reply)) if reply else None

    def _result_in(self, reply: bytes) -> str | None:
        try:
            told: Any = json.loads(reply)
        except (ValueError, RecursionError) as error:
            raise self._client.failed("garbage", "The app's answer to a tool call is not JSON.") from error
        if not isinstance(told, dict) or "result" not in told:
            raise self._client.failed("garbage", 'The app\'s answer to a tool call has no "result".')
        result = told["result"]
        content = result if isinstance(result, str) else json.dumps(result, ensure_ascii=False)
        if not content or len(content) > MAX_RESULT_CHARS:
            raise self._client.failed("garbage", f"A result of a tool call holds 1 to {MAX_RESULT_CHARS} characters.")
        return content


def signature(key: bytes, sent_at_s: int, body: bytes) -> str:
    """The header that says who sent a body, and when (unix seconds)."""
    return f"t={sent_at_s},v1={hmac.new(key, f'{sent_at_s}.'.encode() + body, hashlib.sha256).hexdigest()}"


def is_genuine(key: bytes, header: str, body: bytes, now_s: float) -> bool:
    """Whether a request was signed with `key`, over this very body, within the last five minutes. For the app."""
    sent_at, _, _ = header.removeprefix("t=").partition(",")
    if not (sent_at.isascii() and sent_at.isdigit() and len(sent_at) <= 12):
        return False
    if abs(now_s - int(sent_at)) > GENUINE_FOR_S:
        return False
    return hmac.compare_digest(signature(key, int(sent_at), body).encode(), header.encode())
