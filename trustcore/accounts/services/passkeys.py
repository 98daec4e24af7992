"""A person's passkeys: register, list, remove. Stored by django-allauth; every change is an event.

Only resident keys with user verification count: a passkey here is somebody's whole sign-in and signature.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth
from django.conf import settings
from django.core.exceptions import ValidationError

from trustcore.accounts.models import User
from trustcore.audit import recording
from trustcore.primitives.errors import Refusal
from trustcore.primitives.hashing import sha256_hex
from trustcore.primitives.signing import unb64

MAX_PASSKEYS = 10


class PasskeyInvalid(Refusal):
    """The browser's passkey answer does not verify."""

    code = "request.passkey_invalid"


class PasskeyMissing(Refusal):
    """There is no such passkey."""

    code = "request.passkey_missing"


@dataclass(frozen=True)
class Passkey:
    """One passkey, as its owner sees it."""

    id: int
    name: str
    created_at: datetime
    last_used_at: datetime | None


def of(user: User) -> list[Passkey]:
    rows = Authenticator.objects.filter(user_id=user.pk, type=Authenticator.Type.WEBAUTHN).order_by("created_at")
    return [Passkey(row.pk, row.wrap().name, row.created_at, row.last_used_at) for row in rows]


def begin_registration(user: User) -> dict[str, Any]:
    """Options for `navigator.credentials.create`, as JSON; the challenge stays in the session."""
    options: dict[str, Any] = json.loads(json.dumps(auth.begin_registration(user, True), default=_json))
    return options


def complete_registration(user: User, *, actor: recording.Actor, name: str, credential: Mapping[str, Any]) -> None:
    """Keep the passkey that the browser made.

    Raises:
        PasskeyInvalid: wrong challenge, origin or shape, the user was not verified, or there are too many.
    """
    require_our_origin(credential)
    if len(of(user)) >= MAX_PASSKEYS:
        raise PasskeyInvalid(f"You have {MAX_PASSKEYS} passkeys. Remove one first.")
    try:
        auth.parse_registration_response(credential)
        binding = auth.complete_registration(dict(credential))
    except (ValidationError, ValueError, KeyError) as error:
        raise PasskeyInvalid("The passkey could not be checked. Try again.") from error
    if not binding.is_user_verified():
        raise PasskeyInvalid("The passkey did not verify you. Use one with a PIN, a fingerprint or your face.")
    obj = _reference(user, str(credential["id"]))
    with recording.recording(actor=actor, action=recording.Action.PASSKEY_ADDED, obj=obj) as event:
        event.add(user=user.public_id)
        auth.WebAuthn.add(user, name.strip()[:60] or "Passkey", dict(credential))


def remove(user: User, passkey_id: int, *, actor: recording.Actor) -> None:
    """Forget one of the user's own passkeys. Raises PasskeyMissing."""
    row = Authenticator.objects.filter(user_id=user.pk, type=Authenticator.Type.WEBAUTHN, pk=passkey_id).first()
    if row is None:
        raise PasskeyMissing("You have no such passkey.")
    obj = _reference(user, str(row.data["credential"]["id"]))
    with recording.recording(actor=actor, action=recording.Action.PASSKEY_REMOVED, obj=obj) as event:
        event.add(user=user.public_id)
        row.delete()


def require_our_origin(credential: Mapping[str, Any]) -> None:
    """Refuse an answer made on another site. The library only checks HTTPS origins, and the demo runs on localhost.

    Raises:
        PasskeyInvalid: the client data names another origin than TRUSTCORE_BASE_URL.
    """
    try:
        client_data = json.loads(unb64(credential["response"]["clientDataJSON"].rstrip("=")))
        origin = client_data["origin"]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PasskeyInvalid("The passkey's answer is not readable. Try again.") from error
    if origin != settings.BASE_URL:
        raise PasskeyInvalid(f"The passkey answered for another site. Open {settings.BASE_URL} and try again.")


def _reference(user: User, credential_id: str) -> recording.ObjectRef:
    return recording.ObjectRef("passkey", sha256_hex(credential_id.encode())[:32])


def _json(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else str(value)
