"""One picture of a session as a signed JPEG.

The signer takes the picture from sent frames itself: whoever may hand it any JPEG could have anything signed as ours.
"""

import io
from dataclasses import dataclass

import av
import cv2

from provenance.manifests import assertions, c2pa_files, fmp4, jumbf, recording
from provenance.manifests.assertions import MarkSlot, SessionFacts
from provenance.manifests.certs import ClaimSigner
from provenance.manifests.errors import RecordingInvalid
from provenance.manifests.session_manifest import MODEL_NAME, InitSegment, session_ingredients
from provenance.manifests.timestamps import TimeStamps

STILL_LABEL = "org.trustcore.still"
JPEG_QUALITY = 95  # the mark is read from one such picture as from the video's own


@dataclass(frozen=True)
class Still:
    """A picture of a session before it is signed, and when it was in the picture (media time)."""

    jpeg: bytes
    at_ms: int


def picture_at(fragment_file: bytes, at_ms: int) -> Still:
    """The picture that was seen `at_ms` after the session's first one; after the end, the last one.

    Raises:
        RecordingInvalid: no frames, or they do not decode.
    """
    first_ms = _first_ms(fragment_file)
    shown_ms, frame = _frame_at(recording.playable_mp4(fragment_file), at_ms)
    encoded, jpeg = cv2.imencode(".jpg", frame.to_ndarray(format="bgr24"), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not encoded:
        raise RecordingInvalid("The picture cannot be written as JPEG.")
    return Still(jpeg.tobytes(), first_ms + shown_ms)


def _frame_at(mp4: bytes, at_ms: int) -> tuple[int, av.VideoFrame]:
    """(milliseconds after the first picture, the picture in view at `at_ms`)."""
    found: tuple[int, av.VideoFrame] | None = None
    begin_ms = 0
    try:
        with av.open(io.BytesIO(mp4)) as source:
            for frame in source.decode(video=0):
                told_ms = round(1000 * float(frame.time or 0.0))
                if found is None:
                    begin_ms = told_ms
                elif told_ms - begin_ms > at_ms:
                    break
                found = (told_ms - begin_ms, frame)
    except av.FFmpegError as error:
        raise RecordingInvalid(f"The sent frames cannot be read as pictures: {error}") from error
    if found is None:
        raise RecordingInvalid("The sent frames hold no picture.")
    return found


def _first_ms(fragment_file: bytes) -> int:
    _, fragments = fmp4.split_recording(fmp4.pictures_only(fragment_file))
    for encoded in fragments:
        return fmp4.fragment_facts(fmp4.parse_fragment(encoded))[1] * 1000 // fmp4.TIMESCALE
    raise RecordingInvalid("This session sent no frame; there is no picture of it.")


def sign_still(
    signer: ClaimSigner, still: Still, facts: SessionFacts, init: InitSegment, *, mark_slot: MarkSlot,
    time_stamps: TimeStamps | None = None,
) -> recording.SignedRecording:
    """Sign one picture of a session and re-read it.

    Args:
        facts, init: of the session; the still's manifest names the session's manifest.
        mark_slot: whose payload is in this picture.

    Raises:
        ManifestSigningFailed: signing failed, or the result does not read back as Trusted.
        TimestampFailed: a time stamp is required and there is none.
    """
    told = {"session_manifest": init.label, "session_claim_sha256": init.claim_sha256, "at_ms": still.at_ms}
    ingredients = session_ingredients(facts)
    said = [
        ("c2pa.actions.v2", assertions.actions(MODEL_NAME, [i.ident for i in ingredients])),
        (assertions.SOFT_BINDING_LABEL, assertions.soft_binding_placeholder([mark_slot], is_still=True)),
        ("c2pa.ai-disclosure", assertions.ai_disclosure(MODEL_NAME, facts.oversight)),
        ("cawg.training-mining", assertions.training_mining()),
        (assertions.SESSION_LABEL, facts.to_assertion()),
        (STILL_LABEL, told),
    ]
    signed = c2pa_files.sign_file(
        still.jpeg, f"Picture of session {facts.session_id}", said, ingredients, signer, media_type=c2pa_files.JPEG,
    )
    strict = {assertions.SOFT_BINDING_LABEL: assertions.soft_binding([mark_slot], is_still=True)}
    encoded = jumbf.replace_assertions(signed, strict, signer.sign)
    return recording.finished(encoded, signer, init, (mark_slot,), time_stamps, c2pa_files.JPEG)
