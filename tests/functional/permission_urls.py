"""Addresses that exist only to test the middleware: one of each kind of declaration."""

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.urls import include, path
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from trustcore.accounts.permissions import Permission, public, requires
from trustcore.primitives.errors import Fault
from trustcore.web.errors import RequestInvalid


class Exploded(Fault):
    """For the test."""

    code = "internal"


@public
def anyone(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"ok": True})


def undeclared(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"ok": True})


@requires(GET=Permission.CONVERSATION_VIEW, POST=Permission.CONVERSATION_CREATE)
@api_view(["GET", "POST", "DELETE"])
def conversations(request: Request) -> Response:
    actor: Any = request._request.actor  # type: ignore[attr-defined]
    return Response({"actor": actor.type, "organisation": request._request.organisation.slug, "sent": request.data})


@requires(Permission.STREAM_KILL)
def kill(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"ok": True})


@public
def refuses(request: HttpRequest) -> JsonResponse:
    raise RequestInvalid("The clip is too long.", fields={"clip": ["too long"]}, inner="not told")


@public
def breaks(request: HttpRequest) -> JsonResponse:
    raise Exploded("the password of the database is 1234")


urlpatterns = [
    path("v2/conversations", conversations),
    path("v2/undeclared", undeclared),
    path("anyone/", anyone),
    path("kill/", kill),
    path("v2/refuses", refuses),
    path("refuses/", refuses),
    path("v2/breaks", breaks),
    path("", include("trustcore.accounts.urls")),
    path("", anyone, name="home"),
]
handler404 = "trustcore.web.errors.not_found"
