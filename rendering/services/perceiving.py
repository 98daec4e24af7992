"""A viewer's consent to being perceived, and its end. Asked of the viewer apart from everything else, for one page.

What may be perceived at all is in the grant (`trustcore.policy.perception`). Consent is a word to the slot that holds
the session; nothing of what is then perceived comes here, so nothing of it can be stored.
"""

import secrets
from datetime import datetime

from rendering.errors import ConversationOver, PerceptionNotAllowed
from rendering.models import Conversation
from rendering.services import viewing
from rendering.services.perception_notice import notice_sha256
from trustcore.accounts.services.strangers import strangers
from trustcore.audit import recording
from trustcore.audit.actions import Action
from trustcore.audit.actors import reference_to
from trustcore.jobs.models import Job, LeaseEvent
from trustcore.jobs.services import leases
from trustcore.policy import perception

EVENT_KIND = "perception"


def level_of(conversation: Conversation) -> perception.Level:
    """What the conversation's grant lets be perceived, held to the law once more."""
    body = conversation.grant["body"]
    return perception.rule(
        str(body.get("perception", "off")), context_of_use=body["context_of_use"], audience=body["audience"],
        purpose=body["purpose"]).level


def ruling_of(conversation: Conversation) -> perception.Ruling:
    """What became of the persona's wish to perceive in this conversation."""
    body, persona = conversation.grant["body"], conversation.persona
    asked = perception.asked_level(persona.layers) if persona else "off"
    return perception.rule(
        asked, context_of_use=body["context_of_use"], audience=body["audience"], purpose=body["purpose"])


def consent(conversation: Conversation, *, language: str, now: datetime) -> str:
    """The viewer read the notice in `language` and agrees. Returns the token that every vector must carry.

    Raises:
        PerceptionNotAllowed: nothing may be perceived here. It is recorded, at most once a minute.
        ConversationOver, MessagesTooFast
    """
    level = level_of(conversation)
    if level == "off":
        reason = ruling_of(conversation).reason or "perception.not_asked"
        strangers.refused(action=Action.PERCEPTION_REFUSED, obj=reference_to(conversation), reason=reason)
        raise PerceptionNotAllowed("Nothing is perceived of viewers in this conversation.", reason=reason)
    job = viewing.job_of(conversation)
    viewing.demand_patience(job, now=now)
    token = secrets.token_urlsafe(16)
    about, actor = reference_to(conversation), viewing.actor_of(conversation)
    with recording.recording(actor=actor, action=Action.PERCEPTION_CONSENTED, obj=about) as event:
        event.add(level=level, notice_language=language, notice_sha256=notice_sha256(level, language))
        leases.say(job, kind=EVENT_KIND, body={"consent": token})
    return token


def revoke(conversation: Conversation) -> None:
    """The viewer takes it back. Never refused for haste; without a consent in force there is nothing to do."""
    try:
        job = viewing.job_of(conversation)
    except ConversationOver:
        return  # it ended with the conversation
    about, actor = reference_to(conversation), viewing.actor_of(conversation)
    if not _is_in_force(job):
        return
    with recording.recording(actor=actor, action=Action.PERCEPTION_REVOKED, obj=about):
        leases.say(job, kind=EVENT_KIND, body={"consent": ""})


def is_consented(conversation: Conversation) -> bool:
    """Whether the viewer's page may load what perceives."""
    try:
        return level_of(conversation) != "off" and _is_in_force(viewing.job_of(conversation))
    except ConversationOver:
        return False


def _is_in_force(job: Job) -> bool:
    newest = LeaseEvent.objects.filter(job=job, kind=EVENT_KIND).order_by("number").last()
    return newest is not None and bool(newest.body.get("consent"))
