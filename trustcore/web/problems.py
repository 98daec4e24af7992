"""Where coded errors meet HTTP: the only table of statuses, and the one JSON shape.

`{"error": sentence, "message": sentence, "code": code, "request_id": id, ...}`: `error` and `message` are the Tavus
names; both are there because clients of either reading exist.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode

from trustcore.primitives.errors import Fault, TrustcoreError

# Exact codes first; else the part before the dot; else 409 for a refusal and 500 for a fault.
STATUS: dict[str, int] = {
    "account.sign_in_needed": 401,
    "account.reauthentication_needed": 403,
    "account.demo_link_invalid": 404,
    "api_key.invalid": 401,
    "api_key.missing": 404,
    "member.missing": 404,
    "member.own_roles": 403,
    "blob.missing": 404,
    "request.passkey_missing": 404,
    "permission.missing": 403,
    "permission.undeclared": 405,
    "not_found": 404,
    "audit.entry_missing": 404,
    "request.invalid": 400,
    "request.method_not_allowed": 405,
    "request.csrf_invalid": 403,
    "request.too_large": 413,
    "request.too_many": 429,
    "check.answer_withheld": 410,
    "conversation.too_fast": 429,
    "captions.too_many": 429,
    "conversation.embedding_not_allowed": 403,
    "figures.invalid": 400,
    "service_targets.invalid": 400,
    "figures.implausible": 422,
    "figures.not_taken": 410,
    "resolution.query_invalid": 400,
    "resolution.manifest_unknown": 404,
    "resolution.manifest_withheld": 410,
    "resolution.content_not_offered": 501,
    "resolution.too_many": 429,
    "state.invalid_transition": 409,
    "signature.invalid": 403,
    "grant.invalid": 403,
    "grant.expired": 403,
    "grant.revoked": 403,
    "envelope.invalid": 409,
    "proof.invalid": 422,
    "decision.refused": 403,
    "database.unavailable": 503,
}
FAMILY_STATUS: dict[str, int] = {
    "consent": 403,
    "identity": 403,
    "replica": 409,
    "approval": 409,
    "policy": 409,
    "media": 422,
    "footage": 422,
    "clip": 422,
    "training": 422,
    "request": 400,
    "invitation": 410,
    "conversation": 409,
    "lease": 409,
    "key": 409,
    "worker": 403,
}


def status_of(error: TrustcoreError | str) -> int:
    """The HTTP status of an error, or of a code."""
    code = error if isinstance(error, str) else error.code
    if code in STATUS:
        return STATUS[code]
    if code in _codes_below(Fault):
        return 500
    return FAMILY_STATUS.get(code.split(".", 1)[0], 409)


def _codes_below(family: type[TrustcoreError]) -> set[str]:
    """The codes of a family of errors, as far as their modules are imported."""
    return {family.code}.union(*(_codes_below(child) for child in family.__subclasses__()))


def body_of(request: HttpRequest, error: TrustcoreError) -> dict[str, Any]:
    """The JSON body. A fault tells its code and the request id; its inner words stay inside."""
    message = error.message
    facts: dict[str, Any] = {}
    if isinstance(error, Fault):
        message = "Something broke on our side. Try again later; quote the request id."
    else:
        facts = {
            key: value for key, value in error.facts.items() if key in {"fields", "reasons", "error_type", "permission"}
        }
    return {"error": message, "message": message, "code": error.code, "request_id": getattr(request, "id", ""), **facts}


def wants_json(request: HttpRequest) -> bool:
    """API addresses, programs with a key, and scripts that ask for JSON get JSON; people get a page."""
    if request.path.startswith(("/v2/", "/worker/", "/api/", "/c2pa/")) or "x-api-key" in request.headers:
        return True
    accept = request.headers.get("accept", "")
    return "application/json" in accept and "text/html" not in accept


def response_for(request: HttpRequest, error: TrustcoreError) -> HttpResponse:
    """The answer for a coded error: JSON or a page. Somebody who is not signed in is sent to sign in."""
    status, body = status_of(error), body_of(request, error)
    if wants_json(request):
        return JsonResponse(body, status=status)
    if status == 401:
        return HttpResponseRedirect(f"{reverse('account_login')}?{urlencode({'next': request.get_full_path()})}")
    return render(request, "errors/problem.html", {"problem": body, "status": status}, status=status)
