"""The public check page: no sign-in, one file, one answer in plain words."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from provenance.errors import FileMissing, FileTooLarge
from provenance.services import checks, claim_keys, public_keys
from trustcore.accounts.permissions import public
from trustcore.primitives.clock import from_rfc3339, utc_now
from trustcore.primitives.errors import Refusal

# A refusal of the file itself belongs beside the field, not on a page of its own.
STATUS_OF_REFUSAL = {"request.too_many": 429, "check.file_too_large": 413}


@public
def check(request: HttpRequest) -> HttpResponse:
    """Ask (GET) or send a file (POST)."""
    if request.method != "POST":
        return render(request, "provenance/check_form.html", {"max_mb": checks.MAX_BYTES // 2**20})
    try:
        row = checks.check(actor=request.actor, content=_content(request), now=utc_now())  # type: ignore[attr-defined]
    except Refusal as refusal:
        context = {"max_mb": checks.MAX_BYTES // 2**20, "problem": refusal.message, "code": refusal.code}
        status = STATUS_OF_REFUSAL.get(refusal.code, 422)
        return render(request, "provenance/check_form.html", context, status=status)
    return redirect("check_answer", public_id=row.public_id)


def _content(request: HttpRequest) -> bytes:
    file = request.FILES.get("clip")
    if file is None or not file.size:
        raise FileMissing("Choose a file first.")
    if file.size > checks.MAX_BYTES:
        raise FileTooLarge("This file is larger than 120 MB. Cut out the part you doubt and send that.")
    return bytes(file.read())


@public
@require_safe
def answer(request: HttpRequest, public_id: str) -> HttpResponse:
    """An answer that was given, at its own address."""
    body = checks.find(public_id)
    source = body["answer"]["source"] or {}
    return render(request, "provenance/check_answer.html", {
        "public_id": public_id, "body": body, "checked_at": from_rfc3339(body["checked_at"]),
        "consent_since": from_rfc3339(source["consent_since"]) if source.get("consent_since") else None,
    })  # fmt: skip


@public
@require_safe
def answer_file(request: HttpRequest, public_id: str) -> HttpResponse:
    """The signed answer, to keep."""
    return _download(checks.signed(public_id), f"{public_id}.json")


@public
@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    """The public keys of this house, for everyone who verifies."""
    return JsonResponse(dict(public_keys.in_force()))


@public
@require_safe
def authority(request: HttpRequest) -> HttpResponse:
    """The certificate authority that our manifests are trusted under."""
    return HttpResponse(claim_keys.anchor_pem(), content_type="application/x-pem-file")


def _download(content: dict[str, Any], name: str) -> HttpResponse:
    response = JsonResponse(content)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
