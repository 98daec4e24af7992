"""A consent's life through its services: given, verified, used in scope, ended, erased."""

from datetime import timedelta

import pytest

from consent import selectors
from consent.errors import (
    ConsentExpired,
    ConsentMissing,
    ConsentOutOfScope,
    ConsentSuspended,
    ConsentWithdrawn,
    DestructionTooEarly,
    HoldInForce,
)
from consent.models import Consent
from consent.receipts import verify_receipt
from consent.services import consents
from tests.common.consenting import agreed, in_force
from trustcore.audit.actors import Actor
from trustcore.audit.errors import UnauditedWrite
from trustcore.audit.models import Event
from trustcore.keys.services import holds, signing_keys, subject_keys
from trustcore.primitives.clock import utc_now
from trustcore.primitives.errors import InvalidTransition

pytestmark = pytest.mark.django_db
USE = {"purpose": "support", "audience": "adults", "country": "IN"}


def subject_actor(consent):
    return Actor.subject(consent.subject_public_id)


def test_agreeing_gives_a_receipt_but_nothing_in_force(cast):
    consent = agreed(cast)
    body = verify_receipt(consent.receipt, signing_keys.trusted("receipt"))
    assert body["header"]["notice"]["sha256"] == consent.notice.sha256
    assert body["processing"]["purposes"] == ["education", "support"]
    with pytest.raises(ConsentMissing):
        selectors.live_consent(consent.subject_public_id, **USE)


def test_a_verified_consent_allows_uses_inside_its_scope_and_no_other(cast, monkeypatch):
    consent = in_force(cast, monkeypatch)
    facts = selectors.live_consent(consent.subject_public_id, **USE, language="en-IN")
    assert facts.receipt_sha256 == consent.receipt_sha256
    assert (facts.emotion_max_milli("joy"), facts.emotion_max_milli("anger"), facts.emotion_max_milli("neutral")) == (
        700,
        0,
        1000,
    )
    for changed in (
        {"purpose": "marketing"},
        {"audience": "minors"},
        {"country": "NO"},
        {"country": ""},
        {"language": "sv"},
    ):
        with pytest.raises(ConsentOutOfScope):
            selectors.live_consent(consent.subject_public_id, **(USE | changed))


def test_an_end_date_ends_it_to_the_minute_and_the_clock_closes_it(cast, monkeypatch):
    consent = in_force(cast, monkeypatch)
    late = consent.expires_at + timedelta(seconds=1)
    with pytest.raises(ConsentExpired):
        selectors.live_consent(consent.subject_public_id, **USE, now=late)
    assert consents.expire_due(now=late) == [consent.public_id]
    assert consents.expire_due(now=late) == []


def test_withdrawing_ends_it_at_once_and_cannot_be_undone(cast, monkeypatch):
    consent = in_force(cast, monkeypatch)
    consents.withdraw(actor=subject_actor(consent), consent=consent)
    with pytest.raises(ConsentWithdrawn):
        selectors.live_consent(consent.subject_public_id, **USE)
    event = Event.objects.get(action="consent.withdrawn")
    assert (event.actor_type, event.object_id) == ("subject", consent.public_id)
    with pytest.raises(InvalidTransition):
        consents.resume(actor=Actor.user(cast.meera), consent=consent, reason="no")


def test_suspending_is_taken_back(cast, monkeypatch):
    consent = in_force(cast, monkeypatch)
    consents.suspend(actor=Actor.user(cast.meera), consent=consent, reason="A caller complained.")
    with pytest.raises(ConsentSuspended):
        selectors.live_consent(consent.subject_public_id, **USE)
    consents.resume(actor=Actor.user(cast.meera), consent=consent, reason="Cleared.")
    assert selectors.live_consent(consent.subject_public_id, **USE)


def test_the_key_goes_after_its_window_and_both_steps_are_on_the_record(cast, monkeypatch):
    consent = in_force(cast, monkeypatch)
    actor = subject_actor(consent)
    with pytest.raises(InvalidTransition):  # not before withdrawal
        consents.begin_key_destruction(actor=actor, consent=consent)
    consents.withdraw(actor=actor, consent=consent)
    due = consents.begin_key_destruction(actor=actor, consent=consent)
    with pytest.raises(DestructionTooEarly):
        consents.finish_key_destruction(actor=actor, consent=consent)
    assert subject_keys.exists(consent.subject_public_id)
    assert consents.destroy_due_keys(now=due + timedelta(seconds=1)) == [consent.public_id]
    assert not subject_keys.exists(consent.subject_public_id)
    actions = list(Event.objects.filter(action__startswith="key.destr").values_list("action", flat=True).distinct())
    assert set(actions) == {"key.destruction_begun", "key.destroyed"}
    consent.refresh_from_db()
    assert (consent.state, consent.subject.name) == ("key_destroyed", "Erased person")


def test_a_step_up_opens_the_window_at_once(cast, monkeypatch):
    consent = in_force(cast, monkeypatch)
    actor = subject_actor(consent)
    consents.withdraw(actor=actor, consent=consent)
    consents.begin_key_destruction(actor=actor, consent=consent, is_stepped_up=True)
    consents.finish_key_destruction(actor=actor, consent=consent)
    assert not subject_keys.exists(consent.subject_public_id)


def test_a_legal_hold_keeps_the_key_and_rendering_stays_refused(cast, monkeypatch):
    consent = in_force(cast, monkeypatch)
    actor = subject_actor(consent)
    consents.withdraw(actor=actor, consent=consent)
    consents.begin_key_destruction(actor=actor, consent=consent)
    hold = holds.place(consent.subject_public_id, tenant="studio", actor=Actor.user(cast.meera), reason="Court order 7")
    later = utc_now() + timedelta(days=2)
    with pytest.raises(HoldInForce):
        consents.finish_key_destruction(actor=actor, consent=consent, now=later)
    assert consents.destroy_due_keys(now=later) == []
    assert Event.objects.filter(action="key.refused", outcome="refused").exists()
    with pytest.raises(ConsentWithdrawn):
        selectors.live_consent(consent.subject_public_id, **USE)
    holds.lift(hold, actor=Actor.user(cast.meera), reason="Lifted")
    assert consents.destroy_due_keys(now=later) == [consent.public_id]


def test_a_newer_consent_replaces_the_older(cast, monkeypatch):
    first = in_force(cast, monkeypatch)
    second = in_force(cast, monkeypatch, subject=first.subject)
    first.refresh_from_db()
    assert first.state == "replaced"
    assert selectors.consent_in_force(first.subject_public_id).public_id == second.public_id


def test_no_row_changes_without_its_event(cast, monkeypatch):
    consent = in_force(cast, monkeypatch)
    consent.state = "withdrawn"
    with pytest.raises(UnauditedWrite):
        consent.save()
    with pytest.raises(UnauditedWrite):
        Consent.objects.filter(pk=consent.pk).update(state="in_force")
