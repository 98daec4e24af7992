"""A report as a viewer's page sends it, for tests."""

from typing import Any

ANSWER: dict[str, Any] = {"number": 1, "kind": "voice", "ms": 480}
REPORT: dict[str, Any] = {
    "v": 1, "visit": "0123456789abcdef", "number": 1, "is_last": False, "network": "4g", "path": "direct",
    "transport": "udp", "connections": 1, "connect_ms": 220, "ttff_ms": 640, "rtt_ms": 41, "watched_ms": 8000,
    "frozen_ms": 0, "frames": 240, "samples": 380_000, "concealed": 1200, "packets": 900, "lost": 3, "received": 240,
    "verified": 240, "sound_received": 400, "sound_verified": 400, "cut_offs": 0, "rung_ms": {"full": 8000},
    "answers": [ANSWER],
}
