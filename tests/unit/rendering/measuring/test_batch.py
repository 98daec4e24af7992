"""Which reports of a viewer's page are of the form, and which of those can be true."""

from dataclasses import fields, replace

import pytest

from rendering.errors import FiguresImplausible, FiguresInvalid
from rendering.measuring import batch
from tests.common.figure_reports import ANSWER, REPORT


def test_an_honest_report_is_read_whole():
    read = batch.read(REPORT)
    assert (read.totals.frames, read.rung_ms, read.answers[0].ms) == (240, {"full": 8000}, 480)
    batch.demand_possible(read, None, passed_s=0.0)
    batch.demand_possible(read, read.totals, passed_s=30.0)


@pytest.mark.parametrize("spoil", [
    {"v": 2}, {"visit": "x" * 16}, {"visit": "0" * 15}, {"visit": 1}, {"number": 0}, {"number": True}, {"number": 1.5},
    {"number": "2"}, {"is_last": 1}, {"network": "5g"}, {"network": None}, {"network": ["4g"]}, {"path": "203.0.113.9"},
    {"transport": "tls"}, {"connections": 0}, {"connections": 51}, {"ttff_ms": -1}, {"ttff_ms": 60_001},
    {"rtt_ms": float("nan")}, {"frames": -1}, {"frames": 10**15}, {"frames": None}, {"samples": "many"},
    {"rung_ms": {"best": 1}}, {"rung_ms": {"full": -1}}, {"rung_ms": []}, {"answers": {}}, {"answers": [1]},
    {"answers": [{**ANSWER, "kind": "sung"}]}, {"answers": [{**ANSWER, "more": 1}]}, {"answers": [ANSWER, ANSWER]},
    {"answers": [{**ANSWER, "ms": 60_001}]}, {"answers": [{**ANSWER, "number": n} for n in range(1, 22)]},
    {"user_agent": "Mozilla/5.0"},
])
def test_what_is_not_of_the_form_is_refused(spoil):
    with pytest.raises(FiguresInvalid):
        batch.read({**REPORT, **spoil})


@pytest.mark.parametrize("name", sorted(REPORT))
def test_no_field_may_be_missing(name):
    with pytest.raises(FiguresInvalid):
        batch.read({key: value for key, value in REPORT.items() if key != name})


@pytest.mark.parametrize(("absurd", "figure"), [
    ({"frozen_ms": 8001}, "frozen_ms"), ({"verified": 241}, "verified"), ({"sound_verified": 401}, "sound_verified"),
    ({"concealed": 380_001}, "concealed"), ({"watched_ms": 200_000, "frozen_ms": 0}, "watched_ms"),
    ({"frames": 10_000}, "frames"), ({"samples": 10**8}, "samples"), ({"packets": 10**7}, "packets"),
    ({"lost": 10**7}, "lost"), ({"received": 10_000}, "received"), ({"sound_received": 10**7}, "sound_received"),
    ({"rung_ms": {"full": 100_000, "small": 100_000}}, "rung_ms"), ({"cut_offs": 500}, "cut_offs"),
    ({"answers": [{**ANSWER, "number": 500}]}, "answers"),
])
def test_what_cannot_be_is_refused(absurd, figure):
    with pytest.raises(FiguresImplausible) as refusal:
        batch.demand_possible(batch.read({**REPORT, **absurd}), None, passed_s=120.0)
    assert figure in refusal.value.message


@pytest.mark.parametrize("name", [field.name for field in fields(batch.Totals)])
def test_totals_never_shrink(name):
    told = batch.read(REPORT)
    before = replace(told.totals, **{name: getattr(told.totals, name) + 1})
    with pytest.raises(FiguresImplausible) as refusal:
        batch.demand_possible(told, before, passed_s=120.0)
    assert name in refusal.value.message


def test_a_page_that_reports_every_twelve_seconds_is_never_too_quick():
    assert not any(batch.is_too_often(n, passed_s=12.0 * (n - 1)) for n in range(1, 1000))
    assert batch.is_too_often(batch.FREE_REPORTS + 1, passed_s=0.0)
    assert batch.is_too_often(1000, passed_s=2000.0)
