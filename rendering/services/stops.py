"""Stops by officers: one session, one replica, everything of an organisation."""

from datetime import datetime

from rendering import selectors
from rendering.errors import KillSwitchRefused
from rendering.models import Conversation, KillSwitch, Replica, Suspension
from rendering.services import conversations
from trustcore.accounts.models import Organisation, User
from trustcore.audit import recording
from trustcore.audit.actions import Action
from trustcore.audit.actors import Actor
from trustcore.jobs import wakeups
from trustcore.primitives.ids import new_id


def stop_session(*, actor: Actor, conversation: Conversation, reason: str, now: datetime) -> bool:
    """An officer ends one session. `reason` is the officer's words; the viewer is told that an officer stopped it."""
    with recording.recording(
        actor=actor, action=Action.CONVERSATION_CHANGED, obj=conversation, reason=reason[:400]
    ) as event:
        event.add(stop_asked_by=actor.id)
        return conversations.end(conversation=conversation, actor=actor, reason="stopped_by_officer", now=now)


def suspend(*, actor: Actor, user: User, replica: Replica, reason: str) -> Suspension:
    """Stop a replica until somebody lifts it: live sessions end in the same commit, new ones are refused."""
    row = Suspension(public_id=new_id("suspension"), replica=replica, reason=reason[:500], created_by=user)
    with recording.recording(actor=actor, action=Action.REPLICA_SUSPENDED, obj=row, reason=reason[:400]) as event:
        event.covers(replica)
        row.save(force_insert=True)
        event.add(replica=replica.public_id)
        wakeups.notify(f"subject:{replica.subject_public_id}")
    return row


def resume(*, actor: Actor, user: User, suspension: Suspension, reason: str, now: datetime) -> None:
    """Lift a suspension."""
    with recording.recording(actor=actor, action=Action.REPLICA_RESUMED, obj=suspension, reason=reason[:400]) as event:
        event.covers(suspension.replica)
        suspension.lifted_by, suspension.lifted_at = user, now
        suspension.save(update_fields=["lifted_by", "lifted_at"])
        event.add(replica=suspension.replica.public_id)


def pull_kill_switch(
    *, actor: Actor, user: User, organisation: Organisation, reason: str, now: datetime
) -> tuple[KillSwitch, int]:
    """End every session of an organisation and refuse new ones. Returns the switch and how many sessions ended.

    The switch is committed first: from that moment no session can begin or renew, whatever becomes of the ending of
    each.
    """
    if selectors.kill_switch_in_force(organisation.id) is not None:
        raise KillSwitchRefused("Everything is stopped already.")
    row = KillSwitch(
        public_id=new_id("kill_switch"), organisation=organisation, reason=reason[:500], created_by=user, created_at=now
    )
    with recording.recording(actor=actor, action=Action.KILL_SWITCH_PULLED, obj=row, reason=reason[:400]) as event:
        row.save(force_insert=True)
        event.add(sessions=len(selectors.live_conversations(organisation)))
        wakeups.notify(f"tenant:{organisation.tenant}")
    open_now = (
        Conversation.objects.filter(organisation=organisation)
        .exclude(state="ended")
        .select_related("organisation", "version__replica")
    )
    ended = sum(conversations.end(conversation=one, actor=actor, reason="kill_switch", now=now) for one in open_now)
    return row, ended


def lift_kill_switch(*, actor: Actor, user: User, switch: KillSwitch, now: datetime) -> bool:
    """The first officer asks, a second one lifts. True when it is lifted now."""
    if switch.lifted_at is not None:
        raise KillSwitchRefused("It is lifted already.")
    if switch.lift_asked_by_id is None:
        with recording.recording(actor=actor, action=Action.KILL_SWITCH_LIFT_ASKED, obj=switch):
            switch.lift_asked_by = user
            switch.save(update_fields=["lift_asked_by"])
        return False
    if switch.lift_asked_by_id == user.pk:
        raise KillSwitchRefused("You asked for it. A second officer must lift it.")
    with recording.recording(actor=actor, action=Action.KILL_SWITCH_LIFTED, obj=switch):
        switch.lifted_by, switch.lifted_at = user, now
        switch.save(update_fields=["lifted_by", "lifted_at"])
    return True
