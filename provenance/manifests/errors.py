"""What can go wrong with manifests, attestations and seals, one code each."""

from trustcore.primitives.errors import Fault, Refusal


class ManifestInvalid(Refusal):
    """A manifest does not parse, is not Trusted, or does not say what it must."""

    code = "manifest.invalid"


class ManifestMissing(ManifestInvalid):
    """A file carries no manifest at all. That is the normal state of files; it proves nothing."""

    code = "manifest.missing"


class SignerUntrusted(ManifestInvalid):
    """A manifest holds together, but nobody vouches for its signer under the anchor given."""

    code = "manifest.untrusted"


class ManifestSigningFailed(Fault):
    """A manifest could not be signed, or what was signed does not read back as Trusted."""

    code = "manifest.signing_failed"


class CoseInvalid(Refusal):
    """A COSE object is malformed, not in its one canonical form, or its signature does not verify."""

    code = "cose.invalid"


class FragmentInvalid(Refusal):
    """Bytes are not an init segment or one-sample fragment of the live profile."""

    code = "fragment.invalid"


class CarriageInvalid(Refusal):
    """The bytes that carry a frame's attestation are malformed."""

    code = "carriage.invalid"


class SeiInvalid(CarriageInvalid):
    """An access unit or its attestation SEI is malformed."""

    code = "sei.invalid"


class TrailerInvalid(CarriageInvalid):
    """A VP8 frame or the attestation behind it is malformed."""

    code = "trailer.invalid"


class PaddingInvalid(CarriageInvalid):
    """An Opus packet or the attestation in its padding is malformed."""

    code = "padding.invalid"


class SegmentInvalid(Refusal):
    """A frame's attestation does not verify against its session manifest."""

    code = "segment.invalid"


class StatusListInvalid(Refusal):
    """A list of revoked certificates does not parse, is out of date, or is not signed by the authority."""

    code = "status_list.invalid"


class TimestampFailed(Fault):
    """The time-stamp authority did not answer, or its answer is not a time stamp over what was sent."""

    code = "timestamp.failed"


class AttestationEnded(Fault):
    """The session's attestation failed once and has ended; nothing may be sent any more."""

    code = "attestation.ended"


class UnsealedFrame(Fault):
    """Something other than a sealed frame was about to be sent."""

    code = "seal.unsealed_frame"


class LabelFontMissing(Fault):
    """No installed font can draw the disclosure label in this language."""

    code = "label.font_missing"


class RecordingInvalid(Refusal):
    """A recording cannot be written or read: no frames, or fragments of another session."""

    code = "recording.invalid"
