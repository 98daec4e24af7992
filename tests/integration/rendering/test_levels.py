"""Service levels from rows: each percentile is of its own values, few values say so, and nothing crosses tenants."""

import random
from datetime import timedelta

import numpy as np
import pytest

from rendering import levels_selectors
from rendering.measuring import targets
from rendering.services import service_levels
from tests.common import replicas, visits
from tests.functional.rendering.test_sessions import Talk
from trustcore.primitives.clock import utc_now

pytestmark = pytest.mark.django_db
NOW = utc_now()
DAY = timedelta(days=1)


@pytest.fixture
def stage(cast, monkeypatch):
    return replicas.set_stage(cast, monkeypatch)


@pytest.fixture
def like(stage):
    return Talk(stage).row


def measured(like, **changed):
    told = {"from_at": NOW - 7 * DAY, "until_at": NOW, "promised": targets.PROMISED_NETWORKS, **changed}
    return levels_selectors.levels(like.organisation_id, **told)


def on_line(found, network):
    return next(cell for cell in found.networks if cell.network == network)


def session(like, at=NOW - DAY, **told):
    return visits.visited(visits.another_session(like, at=at), at=at, **told)


def test_percentiles_are_of_the_groups_own_values_and_never_of_parts(like):
    draw, answers, pictures = random.Random(3), {"4g": [], "3g": []}, []
    for n in range(40):
        network = "3g" if n % 4 == 0 else "4g"
        waits = [draw.randint(100, 3000) for _ in range(draw.randint(0, 6))]
        ttff = draw.randint(300, 5000)
        session(like, network=network, answers_ms=waits, ttff_ms=ttff)
        answers[network] += waits
        pictures.append(ttff)
    found = measured(like)
    for cell, values in (
        (on_line(found, "4g"), answers["4g"]), (on_line(found, "3g"), answers["3g"]),
        (found.every, answers["4g"] + answers["3g"]), (found.promised, answers["4g"]),
    ):
        spread = cell.spread("response_ms")
        assert spread.count == len(values)
        assert [spread.at[p] for p in (50, 95, 99)] == pytest.approx(list(np.percentile(values, (50, 95, 99))))
    assert found.every.spread("ttff_ms").at[95] == pytest.approx(np.percentile(pictures, 95))
    assert (found.every.sessions, on_line(found, "3g").sessions, found.promised.sessions) == (40, 10, 30)
    assert sum(bucket.spread.count for bucket in found.over_time["4g"]) == len(answers["4g"])


def test_a_session_of_two_visits_counts_once_with_its_sums(like):
    one = visits.another_session(like, at=NOW - DAY)
    visits.visited(one, at=NOW - DAY, ttff_ms=500, network="3g", frozen_ms=10_000, answers_ms=[400])
    visits.visited(
        one, at=NOW - DAY + timedelta(minutes=1), ttff_ms=90, network="4g", frozen_ms=30_000, answers_ms=[800])
    found = measured(like)
    assert (found.held, found.reported, found.every.sessions) == (1, 1, 1)
    cell = on_line(found, "4g")  # where it ended
    assert cell.spread("ttff_ms").at[50] == 500  # what the viewer waited for at first
    assert cell.spread("frozen_ppm").at[50] == 200_000 and cell.rung_ms == {"full": 200_000}
    assert cell.spread("response_ms").count == 2 and found.networks == [cell]


def test_what_did_not_verify_and_what_never_reached_a_picture_is_seen(like):
    for n in range(10):
        session(like, verified=2999 if n == 0 else 3000, ttff_ms=None if n < 2 else 700, cut_offs=1, answers_ms=[500])
    cell = measured(like).every
    assert cell.sessions_unverified == 1 and cell.verified_ppm == pytest.approx(1e6 * (80_000 - 1) / 80_000)
    assert cell.picture_ppm == 800_000 and cell.cut_off_ppm == 500_000


def test_typed_answers_are_apart_from_spoken_ones(like):
    session(like, answers_ms=[5000], kind="typed")
    cell = measured(like).every
    assert (cell.spread("response_ms").count, cell.spread("typed_ms").at[50]) == (0, 5000)


def test_a_share_of_a_moment_is_no_share(like):
    session(like, watched_ms=900, frozen_ms=900, samples=100, concealed=100, packets=3, lost=1)
    cell = measured(like).every
    assert [cell.spread(name).count for name in ("frozen_ppm", "concealed_ppm", "lost_ppm", "fps")] == [0] * 4


def test_only_the_period_the_region_and_the_organisation(like, cast):
    session(like, region="Mumbai")
    session(like, region="Guwahati")
    session(like, at=NOW - 8 * DAY)
    elsewhere = visits.another_session(like, at=NOW - DAY)
    visits.visited(elsewhere, at=NOW - DAY)
    elsewhere.visits.update(organisation=cast.elsewhere)
    assert measured(like).every.sessions == 2
    assert measured(like, region="Mumbai").every.sessions == 1
    assert [cell.region for cell in measured(like).cells] == ["Guwahati", "Mumbai"]
    assert levels_selectors.regions(like.organisation_id, from_at=NOW - 7 * DAY, until_at=NOW) == ["Guwahati", "Mumbai"]
    there = levels_selectors.levels(
        cast.elsewhere.id, from_at=NOW - 7 * DAY, until_at=NOW, promised=targets.PROMISED_NETWORKS)
    assert (there.every.sessions, there.held) == (1, 0)


def test_nothing_measured_is_nothing_and_no_fault(like):
    found = measured(like)
    assert (found.every.sessions, found.networks, found.over_time) == (0, [], {})
    assert {one.word for one in service_levels.verdicts(found.promised, targets.DEFAULTS)} == {targets.TOO_FEW}


def test_promises_are_judged_over_the_lines_they_are_about(like):
    for _ in range(20):
        session(like, network="4g", answers_ms=[400, 500])
        session(like, network="3g", answers_ms=[4000, 5000], verified=10)
    words = {one.target.name: one.word for one in service_levels.verdicts(measured(like).promised, targets.DEFAULTS)}
    assert set(words.values()) == {targets.KEPT}, words
    every = {one.target.name: one.word for one in service_levels.verdicts(measured(like).every, targets.DEFAULTS)}
    assert every["response_p95_ms"] == every["verified_ppm"] == targets.MISSED
