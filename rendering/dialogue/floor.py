"""Who has the floor, and what is to be done about it. PURE: fed hop by hop, it waits for nothing and returns acts.

    quiet     nobody has it                      -> begin
    viewer    they speak or pause                -> prepare, discard, speak, forget, backchannel
    pending   the answer is let go, nobody has heard anything yet; who goes on takes the floor back -> discard
    replica   it is heard; speech over it is weighed (`overlap`) -> yield, forget
    held      it was cut; real words end it, none bring it back -> let_go, resume

The conductor (`conductor`) does what the acts say, in their order, and tells back what came of them.
"""

from dataclasses import dataclass
from typing import Literal

from rendering.dialogue.flow import MOST_NUDGES, NUDGE_AFTER_S
from rendering.dialogue.overlap import (
    GAP_S,
    SPEECH_FROM,
    SPEECH_UNTIL,
    Overlap,
    UsualLoudness,
    is_backchannel,
    loudness_db,
    plain_words,
)
from rendering.dialogue.seams import HOP_S, Floor, FlowSettings, Hop

# "begin": the viewer speaks; follow their words. "prepare": think out the answer, unheard. "discard": throw that away.
# "speak": it may be heard. "yield": stop within one frame and keep the rest. "resume": go on at the clause that was
# cut. "let_go": the rest will not be said. "forget": those sounds meant nothing. "backchannel": show that you listen.
# "nudge": say something, for nobody does.
Act = Literal["begin", "prepare", "discard", "speak", "yield", "resume", "let_go", "forget", "backchannel", "nudge"]

ONSET_S = 0.06  # of speech until it counts: a click is shorter
RETAKE_S = 0.08  # of speech by which a viewer who was thought to be done goes on
FORGET_AFTER_S = 0.7  # of silence behind a sign of listening; until then it may still be an answer
NO_WORDS_S = 1.5  # of silence behind an interruption without words: it was none
STILL_NO_WORDS_S = 4.0  # of noise without words: neither was that
MOST_FALSE_INTERRUPTIONS = 2  # in a row; after that noise alone stops nothing
BACKCHANNEL_EVERY_S = 4.0


@dataclass(frozen=True)
class Replica:
    """What the replica does at this moment. "pending": it is going to speak, and nothing was heard yet."""

    does: Literal["silent", "pending", "sounding"] = "silent"
    is_interruptible: bool = True  # false while it greets: that is where it says what it is


SILENT = Replica()


class FloorMachine:
    """The floor of one conversation."""

    def __init__(self, flow: FlowSettings) -> None:
        self._nudge_after_s = NUDGE_AFTER_S.get(flow.idle_engagement)
        self._wake_words = plain_words(flow.wake_phrase)
        self._overlap = Overlap(flow.replica_interruptibility)
        self._usual = UsualLoudness()
        self._false_in_a_row = 0
        self._nudges = 0
        self._active_at_s: float | None = None
        self._signed_at_s = 0.0  # when a sign of listening was given
        self.reset()

    def reset(self) -> None:
        """Nobody has the floor: whatever was open is over."""
        self._is_voiced = False
        self._run_s = 0.0  # of speech, short gaps included
        self._streak_s = 0.0  # of speech, none included
        self._silent_s = 0.0
        self._was_sounding = False
        self._close()
        self._is_held = False
        self._held_at_s = 0.0

    def _close(self) -> None:
        self.is_open = False  # a turn of the viewer
        self._is_prepared = False
        self._is_committed = False
        self._is_awaited = False  # the answer is wanted as soon as there turn out to be words
        self._is_owed = False  # they spoke over what may not be interrupted; they are answered after it
        self._overlap.reset()

    @property
    def is_held(self) -> bool:
        return self._is_held

    @property
    def is_voiced(self) -> bool:
        """Whether the viewer spoke in the last hop."""
        return self._is_voiced

    def touch(self, at_s: float) -> tuple[Act, ...]:
        """The viewer wrote something: they are there, and what was cut is over."""
        self._active_at_s, self._nudges = at_s, 0
        was_held, self._is_held = self._is_held, False
        return ("let_go",) if was_held else ()

    def step(self, hop: Hop, floor: Floor, words: str, replica: Replica) -> tuple[Act, ...]:
        """Take one hop.

        Args:
            floor: what the turn taker makes of it.
            words: what is understood of the viewer's turn so far; empty when nothing is, or nothing is said yet.
            replica: what it does at this moment.
        """
        self._hear(hop)
        acts: list[Act] = []
        if self._active_at_s is None or replica.does != "silent" or self._is_voiced:
            self._active_at_s = hop.at_s
        if not self.is_open and self._run_s >= ONSET_S - 1e-6:
            self.is_open, self._nudges = True, 0
            self._overlap.reset(self._run_s - HOP_S)
            acts.append("begin")
        is_over = replica.does == "sounding" and not self._is_held
        if is_over and not self._was_sounding:
            acts += self._replica_begins()
        self._was_sounding = is_over
        acts += self._over_replica(hop, floor, words, replica) if is_over else self._alone(hop, floor, words, replica)
        return tuple(acts)

    def understood(self, text: str) -> tuple[Act, ...]:
        """The last word on what the viewer said in the turn whose answer is being prepared."""
        if not (self._is_prepared or self._is_committed):
            return ()
        is_meant = bool(plain_words(text)) and self._is_called(text) and not (self._is_held and is_backchannel(text))
        if not is_meant:
            return self._drop()
        self._false_in_a_row = 0
        if not self._is_held:
            return ()
        self._is_held = False
        return ("let_go", *self._commit()) if self._is_awaited else ("let_go",)

    def give_up(self) -> tuple[Act, ...]:
        """What the viewer says is no speech after all, however long it lasts."""
        return self._drop() if self.is_open else ()

    # --- one hop ----------------------------------------------------------------------------------------------------

    def _hear(self, hop: Hop) -> None:
        self._is_voiced = hop.speech >= (SPEECH_UNTIL if self._is_voiced else SPEECH_FROM)
        self._streak_s = self._streak_s + HOP_S if self._is_voiced else 0.0
        if self._is_voiced:
            self._run_s += HOP_S
            self._silent_s = 0.0
        else:
            self._silent_s += HOP_S
            if self._silent_s > GAP_S:
                self._run_s = 0.0

    def _replica_begins(self) -> tuple[Act, ...]:
        """It is heard from now on. The turn that it answers is over; another one stays open, unanswered."""
        if self._is_committed:
            self._close()
            return ()
        was_prepared, self._is_prepared = self._is_prepared, False
        self._overlap.reset()
        return ("discard",) if was_prepared else ()

    def _over_replica(self, hop: Hop, floor: Floor, words: str, replica: Replica) -> tuple[Act, ...]:
        if not self.is_open:
            return ()
        self._overlap.push(hop, self._is_voiced, words)
        if self._wants_floor(floor, words):
            if not replica.is_interruptible:
                self._is_owed = True
                return ()
            self._is_held, self._held_at_s, self._is_owed = True, hop.at_s, False
            return ("yield",)
        if self._silent_s >= FORGET_AFTER_S and not self._is_owed:
            return self._drop()
        return ()

    def _wants_floor(self, floor: Floor, words: str) -> bool:
        has_words = bool(plain_words(words)) and not is_backchannel(words)
        if self._wake_words and not self._is_called(words):
            return False
        if self._false_in_a_row >= MOST_FALSE_INTERRUPTIONS and not has_words:
            return False
        return (floor.decision == "yield" and has_words) or self._overlap.wants_floor(self._usual.db)

    def _alone(self, hop: Hop, floor: Floor, words: str, replica: Replica) -> tuple[Act, ...]:
        if self._is_committed:
            return self._pending(replica)
        if not self.is_open:
            return self._idle(hop, replica)
        if self._is_voiced:
            self._usual.push(loudness_db(hop.pcm))
        acts: list[Act] = []
        if self._is_held and plain_words(words) and not is_backchannel(words) and self._is_called(words):
            self._is_held, self._false_in_a_row = False, 0
            acts.append("let_go")
        if self._is_held and not self._is_prepared and self._is_false_interruption(hop):
            return self._drop()
        return (*acts, *self._turn(hop, floor))

    def _turn(self, hop: Hop, floor: Floor) -> tuple[Act, ...]:
        """The viewer's own turn: do they pause, go on, or are they done?"""
        if self._is_prepared and self._streak_s >= RETAKE_S - 1e-6:
            self._is_prepared = self._is_awaited = False
            return ("discard",)
        if floor.decision == "backchannel" and hop.at_s - self._signed_at_s >= BACKCHANNEL_EVERY_S:
            self._signed_at_s = hop.at_s
            return ("backchannel",)
        if floor.decision not in ("prepare", "speak") or self._is_voiced:
            return ()
        acts: tuple[Act, ...] = () if self._is_prepared else ("prepare",)
        self._is_prepared = True
        if floor.decision == "prepare":
            return acts
        if self._is_held:  # whether it is an answer at all, the words decide
            self._is_awaited = True
            return acts
        return (*acts, *self._commit())

    def _commit(self) -> tuple[Act, ...]:
        self._is_prepared = self._is_awaited = False
        self._is_committed = True
        return ("speak",)

    def _pending(self, replica: Replica) -> tuple[Act, ...]:
        if replica.does == "silent":  # nothing came of it
            self._close()
        elif self._streak_s >= RETAKE_S - 1e-6:
            self._is_committed = False
            return ("discard",)
        return ()

    def _idle(self, hop: Hop, replica: Replica) -> tuple[Act, ...]:
        assert self._active_at_s is not None
        if replica.does != "silent" or self._is_held or self._nudge_after_s is None or self._nudges >= MOST_NUDGES:
            return ()
        if hop.at_s - self._active_at_s < self._nudge_after_s:
            return ()
        self._active_at_s, self._nudges = hop.at_s, self._nudges + 1
        return ("nudge",)

    def _is_false_interruption(self, hop: Hop) -> bool:
        passed_s = hop.at_s - self._held_at_s
        return passed_s >= (STILL_NO_WORDS_S if self._is_voiced else NO_WORDS_S) - 1e-6

    def _drop(self) -> tuple[Act, ...]:
        """The viewer's sounds asked for nothing: whatever they stopped goes on."""
        acts: list[Act] = ["discard"] if self._is_prepared or self._is_committed else []
        acts.append("forget")
        if self._is_held:
            self._false_in_a_row += 1
            acts.append("resume")
        self._is_held = False
        self._close()
        self._run_s = 0.0
        return tuple(acts)

    def _is_called(self, text: str) -> bool:
        """Whether the wake phrase stands in these words; true where there is none."""
        spaced = f" {' '.join(plain_words(text))} "
        return not self._wake_words or f" {' '.join(self._wake_words)} " in spaced
