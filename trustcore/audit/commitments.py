"""How the log names people and tenants without naming them: salted commitments."""

import secrets

from trustcore.audit.models import SubjectSalt
from trustcore.primitives.hashing import commitment


def of_subject(subject_public_id: str) -> str:
    """The subject's commitment (64 hex digits). The salt is made at first use and can be erased."""
    row, _ = SubjectSalt.objects.get_or_create(
        subject_public_id=subject_public_id, defaults={"salt": secrets.token_bytes(32)}
    )
    return commitment(bytes(row.salt), subject_public_id.encode())
