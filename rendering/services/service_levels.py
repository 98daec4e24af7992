"""What an organisation promises its viewers, and the signed report on whether it was kept.

A report is signed by the one door for evidence: its bytes go into an evidence bundle with the log entry that names
their hash (`provenance.services.exports`), and whoever has the bundle verifies it offline.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from provenance.services import exports
from rendering import levels_selectors
from rendering.levels_selectors import Cell, Levels
from rendering.measuring import report, report_page, targets
from rendering.measuring.targets import Verdict
from rendering.models import LatencyReport, ServiceTargets
from trustcore.accounts.models import Organisation
from trustcore.audit import recording
from trustcore.audit.actions import Action
from trustcore.audit.actors import Actor
from trustcore.primitives.canonical import from_canonical
from trustcore.primitives.hashing import sha256_hex
from trustcore.primitives.ids import new_id
from trustcore.web.errors import NotFound, RequestInvalid

MOST_DAYS = 92


def promises_of(organisation: Organisation) -> tuple[dict[str, int], tuple[str, ...]]:
    """Limits by target, and the networks they are about; the defaults where nothing was set."""
    row = ServiceTargets.objects.filter(organisation=organisation).first()
    if row is None:
        return dict(targets.DEFAULTS), targets.PROMISED_NETWORKS
    # A target that came with a newer version has its default until somebody sets it.
    return {**targets.DEFAULTS, **row.limits}, tuple(row.networks)


def set_promises(
    *, actor: Actor, organisation: Organisation, limits: Mapping[str, Any], networks: Sequence[str], reason: str,
) -> ServiceTargets:
    """Change what is promised, on the record with what it was before. Reports made earlier keep their own.

    Raises:
        TargetsInvalid, RequestInvalid: nothing is changed.
    """
    checked, chosen = targets.checked(limits, networks)
    if not reason.strip():
        raise RequestInvalid("Write a reason first. Nothing was changed.", fields={"reason": ["is missing"]})
    row = ServiceTargets.objects.filter(organisation=organisation).first() or ServiceTargets(
        public_id=new_id("service_targets"), organisation=organisation)
    with recording.recording(
        actor=actor, action=Action.SERVICE_TARGETS_CHANGED, obj=row, reason=reason.strip()[:400],
    ) as event:
        event.add(limits=checked, networks=chosen)
        row.limits, row.networks = checked, chosen
        row.save()
    return row


def verdicts(cell: Cell, limits: Mapping[str, int]) -> list[Verdict]:
    """Each promise judged over one group of sessions."""
    return [_verdict(target, limits[target.name], cell) for target in targets.TARGETS]


def _verdict(target: targets.Target, limit: int, cell: Cell) -> Verdict:
    if target.percentile == 0:
        return targets.judge(target, limit, getattr(cell, target.figure), cell.sessions)
    spread = cell.spread(target.figure)
    return targets.judge(target, limit, spread.at.get(target.percentile), spread.count)


def levels_of(
    organisation: Organisation, *, from_at: datetime, until_at: datetime, region: str | None, buckets: int,
) -> Levels:
    """What viewers measured in a period, grouped as the promises in force need it."""
    return levels_selectors.levels(
        organisation.id, from_at=from_at, until_at=until_at, promised=promises_of(organisation)[1], region=region,
        buckets=buckets)


def make_report(
    *, actor: Actor, organisation: Organisation, person_id: str, from_at: datetime, until_at: datetime, now: datetime,
) -> LatencyReport:
    """Write a report over [from_at, until_at) to the log and ask for its bundle. A task builds and signs it.

    Raises:
        RequestInvalid: the period is empty, longer than MOST_DAYS, or not over.
    """
    if not from_at < until_at <= now or (until_at - from_at).days > MOST_DAYS:
        raise RequestInvalid(f"A report is over a period in the past, of at most {MOST_DAYS} days.")
    row = LatencyReport(
        public_id=new_id("latency_report"), organisation=organisation, from_at=from_at, until_at=until_at,
        created_at=now)
    found = _body(row, organisation, now)
    content, page = report.content(found), report_page.page(found)
    row.content, row.report_sha256, row.page_sha256 = content.decode(), sha256_hex(content), sha256_hex(page)
    with recording.together():
        row.export_id = exports.request(
            actor=actor, organisation=organisation, person_id=person_id, scope_kind="object", scope_id=row.public_id,
            title=f"Service levels {from_at:%Y-%m-%d} to {until_at:%Y-%m-%d}").public_id
        with recording.recording(actor=actor, action=Action.LATENCY_REPORT_MADE, obj=row) as event:
            event.add(
                report_sha256=row.report_sha256, page_sha256=row.page_sha256, sessions=found["sessions"],
                verdicts={one["name"]: one["verdict"] for one in found["promises"]})
            event.add(**{"from": found["from"], "until": found["until"]})
            row.save()
    return row


def _body(row: LatencyReport, organisation: Organisation, now: datetime) -> dict[str, Any]:
    limits, networks = promises_of(organisation)
    found = levels_selectors.levels(
        organisation.id, from_at=row.from_at, until_at=row.until_at, promised=networks)
    cells = {"every": [found.every], "networks": found.networks, "cells": found.cells}
    facts = report.Facts(
        report_id=row.public_id, tenant=organisation.slug, organisation=organisation.name, made_at=now,
        from_at=row.from_at, until_at=row.until_at, held=found.held, reported=found.reported,
        judged=found.promised.sessions, networks=networks,
        cells={name: [report.cell_body(cell) for cell in part] for name, part in cells.items()})
    return report.body(facts, verdicts(found.promised, limits))


def find_report(public_id: str, organisation: Organisation) -> LatencyReport:
    """Raises NotFound, also for a report of another organisation."""
    row: LatencyReport | None = LatencyReport.objects.filter(public_id=public_id, organisation=organisation).first()
    if row is None:
        raise NotFound("There is no such report.")
    return row


def reports_of(organisation: Organisation) -> list[LatencyReport]:
    """The newest first."""
    return list(LatencyReport.objects.filter(organisation=organisation).order_by("-created_at")[:50])


def documents_of(tenant: str, object_ids: frozenset[str]) -> dict[str, bytes]:
    """Reports that exported entries name, each as JSON and as a page, for an evidence bundle."""
    found: dict[str, bytes] = {}
    for row in LatencyReport.objects.filter(organisation__slug=tenant, public_id__in=object_ids):
        found[f"reports/{row.public_id}.json"] = row.content.encode()
        found[f"reports/{row.public_id}.html"] = page_of(row)
    return found


def page_of(row: LatencyReport) -> bytes:
    """The report's page, made from its own bytes."""
    return report_page.page(body_of(row))


def body_of(row: LatencyReport) -> dict[str, Any]:
    from_bytes: dict[str, Any] = from_canonical(row.content.encode())
    return from_bytes
