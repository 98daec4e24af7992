"""Errors of the web edge, and the pages Django asks for when something goes wrong."""

from django.http import HttpRequest, HttpResponse

from trustcore.primitives.errors import Fault, Refusal
from trustcore.web import problems


class SignInNeeded(Refusal):
    """Nobody is signed in and no API key was sent."""

    code = "account.sign_in_needed"


class PermissionMissing(Refusal):
    """The caller does not have the permission this address needs."""

    code = "permission.missing"


class UndeclaredView(Refusal):
    """The address declares no permission for this method, so nobody has it."""

    code = "permission.undeclared"


class NotFound(Refusal):
    """There is no such thing, or the caller may not know of it."""

    code = "not_found"


class RequestInvalid(Refusal):
    """The request cannot be read or breaks a limit. `fields` says what is wrong with which."""

    code = "request.invalid"


class MethodNotAllowed(Refusal):
    """The address does not take this method."""

    code = "request.method_not_allowed"


class CSRFInvalid(Refusal):
    """The form's token is missing or old."""

    code = "request.csrf_invalid"


class InternalError(Fault):
    """Something broke on our side."""

    code = "internal"


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return problems.response_for(request, RequestInvalid("The request cannot be read. Check it and send it again."))


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return problems.response_for(request, PermissionMissing("You may not do this."))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return problems.response_for(request, NotFound("There is nothing at this address."))


def server_error(request: HttpRequest) -> HttpResponse:
    return problems.response_for(
        request, InternalError("Something broke on our side. Try again; quote the request id.")
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return problems.response_for(request, CSRFInvalid("The form is too old or came from another site. Load it again."))
