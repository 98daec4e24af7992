"""A render slot as control sees it: real signatures, real HPKE, real encryption, no pictures."""

import json
import secrets
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from django.test import Client

from provenance.manifests.attest import SessionKey
from rendering import protocol
from rendering.models import LiveState
from trustcore.audit.actors import Actor
from trustcore.jobs.services import workers
from trustcore.primitives.canonical import canonical_bytes
from trustcore.primitives.clock import to_rfc3339, utc_now
from trustcore.primitives.envelope import encrypt, hpke_open
from trustcore.primitives.hashing import sha256_hex, statement_sha256
from trustcore.primitives.signing import SigningKey, b64, sign_statement, statement_bytes, unb64

BUILD = "b" * 64


class SimulatedSlot:
    """One worker with one slot, speaking the worker protocol through Django's test client."""

    def __init__(self, name: str = "test-worker", *, is_registered: bool = True) -> None:
        self.key = SigningKey.generate()
        self.worker_id = name
        self.slot_id = f"{name}-0"
        self.client = Client()
        self.ephemeral = X25519PrivateKey.generate()
        if is_registered:
            workers.register(
                actor=Actor.system("tests"), name=name, public_key=self.key.verify_key.public_bytes, public_id=name
            )

    def call(self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None) -> Any:
        """Send one signed request; `body` is JSON types or bytes."""
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        full = f"/worker/v1{path}"
        signed = headers if headers is not None else self.sign(method, full, data)
        kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
        return self.client.generic(method, full, data, content_type=kind, headers=signed)

    def sign(self, method: str, path: str, data: bytes) -> dict[str, str]:
        sent_at, nonce = to_rfc3339(utc_now()), b64(secrets.token_bytes(16))
        statement = protocol.request_statement(method, path, sha256_hex(data), sent_at, nonce)
        signature = self.key.sign(statement_bytes("worker-request", statement))
        return {
            "X-Worker-Id": self.worker_id,
            "X-Worker-Time": sent_at,
            "X-Worker-Nonce": nonce,
            "X-Worker-Signature": b64(signature),
        }

    def announce(self) -> Any:
        hello = protocol.SlotHello(self.slot_id, self.worker_id, BUILD, ("session", "training"), 256, 30)
        return self.call("POST", "/slots", protocol.to_json(hello))

    def claim(self, *kinds: str) -> Any:
        return self.call("POST", "/claim", {"slot_id": self.slot_id, "kinds": list(kinds) or ["session", "training"]})

    def proof(self, lease: dict[str, Any], **changed: Any) -> dict[str, Any]:
        """The claim proof of a lease; `changed` spoils fields of it."""
        grant_sha256 = statement_sha256(lease["grant"]["body"]) if lease["grant"] else statement_sha256(lease["job"])
        public = b64(self.ephemeral.public_key().public_bytes_raw())
        body = (
            protocol.claim_statement(lease["lease_id"], lease["epoch"], lease["nonce"], public, BUILD, grant_sha256)
            | changed
        )
        return sign_statement(self.key, "slot-claim", body)

    def answer(self, lease: dict[str, Any], offer: dict[str, Any], sdp: str = "v=0 answer", **changed: Any) -> Any:
        """Answer an offer (an event's body) with a real manifest request; `changed` spoils fields of that."""
        key = SessionKey()
        mark = {"slot_id": LiveState.objects.get().mark["slot_id"], "start_ms": 0, "end_ms": 8000}
        request = protocol.ManifestRequest(
            grant=lease["grant"], claim=self.proof(lease), session_cose_key=b64(key.cose_key()), kid=b64(key.kid),
            binding_public=b64(key.public.public_bytes_raw()), viewer_nonce=offer["viewer_nonce"],
            dtls_fingerprint="sha-256 AA:BB", mark_slots=(mark,), width=256, height=256,
            signer_binding=b64(key.bind_to_signer(unb64(lease["facts"]["signer_certificate"]))))
        return self.call("POST", f"/leases/{lease['lease_id']}/answer", {
            "offer_id": offer["offer_id"], "sdp": sdp, "session_facts": {"size_px": 256},
            "manifest": protocol.to_json(request) | changed})

    def ask_for_keys(self, lease: dict[str, Any], **changed: Any) -> Any:
        return self.call("POST", f"/leases/{lease['lease_id']}/key", {"claim": self.proof(lease, **changed)})

    def open_keys(self, answer: dict[str, Any]) -> dict[str, Any]:
        opened = hpke_open(
            self.ephemeral, protocol.RELEASE_INFO, canonical_bytes(answer["aad"]), unb64(answer["sealed"])
        )
        keys: dict[str, Any] = json.loads(opened)
        return keys

    def hand_in(self, lease: dict[str, Any], keys: dict[str, Any], files: dict[str, bytes]) -> None:
        """Encrypt and put the files of a training, as a worker does."""
        for name, data in files.items():
            context = keys["contexts"].get(name) or keys["contexts"]["*"] + name
            answer = self.call(
                "PUT", f"/leases/{lease['lease_id']}/artefact/{name}", encrypt(unb64(keys["write"]), context, data)
            )
            assert answer.status_code == 200, answer.content
