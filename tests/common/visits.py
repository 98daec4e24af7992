"""Sessions whose viewers' pages reported figures, made without playing them: for tests and timing of service levels."""

import random
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rendering.models import AnswerTime, Conversation, Visit
from trustcore.audit import recording
from trustcore.audit.actors import Actor

TOTALS: dict[str, Any] = {
    "watched_ms": 100_000, "frozen_ms": 0, "frames": 3000, "samples": 4_800_000, "concealed": 4800, "packets": 10_000,
    "lost": 10, "received": 3000, "verified": 3000, "sound_received": 5000, "sound_verified": 5000, "cut_offs": 0,
}


def another_session(like: Conversation, *, at: datetime) -> Conversation:
    """A session that was live at `at`; all else is as in `like`."""
    row: Conversation = Conversation.objects.get(pk=like.pk)
    row.pk, row._state.adding = None, True
    row.public_id, row.idempotency_key, row.lease_id = f"c{secrets.token_hex(8)}", None, ""
    row.created_at = row.live_at = row.viewer_bound_at = at
    row.state, row.ended_at = "ended", at + timedelta(minutes=2)
    with recording.recording(actor=Actor.system("tests"), action=recording.Action.CONVERSATION_CREATED, obj=row):
        row.save(force_insert=True)
    return row


def visited(
    session: Conversation, *, at: datetime, answers_ms: Sequence[int] = (), kind: str = "voice", **changed: Any,
) -> Visit:
    """A visit of this session with its answers, a second apart."""
    told = {
        "number": 9, "is_last": True, "region": "", "network": "4g", "path": "direct", "transport": "udp",
        "connections": 1, "connect_ms": 200, "ttff_ms": 700, "rtt_ms": 40, "rung_ms": {"full": 100_000},
        **TOTALS, **changed}
    row: Visit = Visit.objects.create(
        conversation=session, organisation_id=session.organisation_id, visit=secrets.token_hex(8), began_at=at,
        seen_at=at, **told)
    AnswerTime.objects.bulk_create(
        AnswerTime(visit=row, organisation_id=session.organisation_id, number=n + 1, kind=kind, ms=ms,
                   at=at + timedelta(seconds=n)) for n, ms in enumerate(answers_ms))
    return row


@dataclass(frozen=True)
class Line:
    """How a kind of line behaves, for `a_week`."""

    network: str
    path: str
    region: str
    sessions: int
    response_ms: float
    jitter_ms: float
    frozen: float  # most of the frozen share
    rungs: dict[str, int]


LINES = (
    Line("4g", "direct", "Guwahati", 130, 430, 110, 0.01, {"full": 88, "medium": 10, "small": 2}),
    Line("4g", "relay", "Guwahati", 40, 560, 170, 0.03, {"full": 60, "medium": 25, "small": 15}),
    Line("4g", "direct", "Mumbai", 60, 470, 130, 0.02, {"full": 80, "medium": 15, "small": 5}),
    Line("3g", "direct", "Guwahati", 45, 1020, 260, 0.09,
         {"full": 8, "medium": 22, "small": 42, "still": 18, "audio": 10}),
    Line("2g", "relay", "Guwahati", 12, 1900, 500, 0.2, {"small": 20, "still": 38, "audio": 32, "captions": 10}),
    Line("unknown", "direct", "Mumbai", 30, 455, 120, 0.01, {"full": 85, "medium": 12, "small": 3}),
    Line("slow-2g", "relay", "Mumbai", 3, 2600, 700, 0.4, {"audio": 50, "captions": 50}),
)


def a_week(like: Conversation, *, until: datetime, seed: int = 1, lines: Sequence[Line] = LINES) -> int:
    """Made-up sessions over the seven days before `until`, fewer at night. Returns how many reported."""
    draw, made = random.Random(seed), 0
    for line in lines:
        for _ in range(line.sessions):
            at = until - timedelta(days=7 * draw.random())
            at = at.replace(hour=int(min(23, max(0, draw.gauss(13, 4)))))
            if not until - timedelta(days=7) <= at < until:
                continue
            session = another_session(like, at=at)
            if draw.random() < 0.06:
                continue  # its page reported nothing
            evening = 1.5 if at.hour >= 18 and line.network != "unknown" else 1.0
            answers = [max(90, int(draw.gauss(line.response_ms * evening, line.jitter_ms)))
                       for _ in range(draw.randint(3, 14))]
            watched = draw.randint(40_000, 300_000)
            received = watched // 40
            visited(
                session, at=at, answers_ms=answers, network=line.network, path=line.path, region=line.region,
                ttff_ms=None if draw.random() < 0.004 else int(draw.lognormvariate(6.6, 0.35)),
                rtt_ms=max(5, int(draw.gauss(line.response_ms / 8, 12))), watched_ms=watched,
                frozen_ms=int(watched * line.frozen * draw.random() ** 3),
                frames=int(watched / 1000 * draw.uniform(24, 30)),
                concealed=int(4_800_000 * line.frozen * draw.random() ** 2),
                lost=int(10_000 * line.frozen * draw.random()),
                received=received, verified=received, cut_offs=int(draw.random() < 0.15),
                rung_ms={name: int(watched * share / 100) for name, share in line.rungs.items()})
            made += 1
    return made
