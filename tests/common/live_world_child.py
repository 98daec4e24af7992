"""What the child of `live_world` does with the real services."""

from dataclasses import replace
from typing import Any

import pytest

from consent.models import Consent
from consent.services import invitations
from rendering.demo.clips import committed_footage
from rendering.models import Visit
from rendering.services import replicas as services
from rendering.services import training
from tests.common import consenting, quick_replica, replicas
from tests.common.cast import Cast
from trustcore.accounts.models import Organisation, User
from trustcore.audit.actors import Actor
from trustcore.audit.models import Event
from trustcore.jobs.models import Job
from trustcore.primitives.clock import utc_now


class Child:
    """One person at a time, an approved replica each, one developer's key."""

    _count = 0

    def begin(self) -> dict[str, Any]:
        self._cast = _demo_cast()
        files, replicas.FILES = replicas.FILES, quick_replica.files()
        try:
            self._stage = replicas.set_stage(self._cast, pytest.MonkeyPatch())
        finally:
            replicas.FILES = files
        return {"api_key": self._stage.api_key, "replica_id": self._stage.replica.public_id,
                "subject_id": self._stage.consent.subject_public_id, "use": replicas.USE}

    def portal(self) -> dict[str, Any]:
        token = invitations.issue_portal_link(actor=Actor.system("tests"), subject=self._consent().subject)
        return {"path": f"/me/enter/{token}/"}

    def another(self) -> dict[str, Any]:
        """Another person with an approved replica, for a run after the one before has withdrawn."""
        self._count += 1
        name = f"Person {self._count}"
        consent = consenting.in_force(
            self._cast, pytest.MonkeyPatch(), name=name, email=f"person{self._count}@studio.example")
        files, replicas.FILES = replicas.FILES, quick_replica.files()
        try:
            version = replicas.trained_version(self._cast, consent.subject_public_id, self._stage.slot)
        finally:
            replicas.FILES = files
        self._stage = replace(self._stage, consent=consent, replica=version.replica, version=version)
        replicas.approve_both(self._stage)
        return {"replica_id": version.replica.public_id, "subject_id": consent.subject_public_id}

    def train(self) -> dict[str, Any]:
        """Queue a training of this person's own, from the in-tree footage, for a real worker."""
        actor, cast, subject = Actor.user(self._cast.farah), self._cast, self._stage.consent.subject_public_id
        replica = services.create(
            actor=actor, user=cast.farah, organisation=cast.organisation, subject_public_id=subject, now=utc_now())
        self._training = training.start(
            actor=actor, author=cast.farah, replica=replica, iterations=1500, now=utc_now(),
            footage=replicas.accepted_footage(cast, subject, committed_footage()))
        return {}

    def training(self) -> dict[str, Any]:
        """How far it is."""
        self._training.refresh_from_db()
        resumed = Event.objects.filter(action="training.resumed", object_id=self._training.public_id).last()
        return {
            "state": self._training.state, "has_checkpoint": bool(self._training.checkpoint_blob_id),
            "attempts": Job.objects.get(public_id=self._training.job_public_id).attempt,
            "resumed_from_checkpoint": resumed is not None and resumed.details["open"]["has_checkpoint"]}

    def visits(self) -> dict[str, Any]:
        """What viewers' pages reported, newest last, with the answers of each."""
        return {"visits": [
            {**{name: getattr(one, name) for name in (
                "number", "is_last", "region", "network", "path", "transport", "connect_ms", "ttff_ms", "rtt_ms",
                "watched_ms", "frozen_ms", "frames", "samples", "concealed", "packets", "lost", "received", "verified",
                "sound_received", "sound_verified", "cut_offs", "rung_ms")},
             "conversation": one.conversation.public_id,
             "answers": [{"kind": answer.kind, "ms": answer.ms} for answer in one.answers.order_by("number")]}
            for one in Visit.objects.select_related("conversation").order_by("id")]}

    def _consent(self) -> Consent:
        return Consent.objects.select_related("subject").get(pk=self._stage.consent.pk)


def _demo_cast() -> Cast:
    """The people whom the stack's own set-up made."""
    home, elsewhere = (Organisation.objects.get(slug=slug) for slug in ("brahmaputra", "elsewhere"))
    named = {name: User.objects.get(email=f"{name}@{home.slug}.example")
             for name in ("asha", "farah", "meera", "jonas", "dev", "erin")}
    return Cast(organisation=home, elsewhere=elsewhere,
                mallory=User.objects.get(email=f"mallory@{elsewhere.slug}.example"), **named)
