"""What the invited person sees: the notice, the limits, the clip, the receipt. The link's token is the key."""

import json
import secrets
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from consent import describe
from consent.errors import ClipFormInvalid, ConsentMissing, PortalElsewhere
from consent.forms import ScopeForm
from consent.intake import MAX_BYTES
from consent.models import Consent, IdentityCheck, Invitation, Subject
from consent.scope import ScopeInvalid
from consent.services import identities, invitations
from trustcore.accounts.permissions import public
from trustcore.audit.actors import Actor
from trustcore.primitives.clock import utc_now
from trustcore.primitives.hashing import sha256_hex
from trustcore.tracker import MediaRefused
from trustcore.tracker.errors import media_refused

DEVICE_COOKIE = "trustcore_device"
SUBJECT_SESSION = "subject_public_id"


@public
@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """The notice, then the limits, on two pages of one address. Agreeing leads to the clip."""
    found = invitations.find(token)
    if request.method == "GET":
        invitations.open_once(invitation=found)
    if found.state in {"agreed", "clip_received"}:
        return redirect("consent_done" if found.state == "clip_received" else "consent_clip", token=token)
    if request.method == "GET" and request.GET.get("step") != "limits":
        return render(request, "consent/invitation_notice.html", _page(found, token))
    form = ScopeForm(request.POST or None, today=utc_now().date())
    if request.method == "POST" and form.is_valid() and _agree(found, form):
        return redirect("consent_clip", token=token)
    status = 422 if request.method == "POST" else 200
    return render(request, "consent/invitation_scope.html", {**_page(found, token), "form": form}, status=status)


def _agree(found: Invitation, form: ScopeForm) -> bool:
    try:
        invitations.agree(invitation=found, scope=form.scope())
    except ScopeInvalid as error:
        form.add_error(error.facts["field"] if error.facts["field"] in form.fields else None, error.message)
        return False
    return True


@public
@require_POST
def decline(request: HttpRequest, token: str) -> HttpResponse:
    found = invitations.find(token)
    invitations.decline(invitation=found)
    return render(request, "consent/invitation_declined.html", _page(found, token))


@public
@require_http_methods(["GET", "POST"])
def clip(request: HttpRequest, token: str) -> HttpResponse:
    """Show fresh instructions, or take the recording made by them."""
    found = invitations.find(token)
    if found.state in {"sent", "opened"}:
        return redirect("consent_invitation", token=token)
    if found.state == "clip_received":
        return redirect("consent_done", token=token)
    if request.method == "POST":
        return _take_clip(request, found, token)
    device = request.COOKIES.get(DEVICE_COOKIE) or secrets.token_hex(32)
    challenge = identities.issue_challenge(consent=found.consent, device_sha256=sha256_hex(device.encode()))
    context = {
        **_page(found, token),
        "challenge": challenge.to_dict(),
        "turns": challenge.turns,
        "max_bytes": MAX_BYTES,
        "error": request.GET.get("refused", "")[:60],
    }
    response = render(request, "consent/clip_record.html", context)
    response.set_cookie(
        DEVICE_COOKIE, device, max_age=30 * 86400, httponly=True, samesite="Lax", secure=settings.IS_HTTPS
    )
    return response


def _take_clip(request: HttpRequest, found: Invitation, token: str) -> HttpResponse:
    upload = request.FILES.get("clip")
    nonce = request.POST.get("nonce", "")
    device = request.COOKIES.get(DEVICE_COOKIE, "")
    if upload is None or not nonce or not device:
        raise ClipFormInvalid("The recording did not arrive whole. Reload the page and record again.")
    if (upload.size or 0) > MAX_BYTES:
        raise media_refused("media.too_large", bytes=upload.size or 0, most=MAX_BYTES)
    wants_json = "application/json" in request.headers.get("accept", "")
    try:
        identities.submit_clip(
            consent=found.consent, nonce=nonce, device_sha256=sha256_hex(device.encode()), media=upload.read(),
            content_type=upload.content_type or "", is_timed=request.POST.get("timed") == "1",
            device_label=request.POST.get("camera", ""),
        )  # fmt: skip
    except MediaRefused as error:
        if wants_json:
            raise
        messages.error(request, error.message, extra_tags="bad")
        return redirect("consent_clip", token=token)
    done = redirect("consent_done", token=token)
    return JsonResponse({"next": done.url}) if wants_json else done


@public
@require_GET
def done(request: HttpRequest, token: str) -> HttpResponse:
    """What was received, why it does not count if it does not, the receipt, and the way to one's own page."""
    found = Invitation.objects.select_related("subject__organisation").get(pk=_of_any_state(token).pk)
    consent = Consent.objects.filter(invitation=found).first()
    if consent is None:
        return redirect("consent_invitation", token=token)
    check = _latest_check(consent)
    failed = [result for result in check.results if result["verdict"] == "fail"] if check else []
    context = {
        **_page(found, token), "consent": consent, "check": check, "failed": failed,
        "scope": describe.scope(consent.agreed_scope),
        "may_open_page": _may_open_page(request, found),
        "may_record_again": bool(failed) and found.state == "clip_received" and found.attempts_left > 0,
    }  # fmt: skip
    return render(request, "consent/invitation_done.html", context)


@public
@require_POST
def record_again(request: HttpRequest, token: str) -> HttpResponse:
    check = _latest_check(invitations.find(token).consent)
    if check is not None:
        identities.record_again(check=check)
    return redirect("consent_clip", token=token)


@public
@require_GET
def receipt(request: HttpRequest, token: str) -> HttpResponse:
    consent = Consent.objects.filter(invitation=_of_any_state(token)).first()
    if consent is None:
        return redirect("consent_invitation", token=token)
    return receipt_file(consent)


def receipt_file(consent: Consent) -> HttpResponse:
    """The signed receipt as a download. Raises ConsentMissing when it went with the person's key."""
    if not consent.receipt:
        raise ConsentMissing("This receipt was erased with the key of the person it names. Their own copy holds.")
    response = HttpResponse(json.dumps(consent.receipt, indent=1, ensure_ascii=False), content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="consent-receipt-{consent.public_id}.json"'
    return response


def begin_session(request: HttpRequest, subject: Subject) -> None:
    """Make this browser this person's. Whoever was signed in here is not any more, and nothing that somebody prepared
    in this session goes on.
    """
    request.session.flush()
    request.session[SUBJECT_SESSION] = subject.public_id


@public
@require_POST
def open_portal(request: HttpRequest, token: str) -> HttpResponse:
    """Give the person a private link to their own page, shown once, and go there.

    Whoever sent the invitation has seen its link too, so the link alone opens nothing here: see
    `identities.may_open_page`.

    Raises:
        PortalElsewhere
    """
    found = _of_any_state(token)
    if not _may_open_page(request, found):
        raise PortalElsewhere(
            "Your page opens in the browser that made the recording. Elsewhere, use the private link that you were "
            "given there, or ask the person who invited you."
        )
    link = invitations.issue_portal_link(actor=Actor.subject(found.subject_public_id), subject=found.subject)
    begin_session(request, found.subject)
    request.session["portal_link_once"] = link
    return redirect("consent_portal")


def _may_open_page(request: HttpRequest, found: Invitation) -> bool:
    device = request.COOKIES.get(DEVICE_COOKIE, "")
    return identities.may_open_page(found, device_sha256=sha256_hex(device.encode()))


def _of_any_state(token: str) -> Invitation:
    """The invitation behind the link even when it is over: its receipt stays the person's to take."""
    found = Invitation.objects.filter(token_sha256=sha256_hex(token.encode())).first()
    return found if found is not None and found.state != "expired" else invitations.find(token)


def _latest_check(consent: Consent) -> IdentityCheck | None:
    return IdentityCheck.objects.filter(clip__consent=consent).order_by("-created_at").first()


def _page(found: Invitation, token: str) -> dict[str, Any]:
    return {"invitation": found, "subject": found.subject, "notice": found.notice, "token": token}
