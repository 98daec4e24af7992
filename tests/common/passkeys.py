"""Give people of the cast software passkeys, stored as the sign-in library stores them."""

from allauth.mfa.webauthn.internal.auth import WebAuthn

from consent import passkeys
from tests.common.software_passkey import SoftwarePasskey
from trustcore.accounts.models import User


def give_passkey(user: User, name: str = "Office laptop") -> SoftwarePasskey:
    party = passkeys.relying_party()
    key = SoftwarePasskey(party.rp_id, party.origin, name)
    WebAuthn.add(user, name, key.registration())
    return key
