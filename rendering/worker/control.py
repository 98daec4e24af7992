"""The worker's only way out: signed requests to control. `rendering/protocol.py` lists the calls."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from rendering import protocol
from rendering.worker.config import WorkerConfig
from trustcore.primitives.canonical import canonical_bytes
from trustcore.primitives.clock import to_rfc3339, utc_now
from trustcore.primitives.envelope import hpke_open
from trustcore.primitives.errors import EnvelopeInvalid, Fault, Refusal
from trustcore.primitives.hashing import sha256_hex
from trustcore.primitives.signing import b64, sign_statement, statement_bytes, unb64

PREFIX = "/worker/v1"


class ControlUnreachable(Fault):
    """Control did not answer, or answered with its own failure. The caller decides whether to ask again."""

    code = "control.unreachable"


class ControlRefused(Refusal):
    """Control said no to this request: an unknown worker, a stale epoch, a lease that is over."""

    code = "control.refused"


@dataclass(frozen=True)
class ReleasedKeys:
    """Keys of one lease, as control sealed them to this lease's own ephemeral key."""

    read: dict[str, bytearray]  # blob name -> 32-byte key
    contexts: dict[str, str]  # blob or artefact name -> encryption context
    write: bytearray | None
    mark: dict[str, Any] | None

    def wipe(self) -> None:
        """Overwrite the keys. Python may hold copies elsewhere; this removes the ones we can reach."""
        for key in (*self.read.values(), self.write):
            if key is not None:
                key[:] = bytes(len(key))


class ControlClient:
    """Signed HTTP to control, one keep-alive connection pool for the life of the worker."""

    def __init__(self, config: WorkerConfig, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.config = config
        self._http = httpx.AsyncClient(
            base_url=config.control_url, timeout=config.request_timeout_s, transport=transport, trust_env=False,
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def register(self) -> None:
        config = self.config
        hello = protocol.SlotHello(
            config.slot_id, config.worker_id, config.build_sha256, config.kinds, config.size_px, config.frames_per_s)
        await self._json("POST", "/slots", protocol.to_json(hello))

    async def claim(self) -> protocol.Lease | None:
        """Wait for work; None when control had none within its poll time."""
        body = {"slot_id": self.config.slot_id, "kinds": list(self.config.kinds)}
        answer = await self._json("POST", "/claim", body, timeout_s=protocol.POLL_TIMEOUT_S + 10)
        return protocol.lease_from_json(answer) if answer else None

    async def claim_keys(
        self, lease: protocol.Lease, ground_sha256: str, replica_version: str,
    ) -> tuple[dict[str, Any], ReleasedKeys]:
        """Take this lease with a key made for it alone: the signed claim, and the keys that were sealed to it.

        Args:
            ground_sha256: of the session's grant, or of the training's order.

        Raises:
            As `release_keys`.
        """
        ephemeral = X25519PrivateKey.generate()
        claim = self.claim_proof(lease, ephemeral, ground_sha256)
        return claim, await self.release_keys(
            lease, claim, ephemeral, grant_sha256=ground_sha256, replica_version=replica_version)

    def claim_proof(self, lease: protocol.Lease, ephemeral: X25519PrivateKey, grant_sha256: str) -> dict[str, Any]:
        """The signed statement that this worker, with this build and this ephemeral key, took this lease."""
        public = b64(ephemeral.public_key().public_bytes_raw())
        statement = protocol.claim_statement(
            lease.lease_id, lease.epoch, lease.nonce, public, self.config.build_sha256, grant_sha256)
        return sign_statement(self.config.identity, protocol.CLAIM_PURPOSE, statement)

    async def release_keys(
        self, lease: protocol.Lease, claim: Mapping[str, Any], ephemeral: X25519PrivateKey, *, grant_sha256: str,
        replica_version: str,
    ) -> ReleasedKeys:
        """Fetch and open the keys of this lease.

        Raises:
            EnvelopeInvalid: sealed for another key, or bound to another grant, lease, epoch or replica version.
        """
        answer = await self._json("POST", f"/leases/{lease.lease_id}/key", {"claim": dict(claim)})
        aad = protocol.release_aad(grant_sha256, lease.lease_id, lease.epoch, replica_version)
        if answer.get("aad") != aad:
            raise EnvelopeInvalid("The released key is bound to another lease or grant.")
        opened = hpke_open(ephemeral, protocol.RELEASE_INFO, canonical_bytes(aad), unb64(answer["sealed"]))
        return _keys_from_json(opened)

    async def renew(self, lease: protocol.Lease, renewal: protocol.Renewal) -> protocol.RenewalAnswer:
        answer = await self._json(
            "POST", f"/leases/{lease.lease_id}/renew", protocol.to_json(renewal), timeout_s=protocol.LEASE_LIFETIME_S)
        return protocol.RenewalAnswer(live=answer.get("live") is True, reason=str(answer.get("reason") or ""),
                                      reader=str(answer.get("reader") or ""))

    async def events(self, lease: protocol.Lease) -> AsyncIterator[protocol.LeaseEvent]:
        """Everything control pushes to this lease, in order, until the caller stops listening.

        A lost connection is retried; the lease's own deadline is what ends a session that hears nothing.
        """
        after = 0
        while True:
            path = f"/leases/{lease.lease_id}/events?after={after}"
            try:
                answer = await self._json("GET", path, None, timeout_s=protocol.POLL_TIMEOUT_S + 10)
            except ControlUnreachable:
                await asyncio.sleep(0.1)
                continue
            for body in answer.get("events") or ():
                event = protocol.LeaseEvent(**body)
                after = max(after, event.number)
                yield event

    async def answer(
        self, lease: protocol.Lease, offer: protocol.LeaseEvent, sdp: str, session_facts: Mapping[str, Any],
        manifest_request: Mapping[str, Any],
    ) -> protocol.SignedManifest:
        """Hand in the answer to an offer, and get the manifest that went to the viewer with it."""
        return protocol.SignedManifest(**await self.post(lease, "answer", {
            "offer_id": offer.body["offer_id"], "sdp": sdp, "session_facts": session_facts,
            "manifest": manifest_request}))

    async def post(self, lease: protocol.Lease, what: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """POST /leases/{id}/{what}: answer, segments, clamps, progress, finish."""
        return await self._json("POST", f"/leases/{lease.lease_id}/{what}", dict(body))

    async def put(self, lease: protocol.Lease, what: str, data: bytes) -> None:
        """PUT bytes: recording, checkpoint, artefact/{name}."""
        await self._request("PUT", f"/leases/{lease.lease_id}/{what}", data, "application/octet-stream", 120.0)

    async def blob(self, public_id: str) -> bytes:
        """Ciphertext of a blob."""
        return (await self._request("GET", f"/blobs/{public_id}", b"", "", 120.0)).content

    async def _json(
        self, method: str, path: str, body: Mapping[str, Any] | None, timeout_s: float | None = None,
    ) -> dict[str, Any]:
        data = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
        response = await self._request(method, path, data, "application/json" if data else "", timeout_s)
        if response.status_code == 204 or not response.content:
            return {}
        try:
            answer = response.json()
        except ValueError as error:
            raise ControlUnreachable("Control answered with something that is not JSON.", path=path) from error
        if not isinstance(answer, dict):
            raise ControlUnreachable("Control answered with something that is not an object.", path=path)
        return answer

    async def _request(
        self, method: str, path: str, data: bytes, content_type: str, timeout_s: float | None,
    ) -> httpx.Response:
        headers = self._signature_headers(method, PREFIX + path, data)
        if content_type:
            headers["Content-Type"] = content_type
        timeout = self.config.request_timeout_s if timeout_s is None else timeout_s
        try:
            response = await self._http.request(method, PREFIX + path, content=data, headers=headers, timeout=timeout)
        except httpx.HTTPError as error:
            raise ControlUnreachable("Control did not answer.", path=path, kind=type(error).__name__) from error
        if response.status_code >= 500:
            raise ControlUnreachable("Control failed.", path=path, status=response.status_code)
        if response.status_code >= 400:
            raise ControlRefused("Control refused this request.", path=path, status=response.status_code,
                                 answer=response.text[:300])
        return response

    def _signature_headers(self, method: str, path: str, data: bytes) -> dict[str, str]:
        sent_at, nonce = to_rfc3339(utc_now()), b64(secrets.token_bytes(16))
        statement = protocol.request_statement(method, path, sha256_hex(data), sent_at, nonce)
        signature = self.config.identity.sign(statement_bytes("worker-request", statement))
        return {"X-Worker-Id": self.config.worker_id, "X-Worker-Time": sent_at, "X-Worker-Nonce": nonce,
                "X-Worker-Signature": b64(signature), "X-Worker-Body-Sha256": statement["body_sha256"]}


def _keys_from_json(opened: bytes) -> ReleasedKeys:
    body = json.loads(opened)
    write = body.get("write")
    return ReleasedKeys(
        read={name: bytearray(unb64(text)) for name, text in body["read"].items()},
        contexts=dict(body.get("contexts") or {}),
        write=bytearray(unb64(write)) if write else None,
        mark=body.get("mark"),
    )
