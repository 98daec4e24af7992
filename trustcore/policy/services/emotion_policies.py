"""Draft, edit and submit emotion policies. Approvals live in consent and bind to a version's statement."""

from typing import Any

from trustcore.accounts.models import Organisation, User
from trustcore.audit import recording
from trustcore.policy import content as contents
from trustcore.policy.models import EmotionPolicy, EmotionPolicyVersion
from trustcore.primitives.errors import Refusal

State = EmotionPolicyVersion.State


class PolicyExists(Refusal):
    """The replica has an emotion policy already: edit that one."""

    code = "policy.exists"


class PolicySubmitted(Refusal):
    """The version waits for signatures or has them, and cannot be submitted again."""

    code = "policy.submitted"


def create(
    *,
    actor: recording.Actor,
    organisation: Organisation,
    author: User,
    replica_public_id: str,
    subject_public_id: str,
    name: str,
    content: dict[str, Any],
) -> EmotionPolicyVersion:
    """Version 1, as a draft.

    Raises:
        PolicyInvalid: the content is not well formed.
        PolicyExists: the replica has a policy.
    """
    checked = contents.checked(content)
    if EmotionPolicy.objects.filter(replica_public_id=replica_public_id).exists():
        raise PolicyExists("This replica has an emotion policy. Edit it instead.", replica=replica_public_id)
    policy = EmotionPolicy(
        organisation=organisation, replica_public_id=replica_public_id, about_subject=subject_public_id, name=name[:120]
    )
    with recording.recording(actor=actor, action=recording.Action.POLICY_CREATED, obj=policy) as event:
        return _new_version(event, policy, author, checked)


def edit(
    *, actor: recording.Actor, author: User, policy: EmotionPolicy, content: dict[str, Any]
) -> EmotionPolicyVersion:
    """A new version with this content. Nothing is ever changed in place, so what people signed stays what it was.
    Call it through `rendering.services.replicas.edit_policy`, which voids the approvals of the versions before.

    Raises:
        PolicyInvalid: the content is not well formed.
    """
    checked = contents.checked(content)
    with recording.recording(actor=actor, action=recording.Action.POLICY_EDITED, obj=policy) as event:
        locked = EmotionPolicy.objects.select_for_update().get(pk=policy.pk)
        policy.last_version = locked.last_version
        return _new_version(event, policy, author, checked)


def submit(*, actor: recording.Actor, version: EmotionPolicyVersion) -> dict[str, Any]:
    """Close the draft for signing. Returns its statement, which the approvals bind to.

    Raises:
        PolicySubmitted: it was submitted before.
    """
    with recording.recording(actor=actor, action=recording.Action.POLICY_SUBMITTED, obj=version) as event:
        locked = EmotionPolicyVersion.objects.select_for_update().get(pk=version.pk)
        if locked.state != State.DRAFT:
            raise PolicySubmitted("This version was submitted already. Edit it to make a new one.")
        event.add(statement_sha256=version.sha256)
        version.state = State.SUBMITTED
        version.save(update_fields=["state"])
    return version.statement


def _new_version(
    event: recording.OpenEvent, policy: EmotionPolicy, author: User, checked: dict[str, Any]
) -> EmotionPolicyVersion:
    policy.last_version += 1
    version = EmotionPolicyVersion(
        public_id=f"{policy.public_id}.{policy.last_version}",
        policy=policy,
        number=policy.last_version,
        content=checked,
        author=author,
    )
    event.covers(version)
    event.add(version=version.number, statement_sha256=version.sha256, author=author.public_id)
    policy.save()
    version.policy = policy  # the row has its key only now
    version.save()
    return version
