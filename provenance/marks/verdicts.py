"""What may be said about a mark. Never "authentic", and never a score: a public score is an oracle for its removal."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from trustcore.primitives.ids import mark_id_text

Progress = Callable[[float], None]  # told the share of a reading that is done, 0..1


class Verdict(StrEnum):
    """The only answers there are."""

    NO_MARK = "no_mark"  # proves nothing: a mark can be removed
    MARK_PRESENT = "mark_present"  # made by a holder of this key; which session is not known
    PAYLOAD_READ = "payload_read"  # the payload was read; nobody has looked it up yet
    POINTS_TO_MANIFEST = "points_to_manifest"  # look up this manifest: it is recovered, not intact
    CONTENT_MATCHES = "points_to_manifest_content_matches"
    CONTENT_DIFFERS = "points_to_manifest_content_differs"  # a mark can be copied to another picture
    TAMPERING = "tampering"  # someone subtracted or overwrote a mark


class Tampering(StrEnum):
    """What speaks for tampering."""

    INVERTED = "inverted"
    TWO_MARKS = "two_marks"


@dataclass(frozen=True)
class MarkReading:
    """What a detector read. The statistic stays inside: it is not printed and no public answer may carry it."""

    verdict: Verdict
    payload: int | None = None  # 64-bit slot id, when read
    slot_indexes: tuple[int, ...] = ()  # modulo 64, in the order of the clip
    tampering: Tampering | None = None
    frames: int = 0
    z: float = field(default=0.0, repr=False)

    @property
    def payload_hex(self) -> str | None:
        """The payload as 16 hex digits, as manifests and the public page write it."""
        return None if self.payload is None else mark_id_text(self.payload)

    def public(self) -> dict[str, object]:
        """What may leave the house."""
        return {
            "verdict": self.verdict.value,
            "payload": self.payload_hex,
            "tampering": self.tampering.value if self.tampering else None,
            "frames_read": self.frames,
        }


def resolve(reading: MarkReading, *, is_known: bool, content_matches: bool | None) -> Verdict:
    """The verdict once the payload was looked up.

    Args:
        reading: from the detector.
        is_known: the payload is a slot id that was given out.
        content_matches: the picture compared with the recorded content hashes; None when nothing could be compared.
    """
    if reading.verdict is not Verdict.PAYLOAD_READ:
        return reading.verdict
    if not is_known:
        return Verdict.MARK_PRESENT
    if content_matches is None:
        return Verdict.POINTS_TO_MANIFEST
    return Verdict.CONTENT_MATCHES if content_matches else Verdict.CONTENT_DIFFERS
