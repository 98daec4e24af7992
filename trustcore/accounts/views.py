"""Signing in: pages of our own around django-allauth's passkey ceremonies. There is no password form anywhere."""

from typing import Any

from allauth.account import views as allauth_account
from allauth.mfa.webauthn import views as allauth_webauthn
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from trustcore.accounts.permissions import Permission, public, requires


@public
def login(request: HttpRequest) -> HttpResponse:
    """The sign-in page: one button, a passkey. Somebody who is already signed in goes home."""
    if request.user.is_authenticated:
        return redirect("home")
    return render(request, "account/login.html", {"next": request.GET.get("next", "")})


def _with(declare: Any, view: Any) -> Any:
    """One of allauth's views with our declaration. A wrapper, so that the library's own function stays untouched."""

    def declared_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return view(request, *args, **kwargs)

    return declare(declared_view)


_signed_in = requires(Permission.SIGNED_IN)
logout = _with(public, allauth_account.logout)
reauthenticate = _with(_signed_in, allauth_account.reauthenticate)
passkey_login = _with(public, allauth_webauthn.login_webauthn)
passkey_list = _with(_signed_in, allauth_webauthn.list_webauthn)
passkey_add = _with(_signed_in, allauth_webauthn.add_webauthn)
passkey_remove = _with(_signed_in, allauth_webauthn.remove_webauthn)
passkey_reauthenticate = _with(_signed_in, allauth_webauthn.reauthenticate_webauthn)
