"""The grant: a signed, short statement that one replica may speak in one conversation within stated limits.

Control signs it with a key of its own purpose ("grant"); the worker's gate and the signer each verify it themselves
against pinned keys. Holding a verified `Grant` is not yet holding a `Permit`: the gate makes that.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

from trustcore.primitives.clock import from_rfc3339, to_rfc3339
from trustcore.primitives.errors import GrantExpired, GrantInvalid, SignatureInvalid
from trustcore.primitives.hashing import statement_sha256
from trustcore.primitives.signing import SigningKey, VerifyKey, sign_statement, verify_statement

PURPOSE = "grant"
GRANT_VERSION = 1
MAX_CLOCK_SKEW = timedelta(seconds=30)
PERCEPTION_LEVELS = ("off", "limited", "full")
EMOTIONS = ("neutral", "joy", "sadness", "anger", "surprise", "fear", "disgust", "contempt")


@dataclass(frozen=True)
class Grant:
    """What may happen. Every field is bound by the signature; `sha256` names the whole.

    `emotion_max_milli`: highest intensity per emotion, 0..1000; an emotion that is absent is forbidden (0).
    `perception`: what may be perceived of the viewer, one of PERCEPTION_LEVELS. "off" is not written: a grant without
    the word allows nothing.
    `sync_key_id` and the mark ids are given to the worker at key release, not here.
    """

    grant_id: str
    tenant: str
    conversation_id: str
    subject_id: str
    replica_id: str
    replica_version: int
    replica_sha256: str
    consent_id: str
    consent_receipt_sha256: str
    policy_id: str
    policy_version: int
    policy_sha256: str
    cedar_sha256: str
    persona_id: str
    purpose: str
    audience: str
    country: str
    language: str
    context_of_use: str
    disclosure: str
    issued_at: str  # RFC 3339
    not_after: str  # RFC 3339
    footage_sha256: str = ""  # of the footage the replica was trained on
    emotion_max_milli: Mapping[str, int] = field(default_factory=dict)
    audience_of_grant: str = "render-worker"
    version: int = GRANT_VERSION
    perception: str = "off"

    @property
    def sha256(self) -> str:
        return statement_sha256(self.to_body())

    def to_body(self) -> dict[str, Any]:
        body = asdict(self)
        body["emotion_max_milli"] = dict(sorted(self.emotion_max_milli.items()))
        if self.perception == "off":
            del body["perception"]
        return body


def make_times(now: datetime, lifetime: timedelta) -> tuple[str, str]:
    """(issued_at, not_after) for a new grant."""
    return to_rfc3339(now), to_rfc3339(now + lifetime)


def sign_grant(key: SigningKey, grant: Grant) -> dict[str, Any]:
    return sign_statement(key, PURPOSE, grant.to_body())


def verify_grant(
    signed: Mapping[str, Any], trusted_keys: Mapping[str, VerifyKey], *, audience: str, now: datetime,
) -> Grant:
    """The grant, once its signature, shape, audience and time hold.

    Raises:
        GrantInvalid: signature, version, audience, a field or an emotion limit is wrong.
        GrantExpired: `now` is outside issued_at..not_after (30 s of skew allowed at the start).
    """
    try:
        body = verify_statement(signed, PURPOSE, trusted_keys)
    except SignatureInvalid as error:
        raise GrantInvalid("This grant is not signed by a key trusted for grants.") from error
    grant = _from_body(body)
    if grant.version != GRANT_VERSION or grant.audience_of_grant != audience:
        raise GrantInvalid("This grant is for another audience or version.", audience=grant.audience_of_grant)
    if now < from_rfc3339(grant.issued_at) - MAX_CLOCK_SKEW or now >= from_rfc3339(grant.not_after):
        raise GrantExpired("This grant is not valid at this time. Ask for a new conversation.", grant=grant.grant_id)
    return grant


def _from_body(body: Mapping[str, Any]) -> Grant:
    body = {"perception": "off", **body}
    if set(body) != {f.name for f in fields(Grant)}:
        raise GrantInvalid("This grant has missing or unknown fields.")
    for f in fields(Grant):
        wanted: type | tuple[type, ...] = {"int": int, "str": str}.get(str(getattr(f.type, "__name__", f.type)), object)
        if not isinstance(body[f.name], wanted) or isinstance(body[f.name], bool):
            raise GrantInvalid(f"Field {f.name} of this grant has the wrong type.", field=f.name)
    limits = body["emotion_max_milli"]
    if not isinstance(limits, dict) or any(
        name not in EMOTIONS or isinstance(milli, bool) or not isinstance(milli, int) or not 0 <= milli <= 1000
        for name, milli in limits.items()
    ):
        raise GrantInvalid("This grant's emotion limits are not numbers from 0 to 1000 of known emotions.")
    if body["perception"] not in PERCEPTION_LEVELS:
        raise GrantInvalid("This grant allows a kind of perception that is not known.", field="perception")
    try:
        from_rfc3339(body["issued_at"]), from_rfc3339(body["not_after"])
    except ValueError as error:
        raise GrantInvalid("This grant's times are not readable.") from error
    return Grant(**body)
