"""The words and units of figures, for pages and for the report's page. PURE."""

import math
from typing import Final

NETWORK_WORDS: Final = {
    "4g": "Good line", "3g": "3G class", "2g": "2G class", "slow-2g": "Slow 2G class", "unknown": "Line not told",
    "": "All lines",
}
NETWORK_NOTES: Final = {
    "4g": "“4g” to the browser", "3g": "“3g” to the browser", "2g": "“2g” to the browser",
    "slow-2g": "“slow-2g” to the browser", "unknown": "the browser does not say", "": "",
}
PATH_WORDS: Final = {"direct": "direct", "relay": "relayed", "unknown": "not told", "": ""}
RUNG_WORDS: Final = {
    "full": "full", "medium": "medium", "small": "small", "still": "still", "audio": "sound", "captions": "text"}
VERDICT_WORDS: Final = {"kept": "kept", "missed": "missed", "too_few": "too few"}
VERDICT_CHIPS: Final = {"kept": "pass", "missed": "fail", "too_few": "not_run"}
TARGET_WORDS: Final = {
    "response_p50_ms": "First sound, half of turns", "response_p95_ms": "First sound, 95 of 100 turns",
    "ttff_p95_ms": "First picture, 95 of 100 sessions", "frozen_p95_ppm": "Picture frozen, 95 of 100 sessions",
    "picture_ppm": "Sessions that reached a picture", "verified_ppm": "Pictures and sound verified",
}
FIGURE_WORDS: Final = {
    "response_ms": "First sound after speech", "typed_ms": "First sound after typing", "ttff_ms": "First picture",
    "rtt_ms": "Round trip", "frozen_ppm": "Picture frozen", "concealed_ppm": "Sound filled in",
    "lost_ppm": "Packets lost", "fps": "Pictures a second", "fps_milli": "Pictures a second",
}

METHOD_WORDS: Final = {  # what a report says of its method, in the order of reading
    "who measures": "Who measures", "who is missing": "Who is missing", "percentiles": "Percentiles",
    "response_ms": "First sound after speech", "typed_ms": "First sound after typing", "ttff_ms": "First picture",
    "picture_ppm": "Reached a picture", "frozen_ppm": "Picture frozen", "concealed_ppm": "Sound filled in",
    "fps_milli": "Pictures a second", "rtt_ms": "Round trip", "lost_ppm": "Packets lost", "verified_ppm": "Verified",
    "network": "Line, path, region",
}


def told(value: float | None, unit: str) -> str:
    """A value with its unit. `unit`: ms, ppm (told as a percentage), fps or fps_milli; "–" where there is none."""
    if value is None:
        return "–"
    if unit == "ms":
        return f"{math.ceil(value):,} ms"  # as a promise is judged: never rounded to a limit it misses
    if unit == "ppm":
        # Never rounded to a promise it misses: 99.9999 % is not 100 %.
        percent = math.floor(value) / 10_000
        places = 1 if 0.1 <= percent <= 99.9 else 4
        return f"{percent:.{places}f}".rstrip("0").rstrip(".") + " %"
    return f"{value / (1000 if unit == 'fps_milli' else 1):.1f}"


def unit_of(figure: str) -> str:
    """The unit of a figure, which its name ends with."""
    return figure if figure in ("fps", "fps_milli") else figure.rsplit("_", 1)[-1]


def group_name(network: str, path: str, region: str) -> str:
    """The name of a group of sessions; "" stands for all of a kind."""
    return ", ".join(part for part in (NETWORK_WORDS[network], PATH_WORDS[path], region) if part)
