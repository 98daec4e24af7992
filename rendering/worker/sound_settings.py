"""How the sound of a session is encoded. PURE."""

from dataclasses import dataclass

SAMPLES_A_MS = 48


@dataclass(frozen=True)
class SoundSettings:
    """How sound is encoded. `expects_percent`: lost packets that its error correction makes up for.

    `packet_ms`: 20, or 60, which costs two signatures and two headers less.
    """

    bit_rate_bps: int = 32_000
    expects_percent: int = 5
    packet_ms: int = 20

    @property
    def samples(self) -> int:
        """Of a packet."""
        return self.packet_ms * SAMPLES_A_MS
