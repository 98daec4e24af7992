"""A whole passkey in software: registers and signs like an authenticator, so that tests need no browser and no mock."""

import json
import secrets
import struct
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from trustcore.primitives.hashing import sha256
from trustcore.primitives.signing import b64

USER_PRESENT, USER_VERIFIED, ATTESTED = 0x01, 0x04, 0x40


class SoftwarePasskey:
    """One P-256 credential. `name` is what its owner calls it."""

    def __init__(self, rp_id: str = "localhost", origin: str = "http://localhost:8000", name: str = "Test key") -> None:
        self.rp_id, self.origin, self.name = rp_id, origin, name
        self.credential_id = secrets.token_bytes(16)
        self._private = ec.generate_private_key(ec.SECP256R1())
        self._count = 0

    @property
    def public_key(self) -> bytes:
        """COSE form."""
        numbers = self._private.public_key().public_numbers()
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})

    def registration(self) -> dict[str, Any]:
        """The browser's answer to navigator.credentials.create(), as allauth stores it."""
        attested = bytes(16) + struct.pack(">H", 16) + self.credential_id + self.public_key
        auth_data = self._auth_data(USER_PRESENT | USER_VERIFIED | ATTESTED) + attested
        client_data = self._client_data("webauthn.create", secrets.token_bytes(32))
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": auth_data})
        response = {"clientDataJSON": b64(client_data), "attestationObject": b64(attestation)}
        identifier = b64(self.credential_id)
        return {
            "id": identifier, "rawId": identifier, "type": "public-key", "response": response,
            "clientExtensionResults": {"credProps": {"rk": True}}, "authenticatorAttachment": "platform",
        }  # fmt: skip

    def sign(self, challenge: bytes, *, user_verified: bool = True, origin: str | None = None) -> dict[str, Any]:
        """The browser's answer to navigator.credentials.get() for `challenge`."""
        self._count += 1
        auth_data = self._auth_data(USER_PRESENT | (USER_VERIFIED if user_verified else 0))
        client_data = self._client_data("webauthn.get", challenge, origin)
        signature = self._private.sign(auth_data + sha256(client_data), ec.ECDSA(hashes.SHA256()))
        identifier = b64(self.credential_id)
        response = {
            "clientDataJSON": b64(client_data),
            "authenticatorData": b64(auth_data),
            "signature": b64(signature),
        }
        return {"id": identifier, "rawId": identifier, "type": "public-key", "response": response,
                "clientExtensionResults": {}}  # fmt: skip

    def _auth_data(self, flags: int) -> bytes:
        return sha256(self.rp_id.encode()) + struct.pack(">BI", flags, self._count)

    def _client_data(self, kind: str, challenge: bytes, origin: str | None = None) -> bytes:
        return json.dumps(
            {"type": kind, "challenge": b64(challenge), "origin": origin or self.origin, "crossOrigin": False}
        ).encode()
