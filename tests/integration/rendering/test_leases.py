"""Leases between processes: one winner for each job, a lost training that goes on, wake-ups that arrive."""

import asyncio
import json
import threading
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client

from rendering.errors import RejoinRefused
from rendering.models import Conversation, ReplicaVersion
from rendering.services import reaping, training, viewing
from tests.common import consenting, replicas
from tests.common.simulators.slot import SimulatedSlot
from trustcore.audit.actors import Actor
from trustcore.audit.models import Event
from trustcore.jobs import wakeups
from trustcore.jobs.models import Job, LeaseEvent, Slot
from trustcore.jobs.services import leases
from trustcore.primitives.clock import utc_now
from trustcore.primitives.envelope import decrypt, encrypt
from trustcore.primitives.signing import unb64


def in_threads(act, count):
    """Run `act` in `count` threads with connections of their own; their answers."""
    answers, gate = [], threading.Barrier(count)

    def run():
        gate.wait()
        try:
            answers.append(act())
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return answers


@pytest.fixture
def training_lease(cast, monkeypatch):
    """A training under way, its slot and its lease."""
    from rendering.services import replicas as service

    consent, slot, actor = consenting.in_force(cast, monkeypatch), SimulatedSlot(), Actor.user(cast.farah)
    slot.announce()
    replica = service.create(
        actor=actor, user=cast.farah, organisation=cast.organisation, subject_public_id=consent.subject_public_id,
        now=utc_now())
    training.start(
        actor=actor, author=cast.farah, replica=replica, iterations=500, now=utc_now(),
        footage=replicas.accepted_footage(cast, consent.subject_public_id))
    return slot, slot.claim("training").json()


def queued():
    return leases.enqueue(
        kind="session", tenant="studio", object_id="c1", subject_public_id="s1", idempotency_key="one",
        lease_lifetime_s=2, is_repeatable=False)


def run_out():
    Job.objects.filter(kind="training").update(leased_until=utc_now() - timedelta(seconds=1))


@pytest.mark.django_db
def test_a_training_whose_worker_died_goes_on_from_its_checkpoint(training_lease):
    slot, lease = training_lease
    keys = slot.open_keys(slot.ask_for_keys(lease).json())
    kept = encrypt(unb64(keys["write"]), keys["contexts"]["checkpoint"], b"iteration 200")
    assert slot.call("PUT", f"/leases/{lease['lease_id']}/checkpoint", kept).status_code == 200
    run_out()
    late = slot.call("PUT", f"/leases/{lease['lease_id']}/checkpoint", b"too late")
    assert late.status_code == 409 and late.json()["code"] == "lease.lost"
    reaping.reap(utc_now())
    again = slot.claim("training").json()
    assert again["epoch"] == 2 and again["lease_id"] != lease["lease_id"]
    stale = slot.call("POST", f"/leases/{lease['lease_id']}/progress", {"epoch": 1, "stage": "fit", "done": 0.5})
    assert stale.json()["code"] == "lease.lost"
    keys = slot.open_keys(slot.ask_for_keys(again).json())
    ciphertext = slot.call("GET", f"/blobs/{again['blobs']['checkpoint']}").content
    assert decrypt(unb64(keys["read"]["checkpoint"]), keys["contexts"]["checkpoint"], ciphertext) == b"iteration 200"
    assert Event.objects.filter(action="training.resumed").count() == 1


@pytest.mark.django_db
def test_a_training_that_is_lost_too_often_fails_with_a_reason(training_lease):
    slot, _ = training_lease
    for _ in range(training.MAX_ATTEMPTS - 1):
        run_out()
        reaping.reap(utc_now())
        assert slot.claim("training").status_code == 200
    run_out()
    reaping.reap(utc_now())
    version = ReplicaVersion.objects.get()
    assert (version.state, version.failure) == ("failed", "training.lease_expired")
    assert Job.objects.get(kind="training").state == "lost"


@pytest.mark.django_db
def test_two_reapers_over_one_lost_training_put_it_back_once(training_lease, monkeypatch):
    run_out()
    seen_by_both = leases.run_out(utc_now())
    reaping.reap(utc_now())
    monkeypatch.setattr(leases, "run_out", lambda now: [job for job in seen_by_both if job.kind == "training"])
    reaping.reap(utc_now())
    assert Job.objects.get(kind="training").state == "queued"
    assert ReplicaVersion.objects.get().state == "training"


@pytest.mark.django_db(transaction=True)
def test_one_job_goes_to_one_slot_of_many():
    slot = SimulatedSlot()
    slot.announce()
    row = Slot.objects.get()
    queued()
    answers = in_threads(lambda: leases.claim(kinds=["session"], slot=row, now=utc_now()), 4)
    assert [job.epoch for job in answers if job is not None] == [1]


@pytest.mark.django_db(transaction=True)
def test_numbers_of_events_have_no_gaps_under_haste():
    job = queued()
    in_threads(lambda: leases.say(job, kind="message", body={}), 6)
    assert sorted(LeaseEvent.objects.values_list("number", flat=True)) == [1, 2, 3, 4, 5, 6]


@pytest.mark.django_db(transaction=True)
def test_of_two_first_offers_at_once_one_joins_and_the_other_is_refused_on_the_record(cast, monkeypatch):
    """Else the second would be a new connection without an event, and its nonce might be the first one's."""
    stage = replicas.set_stage(cast, monkeypatch)
    made = Client().post(
        "/v2/conversations", json.dumps({"replica_id": stage.replica.public_id, **replicas.USE}),
        content_type="application/json", headers={"x-api-key": stage.api_key}).json()
    Client().get(made["conversation_url"].removeprefix("http://testserver"), follow=True)
    conversation, say = Conversation.objects.get(), leases.say_next

    def say_slowly(*args, **kwargs):
        time.sleep(0.3)
        return say(*args, **kwargs)

    def offer():
        try:
            return viewing.put_offer(conversation, {"sdp": "v=0", "viewer_nonce": "n" * 22}, now=utc_now())
        except RejoinRefused:
            return None

    monkeypatch.setattr(leases, "say_next", say_slowly)
    assert sorted(answer is None for answer in in_threads(offer, 2)) == [False, True]
    assert LeaseEvent.objects.filter(kind="offer").count() == 1
    assert Event.objects.filter(action="rejoin.refused", object_id=conversation.public_id).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_wake_up_arrives_and_a_topic_hears_only_its_own():
    async def wait_for_both():
        with wakeups.waiting(["job:a"]) as mine, wakeups.waiting(["job:b"]) as other:
            await asyncio.to_thread(wakeups.ensure_listening)
            # The first wake-up says only that the connection is up: everybody looks again after a reconnect.
            await asyncio.gather(mine.wait(1.0), other.wait(1.0))
            await asyncio.to_thread(say)
            return await asyncio.gather(mine.wait(5.0), other.wait(0.3))

    def say():
        wakeups.notify("job:a")
        connection.close()

    assert asyncio.run(wait_for_both()) == [True, False]
    wakeups.LISTENER.close()


@pytest.mark.django_db(transaction=True)
def test_a_viewers_offer_is_answered_as_soon_as_the_slot_answers(cast, monkeypatch):
    """Through the real addresses and the real wake-ups: the offer waits in one thread, the slot answers in another."""
    stage = replicas.set_stage(cast, monkeypatch)
    made = Client().post(
        "/v2/conversations", json.dumps({"replica_id": stage.replica.public_id, **replicas.USE}),
        content_type="application/json", headers={"x-api-key": stage.api_key}).json()
    viewer = Client()
    viewer.get(made["conversation_url"].removeprefix("http://testserver"), follow=True)
    lease = stage.slot.claim("session").json()
    answered_at = []

    def play_slot():
        try:
            base = f"/leases/{lease['lease_id']}"
            offer = stage.slot.call("GET", f"{base}/events?after=0").json()["events"][0]
            assert stage.slot.answer(lease, offer["body"]).status_code == 200
            answered_at.append(time.monotonic())
        finally:
            connection.close()

    slot = threading.Thread(target=play_slot)
    slot.start()
    answer = viewer.post(
        f"/c/{made['conversation_id']}/offer", json.dumps({"sdp": "v=0", "viewer_nonce": "n" * 22}),
        content_type="application/json")
    received_at = time.monotonic()
    slot.join(20)
    assert answer.status_code == 200 and answer.json()["sdp"] == "v=0 answer"
    # A wake-up, not the look once a second that stands behind it.
    assert received_at - answered_at[0] < 0.9
    assert Conversation.objects.get().state == "live"
    wakeups.LISTENER.close()
