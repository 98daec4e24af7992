"""The signed report on what viewers measured: what it says, as one canonical JSON object. PURE.

Whole numbers throughout: milliseconds, millionths (ppm), counts. A percentile of too few values is null, and a cell of
fewer than five sessions has no figures, only its counts.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from rendering.measuring import targets
from rendering.measuring.targets import HIDDEN_BELOW, PERCENTILES, Verdict
from trustcore.primitives.canonical import canonical_bytes
from trustcore.primitives.clock import to_rfc3339

KIND: Final = "trustcore-latency-report"
VERSION: Final = 1
FIGURES: Final = (
    "response_ms", "typed_ms", "ttff_ms", "rtt_ms", "frozen_ppm", "concealed_ppm", "lost_ppm", "fps_milli")
METHOD: Final = {
    "who measures": "The viewer's own browser, by its page's script. The service cannot check what it says; it "
                    "refuses what cannot be (more seconds than passed, more verified than received, totals that "
                    "shrink).",
    "response_ms": "From the last 10 ms of the viewer's microphone above -40 dB to the first 10 ms of the replica's "
                   "decoded sound above it, voice turns only. The loudspeaker's own delay is not in it. Answers into a "
                   "pause that the viewer ended within 600 ms are counted as cut_offs and not as answers.",
    "typed_ms": "The same from the sending of a typed message.",
    "ttff_ms": "From the posted offer to the first picture that was verified and shown, of a session's first visit.",
    "frozen_ppm": "Of the time on rungs with a moving picture, the share in gaps of more than 200 ms. The time in "
                  "which a lost line was made again is not in it.",
    "concealed_ppm": "Of the sound samples played, those that the browser invented for a missing packet.",
    "lost_ppm": "Of the packets sent to the viewer, those that the browser counts as lost.",
    "rtt_ms": "The median round trip of each session.",
    "fps_milli": "Pictures a second on rungs with a moving picture, in thousandths.",
    "verified_ppm": "Of the pictures and packets of sound that arrived, those whose signature the page verified.",
    "picture_ppm": "Of the sessions that reported, those that reached a verified picture.",
    "network": "What the browser calls the line (effectiveType): 4g is any good line, unknown a browser that does not "
               "say. path: whether the line goes through a relay. region: where the worker stands, as the operator "
               "named it.",
    "percentiles": "Linear interpolation between the values of the cell itself (SQL percentile_cont), over sessions, "
                   "or over answers for response_ms and typed_ms. None is made of others. null: too few values.",
    "who is missing": "Sessions whose page reported nothing: the viewer declined, the page was lost at once, or a "
                      "browser asked not to be measured. held minus reported is how many.",
}


@dataclass(frozen=True)
class Facts:
    """What a report is about."""

    report_id: str
    tenant: str
    organisation: str
    made_at: datetime
    from_at: datetime
    until_at: datetime
    held: int
    reported: int
    judged: int  # sessions on the networks that the promises are about
    networks: tuple[str, ...]
    cells: Mapping[str, list[dict[str, Any]]]  # "every", "networks", "cells"


def cell_body(cell: Any) -> dict[str, Any]:
    """A cell of `levels_selectors` as a report says it."""
    counts = {
        "network": cell.network, "path": cell.path, "region": cell.region, "sessions": cell.sessions,
        "sessions_unverified": cell.sessions_unverified, "received": cell.received, "verified": cell.verified,
        "cut_offs": cell.cut_offs}
    if cell.sessions < HIDDEN_BELOW:
        return {**counts, "figures": {}}
    figures = {}
    for name in FIGURES:
        spread = cell.spread("fps" if name == "fps_milli" else name)
        scale = 1000 if name == "fps_milli" else 1
        figures[name] = {"count": spread.count, **{
            f"p{percentile}": math.ceil(scale * spread.at[percentile])
            if spread.count >= targets.needed(percentile) else None for percentile in PERCENTILES}}
    shares = {name: None if value is None else int(value) for name, value in (
        ("picture_ppm", cell.picture_ppm), ("verified_ppm", cell.verified_ppm), ("cut_off_ppm", cell.cut_off_ppm))}
    return {**counts, "figures": figures, **shares}


def body(facts: Facts, verdicts: Iterable[Verdict]) -> dict[str, Any]:
    """The whole report."""
    return {
        "kind": KIND, "v": VERSION, "report": facts.report_id, "tenant": facts.tenant,
        "organisation": facts.organisation, "made_at": to_rfc3339(facts.made_at), "from": to_rfc3339(facts.from_at),
        "until": to_rfc3339(facts.until_at),
        "sessions": {"held": facts.held, "reported": facts.reported, "judged": facts.judged},
        "promised_networks": list(facts.networks), "promises": [_promise(one) for one in verdicts],
        **{name: list(cells) for name, cells in facts.cells.items()}, "method": dict(METHOD),
    }


def _promise(verdict: Verdict) -> dict[str, Any]:
    target = verdict.target
    return {
        "name": target.name, "figure": target.figure, "percentile": target.percentile, "unit": target.unit,
        "limit": verdict.limit, "is_floor": target.is_floor, "value": verdict.value, "count": verdict.count,
        "verdict": verdict.word}


def content(report: Mapping[str, Any]) -> bytes:
    """The report's very bytes."""
    return canonical_bytes(dict(report))
