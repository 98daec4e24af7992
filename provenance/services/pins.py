"""The keys the signer trusts. In production a file that the signer's owner wrote; embedded, the registered workers."""

import json
from pathlib import Path

from django.conf import settings

from provenance.errors import SignerUnready
from provenance.services.signer import Pins
from trustcore.jobs.models import Worker
from trustcore.keys.services import signing_keys
from trustcore.primitives.signing import VerifyKey, unb64


def current() -> Pins:
    """Grant keys and worker identities in force.

    Raises:
        SignerUnready: TRUSTCORE_SIGNER_PINS names a file that cannot be read.
    """
    return _from_file(Path(settings.SIGNER_PINS)) if settings.SIGNER_PINS else _embedded()


def _embedded() -> Pins:
    workers = (worker.verify_key for worker in Worker.objects.filter(is_active=True))
    return Pins(signing_keys.trusted("grant"), {key.kid: key for key in workers})


def _from_file(path: Path) -> Pins:
    try:
        told = json.loads(path.read_bytes())
        grants, workers = (
            {key.kid: key for key in (VerifyKey(unb64(text)) for text in told[name])} for name in ("grant", "worker")
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SignerUnready(f"The signer's pinned keys in {path} cannot be read: {error}") from error
    return Pins(grants, workers)
