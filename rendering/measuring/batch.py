"""What a viewer's page may report, and what of it can be true. PURE.

A report is one JSON object of known fields. Its counts are totals since the page was loaded, so a lost report loses
nothing and one that comes twice changes nothing. Nothing in it says who the viewer is.

What a page says of itself cannot be proven. What is refused here is what cannot be: more seconds than have passed, more
verified than received, a total that shrinks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from rendering.errors import FiguresImplausible, FiguresInvalid
from rendering.protocol import RUNG_NAMES

VERSION: Final = 1
MAX_BYTES: Final = 8 * 1024
NETWORKS: Final = ("4g", "3g", "2g", "slow-2g", "unknown")  # navigator.connection.effectiveType, where there is one
PATHS: Final = ("direct", "relay", "unknown")  # by the candidate in use on the viewer's side
TRANSPORTS: Final = ("udp", "tcp", "unknown")
ANSWER_KINDS: Final = ("voice", "typed")
MAX_ANSWERS: Final = 20  # in one report
LONGEST_WAIT_MS: Final = 60_000  # for an answer, a first picture or a round trip; longer is no measurement
MAX_CONNECTIONS: Final = 50
LEEWAY_S: Final = 10.0  # between the page's clock and ours
FRAMES_PER_S, PACKETS_PER_S, SAMPLES_PER_S = 61, 2000, 50_000  # that no session sends more of
SLOWEST_EVERY_S: Final = 4.0  # a page reports every 12 s, and when it goes
FREE_REPORTS: Final = 5
BEST_ANSWERS_PER_S: Final = 1.0


@dataclass(frozen=True)
class Totals:
    """Since the page was loaded: times in ms, counts of pictures, packets and sound samples."""

    watched_ms: int  # on rungs with a moving picture
    frozen_ms: int  # of these, in gaps of more than 200 ms between two pictures
    frames: int  # shown in that time
    samples: int  # of sound, played
    concealed: int  # of these, invented by the browser because a packet was missing
    packets: int  # of sound and pictures, received
    lost: int
    received: int  # pictures that the page's verifier saw
    verified: int
    sound_received: int  # packets of sound, likewise
    sound_verified: int
    cut_offs: int  # the replica began while the viewer's turn went on


@dataclass(frozen=True)
class Answer:
    """From the viewer's last sound, or the typed message, to the replica's first sound."""

    number: int
    kind: str
    ms: int


@dataclass(frozen=True)
class Batch:
    """One report of one load of the viewer's page."""

    visit: str  # 16 hex digits that the page drew at its load
    number: int  # from 1
    is_last: bool
    network: str
    path: str
    transport: str
    connections: int
    connect_ms: int | None  # from the posted offer to the open line
    ttff_ms: int | None  # to the first picture that was verified and shown
    rtt_ms: int | None  # the median of the visit so far
    totals: Totals
    rung_ms: Mapping[str, int]
    answers: tuple[Answer, ...]


_COUNTS: Final = tuple(field.name for field in fields(Totals))
_FIELDS: Final = frozenset({
    "v", "visit", "number", "is_last", "network", "path", "transport", "connections", "connect_ms", "ttff_ms", "rtt_ms",
    "rung_ms", "answers", *_COUNTS,
})
_MOST: Final = 2**40


def read(body: Mapping[str, Any]) -> Batch:
    """The report in a JSON object.

    Raises:
        FiguresInvalid: a field is missing, unknown, of another type or out of its range.
        FiguresImplausible: two of its figures contradict each other.
    """
    if set(body) != _FIELDS or body["v"] != VERSION:
        raise FiguresInvalid("A report has exactly the fields of its version, which is 1.")
    visit = body["visit"]
    if not isinstance(visit, str) or len(visit) != 16 or set(visit) - set("0123456789abcdef"):
        raise FiguresInvalid("visit is 16 hex digits.")
    if not isinstance(body["is_last"], bool):
        raise FiguresInvalid("is_last is true or false.")
    found = Batch(
        visit=visit, number=_whole(body, "number", 1, 100_000), is_last=body["is_last"],
        network=_word(body, "network", NETWORKS), path=_word(body, "path", PATHS),
        transport=_word(body, "transport", TRANSPORTS), connections=_whole(body, "connections", 1, MAX_CONNECTIONS),
        connect_ms=_wait(body, "connect_ms"), ttff_ms=_wait(body, "ttff_ms"), rtt_ms=_wait(body, "rtt_ms"),
        totals=Totals(**{name: _whole(body, name, 0, _MOST) for name in _COUNTS}),
        rung_ms=_rungs(body["rung_ms"]), answers=_answers(body["answers"]))
    _demand_sense(found.totals)
    return found


def _whole(body: Mapping[str, Any], name: str, lowest: int, highest: int) -> int:
    value = body[name]
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
        raise FiguresInvalid(f"{name} is a whole number from {lowest} to {highest}.", fields={name: ["out of range"]})
    return value


def _wait(body: Mapping[str, Any], name: str) -> int | None:
    return None if body[name] is None else _whole(body, name, 0, LONGEST_WAIT_MS)


def _word(body: Mapping[str, Any], name: str, words: tuple[str, ...]) -> str:
    value = body[name]
    if value not in words or not isinstance(value, str):
        raise FiguresInvalid(f"{name} is one of {', '.join(words)}.", fields={name: ["unknown"]})
    return value


def _rungs(told: Any) -> dict[str, int]:
    if not isinstance(told, dict) or set(told) - set(RUNG_NAMES):
        raise FiguresInvalid(f"rung_ms has milliseconds by rung: {', '.join(RUNG_NAMES)}.")
    return {name: _whole(told, name, 0, _MOST) for name in told}


def _answers(told: Any) -> tuple[Answer, ...]:
    if not isinstance(told, list) or len(told) > MAX_ANSWERS:
        raise FiguresInvalid(f"answers is a list of at most {MAX_ANSWERS}.")
    found = []
    for one in told:
        if not isinstance(one, dict) or set(one) != {"number", "kind", "ms"}:
            raise FiguresInvalid("An answer has number, kind and ms.")
        found.append(Answer(
            _whole(one, "number", 1, 100_000), _word(one, "kind", ANSWER_KINDS),
            _whole(one, "ms", 0, LONGEST_WAIT_MS)))
    if len({one.number for one in found}) != len(found):
        raise FiguresInvalid("Each answer has a number of its own.")
    return tuple(found)


def _demand_sense(told: Totals) -> None:
    for part, whole in (("frozen_ms", "watched_ms"), ("concealed", "samples"), ("verified", "received"),
                        ("sound_verified", "sound_received")):
        if getattr(told, part) > getattr(told, whole):
            raise FiguresImplausible(f"{part} is more than {whole}. Nothing of this report was kept.", figure=part)


def demand_possible(told: Batch, before: Totals | None, *, passed_s: float) -> None:
    """Could this have happened in `passed_s` seconds since the viewer came, after what this visit said `before`?

    Raises:
        FiguresImplausible: naming the figure that could not.
    """
    seconds, totals = passed_s + LEEWAY_S, told.totals
    most = {
        "watched_ms": 1000 * seconds, "frames": FRAMES_PER_S * seconds, "samples": SAMPLES_PER_S * seconds,
        "packets": PACKETS_PER_S * seconds, "lost": PACKETS_PER_S * seconds, "received": FRAMES_PER_S * seconds,
        "sound_received": PACKETS_PER_S * seconds, "cut_offs": seconds,
    }
    for name, limit in most.items():
        if getattr(totals, name) > limit:
            raise FiguresImplausible(f"{name} is more than can be in the time that passed.", figure=name)
    if sum(told.rung_ms.values()) > 1000 * seconds:
        raise FiguresImplausible("rung_ms is more than the time that passed.", figure="rung_ms")
    if any(one.number > BEST_ANSWERS_PER_S * seconds for one in told.answers):
        raise FiguresImplausible("There are more answers than can be in the time that passed.", figure="answers")
    for name in _COUNTS if before is not None else ():
        if getattr(totals, name) < getattr(before, name):
            raise FiguresImplausible(f"{name} is less than this page reported before.", figure=name)


def is_too_often(number: int, *, passed_s: float) -> bool:
    """Has a page that sends its `number`th report so long after its first sent too many?"""
    return number > FREE_REPORTS + passed_s / SLOWEST_EVERY_S
