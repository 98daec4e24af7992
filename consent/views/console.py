"""The officer's inbox and the people of the organisation."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from consent import describe, inbox, selectors
from consent.errors import ConsentMissing
from consent.forms import InviteForm, ReasonForm
from consent.models import Consent, IdentityCheck, Subject
from consent.services import consents, identities, invitations
from consent.services import holds as subject_holds
from trustcore.accounts.permissions import Permission, requires
from trustcore.keys.services import holds
from trustcore.primitives.clock import utc_now
from trustcore.web.errors import NotFound


@requires(Permission.SIGNED_IN)
@require_GET
def decisions(request: Any) -> HttpResponse:
    """What waits for this person, nearest clock first."""
    only_mine = request.GET.get("show") != "all"
    rows = inbox.waiting(request.user, request.organisation, request.permissions, only_mine=only_mine)
    context = {
        "rows": rows,
        "only_mine": only_mine,
        "now": utc_now(),
        "decided_today": inbox.decided_today(request.organisation),
        "live": inbox.live(request.organisation),
        "nearest": next((row.due_at for row in rows if row.due_at), None),
    }
    return render(request, "consent/inbox.html", context)


@requires(GET=Permission.SUBJECT_VIEW, POST=Permission.SUBJECT_INVITE)
@require_http_methods(["GET", "POST"])
def subjects(request: Any) -> HttpResponse:
    """Everybody invited, and the form to invite. The link is shown once, on the page that follows."""
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        invitation, token = invitations.send(
            actor=request.actor, organisation=request.organisation, invited_by=request.user, **form.cleaned_data
        )
        request.session["invitation_link_once"] = request.build_absolute_uri(f"/i/{token}/")
        return redirect("consent_subject", public_id=invitation.subject.public_id)
    rows = [
        _row(subject) for subject in Subject.objects.filter(organisation=request.organisation).order_by("-created_at")
    ]
    status = 422 if request.method == "POST" else 200
    return render(request, "consent/subject_list.html", {"rows": rows, "form": form}, status=status)


def _row(subject: Subject) -> dict[str, Any]:
    consent = subject.consents.order_by("-agreed_at").first()
    invitation = subject.invitations.order_by("-created_at").first()
    return {"subject": subject, "consent": consent, "invitation": invitation,
            "has_picture": selectors.latest_clip(subject) is not None}  # fmt: skip


def _subject(request: Any, public_id: str) -> Subject:
    """The subject, if they belong to the caller's organisation; else as if there were none."""
    found: Subject | None = (
        Subject.objects.select_related("organisation")
        .filter(public_id=public_id, organisation=request.organisation)
        .first()
    )
    if found is None or request.organisation is None:
        raise NotFound("There is nobody of this id here.")
    return found


@requires(Permission.SUBJECT_VIEW)
@require_GET
def subject(request: Any, public_id: str) -> HttpResponse:
    """Who is she, what did she agree to, what holds now?"""
    found = _subject(request, public_id)
    rows = list(found.consents.order_by("-agreed_at"))
    context = {
        "subject": found, "consents": [(row, describe.scope(row.agreed_scope)) for row in rows],
        "current": next((row for row in rows if row.state in {"in_force", "suspended", "waiting_for_identity"}), None),
        "invitations": found.invitations.order_by("-created_at"),
        "checks": IdentityCheck.objects.filter(clip__consent__subject=found).order_by("-created_at"),
        "is_on_hold": holds.in_force(found.public_id), "has_picture": selectors.latest_clip(found) is not None,
        "may_suspend": Permission.SUBJECT_SUSPEND in request.permissions,
        "may_hold": Permission.HOLD_MANAGE in request.permissions,
        "may_invite": Permission.SUBJECT_INVITE in request.permissions,
        "link_once": request.session.pop("invitation_link_once", ""),
    }  # fmt: skip
    return render(request, "consent/subject_detail.html", context)


@requires(Permission.SUBJECT_SUSPEND)
@require_POST
def suspend(request: Any, public_id: str) -> HttpResponse:
    return _pause(request, public_id, consents.suspend, "in_force", "Suspended. Sessions with this face end now.")


@requires(Permission.SUBJECT_SUSPEND)
@require_POST
def resume(request: Any, public_id: str) -> HttpResponse:
    return _pause(request, public_id, consents.resume, "suspended", "Resumed. New sessions may start.")


def _pause(request: Any, public_id: str, act: Any, state: str, told: str) -> HttpResponse:
    found, form = _subject(request, public_id), ReasonForm(request.POST)
    consent = Consent.objects.filter(subject=found, state=state).first()
    if consent is None:
        raise ConsentMissing(f"{found.name} has no consent that is {state.replace('_', ' ')}.")
    if not form.is_valid():
        messages.error(request, "Nothing changed. Write a reason first.", extra_tags="bad")
    else:
        act(actor=request.actor, consent=consent, reason=form.cleaned_data["reason"])
        messages.success(request, told, extra_tags="ok")
    return redirect("consent_subject", public_id=public_id)


@requires(Permission.HOLD_MANAGE)
@require_POST
def hold(request: Any, public_id: str) -> HttpResponse:
    """Place or lift a legal hold, with a reason."""
    found, form = _subject(request, public_id), ReasonForm(request.POST)
    act = subject_holds.lift if request.POST.get("act") == "lift" else subject_holds.place
    if not form.is_valid():
        messages.error(request, "Nothing changed. Write a reason first.", extra_tags="bad")
    else:
        act(actor=request.actor, subject=found, reason=form.cleaned_data["reason"])
    return redirect("consent_subject", public_id=public_id)


@requires(Permission.SUBJECT_INVITE)
@require_POST
def invite_again(request: Any, public_id: str) -> HttpResponse:
    """A new invitation for a known person: to renew, to widen, or after a link ran out."""
    found = _subject(request, public_id)
    newest = found.invitations.order_by("-created_at").first()
    _, token = invitations.send(
        actor=request.actor,
        organisation=request.organisation,
        invited_by=request.user,
        name=found.name,
        email=found.email,
        language=found.language,
        asked_for=request.POST.get("asked_for", "").strip()[:160] or (newest.asked_for if newest else ""),
        subject=found,
    )
    request.session["invitation_link_once"] = request.build_absolute_uri(f"/i/{token}/")
    return redirect("consent_subject", public_id=public_id)


@requires(Permission.SUBJECT_VIEW)
@require_GET
def picture(request: Any, public_id: str) -> HttpResponse:
    """The still of the newest clip, while a consent holds or waits. A withdrawn person's picture is never shown."""
    clip = selectors.latest_clip(_subject(request, public_id))
    check = IdentityCheck.objects.filter(clip=clip).first() if clip else None
    if check is None:
        raise NotFound("There is no picture to show.")
    return HttpResponse(identities.open_poster(actor=request.actor, check=check), content_type="image/jpeg")
