"""Make, check and revoke API keys. `tc_<prefix>_<secret>`: the prefix finds the row, the secret's hash proves it."""

import hmac
import secrets
from datetime import timedelta

from trustcore.accounts.models import ApiKey, Organisation, User
from trustcore.accounts.permissions import API_KEY_PERMISSIONS, Permission
from trustcore.accounts.services.strangers import strangers
from trustcore.audit import recording
from trustcore.audit.actors import ObjectRef
from trustcore.primitives.clock import utc_now
from trustcore.primitives.errors import Refusal
from trustcore.primitives.hashing import sha256_hex

LAST_USE_STEP = timedelta(minutes=1)  # a row write per request would cost more than the request


class ApiKeyInvalid(Refusal):
    """The API key is unknown, wrong or revoked."""

    code = "api_key.invalid"


class ApiKeyMissing(Refusal):
    """There is no such key in the caller's organisation."""

    code = "api_key.missing"


class ApiKeyScopeInvalid(Refusal):
    """The asked scope holds a permission that an API key may not have."""

    code = "request.api_key_scope_invalid"


def create(
    *, actor: recording.Actor, organisation: Organisation, created_by: User, name: str, scope: list[str]
) -> tuple[ApiKey, str]:
    """A new key and its secret text, which is shown once and not kept.

    Raises:
        ApiKeyScopeInvalid: the scope is empty or asks for what only a person may do.
    """
    allowed = {permission.value for permission in API_KEY_PERMISSIONS}
    if not scope or not set(scope) <= allowed:
        raise ApiKeyScopeInvalid(f"Choose the key's permissions among: {', '.join(sorted(allowed))}.")
    prefix, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
    key = ApiKey(
        organisation=organisation,
        created_by=created_by,
        name=name.strip()[:80],
        prefix=prefix,
        # A random 256-bit secret needs no slow hash: there is nothing to guess from.
        secret_sha256=sha256_hex(secret.encode()),
        scope=sorted(set(scope)),
    )
    with recording.recording(actor=actor, action=recording.Action.API_KEY_CREATED, obj=key):
        key.save()
    return key, f"tc_{prefix}_{secret}"


def revoke(*, actor: recording.Actor, key: ApiKey, reason: str = "") -> None:
    """Revoke the key at once. Revoking twice changes nothing."""
    with recording.recording(actor=actor, action=recording.Action.API_KEY_REVOKED, obj=key, reason=reason):
        if key.revoked_at is None:
            key.revoked_at = utc_now()
            key.save(update_fields=["revoked_at"])


def authenticate(text: str) -> ApiKey:
    """The live key that `text` spells.

    Raises:
        ApiKeyInvalid: unknown, wrong or revoked; the caller learns no more than that, the log does.
    """
    parts = text.strip().split("_", 2)
    key: ApiKey | None = None
    if len(parts) == 3 and parts[0] == "tc" and len(text) <= 200:
        key = ApiKey.objects.select_related("organisation", "created_by").filter(prefix=parts[1]).first()
    wanted = key.secret_sha256 if key else "0" * 64
    matches = hmac.compare_digest(wanted, sha256_hex(parts[-1].encode()))
    if key is None or not matches or key.revoked_at is not None:
        _record_refusal(key, "revoked" if key and matches else "wrong" if key else "unknown")
        raise ApiKeyInvalid("The API key is not valid. Check it, or make a new one in the console.")
    _note_use(key)
    return key


def _record_refusal(key: ApiKey | None, why: str) -> None:
    obj = key if key is not None else ObjectRef("api_key", "unknown")
    strangers.refused(action=recording.Action.API_KEY_REFUSED, obj=obj, reason=f"api_key.{why}")


def _note_use(key: ApiKey) -> None:
    now = utc_now()
    if key.last_used_at is None or now - key.last_used_at > LAST_USE_STEP:
        key.last_used_at = now
        key.save(update_fields=["last_used_at"])


def permissions_of(key: ApiKey) -> frozenset[Permission]:
    """What the key may do now: its scope, never more than any key may."""
    return frozenset(permission for permission in API_KEY_PERMISSIONS if permission.value in key.scope)
