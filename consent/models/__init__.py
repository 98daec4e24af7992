"""Governed rows of consent. Other packages call services and selectors, never these."""

from consent.models.approvals import Approval, ApprovalChallenge, ApprovalRequest
from consent.models.consents import Consent, Invitation, Notice, Subject
from consent.models.identities import ClipChallenge, ConsentClip, IdentityCheck, IdentityDecision, SeenMedia

__all__ = [
    "Approval", "ApprovalChallenge", "ApprovalRequest", "ClipChallenge", "Consent", "ConsentClip", "IdentityCheck",
    "IdentityDecision", "Invitation", "Notice", "SeenMedia", "Subject",
]  # fmt: skip
