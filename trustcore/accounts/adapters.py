"""Where django-allauth asks us: nobody signs up by themselves, passkeys are named after their owner, sign-ins are
events."""

from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.http import HttpRequest

from trustcore.audit import recording


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts are made by invitation only, and every sign-in is on the record."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def login(self, request: HttpRequest, user: Any) -> None:
        with recording.recording(actor=recording.Actor.user(user), action=recording.Action.SESSION_STARTED, obj=user):
            super().login(request, user)


class PasskeyAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Passkeys carry the person's name, and belong to the host of TRUSTCORE_BASE_URL, whatever host was asked."""

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {"id": urlsplit(settings.BASE_URL).hostname or "", "name": "Trustcore"}

    def get_public_key_credential_user_entity(self, user: Any) -> dict[str, Any]:
        entity = super().get_public_key_credential_user_entity(user)
        return {**entity, "name": user.email, "display_name": user.display_name}
