"""What viewers measured, over a period: percentiles and shares, computed by the database. Never writes.

Every value is computed from the sessions or answers of its own group. A percentile of a whole is never made of the
percentiles of its parts, so each grouping is a grouping set of one query.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from rendering.measuring.batch import NETWORKS
from rendering.measuring.targets import PERCENTILES
from rendering.models import Conversation

SHARES = [percentile / 100 for percentile in PERCENTILES]
# Over one session: the first picture of its first visit, sums over its visits, the network of its last. A share of less
# than five seconds says nothing and is left out.
_SESSIONS = """
SELECT conversation_id, (array_agg(network ORDER BY id DESC))[1] AS network,
    (array_agg(path ORDER BY id DESC))[1] AS path, (array_agg(region ORDER BY id DESC))[1] AS region,
    (array_agg(ttff_ms ORDER BY id))[1]::float AS ttff_ms,
    percentile_disc(0.5) WITHIN GROUP (ORDER BY rtt_ms)::float AS rtt_ms,
    CASE WHEN sum(watched_ms) >= 5000 THEN 1e6 * sum(frozen_ms) / sum(watched_ms) END::float AS frozen_ppm,
    CASE WHEN sum(watched_ms) >= 5000 THEN 1e3 * sum(frames) / sum(watched_ms) END::float AS fps,
    CASE WHEN sum(samples) >= 240000 THEN 1e6 * sum(concealed) / sum(samples) END::float AS concealed_ppm,
    CASE WHEN sum(packets) >= 500 THEN 1e6 * sum(lost) / (sum(packets) + sum(lost)) END::float AS lost_ppm,
    sum(received) + sum(sound_received) AS received, sum(verified) + sum(sound_verified) AS verified,
    sum(cut_offs) AS cut_offs, min(began_at) AS began_at
FROM rendering_visit
WHERE organisation_id = %(organisation)s AND began_at >= %(from)s AND began_at < %(until)s
GROUP BY conversation_id
"""
_CHOSEN = f"""
WITH session AS MATERIALIZED (
    SELECT *, network = ANY(%(promised)s) AS is_promised FROM ({_SESSIONS}) AS every
    WHERE (%(region)s::text IS NULL OR region = %(region)s)
)"""  # noqa: S608 made of the constants above; values go as parameters
_GROUPS = "GROUP BY GROUPING SETS ((), (is_promised), (network), (network, path, region))"
_KEY = "GROUPING(is_promised, network, path) AS depth, is_promised, network, path, region"
FIGURES = ("ttff_ms", "rtt_ms", "frozen_ppm", "concealed_ppm", "lost_ppm", "fps")
_OF_SESSIONS = f"""{_CHOSEN}
SELECT {_KEY}, count(*), count(*) FILTER (WHERE verified < received), sum(received), sum(verified), sum(cut_offs),
    {", ".join(f"count({name}), percentile_cont(%(shares)s) WITHIN GROUP (ORDER BY {name})" for name in FIGURES)}
FROM session {_GROUPS}"""  # noqa: S608 made of the constants above; values go as parameters
# Of a visit only what is named: its other columns have the names of the session's.
_ANSWERS = """session JOIN (SELECT id, conversation_id FROM rendering_visit) AS visit USING (conversation_id)
JOIN rendering_answer_time AS answer ON answer.visit_id = visit.id"""
_OF_ANSWERS = f"""{_CHOSEN}
SELECT {_KEY}, answer.kind, count(*), percentile_cont(%(shares)s) WITHIN GROUP (ORDER BY answer.ms::float)
FROM {_ANSWERS} {_GROUPS}, answer.kind"""  # noqa: S608 made of the constants above; values go as parameters
_OVER_TIME = f"""{_CHOSEN}
SELECT network, floor(extract(epoch FROM answer.at - %(from)s) / %(bucket_s)s)::int AS bucket, count(*),
    percentile_cont(%(shares)s) WITHIN GROUP (ORDER BY answer.ms::float)
FROM {_ANSWERS}
WHERE answer.kind = 'voice' AND answer.at >= %(from)s AND answer.at < %(until)s
GROUP BY network, bucket ORDER BY network, bucket"""  # noqa: S608 made of the constants above; values go as parameters
_RUNGS = f"""{_CHOSEN}
SELECT network, rung.key, sum(rung.value::bigint)
FROM session JOIN (SELECT conversation_id, rung_ms FROM rendering_visit) AS visit USING (conversation_id)
CROSS JOIN jsonb_each_text(visit.rung_ms) AS rung
GROUP BY network, rung.key"""  # noqa: S608 made of the constants above; values go as parameters


@dataclass(frozen=True)
class Spread:
    """Percentiles of one figure, and of how many values. `at` is empty where there is no value."""

    count: int = 0
    at: dict[int, float] = field(default_factory=dict)


@dataclass
class Cell:
    """Everything about one group of sessions. Of `network`, `path` and `region` "" means all of them."""

    network: str = ""
    path: str = ""
    region: str = ""
    sessions: int = 0
    sessions_unverified: int = 0  # in which something that arrived did not verify
    received: int = 0
    verified: int = 0
    cut_offs: int = 0
    spreads: dict[str, Spread] = field(default_factory=dict)
    rung_ms: dict[str, int] = field(default_factory=dict)

    def spread(self, figure: str) -> Spread:
        return self.spreads.get(figure, Spread())

    @property
    def picture_ppm(self) -> float | None:
        """Sessions that reached a verified picture."""
        return 1e6 * self.spread("ttff_ms").count / self.sessions if self.sessions else None

    @property
    def verified_ppm(self) -> float | None:
        """Of all pictures and packets of sound that arrived, those that verified."""
        return 1e6 * self.verified / self.received if self.received else None

    @property
    def cut_off_ppm(self) -> float | None:
        turns = self.cut_offs + self.spread("response_ms").count
        return 1e6 * self.cut_offs / turns if turns else None


@dataclass(frozen=True)
class Bucket:
    """The answers of one piece of the period on one network."""

    number: int
    spread: Spread


@dataclass(frozen=True)
class Levels:
    """What was measured in a period."""

    from_at: datetime
    until_at: datetime
    every: Cell
    promised: Cell  # the sessions that the promises are about
    networks: list[Cell]  # best first
    cells: list[Cell]  # network, path and region
    over_time: dict[str, list[Bucket]]
    held: int  # sessions that went live in the period
    reported: int  # of these, whose page reported


def levels(
    organisation_id: int, *, from_at: datetime, until_at: datetime, promised: Sequence[str], region: str | None = None,
    buckets: int = 14,
) -> Levels:
    """All figures of an organisation's sessions whose first report came in [from_at, until_at).

    Args:
        promised: the networks that its promises are about.
        region: only sessions there; None for all.
        buckets: pieces of the period in `over_time`.
    """
    told = {
        "organisation": organisation_id, "from": from_at, "until": until_at, "region": region, "shares": SHARES,
        "promised": list(promised), "bucket_s": (until_at - from_at) / timedelta(seconds=buckets),
    }
    cells = {_key(row): _cell(row) for row in _rows(_OF_SESSIONS, told)}
    for row in _rows(_OF_ANSWERS, told):
        kind, count, at = row[5:]
        figure = "response_ms" if kind == "voice" else "typed_ms"
        cells[_key(row)].spreads[figure] = _spread(count, at)
    for network, rung, ms in _rows(_RUNGS, told):
        cells[("network", network, "", "")].rung_ms[rung] = int(ms)
    over_time: dict[str, list[Bucket]] = {}
    for network, number, count, at in _rows(_OVER_TIME, told):
        over_time.setdefault(network, []).append(Bucket(number, _spread(count, at)))
    held = Conversation.objects.filter(
        organisation_id=organisation_id, live_at__gte=from_at, live_at__lt=until_at)
    return Levels(
        from_at, until_at, cells.get(("every", "", "", ""), Cell()), cells.get(("promised", "", "", ""), Cell()),
        _sorted(cells, "network"), _sorted(cells, "cell"), over_time, held.count(),
        held.filter(visits__isnull=False).distinct().count())


def regions(organisation_id: int, *, from_at: datetime, until_at: datetime) -> list[str]:
    """The regions that sessions of a period were in, "" for one without a name."""
    rows = _rows(
        "SELECT DISTINCT region FROM rendering_visit WHERE organisation_id = %(organisation)s AND began_at >= %(from)s "
        "AND began_at < %(until)s ORDER BY region",
        {"organisation": organisation_id, "from": from_at, "until": until_at})
    return [row[0] for row in rows]


def _rows(query: str, told: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, told)
        return list(cursor.fetchall())


def _key(row: Sequence[Any]) -> tuple[str, str, str, str]:
    """Which grouping a row is of: one bit of `depth` for each of is_promised, network and path that is summed up."""
    depth, is_promised, network, path, region = row[:5]
    if depth == 0b111:
        return "every", "", "", ""
    if depth == 0b011:
        return ("promised" if is_promised else "others"), "", "", ""
    return ("network", network, "", "") if depth == 0b101 else ("cell", network, path, region)


def _cell(row: Sequence[Any]) -> Cell:
    sessions, unverified, received, verified, cut_offs = row[5:10]
    spreads = {
        name: _spread(row[10 + 2 * number], row[11 + 2 * number]) for number, name in enumerate(FIGURES)}
    return Cell(
        network=row[2] or "", path=row[3] or "", region=row[4] or "", sessions=sessions, sessions_unverified=unverified,
        received=int(received or 0), verified=int(verified or 0), cut_offs=int(cut_offs or 0), spreads=spreads)


def _spread(count: int, at: Sequence[float] | None) -> Spread:
    return Spread(count, dict(zip(PERCENTILES, at, strict=True)) if count and at else {})


def _sorted(cells: dict[tuple[str, str, str, str], Cell], kind: str) -> list[Cell]:
    found = [cell for key, cell in cells.items() if key[0] == kind]
    return sorted(found, key=lambda cell: (NETWORKS.index(cell.network), cell.path, cell.region))
