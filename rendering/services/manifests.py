"""A session's manifest: the slot asks, the signer decides, control only carries and keeps the init
segment for the recording.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from provenance.services import session_manifests
from rendering.models import Conversation, LiveState
from trustcore.audit.actors import Actor, reference_to
from trustcore.jobs.models import Job, Worker


def sign_for_session(
    job: Job, *, lease_id: str, worker: Worker, body: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """The signed manifest in the protocol's shape. Raises what `session_manifests.sign_for_session` raises."""
    conversation = Conversation.objects.select_related("organisation").get(public_id=job.object_id)
    signed = session_manifests.sign_for_session(
        actor=Actor.worker(worker.public_id), request=body, conversation=reference_to(conversation), lease_id=lease_id,
        epoch=job.epoch,
        now=now)
    LiveState.objects.filter(conversation=conversation).update(init_segment=signed["init_segment_b64"])
    return signed
