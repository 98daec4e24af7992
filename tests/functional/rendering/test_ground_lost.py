"""What a session stands on, taken away while it runs: no key, no manifest, no further second."""

import json

import pytest
from django.test import Client

from consent.models import ApprovalRequest, Subject
from consent.services import approvals
from rendering import selectors
from rendering.services import opening, replicas, sessions
from tests.common.replicas import USE
from tests.functional.rendering.test_sessions import OFFER, Talk, job_of
from trustcore.audit.actors import Actor
from trustcore.jobs.errors import LeaseLost
from trustcore.jobs.models import LeaseEvent
from trustcore.keys.services import holds
from trustcore.policy import selectors as policies
from trustcore.primitives.clock import utc_now

pytestmark = pytest.mark.django_db


@pytest.fixture
def talk(stage):
    return Talk(stage)


def take_back(stage, kind, who=None):
    request = ApprovalRequest.objects.get(kind=kind, state="approved")
    client = Client()
    client.force_login(who or stage.cast.jonas)
    client.post(f"/console/approvals/{request.public_id}/take-back/", {"reason": "The figures were wrong."})
    return ApprovalRequest.objects.get(pk=request.pk).state


@pytest.mark.parametrize("kind", ["replica", "emotion_policy"])
def test_an_approval_taken_back_gives_no_key(stage, talk, kind):
    talk.join()
    lease = stage.slot.claim("session").json()
    assert take_back(stage, kind) == "void"
    assert stage.slot.ask_for_keys(lease).status_code == 409
    assert sessions.reason_to_stop(talk.row, now=utc_now()) == "approval_ended"


def test_an_approval_taken_back_after_the_keys_ends_the_session(stage, talk, monkeypatch):
    from rendering.views import viewer

    monkeypatch.setattr(viewer, "ANSWER_WITHIN_S", 0.0)
    talk.join()
    lease = stage.slot.claim("session").json()
    assert stage.slot.ask_for_keys(lease).status_code == 200
    talk.post("offer", OFFER)
    take_back(stage, "replica")
    told = stage.slot.answer(lease, LeaseEvent.objects.get(kind="offer").body)
    assert told.status_code == 409
    assert (talk.row.state, talk.row.end_reason) == ("ended", "approval_ended")


def test_nobody_but_an_approver_takes_back(stage, talk):
    for nobody in (stage.cast.mallory, stage.cast.dev, stage.cast.erin, stage.cast.farah):
        assert take_back(stage, "replica", nobody) == "approved"


def test_a_hold_forbids_rendering(stage, talk):
    talk.join()
    stage.slot.claim("session")
    subject = Subject.objects.get(public_id=stage.consent.subject_public_id)
    holds.place(subject.public_id, tenant=subject.tenant, actor=Actor.system("test"), reason="court")
    assert sessions.reason_to_stop(talk.row, now=utc_now()) == "legal_hold"
    with pytest.raises(LeaseLost):
        sessions.release_terms(job_of(talk), now=utc_now())


def test_an_edit_voids_what_was_signed(stage, talk):
    policy = policies.of_replica(stage.replica.public_id)
    newest = policies.versions_newest_first(policy)[0]
    replicas.edit_policy(
        actor=Actor.user(newest.author), author=newest.author, policy=policy, content=dict(newest.content))
    name = selectors.person_name(stage.replica)
    assert selectors.policy_in_force(stage.replica.public_id, name, now=utc_now()) is None
    assert sessions.reason_to_stop(talk.row, now=utc_now()) == "approval_ended"
    request = ApprovalRequest.objects.get(kind="emotion_policy")
    assert request.state == "void" and "version 2" in request.reason


def test_one_idempotency_key_sent_twice_at_once_makes_one_conversation(stage, monkeypatch):
    known, calls = opening._known, []

    def blind_at_first(*args):
        calls.append(args)
        return None if len(calls) in {1, 2} else known(*args)

    monkeypatch.setattr(opening, "_known", blind_at_first)
    body = json.dumps({"replica_id": stage.replica.public_id, **USE})
    headers = {"x-api-key": stage.api_key, "Idempotency-Key": "k1"}
    first, second = (Client().post("/v2/conversations", body, content_type="application/json", headers=headers)
                     for _ in range(2))
    assert first.status_code == second.status_code == 200
    assert first.json()["conversation_id"] == second.json()["conversation_id"]


def test_void_of_nothing_changes_nothing(stage):
    assert approvals.void(actor=Actor.system("test"), kind="replica", object_public_id="nobody", reason="x") == 0
