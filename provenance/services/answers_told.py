"""The one place where a reading of the detector becomes something that may be told, for the public page and for intake.

Answers are remembered by neighbourhood in the database, for a day (provenance/oracle/answers.py has the rules).
"""

import hmac
from datetime import datetime

from django.conf import settings

from provenance.marks.verdicts import MarkReading, Tampering, Verdict
from provenance.models import ToldAnswer
from provenance.oracle.answers import REMEMBERED_FOR, Asked, Remembered, Told, says_something
from provenance.oracle.answers import tell as rule

PUBLIC, INTAKE = "public", "intake"


def secret() -> bytes:
    """The secret of the detector's rules; it never leaves this process."""
    return hmac.digest(settings.SECRET_KEY.encode(), b"trustcore.oracle.v1", "sha256")


class Asking:
    """One question about one clip: what may be told of it, as its readings come.

    Memory is read once, before anything is told; each fresh answer is kept at once, so a check that is stopped or dies
    after its asker could see how it goes has been told all the same.
    """

    def __init__(self, *, asked_at: str, now: datetime, network: str = "", is_sound: bool = False) -> None:
        """Args:
            asked_at: PUBLIC or INTAKE; each remembers for itself.
            is_sound: about the sound of the clip, which has neighbourhoods of its own.
            network: name of the asker's network; marks that were found are remembered for it alone.
        """
        self._asked_at, self._now, self._network, self._is_sound = asked_at, now, network, is_sound
        rows = ToldAnswer.objects.filter(asked_at=asked_at, is_sound=is_sound, told_at__gt=now - REMEMBERED_FOR)
        self._before = [_remembered(row, network) for row in rows.order_by("told_at", "id")]
        self._kept: MarkReading | None = None

    def of_sound(self) -> "Asking":
        """The same question about the clip's sound."""
        return Asking(asked_at=self._asked_at, now=self._now, network=self._network, is_sound=True)

    def would_tell(self, asked: Asked) -> bool:
        """Whether a mark is told of after this reading."""
        return says_something(self.tell(asked).reading)

    def tell(self, asked: Asked) -> Told:
        """What may be told about this reading. A fresh answer is kept as the answer of its neighbourhood."""
        told = rule(asked, self._before, secret(), self._now)
        if not told.is_remembered and not self._is_kept(told.reading):
            self._kept = told.reading
            ToldAnswer.objects.create(
                asked_at=self._asked_at, is_sound=self._is_sound, network=self._network,
                signature=f"{asked.signature:064x}", verdict=told.reading.verdict.value,
                payload=told.reading.payload_hex or "", tampering=told.reading.tampering or "",
                is_searched=told.is_searched, told_at=self._now,
            )
        return told

    def _is_kept(self, reading: MarkReading) -> bool:
        kept = self._kept
        return kept is not None and (kept.verdict, kept.payload, kept.tampering) == (
            reading.verdict, reading.payload, reading.tampering)


def forget_old(*, now: datetime) -> int:
    """Delete the answers that count no longer. Returns how many."""
    deleted, _ = ToldAnswer.objects.filter(told_at__lte=now - REMEMBERED_FOR).delete()
    return deleted


def _remembered(row: ToldAnswer, network: str) -> Remembered:
    reading = MarkReading(
        Verdict(row.verdict), int(row.payload, 16) if row.payload else None,
        tampering=Tampering(row.tampering) if row.tampering else None,
    )
    return Remembered(
        int(row.signature, 16), reading, row.told_at, is_searched=row.is_searched, is_own=row.network == network)
