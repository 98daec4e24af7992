"""A person's passkeys as allauth keeps them, in the form that WebAuthn verification wants."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from allauth.mfa.models import Authenticator
from django.conf import settings
from fido2 import cbor

from consent.evidence import RelyingParty
from trustcore.accounts.models import User
from trustcore.primitives.signing import b64


@dataclass(frozen=True)
class Passkey:
    """One registered credential. `credential_id` is base64url without padding; `public_key` is COSE."""

    credential_id: str
    public_key: bytes
    name: str


def of_user(user: User) -> list[Passkey]:
    """Every passkey this person registered, oldest first."""
    rows = Authenticator.objects.filter(user_id=user.pk, type=Authenticator.Type.WEBAUTHN).order_by("created_at")
    found = []
    for row in rows:
        wrapped = row.wrap()
        data = wrapped.authenticator_data.credential_data
        found.append(Passkey(b64(data.credential_id), cbor.encode(data.public_key), wrapped.name))
    return found


def relying_party() -> RelyingParty:
    """This installation: passkeys belong to its host name and answer on its one origin."""
    parts = urlsplit(settings.BASE_URL)
    return RelyingParty(rp_id=parts.hostname or "", origin=f"{parts.scheme}://{parts.netloc}")
