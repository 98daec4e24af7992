"""The person's own page: every use of their face, what they agreed to, and withdrawing, always in reach."""

import json
from datetime import timedelta
from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from consent import describe, seams, selectors
from consent.charts import hours_a_day
from consent.errors import ConsentMissing, PortalUnknown
from consent.models import Consent, IdentityCheck, Subject
from consent.services import consents, identities, invitations
from consent.views.invitations import SUBJECT_SESSION, begin_session, receipt_file
from trustcore.accounts.permissions import public
from trustcore.audit.actors import Actor
from trustcore.primitives.clock import utc_now

WEEK, MONTH = timedelta(days=7), timedelta(days=30)
SHOWN_USES = 60


def _me(request: Any) -> Subject:
    """The person whose page this is: of an account, the person it belongs to, whatever links were opened before; with
    nobody signed in, by the private link.

    Raises:
        PortalUnknown: neither.
    """
    subjects = Subject.objects.select_related("organisation")
    if request.user.is_authenticated:
        # One account may be depicted at several organisations: the one it acts for comes first.
        mine = subjects.filter(user=request.user)
        found = mine.filter(organisation=request.organisation).first() or mine.order_by("-created_at").first()
    else:
        found = subjects.filter(public_id=request.session.get(SUBJECT_SESSION, "")).first()
    if found is None:
        raise PortalUnknown("This page belongs to one person. Open it by your private link, or sign in.")
    return found


def _my_consent(subject: Subject) -> Consent | None:
    """The consent that matters now: the one in force, else the newest."""
    rows = subject.consents.select_related("subject__organisation")
    return rows.filter(state="in_force").first() or rows.order_by("-agreed_at").first()


@public
@require_http_methods(["GET", "POST"])
def enter(request: HttpRequest, token: str) -> HttpResponse:
    """A private link. GET says whose page it opens; POST opens it and drops the token from the address. Two steps, so
    that no page elsewhere can put somebody before another person's withdrawal button unasked.
    """
    subject = invitations.subject_of_portal_link(token)
    if request.method == "GET":
        return render(request, "consent/portal_enter.html", {"subject": subject})
    begin_session(request, subject)
    return redirect("consent_portal")


@public
@require_GET
def portal(request: HttpRequest) -> HttpResponse:
    subject = _me(request)
    consent, now = _my_consent(subject), utc_now()
    ledger = seams.use_ledger()
    uses = ledger.uses(subject.public_id, now - MONTH) if ledger else []
    week = [use for use in uses if use.at >= now - WEEK]
    context = {
        "subject": subject, "consent": consent, "ledger_is_bound": ledger is not None,
        "live_count": ledger.live_count(subject.public_id) if ledger else 0,
        "week_count": sum(1 for use in week if use.verdict != "fail"),
        "week_refused": sum(1 for use in week if use.verdict == "fail"),
        "uses": uses[:SHOWN_USES], "more_uses": max(0, len(uses) - SHOWN_USES),
        "chart": hours_a_day(uses, now) if uses else None,
        "scope": describe.scope(consent.agreed_scope) if consent else None,
        "has_picture": bool(selectors.latest_clip(subject)),
        "link_once": request.session.pop("portal_link_once", ""),
    }  # fmt: skip
    return render(request, "consent/portal.html", context)


@public
@require_POST
def withdraw(request: HttpRequest) -> HttpResponse:
    """At once, without a reason, without a second question: stopping must be as easy as agreeing."""
    subject = _me(request)
    actor, reason = _actor(request, subject), request.POST.get("reason", "")[:400]
    consents.withdraw_all(actor=actor, subject=subject, reason=reason)
    return redirect("consent_withdrawn")


@public
@require_http_methods(["GET", "POST"])
def withdrawn(request: HttpRequest) -> HttpResponse:
    """After withdrawing: what ended, and the second step, deleting the key."""
    subject = _me(request)
    consent = _my_consent(subject)
    is_stepped_up = _is_stepped_up(request, subject)
    if request.method == "POST" and consent is not None:
        actor = _actor(request, subject)
        consents.begin_key_destruction(actor=actor, consent=consent, is_stepped_up=is_stepped_up)
        if is_stepped_up:
            consents.finish_key_destruction(actor=actor, consent=consent)
        return redirect("consent_withdrawn")
    context = {"subject": subject, "consent": consent, "is_stepped_up": is_stepped_up}
    return render(request, "consent/portal_withdrawn.html", context)


def _is_stepped_up(request: Any, subject: Subject) -> bool:
    """The person depicted, and nobody else, used their own passkey within the last minutes."""
    if not request.user.is_authenticated or subject.user_id != request.user.pk:
        return False
    newest_s = max(
        (record["at"] for record in get_authentication_records(request, request.user) if record.get("method") == "mfa"),
        default=0,
    )
    return bool(utc_now().timestamp() - newest_s < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT)


@public
@require_GET
def receipt(request: HttpRequest) -> HttpResponse:
    consent = _my_consent(_me(request))
    if consent is None:
        raise ConsentMissing("There is no receipt yet: you have not agreed to anything.")
    return receipt_file(consent)


@public
@require_GET
def records(request: HttpRequest) -> HttpResponse:
    """Everything kept about this person's consents, as one file: scopes, receipts, decisions."""
    subject = _me(request)
    rows = [
        {"consent": row.public_id, "state": row.state, "receipt": row.receipt,
         "ended_at": row.ended_at.isoformat() if row.ended_at else None}
        for row in subject.consents.order_by("agreed_at")
    ]  # fmt: skip
    body = {"subject": subject.public_id, "name": subject.name, "consents": rows}
    response = HttpResponse(json.dumps(body, indent=1, ensure_ascii=False), content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="my-records-{subject.public_id}.json"'
    return response


@public
@require_GET
def picture(request: HttpRequest) -> HttpResponse:
    subject = _me(request)
    clip = selectors.latest_clip(subject)
    check = IdentityCheck.objects.filter(clip=clip).first() if clip else None
    if check is None:
        raise ConsentMissing("There is no picture of you here.")
    return HttpResponse(identities.open_poster(actor=_actor(request, subject), check=check), content_type="image/jpeg")


def _actor(request: Any, subject: Subject) -> Actor:
    """The person depicted, also when they are signed in: the log should say in which capacity somebody acted."""
    return Actor("subject", subject.public_id, session=getattr(request, "session_commitment", ""))
