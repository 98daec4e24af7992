"""What consent lends to provenance, which may not import it: bound by a setting, made without arguments."""

from consent.models import Approval, Consent
from trustcore.primitives.canonical import canonical_bytes


class EvidenceSource:
    """Approvals with their passkeys' answers, and consent receipts, for an evidence export."""

    def documents(self, *, tenant: str, subject_public_id: str, object_ids: frozenset[str]) -> dict[str, bytes]:
        """Documents as "folder/name" -> bytes, of one tenant, named by an exported entry.

        `subject_public_id` narrows to one person; "" takes everybody of the tenant.
        """
        approvals = Approval.objects.filter(
            request__organisation__slug=tenant, request__public_id__in=object_ids
        ).select_related("request")
        consents = Consent.objects.filter(subject__organisation__slug=tenant, public_id__in=object_ids)
        if subject_public_id:
            approvals = approvals.filter(request__about_subject=subject_public_id)
            consents = consents.filter(subject__public_id=subject_public_id)
        found = {f"approvals/{row.public_id}.json": canonical_bytes(row.evidence) for row in approvals}
        return found | {
            f"receipts/{row.public_id}.json": canonical_bytes(row.receipt) for row in consents if row.receipt
        }
