"""How the log names people and tenants without naming them: salted commitments."""

import secrets

from trustcore.audit.models import ScopeSalt
from trustcore.primitives.hashing import commitment


def of_subject(subject_public_id: str) -> str:
    """The subject's commitment (64 hex digits). The salt is made at first use and can be erased."""
    return _of(f"subject:{subject_public_id}")


def of_tenant(slug: str) -> str:
    """The tenant's commitment. Events of no tenant belong to the empty one."""
    return _of(f"tenant:{slug}")


def subject_scope(subject_commitment: str) -> str:
    return f"subject/{subject_commitment}" if subject_commitment else ""


def tenant_scope(slug: str) -> str:
    return f"tenant/{of_tenant(slug)}"


def _of(name: str) -> str:
    row, _ = ScopeSalt.objects.get_or_create(name=name, defaults={"salt": secrets.token_bytes(32)})
    return commitment(bytes(row.salt), name.encode())
