"""Public identifiers. The first letter says what a thing is; the rest is random and says nothing."""

import secrets
import time
import uuid

PREFIXES: dict[str, str] = {
    "api_key": "k", "approval": "a", "blob": "b", "clip": "l", "consent": "n", "conversation": "c", "data_key": "d",
    "decision": "q", "event": "e", "export": "x", "footage": "f", "grant": "g", "hold": "ho", "identity_check": "i",
    "invitation": "v", "job": "j", "lease": "z", "membership": "mb", "notice": "t", "organisation": "o", "persona": "p",
    "policy": "y",
    "recording": "m", "replica": "r", "slot": "h", "subject": "s", "user": "u", "worker": "w", "suspension": "sp",
    "kill_switch": "ks", "service_targets": "st", "latency_report": "lr",
}


def new_id(noun: str) -> str:
    """A new public id for a `noun` of the glossary: one letter and 16 hex digits (64 random bits).

    Raises:
        KeyError: the noun has no prefix; add it to PREFIXES.
    """
    return PREFIXES[noun] + secrets.token_hex(8)


def new_uuid7(now_ms: int | None = None) -> str:
    """A time-ordered UUID (RFC 9562 version 7), as text. `now_ms`: Unix milliseconds."""
    ms = int(time.time() * 1000) if now_ms is None else now_ms
    bits = (ms & ((1 << 48) - 1)) << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=bits))


def new_mark_id() -> int:
    """A random 64-bit number for a watermark slot. Never zero, never derived from anything."""
    return secrets.randbits(64) or 1


def mark_id_text(mark_id: int) -> str:
    """A slot id as it is written everywhere: 16 hex digits. `int(text, 16)` reads it."""
    return f"{mark_id:016x}"
