"""Give people of the cast software passkeys, stored as the sign-in library stores them."""

from allauth.mfa.webauthn.internal.auth import WebAuthn

from consent import passkeys
from deploy.demo.authenticator import SoftwarePasskey
from trustcore.accounts.models import User
from trustcore.primitives.signing import b64


def give_passkey(user: User, name: str = "Office laptop") -> SoftwarePasskey:
    party = passkeys.relying_party()
    key = SoftwarePasskey(party.origin)
    options = {"rp": {"id": party.rp_id}, "user": {"id": b64(str(user.pk).encode())}, "challenge": b64(bytes(32))}
    WebAuthn.add(user, name, key.create(options))
    return key
