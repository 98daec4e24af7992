"""Replicas for tests of what comes after: footage, training, approvals and policies through the real services and
addresses.

The worker is simulated (its files are noise under real keys), people sign with software passkeys."""

import json
from dataclasses import dataclass
from typing import Any

from consent.services import approvals
from rendering.models import Footage, Replica, ReplicaVersion
from rendering.services import footage as footages
from rendering.services import replicas, training
from tests.common import consenting
from tests.common.cast import Cast
from tests.common.passkeys import give_passkey
from tests.common.simulators.slot import SimulatedSlot
from trustcore.accounts.models import User
from trustcore.accounts.permissions import Permission
from trustcore.accounts.services import api_keys
from trustcore.audit.actors import Actor
from trustcore.policy.services import emotion_policies
from trustcore.primitives.clock import utc_now

POLICY = {
    "emotions_max_milli": {"joy": 600, "surprise": 400}, "uses": {"support": {"adults": 500}}, "contexts": ["public"],
    "session_max_min": 30,
}
USE = {"purpose": "support", "audience": "adults", "country": "IN", "language": "en", "context_of_use": "public"}
REPORT = {
    "quality": {
        "held_out": {"psnr_full_db": 30.4, "psnr_face_db": 31.0, "psnr_mouth_db": 26.5, "ssim": 0.95},
        "gain_full_db": 6.1,
    },
    "calibration": {"emotion_caps_milli": {"joy": 700, "anger": 500}},
    "film": {"fps": 25.0, "start_s": 40.0, "errors": [2.0, 3.5, 1.0]},
}
MANIFEST = {key: REPORT[key] for key in ("quality", "calibration")}


def files_of(report: dict[str, Any] = REPORT, manifest: dict[str, Any] = MANIFEST) -> dict[str, bytes]:
    """What a simulated worker hands in."""
    return {
        "model.safetensors": b"not a model" * 100,
        "manifest.json": json.dumps(manifest).encode(),
        "held_out.png": b"\x89PNG\r\n\x1a\n",
        "comparison.mp4": b"not a film",
        "emotion_joy.png": b"\x89PNG\r\n\x1a\n",
        "emotion_anger.png": b"\x89PNG\r\n\x1a\n",
        "report.json": json.dumps(report).encode(),
    }


FILES = files_of()


@dataclass
class Stage:
    """What most tests need at once."""

    cast: Cast
    consent: Any
    replica: Replica
    version: ReplicaVersion
    slot: SimulatedSlot
    api_key: str
    passkeys: dict[str, Any]


def accepted_footage(cast: Cast, subject_public_id: str, data: bytes = b"a video" * 1000) -> Footage:
    """Footage that passed its checks; only the reading of the video is given."""
    row = footages.receive(
        actor=Actor.user(cast.farah), user=cast.farah, organisation=cast.organisation,
        subject_public_id=subject_public_id,
        data=data, was_recorded_here=False, now=utc_now())
    footages._decide(row, [footages.Finding("person_mismatch", "warn", "given", "given")], 40.0, Actor.system("tests"))
    return row


def trained_version(cast: Cast, subject_public_id: str, slot: SimulatedSlot) -> ReplicaVersion:
    """A version that a simulated worker trained."""
    actor = Actor.user(cast.farah)
    replica = replicas.create(
        actor=actor, user=cast.farah, organisation=cast.organisation, subject_public_id=subject_public_id, now=utc_now()
    )
    version = training.start(
        actor=actor, author=cast.farah, replica=replica, footage=accepted_footage(cast, subject_public_id),
        iterations=500, now=utc_now())
    lease = slot.claim("training").json()
    keys = slot.open_keys(slot.ask_for_keys(lease).json())
    slot.hand_in(lease, keys, FILES)
    answer = slot.call("POST", f"/leases/{lease['lease_id']}/finish", {"reason": "finished", "counters": {}})
    assert answer.status_code == 200, answer.content
    version.refresh_from_db()
    return version


def sign(request: Any, user: User, key: Any) -> None:
    actor = Actor.user(user)
    options = approvals.challenge(actor=actor, user=user, request=request)
    approvals.sign(
        actor=actor,
        user=user,
        request=request,
        nonce=options["nonce"],
        shown_sha256=request.statement_sha256,
        assertion=key.get(options),
    )


def approve_both(stage: Stage) -> None:
    """Meera and Jonas sign the version and its emotion policy."""
    actor, cast = Actor.user(stage.cast.farah), stage.cast
    draft = emotion_policies.create(
        actor=actor, organisation=cast.organisation, author=cast.farah, replica_public_id=stage.replica.public_id,
        subject_public_id=stage.replica.subject_public_id, name="Claims helpdesk", content=POLICY)
    for request in (
        replicas.send_for_signatures(actor=actor, author=cast.farah, version=stage.version, now=utc_now()),
        replicas.send_policy_for_signatures(actor=actor, author=cast.farah, version=draft, now=utc_now()),
    ):
        for name in ("meera", "jonas"):
            sign(request, getattr(cast, name), stage.passkeys[name])


def set_stage(cast: Cast, monkeypatch: Any, *, is_approved: bool = True) -> Stage:
    """Consent in force, a trained version, an API key of Dev's; approved unless told otherwise."""
    consent = consenting.in_force(cast, monkeypatch)
    slot = SimulatedSlot()
    assert slot.announce().status_code == 200
    version = trained_version(cast, consent.subject_public_id, slot)
    _, secret = api_keys.create(
        actor=Actor.user(cast.dev),
        organisation=cast.organisation,
        created_by=cast.dev,
        name="Helpdesk",
        scope=[
            Permission.CONVERSATION_CREATE,
            Permission.CONVERSATION_VIEW,
            Permission.CONVERSATION_END,
            Permission.REPLICA_VIEW,
            Permission.PERSONA_VIEW,
            Permission.PERSONA_EDIT,
        ],
    )
    keys = {name: give_passkey(getattr(cast, name), name) for name in ("meera", "jonas")}
    stage = Stage(cast, consent, version.replica, version, slot, secret, keys)
    if is_approved:
        approve_both(stage)
    return stage
