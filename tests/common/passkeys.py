"""Give people of the cast software passkeys, stored as the sign-in library stores them."""

from allauth.mfa.webauthn.internal.auth import WebAuthn

from consent import passkeys
from deploy.demo.authenticator import SoftwarePasskey
from trustcore.accounts.models import User
from trustcore.audit.actors import ObjectRef
from trustcore.audit.recording import Action, Actor, recording
from trustcore.primitives.hashing import sha256_hex
from trustcore.primitives.signing import b64


def give_passkey(user: User, name: str = "Office laptop") -> SoftwarePasskey:
    party = passkeys.relying_party()
    key = SoftwarePasskey(party.origin)
    options = {"rp": {"id": party.rp_id}, "user": {"id": b64(str(user.pk).encode())}, "challenge": b64(bytes(32))}
    credential = key.create(options)
    obj = ObjectRef("passkey", sha256_hex(str(credential["id"]).encode())[:32])
    with recording(actor=Actor.system("tests"), action=Action.PASSKEY_ADDED, obj=obj):
        WebAuthn.add(user, name, credential)
    return key
