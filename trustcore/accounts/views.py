"""Signing in and one's own account: pages around django-allauth's passkey ceremonies. There is no password anywhere."""

import json
import time
from typing import Any

from allauth.account import views as allauth_account
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.mfa.webauthn import views as allauth_webauthn
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from trustcore.accounts import demo_links
from trustcore.accounts.models import ApiKey
from trustcore.accounts.permissions import API_KEY_PERMISSIONS, Permission, Role, public, requires
from trustcore.accounts.selectors import memberships
from trustcore.accounts.services import api_keys, passkeys, people
from trustcore.accounts.services.strangers import strangers
from trustcore.audit import recording
from trustcore.primitives.errors import Refusal


class ReauthenticationNeeded(Refusal):
    """The act needs a fresh proof of who is sitting there."""

    code = "account.reauthentication_needed"


@public
@require_GET
def login(request: HttpRequest) -> HttpResponse:
    """The sign-in page: one button, a passkey. Somebody who is already signed in goes on."""
    wanted = _safe_next(request)
    if request.user.is_authenticated:
        return redirect(wanted or "home")
    return render(request, "account/login.html", {"next": wanted})


def _safe_next(request: HttpRequest) -> str:
    wanted = request.GET.get("next", "")
    return wanted if url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}) else ""


def _with(declare: Any, view: Any) -> Any:
    """One of allauth's views with our declaration. A wrapper, so that the library's own function stays untouched."""

    def declared_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = view(request, *args, **kwargs)
        return response

    return declare(declared_view)


_signed_in = requires(Permission.SIGNED_IN)
logout = _with(public, allauth_account.logout)


@public
def passkey_login(request: HttpRequest) -> HttpResponse:
    """GET: options for the browser. POST: its answer; allauth checks it and signs the person in."""
    if request.method == "POST":
        _check_origin(request)
    response: HttpResponse = allauth_webauthn.login_webauthn(request)
    if request.method == "POST" and not request.user.is_authenticated:
        nobody = recording.ObjectRef("session", "unknown")
        strangers.refused(action=recording.Action.SESSION_REFUSED, obj=nobody, reason="request.passkey_invalid")
    return response


@_signed_in
def reauthenticate(request: HttpRequest) -> HttpResponse:
    """Ask for the passkey again before something that matters."""
    if request.method == "POST":
        _check_origin(request)
    response: HttpResponse = allauth_webauthn.reauthenticate_webauthn(request)
    return response


def _check_origin(request: HttpRequest) -> None:
    try:
        credential = json.loads(request.POST.get("credential", ""))
    except ValueError as error:
        raise passkeys.PasskeyInvalid("The passkey's answer is not readable. Try again.") from error
    passkeys.require_our_origin(credential)


def _has_just_shown_a_passkey(request: Any) -> bool:
    """Whether a passkey signed this session in, or was shown again, within the last minutes. A demo link counts too."""
    since = time.time() - settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
    records = get_authentication_records(request, request.user)
    return any(record.get("method") in {"mfa", "demo_link"} and record["at"] >= since for record in records)


@_signed_in
@require_GET
def passkey_list(request: Any) -> HttpResponse:
    return render(request, "account/passkeys.html", {"passkeys": passkeys.of(request.user)})


@_signed_in
@require_http_methods(["GET", "POST"])
def passkey_add(request: Any) -> HttpResponse:
    """GET: options for the browser. POST {"name", "credential"}: its answer."""
    # The first passkey needs no other: somebody invited by a link has none to show.
    if passkeys.of(request.user) and not _has_just_shown_a_passkey(request):
        raise ReauthenticationNeeded("Show a passkey you have before you add another one.")
    if request.method == "GET":
        return JsonResponse(passkeys.begin_registration(request.user))
    try:
        body = json.loads(request.body)
        name, credential = str(body["name"]), body["credential"]
    except (ValueError, KeyError, TypeError) as error:
        raise passkeys.PasskeyInvalid("Send the passkey's name and the browser's answer.") from error
    passkeys.complete_registration(request.user, actor=request.actor, name=name, credential=credential)
    messages.success(request, _("The passkey is yours. You can sign in with it from now on."))
    return JsonResponse({"ok": True}, status=201)


@_signed_in
@require_POST
def passkey_remove(request: Any, pk: int) -> HttpResponse:
    if not _has_just_shown_a_passkey(request):
        raise ReauthenticationNeeded("Show a passkey you have before you remove one.")
    passkeys.remove(request.user, pk, actor=request.actor)
    messages.success(request, _("The passkey is forgotten."))
    return redirect("mfa_list_webauthn")


@_signed_in
@require_POST
def choose_organisation(request: Any) -> HttpResponse:
    """Act for another of one's own organisations."""
    organisation, _roles = memberships.in_force(request.user, request.POST.get("organisation"))
    request.session["organisation"] = organisation.slug if organisation else ""
    return redirect("home")


@public
@require_GET
def demo_sign_in(request: HttpRequest, token: str) -> HttpResponse:
    """Sign in a person of the demo's cast. Answers only while the demo is on."""
    user = demo_links.user_of(token)
    request.session.flush()  # one browser may play several people, one after the other
    get_adapter().login(request, user)
    record_authentication(request, user, "demo_link")
    return redirect(_safe_next(request) or "home")


@requires(Permission.API_KEY_MANAGE)
@require_http_methods(["GET", "POST"])
def api_key_list(request: Any) -> HttpResponse:
    """The organisation's keys. A new one is shown on the page that answers its making, and never again."""
    shown = None
    if request.method == "POST":
        _key, shown = api_keys.create(
            actor=request.actor,
            organisation=request.organisation,
            created_by=request.user,
            name=request.POST.get("name", "") or _("Unnamed"),
            scope=request.POST.getlist("scope"),
        )
    rows = ApiKey.objects.filter(organisation=request.organisation).order_by("-created_at")
    scopes = sorted(permission.value for permission in API_KEY_PERMISSIONS)
    return render(request, "account/api_keys.html", {"keys": rows, "scopes": scopes, "shown": shown})


@requires(Permission.API_KEY_MANAGE)
@require_POST
def api_key_revoke(request: Any, public_id: str) -> HttpResponse:
    """Fetching is authorising: a key of another organisation is not found."""
    key = ApiKey.objects.filter(organisation=request.organisation, public_id=public_id).first()
    if key is None:
        raise api_keys.ApiKeyMissing("There is no such key.")
    api_keys.revoke(actor=request.actor, key=key)
    messages.success(request, _("The key is revoked. Programs that use it are refused from now on."))
    return redirect("api_keys")


@requires(GET=Permission.MEMBER_VIEW, POST=Permission.MEMBER_MANAGE)
@require_http_methods(["GET", "POST"])
def member_list(request: Any) -> HttpResponse:
    """Who may do what here; an administrator gives somebody a role."""
    if request.method == "POST":
        fields = {name: request.POST.get(name, "") for name in ("email", "display_name", "role", "title")}
        people.admit(actor=request.actor, admin=request.user, organisation=request.organisation, **fields)
        messages.success(request, _("The role is given. It counts from now on."))
        return redirect("members")
    rows = memberships.of_organisation(request.organisation)
    return render(request, "account/members.html", {"members": rows, "choices": [role.value for role in Role]})


@requires(Permission.MEMBER_MANAGE)
@require_POST
def member_dismiss(request: Any, public_id: str) -> HttpResponse:
    people.dismiss(
        actor=request.actor, admin=request.user, organisation=request.organisation, membership_id=public_id
    )
    messages.success(request, _("The role is taken. It stops counting at once."))
    return redirect("members")
