"""What can be wrong with footage, replicas, personas and conversations."""

from trustcore.primitives.errors import Refusal


class JoinRefused(Refusal):
    """The link of a conversation does not open it: unknown, used by somebody else, or too late."""

    code = "conversation.join_refused"


class EmbeddingNotAllowed(Refusal):
    """The page that wants to show a conversation in a frame is not on its organisation's list."""

    code = "conversation.embedding_not_allowed"


class ConversationMissing(Refusal):
    """There is no such conversation in this organisation."""

    code = "not_found"


class ConversationRefused(Refusal):
    """The rules do not allow this conversation. `reasons` holds every reason found, as codes."""

    code = "conversation.refused"


class ConversationOver(Refusal):
    """The conversation has ended."""

    code = "conversation.ended"


class GrantOutdated(Refusal):
    """What a grant was signed upon is no longer what holds."""

    code = "grant.outdated"


class NoFreeSlot(Refusal):
    """No render slot answered in time."""

    code = "conversation.no_free_slot"


class IdempotencyMismatch(Refusal):
    """The idempotency key was used before with another request."""

    code = "conversation.idempotency_mismatch"


class ReplicaMissing(Refusal):
    """There is no such replica in this organisation."""

    code = "not_found"


class PersonaMissing(Refusal):
    """There is no such persona in this organisation."""

    code = "not_found"


class PersonaSecretRefused(Refusal):
    """A persona carries a key or headers for a service; it would be stored in the clear."""

    code = "persona.secret_refused"


class PersonaAddressRefused(Refusal):
    """A persona names the address of a service that the operator did not list."""

    code = "persona.address_refused"


class FootageRefused(Refusal):
    """The footage cannot be used. `error_type` is the Tavus word for it."""

    code = "footage.refused"


class FootageTooLarge(Refusal):
    """The footage is larger than an upload may be."""

    code = "footage.too_large"


class TrainingRefused(Refusal):
    """Training cannot start: no live consent, no verified identity, or no accepted footage."""

    code = "training.refused"


class QualityTooLow(Refusal):
    """A trained version is below the lowest quality that may be approved. `reasons` says which figures."""

    code = "replica.quality_too_low"

    def __init__(self, reasons: list[str]) -> None:
        super().__init__(
            "This version is too poor to be approved; train again, with more or better footage. " + " ".join(reasons),
            reasons=reasons,
        )


class KillSwitchRefused(Refusal):
    """The kill switch cannot be pulled or lifted this way."""

    code = "kill_switch.refused"


class RecordingRefused(Refusal):
    """A recording was handed in for a session that is not recorded."""

    code = "recording.refused"


class RejoinRefused(Refusal):
    """This viewer connected to one conversation too often, or offers what was offered before."""

    code = "conversation.rejoin_refused"


class MessagesTooFast(Refusal):
    """One viewer sent more messages in a few seconds than a conversation needs."""

    code = "conversation.too_fast"


class CaptionsBusy(Refusal):
    """As many streams of captions are open as one conversation, or one process, has places for."""

    code = "captions.too_many"


class PerceptionNotAllowed(Refusal):
    """Nothing may be perceived of this viewer: nobody asked for it, or the law forbids it here."""

    code = "perception.not_allowed"


class VectorInvalid(Refusal):
    """What a viewer's page sent is not what perception may send: another shape, a number out of range, or too much."""

    code = "perception.vector_invalid"


class FiguresInvalid(Refusal):
    """A report of a viewer's page is not of the one form that is taken. `fields` says what is wrong with which."""

    code = "figures.invalid"


class FiguresImplausible(Refusal):
    """What a viewer's page says it measured cannot be: figures that contradict each other, or the time that passed."""

    code = "figures.implausible"


class FiguresReplayed(Refusal):
    """A viewer's page sent a report that it, or a later one, has replaced."""

    code = "figures.replayed"


class FiguresNotTaken(Refusal):
    """Nothing is measured in viewers' browsers here, or this conversation has been over for too long to report of."""

    code = "figures.not_taken"


class TargetsInvalid(Refusal):
    """A promise to viewers is out of its range, or names no network. `fields` says which."""

    code = "service_targets.invalid"
