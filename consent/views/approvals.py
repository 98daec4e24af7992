"""A statement, the evidence it rests on, and two slots. Signing is by passkey, so it needs the page's script."""

import json
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from consent import passkeys, selectors
from consent.forms import ReasonForm
from consent.identity.words import words_from_hash
from consent.models import ApprovalRequest, Subject
from consent.services import approvals
from trustcore.accounts.permissions import Permission, requires
from trustcore.web.errors import NotFound, RequestInvalid

MAX_ANSWER_BYTES = 20_000


def _request(request: Any, public_id: str) -> ApprovalRequest:
    """The approval request, if it belongs to the caller's organisation; else as if there were none."""
    rows = ApprovalRequest.objects.select_related("organisation", "author")
    found: ApprovalRequest | None = rows.filter(public_id=public_id, organisation=request.organisation).first()
    if request.organisation is None or found is None:
        raise NotFound("There is no approval of this id here.")
    return found


@requires(Permission.APPROVAL_VIEW)
@require_GET
def approval(request: Any, public_id: str) -> HttpResponse:
    asked = _request(request, public_id)
    return render(request, "consent/approval_sign.html", panel(request, asked))


def panel(request: Any, asked: ApprovalRequest) -> dict[str, Any]:
    """What `consent/_approval_panel.html` needs, for any page that shows an approval."""
    signatures = list(asked.signatures.select_related("user").order_by("signed_at"))
    mine = next((one for one in signatures if one.user_id == request.user.pk), None)
    why_not = approvals.why_not(actor=request.actor, user=request.user, request=asked)
    about = Subject.objects.filter(public_id=asked.about_subject).first() if asked.about_subject else None
    return {
        "approval": asked,
        "statement": asked.statement,
        "signatures": signatures,
        "mine": mine,
        "may_sign": asked.state in approvals.OPEN and not why_not,
        "why_not": why_not,
        "may_take_back": asked.state == "approved" and Permission.APPROVAL_SIGN in request.permissions,
        "hash_words": words_from_hash(asked.statement_sha256),
        "is_second": bool(signatures),
        "first": signatures[0] if signatures else None,
        "has_passkey": bool(passkeys.of_user(request.user)),
        "about": f"{asked.kind.replace('_', ' ')} {asked.object_public_id}",
        "subject_facts": selectors.subject_facts(about) if about else None,
        "facts": [(name.replace("_", " "), value) for name, value in sorted(asked.statement.get("facts", {}).items())],
    }


@requires(Permission.APPROVAL_SIGN)
@require_POST
def challenge(request: Any, public_id: str) -> HttpResponse:
    asked = _request(request, public_id)
    return JsonResponse(approvals.challenge(actor=request.actor, user=request.user, request=asked))


@requires(Permission.APPROVAL_SIGN)
@require_POST
def sign(request: Any, public_id: str) -> HttpResponse:
    """The passkey's answer as JSON: {nonce, statement_sha256, assertion}."""
    asked = _request(request, public_id)
    answer = _answer(request)
    approvals.sign(
        actor=request.actor, user=request.user, request=asked, nonce=str(answer["nonce"]),
        shown_sha256=str(answer["statement_sha256"]), assertion=answer["assertion"],
    )  # fmt: skip
    return JsonResponse({"state": asked.state, "next": f"/console/approvals/{public_id}/"})


def _answer(request: Any) -> dict[str, Any]:
    if len(request.body) > MAX_ANSWER_BYTES:
        raise RequestInvalid("The answer is too long. Reload the page and sign again.")
    try:
        answer = json.loads(request.body)
    except ValueError as error:
        raise RequestInvalid("The answer is not JSON. Reload the page and sign again.") from error
    wanted = {"nonce": str, "statement_sha256": str, "assertion": dict}
    if not isinstance(answer, dict) or any(not isinstance(answer.get(key), kind) for key, kind in wanted.items()):
        raise RequestInvalid("The answer is incomplete. Reload the page and sign again.")
    return answer


@requires(Permission.APPROVAL_SIGN)
@require_POST
def send_back(request: Any, public_id: str) -> HttpResponse:
    return _with_reason(request, public_id, approvals.send_back, "Nothing was sent back. Write a reason first.")


@requires(Permission.APPROVAL_SIGN)
@require_POST
def take_back(request: Any, public_id: str) -> HttpResponse:
    """End an approval that was given. Every session that stands on it ends."""
    return _with_reason(request, public_id, approvals.take_back, "Nothing was taken back. Write a reason first.")


def _with_reason(request: Any, public_id: str, act: Callable[..., None], without_reason: str) -> HttpResponse:
    """Do what an approver asks for, if a reason came with it."""
    asked, form = _request(request, public_id), ReasonForm(request.POST)
    if not form.is_valid():
        messages.error(request, without_reason, extra_tags="bad")
    else:
        act(actor=request.actor, user=request.user, request=asked, reason=form.cleaned_data["reason"])
    return redirect("consent_approval", public_id=public_id)
