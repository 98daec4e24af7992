"""The console's pages about replicas: list, footage, versions, training."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from consent import selectors as consents
from consent.views.approvals import panel
from rendering import selectors
from rendering.errors import FootageRefused
from rendering.models import Footage, ReplicaVersion
from rendering.services import footage as footages
from rendering.services import quality, replicas, statements, stops, training
from rendering.training import model_card
from trustcore.accounts.permissions import Permission, requires
from trustcore.primitives.clock import utc_now
from trustcore.web.errors import NotFound, RequestInvalid


@requires(Permission.REPLICA_VIEW)
@require_GET
def replica_list(request: Any) -> HttpResponse:
    now = utc_now()
    rows = []
    for replica in selectors.replicas(request.organisation):
        newest = (
            replica.versions.select_related("replica__organisation", "footage", "author").order_by("-number").first()
        )
        rows.append(
            {
                "replica": replica,
                "newest": newest,
                "standing": selectors.standing(newest, now=now) if newest else None,
                "subject": consents.subject(replica.subject_public_id),
            }
        )
    known = {row["replica"].subject_public_id for row in rows}
    without = [one for one in consents.subjects(request.organisation) if one.has_consent and one.public_id not in known]
    pending = (
        Footage.objects.filter(organisation=request.organisation)
        .exclude(state__in=("erased", "receiving"))
        .order_by("-created_at")[:8]
    )
    return render(request, "rendering/replica_list.html", {"rows": rows, "without": without, "pending": pending})


# --- footage ----------------------------------------------------------------------------------------------------------


@requires(GET=Permission.FOOTAGE_UPLOAD, POST=Permission.FOOTAGE_UPLOAD)
def footage_new(request: Any) -> HttpResponse:
    """Upload or record. The form works without script for files that fit in memory; with script the
    file goes in pieces.
    """
    if request.method == "POST":
        video = request.FILES.get("video")
        if video is None:
            raise FootageRefused("Choose a video first.", error_type="file_size")
        row = footages.receive(
            actor=request.actor, user=request.user, organisation=request.organisation,
            subject_public_id=request.POST.get("subject", ""),
            data=video.read(footages.MAX_BYTES + 1), was_recorded_here=False, now=utc_now())
        return redirect("rendering_footage", public_id=row.public_id)
    people = [one for one in consents.subjects(request.organisation) if one.has_consent]
    return render(request, "rendering/footage_new.html", {
        "people": people, "chosen": request.GET.get("subject", people[0].public_id if people else ""),
        "max_mib": footages.MAX_BYTES // footages.MIB, "piece_bytes": footages.PIECE_MAX_BYTES})


@requires(Permission.FOOTAGE_UPLOAD)
@require_POST
def footage_begin(request: Any) -> HttpResponse:
    row = footages.begin(
        actor=request.actor, user=request.user, organisation=request.organisation,
        subject_public_id=request.POST.get("subject", ""),
        was_recorded_here=request.POST.get("recorded") == "1", now=utc_now())
    return JsonResponse({"footage": row.public_id, "piece_bytes": footages.PIECE_MAX_BYTES}, status=201)


@requires(Permission.FOOTAGE_UPLOAD)
@require_POST
def footage_piece(request: Any, public_id: str, number: int) -> HttpResponse:
    row = selectors.footage(request.organisation, public_id)
    footages.add_piece(actor=request.actor, footage=row, number=number, data=request.read(footages.PIECE_MAX_BYTES + 1))
    return JsonResponse({})


@requires(Permission.FOOTAGE_UPLOAD)
@require_POST
def footage_complete(request: Any, public_id: str) -> HttpResponse:
    row = footages.complete(actor=request.actor, footage=selectors.footage(request.organisation, public_id))
    return JsonResponse({"next": f"/console/footage/{row.public_id}/"})


@requires(Permission.REPLICA_VIEW)
@require_GET
def footage_detail(request: Any, public_id: str) -> HttpResponse:
    row = selectors.footage(request.organisation, public_id)
    subject = consents.subject(row.subject_public_id)
    return render(request, "rendering/footage_detail.html", {
        "footage": row, "subject": subject, "findings": footages.findings_worst_first(row),
        "default_iterations": training.DEFAULT_ITERATIONS,
        "state_url": f"/console/footage/{row.public_id}/state.json"})


@requires(Permission.REPLICA_VIEW)
@require_GET
def footage_state(request: Any, public_id: str) -> HttpResponse:
    row = selectors.footage(request.organisation, public_id)
    return JsonResponse({"state": row.state, "findings": row.findings, "duration_s": row.duration_s})


@requires(Permission.TRAINING_START)
@require_POST
def training_start(request: Any, public_id: str) -> HttpResponse:
    row, now = selectors.footage(request.organisation, public_id), utc_now()
    replica = replicas.create(
        actor=request.actor, user=request.user, organisation=request.organisation,
        subject_public_id=row.subject_public_id, now=now)
    version = training.start(
        actor=request.actor, author=request.user, replica=replica, footage=row, iterations=_iterations(request),
        now=now)
    return redirect("rendering_training", replica_id=replica.public_id, number=version.number)


def _iterations(request: HttpRequest) -> int:
    text = request.POST.get("iterations", str(training.DEFAULT_ITERATIONS))
    if not text.isdigit() or not 100 <= int(text) <= 30_000:
        raise RequestInvalid(
            "Steps are a whole number from 100 to 30000.", fields={"iterations": ["from 100 to 30000"]}
        )
    return int(text)


# --- versions ---------------------------------------------------------------------------------------------------------


@requires(Permission.REPLICA_VIEW)
@require_GET
def replica_detail(request: Any, replica_id: str) -> HttpResponse:
    replica, now = selectors.replica(request.organisation, replica_id), utc_now()
    versions = replica.versions.select_related("replica__organisation", "footage", "author").order_by("-number")
    return render(request, "rendering/replica_detail.html", {
        "replica": replica, "subject": consents.subject(replica.subject_public_id),
        "rows": [{"version": one, "standing": selectors.standing(one, now=now)} for one in versions],
        "suspension": selectors.suspension_in_force(replica.id), "footage": footages.accepted_for(replica)})


@requires(Permission.REPLICA_VIEW)
@require_GET
def version_detail(request: Any, replica_id: str, number: int) -> HttpResponse:
    version = selectors.version(request.organisation, replica_id, number)
    now = utc_now()
    standing = selectors.standing(version, now=now)
    asked = consents.newest_request(statements.KIND, version.public_id)
    names = set(version.artefacts.values_list("name", flat=True))
    context = {
        "version": version,
        "replica": version.replica,
        "subject": consents.subject(version.subject_public_id),
        "standing": standing,
        "bars": quality.bars(version.report),
        "too_poor": quality.reasons_against(version.report) if version.state == "trained" else [],
        "emotions": quality.emotion_cells(version.report, standing.consent),
        "pictures": names & set(quality.SHOWN_FILES),
        "film": quality.film(version.report),
        "card": model_card.sections(version.report) if version.report else None,
        "preview": statements.for_replica(version, standing.consent)
        if standing.consent and asked is None and version.state == "trained"
        else None,
    }
    if asked is not None:
        context |= panel(request, asked)
    return render(request, "rendering/version_detail.html", context)


@requires(Permission.REPLICA_VIEW)
@require_GET
def version_picture(request: Any, replica_id: str, number: int, name: str) -> HttpResponse:
    """A picture or the film of the quality report, decrypted for somebody who may see it. Never of a person whose
    consent has ended.
    """
    version = selectors.version(request.organisation, replica_id, number)
    consent = consents.consent_in_force(version.subject_public_id)
    if not quality.may_be_shown(name, consent) or not version.artefacts.filter(name=name).exists():
        raise NotFound("There is no such picture.")
    data = training.open_file(version, name, purpose="look at the quality report", actor=request.actor)
    return HttpResponse(data, content_type=quality.SHOWN_FILES[name],
                        headers={"Cache-Control": "private, max-age=300"})


@requires(Permission.APPROVAL_REQUEST)
@require_POST
def version_send(request: Any, replica_id: str, number: int) -> HttpResponse:
    version = selectors.version(request.organisation, replica_id, number)
    replicas.send_for_signatures(actor=request.actor, author=request.user, version=version, now=utc_now())
    messages.success(request, _("Sent. Two officers can sign now; you cannot, because you trained it."))
    return redirect("rendering_version", replica_id=replica_id, number=number)


@requires(Permission.REPLICA_VIEW)
@require_GET
def training_page(request: Any, replica_id: str, number: int) -> HttpResponse:
    version = selectors.version(request.organisation, replica_id, number)
    return render(request, "rendering/training_progress.html", {
        "version": version, "replica": version.replica, "progress": _progress(version),
        "state_url": f"/console/replicas/{replica_id}/training/{number}/state.json"})


@requires(Permission.REPLICA_VIEW)
@require_GET
def training_state(request: Any, replica_id: str, number: int) -> HttpResponse:
    return JsonResponse(_progress(selectors.version(request.organisation, replica_id, number)))


def _progress(version: ReplicaVersion) -> dict[str, Any]:
    step = version.steps.order_by("-id").first()
    share = 1.0 if version.state == "trained" else selectors.share_done(step) if step else 0.0
    stages = list(selectors.STAGE_SPANS)
    reached = len(stages) if version.state == "trained" else stages.index(step.stage) if step else 0
    return {
        "state": version.state,
        "share": round(share, 4),
        "stage": step.stage if step else "waiting",
        "failure": version.failure,
        "iteration": step.iteration if step else 0,
        "iterations": version.iterations,
        "psnr_db": step.psnr_db if step else None,
        "eta_s": step.eta_s if step else None,
        "note": step.note if step else "",
        "stages": [
            {"name": name, "state": "done" if i < reached else "now" if i == reached else "later"}
            for i, name in enumerate(stages)
        ],
        "next": f"/console/replicas/{version.replica.public_id}/v/{version.number}/",
    }


# --- suspension -------------------------------------------------------------------------------------------------------


@requires(Permission.SUBJECT_SUSPEND)
@require_POST
def replica_suspend(request: Any, replica_id: str) -> HttpResponse:
    replica = selectors.replica(request.organisation, replica_id)
    reason = request.POST.get("reason", "").strip()
    if not reason:
        raise RequestInvalid("Write a reason first. Nothing was stopped.", fields={"reason": ["is missing"]})
    stops.suspend(actor=request.actor, user=request.user, replica=replica, reason=reason)
    return redirect("rendering_replica", replica_id=replica_id)


@requires(Permission.SUBJECT_SUSPEND)
@require_POST
def replica_resume(request: Any, replica_id: str) -> HttpResponse:
    replica = selectors.replica(request.organisation, replica_id)
    row = selectors.suspension_in_force(replica.id)
    if row is not None:
        stops.resume(
            actor=request.actor,
            user=request.user,
            suspension=row,
            reason=request.POST.get("reason", "").strip(),
            now=utc_now(),
        )
    return redirect("rendering_replica", replica_id=replica_id)
