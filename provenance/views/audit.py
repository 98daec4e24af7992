"""The auditor's pages: what happened, and can you prove it? They read; nothing here can be changed."""

from datetime import datetime, time, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_safe

from provenance import selectors
from trustcore.accounts.permissions import Permission, requires
from trustcore.audit import recording
from trustcore.audit import selectors as log
from trustcore.audit.actions import Action
from trustcore.audit.actors import ObjectRef

FILTERS = ("about", "action", "actor", "subject", "outcome", "since", "until")


@requires(Permission.AUDIT_VIEW)
@require_safe
def search(request: Any) -> HttpResponse:
    """Entries, newest first, narrowed by who, what, about whom and when."""
    asked = {name: request.GET.get(name, "").strip()[:80] for name in FILTERS}
    if any(asked.values()):
        _record_search(request, asked)
    before = request.GET.get("before", "")
    entries = log.search(
        tenant=request.organisation.slug, action=asked["action"], actor_id=asked["actor"], object_id=asked["about"],
        subject_public_id=asked["subject"], outcome=asked["outcome"], since=_day(asked["since"]),
        until=_day(asked["until"], days_later=1), before_seq=int(before) if before.isdigit() else None,
        limit=selectors.PAGE_ROWS + 1,
    )
    rows = selectors.rows_of(entries[: selectors.PAGE_ROWS])
    query = request.GET.copy()
    query.pop("before", None)
    return render(request, "provenance/audit_search.html", {
        "rows": rows, "asked": asked, "log": selectors.log_state(), "actions": [action.value for action in Action],
        "older": rows[-1].seq if len(entries) > selectors.PAGE_ROWS else None, "query": query.urlencode(),
    })  # fmt: skip


def _record_search(request: Any, asked: dict[str, str]) -> None:
    organisation = request.organisation
    about = ObjectRef("log", log.log_origin(), tenant=organisation.slug)
    with recording.recording(actor=request.actor, action=Action.LOG_SEARCHED, obj=about) as event:
        event.add(asked={name: value for name, value in asked.items() if value})


def _day(text: str, days_later: int = 0) -> datetime | None:
    """The start of a day; None for no day or an impossible one."""
    try:
        day = parse_date(text)
    except ValueError:
        return None
    return timezone.make_aware(datetime.combine(day, time.min)) + timedelta(days=days_later) if day else None


@requires(Permission.AUDIT_VIEW)
@require_safe
def entry(request: Any, seq: int) -> HttpResponse:
    """One entry; the browser checks its proof by itself."""
    found = selectors.entry_for(seq, request.organisation)
    (row,) = selectors.rows_of([found])
    return render(request, "provenance/audit_entry.html", {
        "row": row, "body": found.body, "details": found.details["open"],
        "is_sealed": found.details["personal"] is not None, "log": selectors.log_state(),
    })  # fmt: skip


@requires(Permission.AUDIT_VIEW)
@require_safe
def proof(request: HttpRequest, seq: int) -> HttpResponse:
    """The proof of one entry, to check elsewhere."""
    found = selectors.entry_for(seq, request.organisation)  # type: ignore[attr-defined]
    response = JsonResponse(selectors.proof_document(found))
    if "save" in request.GET:
        response["Content-Disposition"] = f'attachment; filename="trustcore-entry-{seq}.json"'
    return response
