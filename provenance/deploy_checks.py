"""`manage.py check --deploy`: refuses a demonstration authority and a certificate that has ended, and warns in time."""

from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register

from provenance.errors import SignerUnready
from provenance.manifests.certs import DEMO_ORGANISATION
from provenance.services import claim_certificates, claim_keys
from trustcore.primitives.clock import utc_now

WARN_BEFORE = timedelta(days=14)


@register(Tags.security, deploy=True)
def claim_signer_is_fit(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Looks at the files alone: a check makes no keys."""
    if not claim_keys.folder().exists():
        return [Error("There is no claim-signing key yet.", id="trustcore.E009")]
    try:
        authority_pem, leaf = claim_keys.authority_pem(), claim_keys.pair_in_use().certificate
    except SignerUnready as unready:
        return [Error(unready.message, id="trustcore.E007")]
    return [*_of_settings(), *_of_authority(authority_pem), *_of_leaf(leaf, utc_now())]


def _of_settings() -> list[CheckMessage]:
    if not settings.DEMO_AUTHORITY:
        return []
    return [Error("TRUSTCORE_DEMO_AUTHORITY is on: a lost key would be replaced by a demo one.", id="trustcore.E009")]


def _of_authority(authority_pem: str) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if claim_certificates.authority_name(authority_pem) == DEMO_ORGANISATION:
        found.append(Error("The claim signer's authority is the demonstration one.", id="trustcore.E009"))
    if claim_keys.has_authority_key():
        found.append(checks.Warning(
            "The authority's key lies on this machine in the clear. Keep it elsewhere, and install what it issues.",
            id="trustcore.W001",
        ))
    return found


def _of_leaf(leaf: x509.Certificate, now: datetime) -> list[CheckMessage]:
    ends = leaf.not_valid_after_utc
    if ends <= now:
        return [Error(f"The claim-signing certificate ended on {ends:%Y-%m-%d}. Rotate it.", id="trustcore.E008")]
    if ends - now < WARN_BEFORE:
        told = f"The claim-signing certificate ends on {ends:%Y-%m-%d}. Rotate it."
        return [checks.Warning(told, id="trustcore.W002")]
    return []
