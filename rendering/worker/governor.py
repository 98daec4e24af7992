"""How many bits a second the picture may cost. PURE: given what the viewer reports and `now_s`."""

from provenance.manifests.carriage import Form

FLOOR_BPS = 120_000
LOSS_TO_GO_DOWN = 0.08
DOWN_EVERY_S = 1.0
UP_EVERY_S = 4.0
DOWN_FACTOR = 0.75
UP_FACTOR = 1.15
SHARE_OF_RECEIVER = 0.85  # the rest is for sound, attestations and packets sent again
LOW_RATE_BELOW_BPS = 300_000  # there a full attestation (80 kbit/s) would cost more than a quarter of the picture


def is_low_rate(target_bps: int) -> bool:
    """Whether this target is so low that what comes on top of the picture is kept small."""
    return target_bps < LOW_RATE_BELOW_BPS


def attestation_form(target_bps: int) -> Form:
    """Which form a frame's attestation travels in at this target: full from 300 kbit/s on, compact below."""
    return Form.COMPACT if is_low_rate(target_bps) else Form.FULL


class RateGovernor:
    """Goes down quickly on loss or on the viewer's word, and up slowly when all is quiet."""

    def __init__(self, start_bps: int, ceiling_bps: int) -> None:
        self._ceiling_bps = ceiling_bps
        self.target_bps = start_bps
        self._receiver_bps = 0
        self._changed_s = float("-inf")

    def report(self, receiver_bps: int, loss_share: float, now_s: float) -> int:
        """Take one report and return the target now in force.

        Args:
            receiver_bps: what the viewer thinks it can receive; 0 when this report does not say.
            loss_share: share of packets lost since the report before, 0..1.
        """
        self._receiver_bps = receiver_bps or self._receiver_bps
        ceiling = self._ceiling_bps
        if self._receiver_bps:
            ceiling = min(ceiling, round(self._receiver_bps * SHARE_OF_RECEIVER))
        waited_s = now_s - self._changed_s
        if loss_share > LOSS_TO_GO_DOWN and waited_s >= DOWN_EVERY_S:
            self._set(min(self.target_bps * DOWN_FACTOR, ceiling), now_s)
        elif self.target_bps > ceiling:
            self._set(ceiling, now_s)
        elif loss_share < LOSS_TO_GO_DOWN / 4 and waited_s >= UP_EVERY_S:
            self._set(min(self.target_bps * UP_FACTOR, ceiling), now_s)
        return self.target_bps

    def _set(self, bps: float, now_s: float) -> None:
        self.target_bps = max(FLOOR_BPS, round(bps))
        self._changed_s = now_s
