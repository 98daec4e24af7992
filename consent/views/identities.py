"""Is this that person, live, at that time? The evidence, the checks worst first, and the decision."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from consent import charts, describe, inbox
from consent.errors import AcceptClosed, AlreadyDecided, DecisionInvalid
from consent.models import IdentityCheck
from consent.services import identities
from trustcore.accounts.permissions import Permission, requires
from trustcore.web.errors import NotFound

NAMES = {
    "turns": "Head turns in order, in time", "one_face": "One face", "seen_before": "Seen before",
    "own_output": "Our own mark or manifest", "same_face": "Same face", "spoken_phrase": "Spoken phrase",
    "colour_flash": "Colour flash on skin",
}  # fmt: skip
EVENTS = {
    "accept": "identity.verified", "ask_again": "identity.clip_requested", "refuse": "identity.rejected",
}  # fmt: skip


def _check(request: Any, public_id: str) -> IdentityCheck:
    """The check, if it belongs to the caller's organisation; else as if there were none."""
    found: IdentityCheck | None = (
        IdentityCheck.objects.select_related(
            "clip__consent__subject__organisation",
            "clip__consent__invitation__invited_by",
            "clip__consent__notice",
            "clip__challenge",
        )
        .filter(public_id=public_id, clip__consent__subject__organisation=request.organisation)
        .first()
    )
    if found is None or request.organisation is None:
        raise NotFound("There is no clip of this id here.")
    return found


@requires(GET=Permission.IDENTITY_VIEW, POST=Permission.IDENTITY_DECIDE)
@require_http_methods(["GET", "POST"])
def identity(request: Any, public_id: str) -> HttpResponse:
    check = _check(request, public_id)
    if request.method == "GET":
        return render(request, "consent/identity_decide.html", _context(request, check))
    try:
        identities.decide(
            actor=request.actor, officer=request.user, check=check, decision=request.POST.get("decision", ""),
            sentence=request.POST.get("sentence", "").strip(), reason=request.POST.get("reason", "").strip(),
        )  # fmt: skip
    except (AcceptClosed, AlreadyDecided, DecisionInvalid) as error:
        check.refresh_from_db()
        return render(request, "consent/identity_decide.html", {**_context(request, check), "error": error}, status=409)
    return redirect("consent_identity", public_id=public_id)


def _context(request: Any, check: IdentityCheck) -> dict[str, Any]:
    results = [{**result, "label": NAMES.get(result["name"], result["name"])} for result in check.results]
    turns: dict[str, Any] = next((result for result in check.results if result["name"] == "turns"), {})
    failed = [result for result in results if result["verdict"] == "fail"]
    told = next((result["to_subject"] for result in failed if result["to_subject"]), "")
    return {
        "check": check,
        "clip": check.clip,
        "subject": check.consent.subject,
        "consent": check.consent,
        "results": results,
        "invitation": check.consent.invitation,
        "challenge": check.clip.challenge.body,
        "counts": inbox.counts(check),
        "chart": charts.turn_chart(turns, check.clip.duration_s) if turns else None,
        "failed": failed,
        "scope": describe.scope(check.consent.agreed_scope),
        "events": EVENTS,
        "sentence": told or (identities.SENTENCES["ask_again"] if failed else identities.SENTENCES["accept"]),
        "may_decide": Permission.IDENTITY_DECIDE in request.permissions,
        "decision": getattr(check, "decision", None),
    }


@requires(Permission.IDENTITY_VIEW)
@require_GET
def clip(request: Any, public_id: str) -> HttpResponse:
    """The recording as received. It is biometric: opening it is an event, and no cache keeps it."""
    check = _check(request, public_id)
    media = identities.open_clip(actor=request.actor, check=check)
    kind = check.clip.content_type.split(";")[0]
    return _ranged(request, media, kind if kind.startswith("video/") else "video/mp4")


def _ranged(request: Any, media: bytes, content_type: str) -> HttpResponse:
    """The bytes, or the one range asked for: without ranges a browser cannot seek."""
    wanted = request.headers.get("range", "")
    start_text, _, end_text = wanted.removeprefix("bytes=").partition("-")
    if not wanted.startswith("bytes=") or not start_text.isdigit() or int(start_text) >= len(media):
        response = HttpResponse(media, content_type=content_type)
    else:
        start, end = int(start_text), min(int(end_text) if end_text.isdigit() else len(media) - 1, len(media) - 1)
        response = HttpResponse(media[start : end + 1], content_type=content_type, status=206)
        response["Content-Range"] = f"bytes {start}-{end}/{len(media)}"
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = "no-store"
    return response


@requires(Permission.IDENTITY_VIEW)
@require_GET
def poster(request: Any, public_id: str) -> HttpResponse:
    check = _check(request, public_id)
    return HttpResponse(identities.open_poster(actor=request.actor, check=check), content_type="image/jpeg")
