"""The public check page: no sign-in, one file or one link, one answer in plain words, in four languages."""

import re
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from provenance import tasks
from provenance.errors import FileMissing, FileTooLarge
from provenance.models import CheckRun
from provenance.services import check_runs, checks, claim_keys, public_keys, session_lookup
from provenance.services import check_words as words
from provenance.services.check_runs import Proof
from provenance.states import CLIP_CHECK
from provenance.views.check_pages import answer_context, progress_of, session_context
from trustcore.accounts.permissions import public
from trustcore.primitives.clock import utc_now
from trustcore.primitives.errors import Refusal
from trustcore.web.errors import NotFound, RequestInvalid

OWN_PATH = re.compile(r"/check/(?:[\w-]+/)*")
# A refusal of the file itself belongs beside the field, not on a page of its own.
STATUS_OF_REFUSAL = {"request.too_many": 429, "check.file_too_large": 413}


@public
def check(request: HttpRequest) -> HttpResponse:
    """Ask (GET), or send a file or a link (POST). The answer comes at an address of its own."""
    if request.method != "POST":
        return _form(request)
    try:
        if (link := request.POST.get("link", "").strip()) and not request.FILES.get("clip"):
            return redirect("check_session", conversation_id=session_lookup.of_link(link, settings.BASE_URL))
        run = check_runs.submit(
            actor=request.actor,  # type: ignore[attr-defined]
            address=request.META.get("REMOTE_ADDR", ""), read=lambda: _content(request), proof=_proof(request),
            now=utc_now())
    except Refusal as refusal:
        return _form(request, refusal.code, STATUS_OF_REFUSAL.get(refusal.code, 422))
    # Only a wake-up: the row is the truth, and beat finds it should this message be lost.
    tasks.run_checks.delay()
    return redirect("check_answer", public_id=run.public_id)


def _form(request: HttpRequest, code: str = "", status: int = 200) -> HttpResponse:
    context = {
        "problem": words.problem(code) if code else "", "is_link_problem": code == "check.link_unknown",
        "link": request.POST.get("link", "")[:200], **_puzzle(request),
    }
    return _page(request, "check_form", context, status)


def _page(request: HttpRequest, name: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    # Each language under its own name: Django's own tag would translate the names into the language of the page.
    return render(request, f"provenance/{name}.html", {"languages": settings.LANGUAGES, **context}, status=status)


def _puzzle(request: HttpRequest) -> dict[str, str]:
    return {"puzzle": check_runs.puzzle_for(request.META.get("REMOTE_ADDR", ""), now=utc_now())}


def _proof(request: HttpRequest) -> Proof:
    return Proof(request.POST.get("puzzle", "")[:400], request.POST.get("solution", "")[:20])


def _content(request: HttpRequest) -> bytes:
    file = request.FILES.get("clip")
    if file is None or not file.size:
        raise FileMissing("Choose a file first, or paste a link.")
    if file.size > checks.MAX_BYTES:
        raise FileTooLarge(checks.TOO_LARGE)
    return bytes(file.read())


@public
@require_safe
def answer(request: HttpRequest, public_id: str) -> HttpResponse:
    """A check at its own address: how far it is, what it came to, or why it did not finish."""
    try:
        body = checks.find(public_id)
    except NotFound:
        return _unanswered(request, check_runs.find(public_id, now=utc_now()))
    return _page(request, "check_answer", answer_context(public_id, body) | _puzzle(request))


def _unanswered(request: HttpRequest, run: CheckRun) -> HttpResponse:
    if run.state in check_runs.OPEN_STATES:
        return _page(request, "check_progress", {"public_id": run.public_id, **progress_of(run)})
    return _form(request, run.problem, 200 if run.state == "stopped" else 422)


@public
@require_safe
def progress(request: HttpRequest, public_id: str) -> HttpResponse:
    """How far a check is, for the page's own script."""
    run = check_runs.find(public_id, now=utc_now())
    told = progress_of(run)
    is_over = run.state in CLIP_CHECK.final_states
    return JsonResponse({"is_over": is_over, **{name: told[name] for name in ("step", "note", "share", "at")}})


@public
@require_POST
def stop(request: HttpRequest, public_id: str) -> HttpResponse:
    """The person who asked does not want to know any more."""
    check_runs.stop(public_id, now=utc_now())
    return redirect("check_answer", public_id=public_id)


@public
@require_safe
def session(request: HttpRequest, conversation_id: str) -> HttpResponse:
    """What our records say about one session: who made it, what was disclosed, and the consent today."""
    context = session_context(session_lookup.find(conversation_id), utc_now())
    return _page(request, "check_session", context | _puzzle(request))


@public
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Read these pages in another language from now on."""
    chosen = request.POST.get("language", "")
    if chosen not in dict(settings.LANGUAGES):
        raise RequestInvalid("There is no such language here.")
    asked = urlsplit(request.POST.get("next", ""))
    # Back to one of these pages only: a free address here would send people from our name to anywhere.
    is_ours = not asked.scheme and not asked.netloc and OWN_PATH.fullmatch(asked.path) is not None
    response = redirect(asked.path if is_ours else "check")
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME, chosen, max_age=365 * 86400, secure=settings.SESSION_COOKIE_SECURE,
        httponly=True, samesite="Lax")
    return response


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
