"""Why consent says no: one class and code for each reason, one plain sentence for a person."""

from trustcore.primitives.errors import Fault, Refusal


class InvitationUnknown(Refusal):
    """No invitation has this link."""

    code = "invitation.unknown"


class InvitationClosed(Refusal):
    """The invitation is over: used, declined, cancelled or too old."""

    code = "invitation.closed"


class ConsentMissing(Refusal):
    """There is no consent in force for this person."""

    code = "consent.missing"


class ConsentWithdrawn(Refusal):
    """The person withdrew."""

    code = "consent.withdrawn"


class ConsentSuspended(Refusal):
    """An officer suspended the consent."""

    code = "consent.suspended"


class ConsentExpired(Refusal):
    """The consent's end date has passed."""

    code = "consent.expired"


class ConsentOutOfScope(Refusal):
    """The use is not one the person agreed to. `facts` names the purpose, audience, country or language."""

    code = "consent.out_of_scope"


class KeyGoing(Refusal):
    """The person asked for their key to be destroyed, so nothing new can be agreed under it."""

    code = "consent.key_going"


class HoldInForce(Refusal):
    """A legal hold keeps the key."""

    code = "consent.on_hold"


class HoldMissing(Refusal):
    """There is no legal hold to lift."""

    code = "consent.no_hold"


class DestructionTooEarly(Refusal):
    """The window before a key's destruction is still open."""

    code = "consent.destruction_too_early"


class PortalUnknown(Refusal):
    """No subject has this portal link."""

    code = "portal.unknown"


class PortalElsewhere(Refusal):
    """Another browser than the one that made the recording asks for the person's own page by the invitation's link."""

    code = "portal.elsewhere"


class ChallengeClosed(Refusal):
    """The challenge was used, is too old, or was drawn for another device."""

    code = "challenge.closed"


class ClipFormInvalid(Refusal):
    """The upload lacks its file or its challenge."""

    code = "clip.form_invalid"


class AcceptClosed(Refusal):
    """A failed check closes acceptance: no officer may accept alone."""

    code = "identity.accept_closed"


class AlreadyDecided(Refusal):
    """Somebody else decided first."""

    code = "identity.already_decided"


class DecisionInvalid(Refusal):
    """The decision form is incomplete."""

    code = "identity.decision_invalid"


class ApproverNotAllowed(Refusal):
    """This person may not sign this statement: the author, not an approver, not a person, or signed already."""

    code = "approval.not_allowed"


class ApprovalClosed(Refusal):
    """The request is signed, void, expired or sent back."""

    code = "approval.closed"


class StatementChanged(Refusal):
    """The statement on the page is not the statement of the request."""

    code = "approval.statement_changed"


class ChallengeUsed(Refusal):
    """An approval challenge answers once, in time, for one person."""

    code = "approval.challenge_used"


class PasskeyMissing(Refusal):
    """The person has no passkey to sign with."""

    code = "approval.no_passkey"


class NoticeMissing(Fault):
    """The notices that ship with the product cannot be read."""

    code = "notice.missing"
