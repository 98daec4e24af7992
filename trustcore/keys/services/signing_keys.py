"""Control's own signing keys, one per purpose, wrapped under the root key in the keystore."""

from pathlib import Path

from django.conf import settings

from trustcore.audit import recording
from trustcore.keys import keystore, providers
from trustcore.keys.errors import KeyExists
from trustcore.primitives.signing import SigningKey, VerifyKey

PURPOSES = (
    "grant",
    "checkpoint",
    "receipt",
    "attestation",
    "bundle",
    "join-token",
    "worker-demo",
    "webhook",
    "status",
)


def get(purpose: str) -> SigningKey:
    """The key for `purpose`, made at first need.

    Raises:
        ValueError: the purpose is not in PURPOSES.
    """
    if purpose not in PURPOSES:
        raise ValueError(f"{purpose!r} is not a purpose of a signing key")
    path = keystore.path_of(Path(settings.KEYSTORE_DIR), "signing", purpose)
    context = f"signing/{purpose}"
    if not path.exists():
        _make(path, context, purpose)
    return SigningKey(providers.root().unwrap(context, keystore.read(path)))


def verify_key(purpose: str) -> VerifyKey:
    return get(purpose).verify_key


def trusted(purpose: str) -> dict[str, VerifyKey]:
    """kid -> key, as `verify_statement` and `verify_grant` take it."""
    key = verify_key(purpose)
    return {key.kid: key}


def _make(path: Path, context: str, purpose: str) -> None:
    key = SigningKey.generate()
    try:
        keystore.write_once(path, providers.root().wrap(context, key.seed_for_storage()))
    except KeyExists:
        return  # another process was first; its key is the one
    signing_key = recording.ObjectRef("signing_key", purpose)
    with recording.recording(
        actor=recording.Actor.system("keys"), action=recording.Action.KEY_CREATED, obj=signing_key
    ) as event:
        event.add(kid=key.kid)
