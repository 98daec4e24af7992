"""A check from the moment somebody asks to its answer: let in, wait, be looked at, be answered or say why not.

The row is the truth. Whoever works on it leaves signs of life in it; without them for LOST_AFTER the check counts as
unfinished, and nothing of the clip is left, because it was taken out of the spool before anybody looked at it.
"""

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, connection

from provenance.errors import CheckStopped, CheckUnfinished, FileTooLarge, TooManyChecks
from provenance.models import CheckRun
from provenance.oracle import puzzles
from provenance.oracle.quotas import WINDOW, Quota, bits_for, network_name
from provenance.services import answers_told, check_spool, checks
from provenance.states import CLIP_CHECK
from trustcore.accounts.services.strangers import strangers
from trustcore.audit import recording
from trustcore.audit.actions import Action
from trustcore.audit.actors import Actor, ObjectRef
from trustcore.primitives.errors import Refusal, TrustcoreError
from trustcore.primitives.states import next_state
from trustcore.web.errors import NotFound
from trustcore.web.rate_limits import network_of

MAX_CHECKS_A_MINUTE = 30  # of everyone together: a detector that answers without end teaches how to fool it
MAX_WAITING = 12
COUNTING_LOCK = 0x74637375  # one question is counted at a time
LOST_AFTER = timedelta(seconds=150)  # longer than any step between two signs of life
WAITS_AT_MOST = timedelta(minutes=10)
KEPT_FOR = timedelta(hours=48)
SIGN_OF_LIFE_S = 0.5
OPEN_STATES = tuple(state for state in CLIP_CHECK.states if state not in CLIP_CHECK.final_states)


@dataclass(frozen=True)
class Proof:
    """A puzzle that was given out, and the solution that came with the question; both empty without script."""

    puzzle: str = ""
    solution: str = ""


def puzzle_for(address: str, *, now: datetime) -> str:
    """A fresh puzzle for a caller at this address: harder, the more the network asked in the last hour."""
    names = _names(address, now)
    bits = bits_for(_asked(names, now))
    return puzzles.make(
        answers_told.secret(), bits=bits, nonce=secrets.token_hex(16), network=names[0], now_s=int(now.timestamp()))


def submit(*, actor: Actor, address: str, read: Callable[[], bytes], proof: Proof, now: datetime) -> CheckRun:
    """Let a question in: it waits, encrypted in memory, for whoever checks.

    Args:
        read: gives the clip; called only when the network may ask.

    Raises:
        TooManyChecks: of this network, or of everybody.
        FileTooLarge: over checks.MAX_BYTES.
        CheckUnfinished: there is no place for the clip to wait.
    """
    names = _names(address, now)
    used = _used_puzzle(proof, names, now)
    asked = _Question(names, is_proven=actor.type != "anyone" or bool(used), now=now)
    asked.refuse_one_too_many()
    content = read()
    if len(content) > checks.MAX_BYTES:
        raise FileTooLarge(checks.TOO_LARGE)
    run = CheckRun(
        public_id=f"V-{now:%Y%m%d}-{secrets.token_hex(6)}", size_bytes=len(content), network=names[0],
        is_proven=asked.is_proven, puzzle=used, actor_type=actor.type, actor_id=actor.id, created_at=now,
        touched_at=now,
    )
    run.spool_key = check_spool.put(run.public_id, content)
    try:
        _save(run, asked)
    except TooManyChecks:
        check_spool.drop(run.public_id)
        raise
    return run


def _save(run: CheckRun, asked: "_Question") -> None:
    """Count and save in one, so that of questions sent at the same moment no more are let in than may be.

    Raises:
        TooManyChecks
    """
    try:
        with _counting_alone():
            asked.refuse_one_too_many()
            run.save(force_insert=True)
    except IntegrityError as error:
        raise TooManyChecks("This page was used already. Load it again.") from error


@contextmanager
def _counting_alone() -> Iterator[None]:
    """No other process counts meanwhile. Should this one die, the database lets go with its connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [COUNTING_LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [COUNTING_LOCK])


def find(public_id: str, *, now: datetime) -> CheckRun:
    """The check as it stands; one whose process is gone is closed first. Raises NotFound."""
    run = CheckRun.objects.filter(public_id=public_id).first()
    if run is None:
        raise NotFound("There is no check with this number.")
    if _is_lost(run, now):
        _close(run, "fail", now, CheckUnfinished.code)
        run.refresh_from_db()
    return run


def before(run: CheckRun) -> int:
    """How many checks come before this one."""
    waiting = CheckRun.objects.filter(state__in=OPEN_STATES).exclude(pk=run.pk)
    return sum((not other.is_proven, other.created_at) < (not run.is_proven, run.created_at) for other in waiting)


def stop(public_id: str, *, now: datetime) -> None:
    """The person who asked does not want to know any more. A check that is over stays as it is. Raises NotFound."""
    run = find(public_id, now=now)
    if run.state in OPEN_STATES:
        _close(run, "stop", now, CheckStopped.code)


def run_waiting(*, clock: Callable[[], datetime]) -> int:
    """Do the checks that wait, one after another. Returns how many there were."""
    done = 0
    while (run := _claimed(clock())) is not None:
        _run(run, clock)
        done += 1
    return done


def is_one_waiting() -> bool:
    """Whether somebody waits for their check to begin."""
    return CheckRun.objects.filter(state=CLIP_CHECK.initial).exists()


def sweep(*, now: datetime) -> int:
    """Close checks whose process is gone, and forget what need not be known any more. Returns how many were closed."""
    lost = [run for run in CheckRun.objects.filter(state__in=OPEN_STATES) if _is_lost(run, now)]
    for run in lost:
        _close(run, "fail", now, CheckUnfinished.code)
    check_spool.drop_old()
    CheckRun.objects.filter(created_at__lte=now - KEPT_FOR).delete()
    answers_told.forget_old(now=now)
    return len(lost)


def _names(address: str, now: datetime) -> tuple[str, str]:
    """The names of a network in the last hour: today's, and the one of an hour ago, which differ after midnight."""
    secret, network = answers_told.secret(), network_of(address)
    return network_name(secret, network, now.date()), network_name(secret, network, (now - WINDOW).date())


def _asked(names: Sequence[str], now: datetime) -> int:
    return CheckRun.objects.filter(network__in=names, created_at__gt=now - WINDOW).count()


def _used_puzzle(proof: Proof, names: Sequence[str], now: datetime) -> str:
    """The nonce of a puzzle that was solved and not used before; empty without."""
    tried = (puzzles.solved(answers_told.secret(), proof.puzzle, proof.solution, network=name,
                            now_s=int(now.timestamp())) for name in names)
    found = next(filter(None, tried), None)
    if found is None or CheckRun.objects.filter(puzzle=found.nonce).exists():
        return ""
    return found.nonce


@dataclass(frozen=True)
class _Question:
    """Who asks, for counting."""

    names: tuple[str, str]
    is_proven: bool
    now: datetime

    def refuse_one_too_many(self) -> None:
        """Raises TooManyChecks."""
        whose = self.whose_limit_is_reached()
        if whose:
            _refused(whose)
        if whose == "everyone":
            raise TooManyChecks("Many clips are being checked right now. Try again in a minute.")
        if whose == "network":
            raise TooManyChecks("Too many clips were checked from your network in the last hour. Try again later.")

    def whose_limit_is_reached(self) -> str:
        """"everyone", "network", or empty."""
        last_minute = CheckRun.objects.filter(created_at__gt=self.now - timedelta(minutes=1)).count()
        waiting = CheckRun.objects.filter(state__in=OPEN_STATES).count()
        if last_minute >= MAX_CHECKS_A_MINUTE or waiting >= MAX_WAITING:
            return "everyone"
        quota = Quota(settings.CHECKS_AN_HOUR, settings.CHECKS_AN_HOUR_UNPROVEN)
        unproven = CheckRun.objects.filter(
            network__in=self.names, created_at__gt=self.now - WINDOW, is_proven=False).count()
        is_used_up = quota.is_used_up(_asked(self.names, self.now), unproven, is_proven=self.is_proven)
        return "network" if is_used_up else ""


def _refused(whose: str) -> None:
    """On the record, once a minute: anybody can be refused as often as they like."""
    strangers.refused(
        action=Action.FILE_VERIFIED, obj=ObjectRef("clip_check", f"quota of {whose}"), reason=TooManyChecks.code)


def _claimed(now: datetime) -> CheckRun | None:
    """The next check: those who solved the puzzle first, then in the order of coming. Only one process gets it."""
    for run in CheckRun.objects.filter(state=CLIP_CHECK.initial).order_by("-is_proven", "created_at"):
        if _move(run, "begin", now, step="manifest"):
            return run
    return None


def _run(run: CheckRun, clock: Callable[[], datetime]) -> None:
    actor = Actor(run.actor_type, run.actor_id)
    try:
        content = check_spool.take(run.public_id, bytes(run.spool_key))
        CheckRun.objects.filter(pk=run.pk).update(spool_key=b"")
        checks.check(
            public_id=run.public_id, actor=actor, content=content, network=run.network, now=clock(),
            progress=_SignsOfLife(run, clock))
    except TrustcoreError as error:
        _close(run, "fail", clock(), error.code if isinstance(error, Refusal) else CheckUnfinished.code)
        return
    _move(run, "answer", clock(), spool_key=b"")


class _SignsOfLife:
    """Writes what is being looked at into the row, at most twice a second, and notices when the check was stopped."""

    def __init__(self, run: CheckRun, clock: Callable[[], datetime]) -> None:
        self._run, self._clock, self._step, self._next_s = run, clock, "", 0.0

    def __call__(self, step: str, done: int, total: int) -> None:
        """Raises CheckStopped."""
        now_s = time.monotonic()
        if step == self._step and now_s < self._next_s:
            return
        self._step, self._next_s = step, now_s + SIGN_OF_LIFE_S
        mine = CheckRun.objects.filter(pk=self._run.pk, state="looking")
        if not mine.update(step=step, done=done, total=total, touched_at=self._clock()):
            raise CheckStopped("The check was stopped.")


def _is_lost(run: CheckRun, now: datetime) -> bool:
    most = WAITS_AT_MOST if run.state == CLIP_CHECK.initial else LOST_AFTER
    return run.state in OPEN_STATES and now - run.touched_at > most


def _close(run: CheckRun, action: str, now: datetime, problem: str) -> None:
    """End a check without an answer, on the record unless it was over. Nothing of its clip is left."""
    check_spool.drop(run.public_id)
    if _move(run, action, now, problem=problem, spool_key=b""):
        recording.refused(
            actor=Actor(run.actor_type, run.actor_id), action=Action.FILE_VERIFIED,
            obj=ObjectRef("clip_check", run.public_id), reason=problem)


def _move(run: CheckRun, action: str, now: datetime, **changes: object) -> bool:
    """Change the state in one statement, so that of two who try only one does. Whether it was this one."""
    states = [state for state, known in CLIP_CHECK.transitions if known == action]
    after = next_state(CLIP_CHECK, states[0], action)
    moved = CheckRun.objects.filter(pk=run.pk, state__in=states).update(state=after, touched_at=now, **changes)
    return bool(moved)
