"""What the provenance services refuse, one code each."""

from trustcore.primitives.errors import Fault, Refusal


class ClaimProofInvalid(Refusal):
    """A render slot's proof does not hold: not its worker's signature, or not for this grant."""

    code = "signer.claim_invalid"


class SessionRequestInvalid(Refusal):
    """A request for a session manifest has missing or malformed fields."""

    code = "signer.request_invalid"


class SignerUnready(Fault):
    """The claim-signing key or its certificate is missing, damaged or expired."""

    code = "signer.unready"


class CertificateRefused(Refusal):
    """A claim-signing certificate cannot be put in use or revoked this way."""

    code = "signer.certificate_refused"


class FileUnreadable(Refusal):
    """Somebody's file cannot be read as video or picture."""

    code = "check.file_unreadable"


class FileTooLarge(Refusal):
    """Somebody's file is larger than we look at."""

    code = "check.file_too_large"


class LinkUnknown(Refusal):
    """What somebody pasted names no session of this installation. No other address is ever looked at."""

    code = "check.link_unknown"


class AnswerWithheld(Refusal):
    """An answer of the public check names a person whose data was erased."""

    code = "check.answer_withheld"


class CheckUnfinished(Fault):
    """A check did not come to its end: its process stopped, or the clip that waited in memory is gone."""

    code = "check.unfinished"


class CheckStopped(Refusal):
    """The person who asked stopped the check."""

    code = "check.stopped"


class ExportUnready(Refusal):
    """The export is not finished, or it failed."""

    code = "export.unready"


class BundleInvalid(Refusal):
    """A file is not an evidence bundle, or what it holds does not prove what it says."""

    code = "bundle.invalid"


class TooManyChecks(Refusal):
    """The public check page is asked too often, by one network or by all together: somebody may be using it to learn
    how to remove a mark.
    """

    code = "request.too_many"


class SoftBindingInvalid(Refusal):
    """A soft binding query cannot be read: `alg`, `value` or `maxResults` is missing or malformed."""

    code = "resolution.query_invalid"


class ManifestUnknown(Refusal):
    """No manifest of ours has this id."""

    code = "resolution.manifest_unknown"


class ManifestWithheld(Refusal):
    """The manifest is known, but it names a person whose data was erased. Its status is still told."""

    code = "resolution.manifest_withheld"


class ContentNotOffered(Refusal):
    """Manifests are not looked up by content here: the check page does that, one file at a time."""

    code = "resolution.content_not_offered"


class TooManyQueries(Refusal):
    """The resolution API is asked too often from one network."""

    code = "resolution.too_many"


class FileMissing(Refusal):
    """A form came without its file."""

    code = "check.file_missing"
