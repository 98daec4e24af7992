"""Evidence exports: ask for one, watch it being built, take it away."""

from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from provenance import selectors, tasks
from provenance.services import exports as service
from trustcore.accounts.permissions import Permission, requires


@requires(Permission.AUDIT_EXPORT)
@require_http_methods(["GET", "POST"])
def exports(request: Any) -> HttpResponse:
    """All exports of this organisation, and the form for another."""
    if request.method == "POST":
        export = service.request(
            actor=request.actor, organisation=request.organisation, person_id=request.actor.id,
            scope_kind=request.POST.get("scope_kind", ""), scope_id=request.POST.get("scope_id", ""),
            title=request.POST.get("title", ""),
        )
        transaction.on_commit(lambda: tasks.build_export.delay(export.public_id))
        return redirect("audit_export", public_id=export.public_id)
    return render(request, "provenance/export_list.html", {
        "exports": selectors.exports_of(request.organisation)[:100], "log": selectors.log_state(),
        "subject": request.GET.get("subject", ""), "about": request.GET.get("about", ""),
    })  # fmt: skip


@requires(Permission.AUDIT_EXPORT)
@require_safe
def export(request: Any, public_id: str) -> HttpResponse:
    """One export: its steps while it runs, its bundle when it is there."""
    found = service.find(public_id, request.organisation)
    return render(request, "provenance/export_detail.html", {
        "export": found, "steps": _steps(found.state, found.step),
        "is_running": found.state in ("requested", "building"),
    })  # fmt: skip


def _steps(state: str, step: str) -> list[dict[str, str]]:
    names = {"entries": "Entries", "proofs": "Proofs", "checkpoint": "Checkpoint", "sign": "Sign", "check": "Check it"}
    order = list(names)
    at = len(order) if state == "ready" else order.index(step) if step in names else 0
    words = {True: "done", False: "waits"}
    return [
        {"title": title, "state": "working" if i == at and state == "building" else words[i < at]}
        for i, title in enumerate(names.values())
    ]


@requires(Permission.AUDIT_EXPORT)
@require_safe
def bundle(request: Any, public_id: str) -> HttpResponse:
    """The bundle itself."""
    found = service.find(public_id, request.organisation)
    response = HttpResponse(service.download(found, actor=request.actor), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="trustcore-evidence-{found.public_id}.zip"'
    return response
