"""What a viewer's page reports of its line: taken if it can be true, kept for a while."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from rendering.errors import FiguresNotTaken, FiguresReplayed, MessagesTooFast
from rendering.measuring import batch
from rendering.measuring.batch import Batch, Totals
from rendering.models import AnswerTime, Conversation, Visit
from rendering.services.viewing import MAX_REJOINS
from trustcore.jobs.models import Job

GRACE = timedelta(seconds=60)  # a page learns of the end, and then sends its last report
ELSEWHERE = "*"  # in TRUSTCORE_REGIONS: every worker that is not named


def take(conversation: Conversation, body: Mapping[str, Any], *, now: datetime) -> None:
    """Keep one report of the conversation's viewer.

    Raises:
        FiguresNotTaken: nothing is measured here, or the conversation ended a minute ago or longer.
        FiguresInvalid, FiguresImplausible: what it says is malformed, or cannot be.
        MessagesTooFast: the page reports too often, or was loaded too often.
        FiguresReplayed: this report, or a later one, is here already.
    """
    if settings.VIEWER_FIGURES == "off":
        raise FiguresNotTaken("Nothing is measured in viewers' browsers here.")
    if conversation.ended_at is not None and now - conversation.ended_at > GRACE:
        raise FiguresNotTaken("This conversation is over. Its figures are closed.")
    told = batch.read(body)
    passed_s = (now - (conversation.viewer_bound_at or now)).total_seconds()
    known = Visit.objects.filter(conversation=conversation, visit=told.visit).first()
    if known is None:
        _begin(conversation, told, passed_s, now=now)
    else:
        _go_on(known, told, passed_s, now=now)


def _begin(conversation: Conversation, told: Batch, passed_s: float, *, now: datetime) -> None:
    if Visit.objects.filter(conversation=conversation).count() > MAX_REJOINS:
        raise MessagesTooFast("This page was loaded too often for its figures to be kept.")
    batch.demand_possible(told, None, passed_s=passed_s)
    row = Visit(
        conversation=conversation, organisation_id=conversation.organisation_id, visit=told.visit, began_at=now,
        region=_region_of(conversation), **_columns(told, now))
    # Of the same first report sent twice at once, one is kept.
    Visit.objects.bulk_create([row], ignore_conflicts=True)
    _keep_answers(Visit.objects.get(conversation=conversation, visit=told.visit), told, now=now)


def _go_on(known: Visit, told: Batch, passed_s: float, *, now: datetime) -> None:
    if told.number <= known.number:
        raise FiguresReplayed("This report came before.")
    # One that is the page's last is let in whenever it goes, once.
    if batch.is_too_often(told.number, passed_s=(now - known.began_at).total_seconds()) and not told.is_last:
        raise MessagesTooFast("That was too soon after the last report.")
    before = Totals(**{field.name: getattr(known, field.name) for field in fields(Totals)})
    batch.demand_possible(told, before, passed_s=passed_s)
    # Two at once: the later number wins, whichever comes first.
    changed = Visit.objects.filter(id=known.id, number__lt=told.number, is_last=False).update(**_columns(told, now))
    if not changed:
        raise FiguresReplayed("This report, or a later one, came before.")
    _keep_answers(known, told, now=now)


def _columns(told: Batch, now: datetime) -> dict[str, Any]:
    named = ("number", "is_last", "network", "path", "transport", "connections", "connect_ms", "ttff_ms", "rtt_ms")
    return {
        **{name: getattr(told, name) for name in named}, **asdict(told.totals), "rung_ms": dict(told.rung_ms),
        "seen_at": now}


def _keep_answers(visit: Visit, told: Batch, *, now: datetime) -> None:
    AnswerTime.objects.bulk_create(
        [AnswerTime(visit=visit, organisation_id=visit.organisation_id, at=now, **asdict(one)) for one in told.answers],
        ignore_conflicts=True)


def _region_of(conversation: Conversation) -> str:
    """Where the worker of this conversation stands, as the operator named it; "" without a name."""
    worker = Job.objects.filter(public_id=conversation.lease_id).values_list("slot__worker__public_id", flat=True)
    regions: dict[str, str] = settings.REGIONS
    return regions.get(worker.first() or "", regions.get(ELSEWHERE, ""))


def forget_old(*, now: datetime) -> int:
    """Delete what is older than TRUSTCORE_FIGURES_DAYS. Returns how many visits."""
    old = Visit.objects.filter(began_at__lt=now - timedelta(days=settings.FIGURES_DAYS))
    AnswerTime.objects.filter(visit__in=old).delete()
    deleted, _ = old.delete()
    return deleted
