"""The numbers of the charts: one scale, gaps where too little was measured, shares that fill the bar."""

from dataclasses import dataclass, field

import pytest

from rendering.measuring import charts


@dataclass
class Spread:
    count: int
    at: dict[int, float] = field(default_factory=lambda: {50: 400.0, 95: 900.0})


@dataclass
class Bucket:
    number: int
    spread: Spread


def drawn(*told, **changed):
    return charts.band_chart(
        [Bucket(number, Spread(count)) for number, count in told],
        **{"count": 28, "limit_ms": 600, "top_ms": 1000, "half_ms": 400.0, "most_ms": 900.0, **changed})


def test_a_piece_with_few_answers_is_a_gap():
    chart = drawn((0, 9), (1, 9), (2, 4), (3, 9), (4, 9), (6, 9))
    assert len(chart.half) == len(chart.most) == len(chart.bands) == 2 and len(chart.dots) == 1
    assert drawn((0, 4)).half == [] and drawn().bands == []


def test_what_is_slower_is_higher_and_stays_on_the_chart():
    chart = drawn((0, 9), (1, 9), half_ms=400.0, most_ms=5000.0)
    assert charts.TOP <= chart.end_most.y < chart.limit_y < chart.end_half.y <= charts.HEIGHT - charts.BOTTOM


def test_two_labels_do_not_lie_on_each_other():
    chart = drawn((0, 9), (1, 9), half_ms=430.0, most_ms=440.0)
    assert chart.end_half.y - chart.end_most.y >= charts.LABEL_APART


def test_the_scale_is_a_round_number_at_or_above_everything():
    assert [charts.top_of(values) for values in ([], [600], [1000.0], [1430], [10**9])] == [
        500, 800, 1000, 1600, 60_000]


def test_a_bar_of_rungs_is_full_and_in_order():
    shares = charts.rung_bar({"small": 25, "full": 70, "captions": 5})
    assert [share.rung for share in shares] == ["full", "small", "captions"]
    assert [share.percent for share in shares] == [70, 25, 5]
    assert shares[-1].x + shares[-1].width == pytest.approx(charts.BAR_WIDTH, abs=2)
    assert charts.rung_bar({}) == [] and charts.rung_bar({"full": 0}) == []
