"""The one place where a reading of the detector becomes something that may be told, for the public page and for intake.

Answers are remembered by neighbourhood in the database, for a day (provenance/oracle/answers.py has the rules).
"""

import hmac
from datetime import datetime

from django.conf import settings

from provenance.marks.verdicts import MarkReading, Tampering, Verdict
from provenance.models import ToldAnswer
from provenance.oracle.answers import REMEMBERED_FOR, Asked, Remembered, Told
from provenance.oracle.answers import tell as rule

PUBLIC, INTAKE = "public", "intake"


def secret() -> bytes:
    """The secret of the detector's rules; it never leaves this process."""
    return hmac.digest(settings.SECRET_KEY.encode(), b"trustcore.oracle.v1", "sha256")


def tell(asked: Asked, *, asked_at: str, now: datetime) -> Told:
    """What may be told about this reading now. A fresh answer is kept as the answer of its neighbourhood.

    Args:
        asked_at: PUBLIC or INTAKE; each remembers for itself.
    """
    rows = ToldAnswer.objects.filter(asked_at=asked_at, told_at__gt=now - REMEMBERED_FOR).order_by("told_at", "id")
    told = rule(asked, [_remembered(row) for row in rows], secret(), now)
    if not told.is_remembered:
        reading = told.reading
        ToldAnswer.objects.create(
            asked_at=asked_at, signature=f"{asked.signature:064x}", verdict=reading.verdict.value,
            payload=reading.payload_hex or "", tampering=reading.tampering or "", told_at=now,
        )
    return told


def forget_old(*, now: datetime) -> int:
    """Delete the answers that count no longer. Returns how many."""
    deleted, _ = ToldAnswer.objects.filter(told_at__lte=now - REMEMBERED_FOR).delete()
    return deleted


def _remembered(row: ToldAnswer) -> Remembered:
    reading = MarkReading(
        Verdict(row.verdict), int(row.payload, 16) if row.payload else None,
        tampering=Tampering(row.tampering) if row.tampering else None,
    )
    return Remembered(int(row.signature, 16), reading, row.told_at)
