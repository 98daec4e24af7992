"""What provenance lends to and borrows from other packages, bound by settings: dotted paths, objects made without
arguments. Provenance may not import consent or rendering.
"""

from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from provenance.services.own_output import Detector as OwnOutputDetector

__all__ = ["EvidenceSource", "OwnOutputDetector", "evidence_sources"]


class EvidenceSource(Protocol):
    """Lends an export the documents that the log names by hash: approvals, receipts, recordings."""

    def documents(self, *, tenant: str, subject_public_id: str, object_ids: frozenset[str]) -> dict[str, bytes]:
        """Documents as "folder/name" -> bytes, folders as in provenance/bundles.py.

        Args:
            tenant: whose export.
            subject_public_id: only about this person; "" for a whole tenant.
            object_ids: public ids that the exported entries name.
        """
        ...


def evidence_sources() -> list[EvidenceSource]:
    """Every source that a setting binds."""
    return [import_string(path)() for path in settings.TRUSTCORE_EVIDENCE_SOURCES]
