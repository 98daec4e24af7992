"""A software passkey: what a phone or a security key does, in Python, for people the demo and the tests play.

It follows W3C WebAuthn Level 3 sections 6.1 (authenticator data), 6.3.2 (make credential) and 6.3.3 (get assertion),
with ES256 and "none" attestation. It always says that the user was verified, so it must never be anybody's real
passkey.
"""

import hashlib
import json
import os
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from trustcore.primitives.signing import b64, unb64

USER_PRESENT, USER_VERIFIED, HAS_CREDENTIAL = 0x01, 0x04, 0x40


@dataclass
class SoftwarePasskey:
    """One credential of one person at one site. `origin` is what a browser would put into the client data."""

    origin: str
    user_verified: bool = True
    credential_id: bytes = field(default_factory=lambda: os.urandom(32))
    user_handle: bytes = b""
    counter: int = 0
    _key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def public_key(self) -> bytes:
        """In COSE form (RFC 9052), as an authenticator hands it over."""
        numbers = self._key.public_key().public_numbers()
        return cbor2.dumps(
            {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}, canonical=True
        )

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        """Answer to navigator.credentials.create(): a RegistrationResponseJSON.

        Args:
            options: PublicKeyCredentialCreationOptionsJSON, or an object that holds it under "publicKey".
        """
        public_key = options.get("publicKey", options)
        self.user_handle = unb64(public_key["user"]["id"])
        length = len(self.credential_id).to_bytes(2, "big")
        credential = b"\x00" * 16 + length + self.credential_id + self.public_key
        authenticator_data = self._authenticator_data(public_key["rp"]["id"], HAS_CREDENTIAL) + credential
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": authenticator_data})
        return self._response({
            "clientDataJSON": b64(self._client_data("webauthn.create", public_key["challenge"])),
            "attestationObject": b64(attestation), "transports": ["internal"],
        })

    def get(self, options: dict[str, Any]) -> dict[str, Any]:
        """Answer to navigator.credentials.get(): an AuthenticationResponseJSON over the options' challenge."""
        public_key = options.get("publicKey", options)
        self.counter += 1
        client_data = self._client_data("webauthn.get", public_key["challenge"])
        authenticator_data = self._authenticator_data(public_key["rpId"], 0)
        signature = self._key.sign(authenticator_data + hashlib.sha256(client_data).digest(), ec.ECDSA(SHA256()))
        return self._response({
            "clientDataJSON": b64(client_data), "authenticatorData": b64(authenticator_data),
            "signature": b64(signature),
            "userHandle": b64(self.user_handle),
        })

    def _response(self, response: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": b64(self.credential_id),
            "rawId": b64(self.credential_id),
            "type": "public-key",
            "response": response,
            "clientExtensionResults": {"credProps": {"rk": True}},
            "authenticatorAttachment": "platform",
        }

    def _authenticator_data(self, rp_id: str, flags: int) -> bytes:
        flags |= USER_PRESENT | (USER_VERIFIED if self.user_verified else 0)
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4, "big")

    def _client_data(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()
