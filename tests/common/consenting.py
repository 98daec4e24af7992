"""Steps of consent that many tests need, each through the real services; only the recording's reading is given."""

from datetime import date, timedelta
from typing import Any

import numpy as np

from consent.identity.challenge import Challenge
from consent.intake import Intake
from consent.models import ClipChallenge, Consent, IdentityCheck
from consent.scope import Scope
from consent.services import identities, invitations
from tests.common.cast import Cast
from trustcore.audit.actors import Actor

DEVICE = "d" * 64
SCOPE = {
    "purposes": ["support", "education"], "audiences": ["adults"], "emotions_max_milli": {"joy": 700, "surprise": 600},
    "languages": ["en"], "territories": ["IN", "SE"], "releases": ["face", "voice", "biometric"], "retention_days": 90,
    "expires_on": (date.today() + timedelta(days=500)).isoformat(),
}  # fmt: skip


def invite(cast: Cast, name: str = "Asha Baruah", email: str = "asha@studio.example", **known: Any) -> Any:
    return invitations.send(
        actor=Actor.user(cast.meera), organisation=cast.organisation, invited_by=cast.meera, name=name, email=email,
        language="en", asked_for="Claims helpdesk", **known,
    )  # fmt: skip


def agreed(cast: Cast, **invited: Any) -> Consent:
    """A consent that waits for its clip."""
    invitation, _ = invite(cast, **invited)
    invitations.open_once(invitation=invitation)
    return invitations.agree(invitation=invitation, scope=Scope.from_dict(SCOPE))


def submit(consent: Consent, media: bytes, challenge: Challenge | None = None, **changed: Any) -> IdentityCheck:
    """Hand in a recording for a challenge drawn now, or for the one given (as if it had been drawn)."""
    if challenge is None:
        challenge = identities.issue_challenge(consent=consent, device_sha256=DEVICE)
    elif not ClipChallenge.objects.filter(sha256=challenge.sha256).exists():
        ClipChallenge.objects.create(
            consent=consent, body=challenge.to_dict(), sha256=challenge.sha256, closes_at=challenge.closes_at
        )
    facts = {"device_sha256": DEVICE, "content_type": "video/mp4", "is_timed": True} | changed
    return identities.submit_clip(consent=consent, nonce=challenge.nonce, media=media, **facts)


def in_force(cast: Cast, monkeypatch: Any, **invited: Any) -> Consent:
    """A consent in force, for tests of what comes after. The recording is not read: its intake result is given."""
    from consent import intake

    results = [_passing(name) for name in ("turns", "one_face", "seen_before", "own_output")]
    face = np.zeros(60, np.float32)
    with monkeypatch.context() as patch:
        patch.setattr(intake, "run_checks", lambda *_, **__: Intake(results, b"", face, b"jpeg", 20.0))
        check = submit(agreed(cast, **invited), b"a recording")
    identities.decide(actor=Actor.user(cast.meera), officer=cast.meera, check=check, decision="accept")
    return Consent.objects.select_related("subject__organisation").get(pk=check.consent.pk)


def _passing(name: str) -> Any:
    from consent.identity.results import CheckResult

    return CheckResult(name=name, verdict="pass", method="given", version="1", score=1.0, threshold=0.5,
                       measure="given by the test", need="given", decided_by="method")  # fmt: skip
