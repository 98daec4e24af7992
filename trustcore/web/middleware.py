"""What every request passes: an id, headers, errors in one shape, who is acting, and whether they may."""

import secrets
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from trustcore.accounts import permissions
from trustcore.accounts.selectors import memberships
from trustcore.accounts.services import api_keys
from trustcore.audit import recording
from trustcore.audit.actors import Actor
from trustcore.audit.context import request_id
from trustcore.primitives.errors import TrustcoreError
from trustcore.primitives.hashing import sha256_hex
from trustcore.web import problems
from trustcore.web.errors import PermissionMissing, SignInNeeded, UndeclaredView

GetResponse = Callable[[HttpRequest], HttpResponse]


class RequestIdMiddleware:
    """Give the request an id, in its events, its errors and its answer. A caller's own id is not taken over."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        request.id = secrets.token_hex(8)
        token = request_id.set(request.id)
        try:
            response = self.get_response(request)
        finally:
            request_id.reset(token)
        response["X-Request-Id"] = request.id
        return response


class HeadersMiddleware:
    """Headers that Django's own middleware does not set."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.setdefault(
            "Permissions-Policy", "camera=(self), microphone=(self), geolocation=(), payment=(), usb=()"
        )
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if not response.has_header("Cache-Control"):
            response["Cache-Control"] = "no-store"
        return response


class ProblemMiddleware:
    """Turn a coded error from a view into its answer. Anything uncoded is Django's 500, with nothing told."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, TrustcoreError):
            return problems.response_for(request, exception)
        return None


class ActorMiddleware:
    """Say who acts: the API key of `x-api-key`, else the signed-in person; and for which organisation."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        request.api_key, request.organisation, request.memberships, request.membership = None, None, [], None
        request.session_commitment = ""
        request.actor, request.permissions = Actor.anyone(), frozenset()
        try:
            self._identify(request)
        except TrustcoreError as error:
            return problems.response_for(request, error)
        return self.get_response(request)

    def _identify(self, request: Any) -> None:
        if secret := request.headers.get("x-api-key"):
            key = api_keys.authenticate(secret)
            request.api_key, request.organisation = key, key.organisation
            request.actor, request.permissions = Actor.api_key(key), api_keys.permissions_of(key)
            # The key says what it is for; a browser session that came along must not add to it.
            request.csrf_processing_done = True
        elif request.user.is_authenticated:
            session_key = request.session.session_key or ""
            request.session_commitment = sha256_hex(session_key.encode())[:16] if session_key else ""
            request.actor = Actor.user(request.user, request)
            chosen = request.session.get("organisation")
            request.organisation, request.memberships = memberships.in_force(request.user, chosen)
            request.membership = next(iter(request.memberships), None)  # the one whose title the pages show
            roles = [membership.role for membership in request.memberships]
            request.permissions = permissions.of_roles(roles) | {permissions.Permission.SIGNED_IN}


class PermissionMiddleware:
    """Default deny: a view runs only if it declares what it needs and the caller has it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: Any, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        needed = permissions.declared(view, request.method)
        if needed == permissions.PUBLIC:
            return None
        if needed is None:
            return problems.response_for(request, UndeclaredView("This address does not take this method."))
        if request.actor.type == "anyone":
            return problems.response_for(request, SignInNeeded("Sign in, or send an API key in x-api-key."))
        if needed not in request.permissions:
            self._record(request, str(needed))
            return problems.response_for(
                request, PermissionMissing(f"You need the permission {needed} here.", permission=str(needed))
            )
        return None

    def _record(self, request: Any, needed: str) -> None:
        """Somebody known asked for more than they may: that is worth knowing. The address says what for."""
        tenant = request.organisation.slug if request.organisation else ""
        address = recording.ObjectRef("address", request.resolver_match.route[:80], tenant=tenant)
        recording.refused(
            actor=request.actor,
            action=recording.Action.PERMISSION_REFUSED,
            obj=address,
            reason="permission.missing",
            details={"needed": needed, "method": request.method},
        )
