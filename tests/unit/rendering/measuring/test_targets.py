"""When a promise is kept, and when there is too little to say so."""

import pytest

from rendering.errors import TargetsInvalid
from rendering.measuring import targets, words

NAMED = {target.name: target for target in targets.TARGETS}


@pytest.mark.parametrize(("name", "limit", "value", "count", "word", "shown"), [
    ("response_p50_ms", 600, 600.0, 5, "kept", 600), ("response_p50_ms", 600, 600.2, 5, "missed", 601),
    ("response_p50_ms", 600, 100.0, 4, "too_few", None), ("response_p95_ms", 1000, 900.0, 19, "too_few", None),
    ("response_p95_ms", 1000, 900.0, 20, "kept", 900), ("response_p95_ms", 1000, None, 0, "too_few", None),
    ("verified_ppm", 1_000_000, 1e6, 5, "kept", 1_000_000),
    ("verified_ppm", 1_000_000, 999_999.7, 5, "missed", 999_999),
    ("picture_ppm", 990_000, 985_000.0, 200, "missed", 985_000),
])
def test_a_promise_is_judged_by_the_figure_itself_and_never_shown_rounded_into_it(
    name, limit, value, count, word, shown,
):
    verdict = targets.judge(NAMED[name], limit, value, count)
    assert (verdict.word, verdict.value) == (word, shown)


def test_a_percentile_needs_as_many_values_as_say_more_than_the_largest():
    assert [targets.needed(p) for p in (0, 50, 95, 99)] == [5, 5, 20, 100]


@pytest.mark.parametrize("spoil", [
    {"response_p50_ms": 0}, {"response_p50_ms": "600"}, {"response_p50_ms": True}, {"verified_ppm": 1_000_001},
    {"frozen_p95_ppm": -1}, {"ttff_p95_ms": None},
])
def test_a_limit_out_of_its_range_is_refused(spoil):
    with pytest.raises(TargetsInvalid):
        targets.checked({**targets.DEFAULTS, **spoil}, ["4g"])


@pytest.mark.parametrize("networks", [[], ["5g"], ["4g", "5g"]])
def test_promises_are_about_a_line_that_is_known(networks):
    with pytest.raises(TargetsInvalid):
        targets.checked(targets.DEFAULTS, networks)
    assert targets.checked(targets.DEFAULTS, ["unknown", "4g"]) == (targets.DEFAULTS, ["4g", "unknown"])


@pytest.mark.parametrize(("value", "unit", "told"), [
    (472.4, "ms", "473 ms"), (1060, "ms", "1,060 ms"), (None, "ms", "–"), (1_000_000, "ppm", "100 %"),
    (999_999, "ppm", "99.9999 %"), (999_990, "ppm", "99.999 %"), (0, "ppm", "0 %"), (50_000, "ppm", "5 %"),
    (123_456, "ppm", "12.3 %"), (40, "ppm", "0.004 %"), (29.14, "fps", "29.1"), (29_140, "fps_milli", "29.1"),
])
def test_a_figure_is_told_with_its_unit_and_a_near_miss_is_not_told_as_a_hit(value, unit, told):
    assert words.told(value, unit) == told
