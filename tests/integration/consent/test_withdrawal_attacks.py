"""A person withdraws; somebody tries to make their face speak again by another of their consents."""

import numpy as np
import pytest

from consent import intake, selectors
from consent.errors import ConsentMissing, ConsentWithdrawn
from consent.intake import Intake
from consent.services import consents, identities
from tests.common.consenting import agreed, in_force, submit
from trustcore.audit.actors import Actor
from trustcore.primitives.errors import InvalidTransition

pytestmark = pytest.mark.django_db


def withdraw(consent):
    consents.withdraw_all(actor=Actor.subject(consent.subject_public_id), subject=consent.subject)


def test_a_paused_consent_cannot_be_resumed_after_the_person_withdrew(cast, monkeypatch):
    officer = Actor.user(cast.meera)
    paused = in_force(cast, monkeypatch)
    consents.suspend(actor=officer, consent=paused, reason="to wait for the withdrawal")
    withdraw(agreed(cast, subject=paused.subject))
    with pytest.raises(InvalidTransition):
        consents.resume(actor=officer, consent=paused, reason="nobody looks")
    with pytest.raises(ConsentWithdrawn):
        selectors.consent_in_force(paused.subject_public_id)


def test_a_clip_that_waited_cannot_be_accepted_after_the_person_withdrew(cast, monkeypatch):
    first = in_force(cast, monkeypatch)
    monkeypatch.setattr(
        intake, "run_checks", lambda *_, **__: Intake([], b"", np.zeros(60, np.float32), b"jpeg", 20.0))
    check = submit(agreed(cast, subject=first.subject), b"a second recording")
    withdraw(first)
    with pytest.raises(InvalidTransition):
        identities.decide(actor=Actor.user(cast.meera), officer=cast.meera, check=check, decision="accept")
    with pytest.raises(ConsentWithdrawn):
        selectors.consent_in_force(first.subject_public_id)
    with pytest.raises(ConsentMissing):
        withdraw(first)
