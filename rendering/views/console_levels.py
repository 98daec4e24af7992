"""Service levels: what viewers measured against what was promised, the promises themselves, and signed reports."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from provenance import tasks
from provenance.services import exports
from rendering import levels_selectors
from rendering.levels_selectors import Cell, Levels
from rendering.measuring import charts, report_page, targets, words
from rendering.measuring.batch import NETWORKS
from rendering.measuring.targets import FEW, HIDDEN_BELOW, Verdict
from rendering.services import service_levels
from trustcore.accounts.permissions import Permission, requires
from trustcore.primitives.clock import utc_now
from trustcore.web.errors import RequestInvalid

PERIODS = {"1": 1, "7": 7, "30": 30, "90": 90}
PIECES = {1: 24, 7: 14, 30: 30, 90: 30}  # of a period, in the charts
TABLE = (
    ("response_ms", (50, 95, 99)), ("ttff_ms", (50, 95, 99)), ("frozen_ppm", (95,)), ("concealed_ppm", (95,)),
    ("fps", (50,)), ("rtt_ms", (50, 95)), ("lost_ppm", (95,)),
)
PERCENTILE_WORDS = {50: _lazy("half"), 95: "95 %", 99: "99 %"}


@dataclass(frozen=True)
class Promise:
    """A verdict in words."""

    verdict: Verdict
    words: str
    now: str
    limit: str
    chip: str
    word: str


@dataclass(frozen=True)
class Row:
    """A cell of the table in words. `values` in the order of TABLE, spread out."""

    name: str
    cell: Cell
    is_few: bool
    is_hidden: bool
    values: list[str]
    verified: str


@requires(Permission.LEVELS_VIEW)
@require_safe
def levels(request: Any) -> HttpResponse:
    """The finding, the figures by network, the promises, and the table behind it all."""
    days = request.GET.get("days") if request.GET.get("days") in PERIODS else "7"
    until_at = utc_now()
    from_at = until_at - timedelta(days=PERIODS[days])
    regions = levels_selectors.regions(request.organisation.id, from_at=from_at, until_at=until_at)
    asked = request.GET.get("region")
    region = asked if asked in regions else None
    pieces = PIECES[PERIODS[days]]
    found = service_levels.levels_of(
        request.organisation, from_at=from_at, until_at=until_at, region=region, buckets=pieces)
    limits, networks = service_levels.promises_of(request.organisation)
    promises = [_promise(one) for one in service_levels.verdicts(found.promised, limits)]
    return render(request, "rendering/levels.html", {
        "found": found, "title": _title(found, promises), "promises": promises, "days": days, "region": region,
        "periods": [(key, _period_words(value)) for key, value in PERIODS.items()],
        "regions": [(name, name or _("not named")) for name in regions],
        "promised_words": ", ".join(words.NETWORK_WORDS[name] for name in networks),
        "headline": _headline(found.promised), "panels": _panels(found, limits, networks, pieces),
        "bars": [(words.NETWORK_WORDS[cell.network],
                  [(share, words.RUNG_WORDS[share.rung]) for share in charts.rung_bar(cell.rung_ms)])
                 for cell in found.networks if cell.sessions >= HIDDEN_BELOW],
        "groups": [(words.FIGURE_WORDS[figure], len(at)) for figure, at in TABLE],
        "columns": [PERCENTILE_WORDS[percentile] for _figure, at in TABLE for percentile in at],
        "rows": [_row(found.every), *map(_row, found.networks)],
        "cell_rows": [_row(cell) for cell in found.cells], "few": FEW, "hidden_below": HIDDEN_BELOW,
        "missing": found.held - found.reported, "reports": service_levels.reports_of(request.organisation)[:10],
    })  # fmt: skip


def _period_words(days: int) -> str:
    return ngettext("%(n)s day", "%(n)s days", days) % {"n": days}


def _title(found: Levels, promises: list[Promise]) -> str:
    if found.every.sessions == 0:
        return _("Nothing was measured in this time")
    missed = [one for one in promises if one.verdict.word == targets.MISSED]
    if missed:
        return ngettext("One promise missed: %(what)s", "%(n)s promises missed, first: %(what)s", len(missed)) % {
            "n": len(missed), "what": missed[0].words[0].lower() + missed[0].words[1:]}
    unjudged = sum(one.verdict.word == targets.TOO_FEW for one in promises)
    if unjudged == len(promises):
        return _("Too few sessions to judge a promise")
    return _("Every promise kept") if unjudged == 0 else _("No promise missed, %(n)s not judged yet") % {"n": unjudged}


def _promise(verdict: Verdict) -> Promise:
    target = verdict.target
    limit = words.told(verdict.limit, target.unit)
    return Promise(
        verdict, words.TARGET_WORDS[target.name], words.told(verdict.value, target.unit),
        _("at least %(limit)s") % {"limit": limit} if target.is_floor else _("at most %(limit)s") % {"limit": limit},
        words.VERDICT_CHIPS[verdict.word], words.VERDICT_WORDS[verdict.word])


def _shown(cell: Cell, figure: str, percentile: int) -> float | None:
    spread = cell.spread(figure)
    is_shown = cell.sessions >= HIDDEN_BELOW and spread.count >= targets.needed(percentile)
    return spread.at.get(percentile) if is_shown else None


def _headline(cell: Cell) -> list[dict[str, str]]:
    """Four figures over the sessions that the promises are about."""
    cut_off = cell.cut_off_ppm if cell.sessions >= HIDDEN_BELOW else None
    found = []
    for title, figure, note in (
        (_("First sound, half of turns"), "response_ms", _("95 of 100 turns: %(most)s")),
        (_("First picture, half of sessions"), "ttff_ms", _("95 of 100 sessions: %(most)s")),
        (_("Picture frozen, half of sessions"), "frozen_ppm", _("95 of 100 sessions: %(most)s")),
    ):
        unit = words.unit_of(figure)
        most = words.told(_shown(cell, figure, 95), unit)
        half = words.told(_shown(cell, figure, 50), unit)
        found.append({"title": title, "value": half, "note": note % {"most": most}})
    found.append({
        "title": _("Cut people off"), "value": words.told(cut_off, "ppm"),
        "note": _("of spoken turns: the viewer went on at once")})
    return found


def _panels(found: Levels, limits: dict[str, int], networks: tuple[str, ...], count: int) -> list[dict[str, Any]]:
    """One small chart of first sounds a network with enough sessions, all on one scale."""
    drawn = [cell for cell in found.networks
             if cell.sessions >= FEW and _shown(cell, "response_ms", 95) is not None]
    limit_ms = limits["response_p50_ms"]
    pieces = [one.spread.at[95] for cell in drawn for one in found.over_time.get(cell.network, [])
              if one.spread.count >= charts.LEAST_ANSWERS]
    top_ms = charts.top_of([*pieces, *(_shown(cell, "response_ms", 95) or 0.0 for cell in drawn), limit_ms])
    panels = []
    for cell in drawn:
        half, most = _shown(cell, "response_ms", 50), _shown(cell, "response_ms", 95)
        is_promised = cell.network in networks
        panels.append({
            "network": cell.network, "name": words.NETWORK_WORDS[cell.network],
            "note": words.NETWORK_NOTES[cell.network], "answers": cell.spread("response_ms").count,
            "is_promised": is_promised, "verdict": _promise(service_levels.verdicts(cell, limits)[1]),
            "half": words.told(half, "ms"), "most": words.told(most, "ms"), "limit": words.told(limit_ms, "ms"),
            "most_limit": words.told(limits["response_p95_ms"], "ms"),
            "chart": charts.band_chart(
                found.over_time.get(cell.network, []), count=count, limit_ms=limit_ms, top_ms=top_ms, half_ms=half,
                most_ms=most),
            "pieces": [{
                "from": found.from_at + one.number * (found.until_at - found.from_at) / count,
                "count": one.spread.count, "half": words.told(one.spread.at[50], "ms"),
                "most": words.told(one.spread.at[95], "ms")}
                for one in found.over_time.get(cell.network, []) if one.spread.count >= charts.LEAST_ANSWERS],
        })
    return panels


def _row(cell: Cell) -> Row:
    is_hidden = cell.sessions < HIDDEN_BELOW
    values = [words.told(_shown(cell, figure, percentile), words.unit_of(figure))
              for figure, at in TABLE for percentile in at]
    name = words.group_name(cell.network, cell.path, cell.region)
    verified = words.told(None if is_hidden else cell.verified_ppm, "ppm")
    return Row(name, cell, cell.sessions < FEW, is_hidden, values, verified)


@requires(GET=Permission.LEVELS_VIEW, POST=Permission.LEVELS_SET)
@require_http_methods(["GET", "POST"])
def promises(request: Any) -> HttpResponse:
    """What is promised, and the form that changes it."""
    if request.method == "POST":
        service_levels.set_promises(
            actor=request.actor, organisation=request.organisation, reason=request.POST.get("reason", ""),
            networks=request.POST.getlist("networks"),
            limits={target.name: _limit(request.POST.get(target.name, ""), target) for target in targets.TARGETS})
        return redirect("rendering_levels")
    limits, networks = service_levels.promises_of(request.organisation)
    return render(request, "rendering/levels_promises.html", {
        "fields": [_field(target, limits[target.name]) for target in targets.TARGETS],
        "networks": [(name, words.NETWORK_WORDS[name], words.NETWORK_NOTES[name], name in networks)
                     for name in NETWORKS],
        "may_set": Permission.LEVELS_SET in request.permissions,
    })  # fmt: skip


def _limit(text: str, target: targets.Target) -> Any:
    """A limit as it is stored. Shares are written as percentages, at most four places behind the point."""
    try:
        return round(float(text) * 10_000) if target.unit == "ppm" else int(text)
    except (ValueError, OverflowError):
        return None  # `targets.checked` says what is wrong


def _field(target: targets.Target, limit: int) -> dict[str, Any]:
    is_share = target.unit == "ppm"
    value, lowest, highest, default = (
        f"{one / 10_000:g}" if is_share else str(one)
        for one in (limit, target.lowest, target.highest, target.default))
    return {
        "name": target.name, "label": words.TARGET_WORDS[target.name], "value": value, "lowest": lowest,
        "highest": highest, "step": "any" if is_share else "1", "default": default, "is_floor": target.is_floor,
        "unit": _("percent") if is_share else _("milliseconds")}


@requires(Permission.LEVELS_REPORT)
@require_POST
def report_new(request: Any) -> HttpResponse:
    """Make and sign a report over a period that the form names."""
    days = PERIODS.get(request.POST.get("days", ""))
    if days is None:
        raise RequestInvalid("Choose a period. No report was made.")
    now: datetime = utc_now()
    row = service_levels.make_report(
        actor=request.actor, organisation=request.organisation, person_id=request.actor.id,
        from_at=now - timedelta(days=days), until_at=now, now=now)
    transaction.on_commit(lambda: tasks.build_export.delay(row.export_id))
    return redirect("rendering_levels_report", report_id=row.public_id)


@requires(Permission.LEVELS_REPORT)
@require_safe
def report(request: Any, report_id: str) -> HttpResponse:
    """One report as it was made: readable, printable, and its signed bundle when that is there."""
    row = service_levels.find_report(report_id, request.organisation)
    export = exports.find(row.export_id, request.organisation)
    body = service_levels.body_of(row)
    return render(request, "rendering/levels_report.html", {
        "row": row, "export": export, "body": body, "title": report_page.title(body),
        "is_running": export.state in ("requested", "building"),
        "method": [(words.METHOD_WORDS[name], body["method"][name]) for name in words.METHOD_WORDS],
        "promises": [{
            **one, "words": words.TARGET_WORDS[one["name"]], "now": words.told(one["value"], one["unit"]),
            "limit_words": words.told(one["limit"], one["unit"]), "chip": words.VERDICT_CHIPS[one["verdict"]],
            "word": words.VERDICT_WORDS[one["verdict"]]} for one in body["promises"]],
        "cells": [{
            **cell, "name": words.NETWORK_WORDS[cell["network"]], "path_words": words.PATH_WORDS[cell["path"]],
            "told": [words.told((cell["figures"].get(figure) or {}).get(f"p{percentile}"), words.unit_of(figure))
                     for figure, percentile in (("response_ms", 50), ("response_ms", 95), ("ttff_ms", 95))]}
            for cell in [*body["every"], *body["networks"], *body["cells"]]],
    })  # fmt: skip


@requires(Permission.LEVELS_REPORT)
@require_safe
def report_bundle(request: Any, report_id: str) -> HttpResponse:
    """The signed bundle with the report in it."""
    row = service_levels.find_report(report_id, request.organisation)
    export = exports.find(row.export_id, request.organisation)
    response = HttpResponse(exports.download(export, actor=request.actor), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="trustcore-levels-{row.public_id}.zip"'
    return response
