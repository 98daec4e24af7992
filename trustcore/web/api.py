"""The API's side of the web edge: DRF asks here who calls, and how an error looks."""

from typing import Any

from django.http import Http404
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.response import Response

from trustcore.primitives.errors import TrustcoreError
from trustcore.web import errors, problems


class ApiKeyAuthentication(BaseAuthentication):  # type: ignore[misc]
    """Hand DRF the key that ActorMiddleware checked. `request.auth` is the ApiKey; there is no user."""

    def authenticate(self, request: Any) -> tuple[Any, Any] | None:
        key = getattr(request._request, "api_key", None)
        return None if key is None else (key.created_by, key)

    def authenticate_header(self, request: Any) -> str:
        return "x-api-key"


def exception_handler(exception: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's errors and ours in one shape. None lets an unknown error be the 500 it is."""
    error = _coded(exception)
    if error is None:
        return None
    request = context["request"]._request
    return Response(problems.body_of(request, error), status=problems.status_of(error))


def _coded(exception: Exception) -> TrustcoreError | None:
    if isinstance(exception, TrustcoreError):
        return exception
    if isinstance(exception, exceptions.ValidationError):
        return errors.RequestInvalid("Some fields are wrong; see fields.", fields=exception.detail)
    if isinstance(exception, exceptions.ParseError | exceptions.UnsupportedMediaType):
        return errors.RequestInvalid("The body is not JSON that can be read.")
    if isinstance(exception, exceptions.MethodNotAllowed):
        return errors.MethodNotAllowed("This address does not take this method.")
    if isinstance(exception, exceptions.NotFound | Http404):
        return errors.NotFound("There is nothing at this address.")
    if isinstance(exception, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        return errors.SignInNeeded("Sign in, or send an API key in x-api-key.")
    if isinstance(exception, exceptions.PermissionDenied):
        return errors.PermissionMissing("You may not do this.")
    return None
