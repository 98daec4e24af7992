"""One governor per session: reports of the line in, what to send out. PURE: time is given.

It takes the least of what it is told: the receiver's own estimate (REMB, which counts pictures only, with all that
travels beside them), loss, delay, and the freezes that the page sees. It goes down when trouble has lasted for two
seconds, and up after eight seconds without; a step up that fails doubles the next wait. Until the first trouble, on a
line that answers quickly, it climbs faster, or every conversation would begin with ten poor seconds.
"""

from dataclasses import dataclass

from provenance.manifests.carriage import Form
from rendering.worker.ladder import AUDIO, FULL, RUNGS, SMALL, STILL, Rung, carried_by
from rendering.worker.sound_settings import SoundSettings

START_BPS = 150_000
LEAST_BPS = 10_000.0  # that a line is taken to carry
FLOOR_BPS = 60_000  # of a picture; on a line that carries less there is none
# While nothing is in its way the receiver's word is little more than what it got, so a smaller share of it would lead
# down step by step on a good line.
SHARE_OF_RECEIVER = 0.95
RESEND_SHARE = 0.2
LOW_RATE_BELOW_BPS = 300_000  # there a full attestation (80 kbit/s) would cost more than a quarter of the picture

DOWN_AFTER_S, UP_AFTER_S, LONGEST_UP_AFTER_S = 2.0, 8.0, 64.0
STOOD_S = 2.0  # the line carries the next rung for this long before it is taken
FAILED_WITHIN_S = 20.0  # a rung that is left so soon was taken too early
DOWN_FACTOR, LEAST_FACTOR, UP_A_SECOND, OPENING_A_SECOND = 0.75, 0.6, 1.08, 2.0
OPENING_STOOD_S, OPENING_RTT_S = 0.5, 0.15
UP_MARGIN, ENOUGH_TO_RISE = 1.1, 1.2
WORD_HOLDS_S, HEARD_HOLDS_S = 5.0, 2.5  # the receiver says its estimate about once a second

# On a line that loses packets by chance fewer bits lose no fewer, so only what is more than chance counts.
SMOOTHING = 0.4  # of a second's losses; they are few and come in bunches
LOSS_IS_TROUBLE, LOSS_STOPS_CLIMBING = 0.12, 0.10
DELAY_IS_TROUBLE_S, DELAY_STOPS_CLIMBING_S = 0.3, 0.12  # over the shortest round trip
LONGER_A_SECOND_S = 0.01  # how fast the shortest round trip is forgotten
FROZEN_IS_TROUBLE, SOUND_LOST_IS_TROUBLE, LOSS_SHOWS_LINE = 0.2, 0.25, 0.05

FULL_ATTESTATION_BYTES, COMPACT_ATTESTATION_BYTES = 330, 90
HEADER_BYTES, PACKET_BYTES = 62, 1_150  # RTP with its extensions, SRTP, UDP and IP; what fits beside them
# Where the line is narrow, each signature and each header counts, and 40 ms more are heard by nobody.
SOUND, LOW_SOUND, LOWEST_SOUND = SoundSettings(), SoundSettings(24_000, 15), SoundSettings(24_000, 15, packet_ms=60)


def is_low_rate(target_bps: int) -> bool:
    """Whether this target is so low that what comes on top of the picture is kept small."""
    return target_bps < LOW_RATE_BELOW_BPS


def attestation_form(target_bps: int) -> Form:
    """Which form a frame's attestation travels in at this target: full from 300 kbit/s on, compact below."""
    return Form.COMPACT if is_low_rate(target_bps) else Form.FULL


def picture_bps(target_bps: int, frames_per_s: int) -> int:
    """What the encoder may spend of a target, after attestations and headers; never less than half of it."""
    attestation = COMPACT_ATTESTATION_BYTES if is_low_rate(target_bps) else FULL_ATTESTATION_BYTES
    packets = max(1.0, target_bps / 8 / frames_per_s / PACKET_BYTES)
    beside_bps = 8 * frames_per_s * (attestation + HEADER_BYTES * packets)
    return round(max(target_bps / 2, target_bps - beside_bps))


@dataclass(frozen=True)
class LineReport:
    """What was told of the line just now; None where nothing was said. Shares are 0..1 since the report before."""

    receiver_bps: int | None = None
    loss_share: float | None = None  # of the pictures' packets
    sound_lost_share: float | None = None  # of the sound's packets, or of the sound that the page made up
    rtt_s: float | None = None
    frozen_share: float | None = None  # of the time, as the page saw it


NOTHING_SAID = LineReport()


@dataclass(frozen=True)
class Limits:
    """What a session may use at most: of its slot, and of what the app asked for."""

    ceiling_bps: int = 1_500_000
    most_px: int = 512
    most_frames_per_s: int = 30
    top: Rung = FULL


@dataclass(frozen=True)
class Plan:
    """What to send until the next report.

    A rung without pictures still says how one would be made: a connection begins with one, whatever the rung.
    """

    rung: Rung
    target_bps: int  # of pictures with all that travels beside them; 0 on a rung without
    picture_bps: int  # of it, for the encoder
    resend_bps: int  # on top of it, for packets that are sent again
    size_px: int
    frames_per_s: int
    sound: SoundSettings
    why: str  # what moved it last: "start", "quiet", "receiver", "loss", "delay", "freezes" or "sound"


class Governor:
    """Owns bit rate, size, frame rate, resends, the sound's rate and the rung of one session."""

    def __init__(self, limits: Limits, now_s: float, line_bps: float = START_BPS) -> None:
        """`line_bps`: what the line is taken to carry at first."""
        self._limits = limits
        self._line_bps = float(min(line_bps, limits.ceiling_bps))
        self._rung = max(limits.top, SMALL, carried_by(self._line_bps, limits.most_px), key=RUNGS.index)
        self._rung_since_s = self._at_s = self._heard_s = now_s
        self._word_bps, self._word_s, self._word_fell = 0, float("-inf"), False
        self._loss = self._sound_lost = self._frozen = 0.0
        self._rtt_s: float | None = None
        self._nearest_s = float("inf")
        self._shortest_rtt_s: float | None = None
        self._trouble_since_s: float | None = None
        self._went_down_s = float("-inf")
        self._below_since_s: float | None = None
        self._above_since_s: float | None = None
        self._up_after_s = UP_AFTER_S
        self._is_opening, self._has_risen = line_bps >= START_BPS, False
        self._why = "start"

    def step(self, now_s: float, report: LineReport = NOTHING_SAID) -> Plan:
        """Take one report, or the time alone, and say what to send from now on."""
        self._take(report, now_s)
        since_s, self._at_s = min(1.0, now_s - self._at_s), now_s
        trouble = self._trouble()
        self._trouble_since_s = _since(self._trouble_since_s, now_s, is_so=bool(trouble))
        if trouble:
            self._is_opening = False
            self._go_down(trouble, now_s)
        elif self._may_climb(now_s):
            self._line_bps *= (OPENING_A_SECOND if self._is_fast() else UP_A_SECOND) ** since_s
        self._line_bps = max(LEAST_BPS, min(self._line_bps, self._most_bps()))
        self._hold_to_word(now_s)
        self._choose_rung(now_s)
        return self.plan

    @property
    def line_bps(self) -> float:
        """What the line is taken to carry now."""
        return self._line_bps

    @property
    def plan(self) -> Plan:
        """What to send now."""
        rung, limits = self._rung, self._limits
        drawn = rung if rung.has_picture else STILL
        rate = min(drawn.frames_per_s, limits.most_frames_per_s)
        target = int(self._picture_target()) if rung.has_picture else 0
        return Plan(
            rung=rung, target_bps=target, picture_bps=picture_bps(target or FLOOR_BPS, rate),
            resend_bps=int(RESEND_SHARE * target), size_px=min(drawn.size_px, limits.most_px), frames_per_s=rate,
            sound=_sound_of(rung), why=self._why)

    # --- what is told --------------------------------------------------------------------------------------------

    def _take(self, report: LineReport, now_s: float) -> None:
        if report != NOTHING_SAID:
            self._heard_s = now_s
        if report.receiver_bps:
            # The first word is about what came so far, which was little: only one that falls tells of trouble.
            self._word_fell = report.receiver_bps < DOWN_FACTOR * self._word_bps
            self._word_bps, self._word_s = report.receiver_bps, now_s
        if report.loss_share is not None:
            self._loss += SMOOTHING * (report.loss_share - self._loss)
        if report.sound_lost_share is not None:
            self._sound_lost += SMOOTHING * (report.sound_lost_share - self._sound_lost)
        if report.frozen_share is not None:
            self._frozen = report.frozen_share
        if report.rtt_s is not None:
            # Smoothed, for one packet's jitter is no queue; and a line that became longer for good is the new measure.
            self._nearest_s = min(self._nearest_s, report.rtt_s)
            self._rtt_s = report.rtt_s if self._rtt_s is None else (self._rtt_s + report.rtt_s) / 2
            shortest_s = self._rtt_s if self._shortest_rtt_s is None else self._shortest_rtt_s
            self._shortest_rtt_s = min(self._rtt_s, shortest_s + LONGER_A_SECOND_S * (now_s - self._at_s))

    def _late_s(self) -> float:
        """How much longer than the shortest the last round trip took."""
        return 0.0 if self._rtt_s is None or self._shortest_rtt_s is None else self._rtt_s - self._shortest_rtt_s

    def _trouble(self) -> str:
        """What is wrong now, or "". A freeze alone may be a busy machine at either end: fewer bits do not help it."""
        if self._rung.has_picture and self._loss > LOSS_IS_TROUBLE:
            return "loss"
        if self._late_s() > DELAY_IS_TROUBLE_S:
            return "delay"
        is_line = self._loss > LOSS_SHOWS_LINE or self._late_s() > DELAY_STOPS_CLIMBING_S
        if self._rung.has_picture and is_line and self._frozen > FROZEN_IS_TROUBLE:
            return "freezes"
        return "sound" if self._rung.has_sound and self._sound_lost > SOUND_LOST_IS_TROUBLE else ""

    def _may_climb(self, now_s: float) -> bool:
        is_heard = now_s - self._heard_s < HEARD_HOLDS_S
        is_calm = self._loss < LOSS_STOPS_CLIMBING and self._late_s() < DELAY_STOPS_CLIMBING_S
        return is_heard and is_calm and (self._is_opening or now_s - self._went_down_s >= self._up_after_s)

    def _is_fast(self) -> bool:
        # The nearest that the viewer was ever seen: a busy machine answers late now and then, a far one always.
        return self._is_opening and self._nearest_s < OPENING_RTT_S

    # --- what follows ----------------------------------------------------------------------------------------------

    def _go_down(self, why: str, now_s: float) -> None:
        began_s = now_s if self._trouble_since_s is None else self._trouble_since_s
        if now_s - max(began_s, self._went_down_s) >= DOWN_AFTER_S:
            # Where half of what is sent is lost, a quarter less would fill the line for many seconds more.
            self._line_bps *= max(LEAST_FACTOR, min(DOWN_FACTOR, 1.0 - max(self._loss, self._sound_lost)))
            self._loss = self._sound_lost = 0.0  # of what is sent from now on nothing was lost yet
            self._went_down_s, self._why = now_s, why

    def _hold_to_word(self, now_s: float) -> None:
        """Never above what the receiver said last, at once and whatever else is true.

        A receiver can tell of no more than came. Of slow pictures little comes, so there a word that did not fall is no
        reason to leave them: a line that is good again would be called too narrow for what it hardly carries.
        """
        if now_s - self._word_s > WORD_HOLDS_S or not self._rung.has_picture:
            return
        most_bps = self._word_bps * SHARE_OF_RECEIVER
        if self._rung is STILL and not self._word_fell:
            most_bps = max(most_bps, STILL.needs_bps(self._limits.most_px))
        if most_bps < self._line_bps:
            if self._word_fell:
                self._word_fell = False
                self._went_down_s, self._is_opening, self._why = now_s, False, "receiver"
            self._line_bps = most_bps

    def _picture_target(self) -> float:
        """The floor holds against everything but the receiver's own word."""
        target_bps = max(FLOOR_BPS, self._line_bps)
        is_said = self._at_s - self._word_s <= WORD_HOLDS_S
        return min(target_bps, self._word_bps * SHARE_OF_RECEIVER) if is_said else target_bps

    def _most_bps(self) -> float:
        """What the line may be taken to carry. Without pictures on it nothing shows that it carries more than a few."""
        if self._rung.has_picture:
            return self._limits.ceiling_bps
        better = RUNGS[RUNGS.index(self._rung) - 1]
        return ENOUGH_TO_RISE * better.needs_bps(self._limits.most_px)

    def _choose_rung(self, now_s: float) -> None:
        px, place = self._limits.most_px, RUNGS.index(self._rung)
        is_below = self._line_bps < self._rung.needs_bps(px)
        self._below_since_s = _since(self._below_since_s, now_s, is_so=is_below)
        better = RUNGS[place - 1] if self._rung is not self._limits.top else None
        is_above = better is not None and self._line_bps >= UP_MARGIN * better.needs_bps(px)
        self._above_since_s = _since(self._above_since_s, now_s, is_so=is_above)
        if self._below_since_s is not None and now_s - self._below_since_s >= DOWN_AFTER_S:
            if self._rung.has_picture:  # too little for pictures: whether sound passes is seen when it is alone
                self._line_bps = max(self._line_bps, AUDIO.from_bps)
            self._leave(carried_by(self._line_bps, px, self._limits.top), now_s)
        elif better is not None and self._above_since_s is not None and self._may_rise(self._above_since_s, now_s):
            self._turn_to(better, now_s)
            self._why = "quiet"

    def _may_rise(self, above_since_s: float, now_s: float) -> bool:
        if self._is_fast():
            return now_s - above_since_s >= OPENING_STOOD_S
        rested_s = now_s - max(self._rung_since_s, self._went_down_s)
        return now_s - above_since_s >= STOOD_S and rested_s >= self._up_after_s

    def _leave(self, lower: Rung, now_s: float) -> None:
        if self._has_risen and now_s - self._rung_since_s < FAILED_WITHIN_S:
            self._up_after_s = min(LONGEST_UP_AFTER_S, 2 * self._up_after_s)
        else:
            self._up_after_s = UP_AFTER_S
        self._turn_to(lower, now_s)

    def _turn_to(self, rung: Rung, now_s: float) -> None:
        self._has_risen = RUNGS.index(rung) < RUNGS.index(self._rung)
        self._rung, self._rung_since_s = rung, now_s
        self._below_since_s = self._above_since_s = None
        # What was lost of something that is not sent any more says nothing.
        if not rung.has_picture:
            self._loss = self._frozen = 0.0
        if not rung.has_sound:
            self._sound_lost = 0.0


def _sound_of(rung: Rung) -> SoundSettings:
    if RUNGS.index(rung) < RUNGS.index(SMALL):
        return SOUND
    return LOW_SOUND if rung is SMALL else LOWEST_SOUND


def _since(before_s: float | None, now_s: float, *, is_so: bool) -> float | None:
    """Since when it is so without a break, given since when it was; None when it is not."""
    return (now_s if before_s is None else before_s) if is_so else None
