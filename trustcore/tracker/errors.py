"""Why a clip is refused: one class and code each, with the Tavus `error_type` word a client expects."""

from typing import ClassVar

from trustcore.primitives.errors import Fault, Refusal


class TrackerFault(Fault):
    """The tracker is not installed, died of its own, or answered nonsense."""

    code = "tracker.fault"


class MediaRefused(Refusal):
    """The media cannot be used. Subclasses say why."""

    code = "media.refused"
    error_type: ClassVar[str] = "video_processing"
    sentence: ClassVar[str] = "This video cannot be used; record it again as MP4 or WebM."


class MediaEmpty(MediaRefused):
    """No bytes at all."""

    code = "media.empty"
    error_type = "file_size"
    sentence = "The file is empty; record or choose the video again."


class MediaTooLarge(MediaRefused):
    """More bytes than allowed, before or after decoding."""

    code = "media.too_large"
    error_type = "file_size"
    sentence = "The file is too large; record at a lower quality or a shorter clip."


class MediaNotVideo(MediaRefused):
    """Not a container this service reads."""

    code = "media.not_video"
    error_type = "video_format"
    sentence = "This is not a video file that can be read; send MP4 or WebM."


class MediaNoPicture(MediaRefused):
    """Sound only."""

    code = "media.no_picture"
    error_type = "video_format"
    sentence = "The file holds sound but no picture; record it with the camera on."


class MediaNoSound(MediaRefused):
    """No sound, or none that can be read."""

    code = "media.no_sound"
    error_type = "audio_processing"
    sentence = "The file holds no sound that can be read; send MP4, WebM, MP3, WAV or Ogg."


class MediaCodec(MediaRefused):
    """A codec outside the list."""

    code = "media.codec"
    error_type = "video_codec"
    sentence = "The video uses a codec that is not accepted; send H.264, HEVC, VP8, VP9 or AV1."


class MediaTruncated(MediaRefused):
    """The file ends before it should, or is damaged."""

    code = "media.truncated"
    error_type = "video_processing"
    sentence = "The video is cut off or damaged; send the whole file again."


class MediaTooShort(MediaRefused):
    """Fewer seconds than needed."""

    code = "media.too_short"
    error_type = "video_duration"
    sentence = "The video is too short; record a longer one."


class MediaTooLong(MediaRefused):
    """More seconds than allowed."""

    code = "media.too_long"
    error_type = "video_duration"
    sentence = "The video is too long; record a shorter one."


class MediaDimensions(MediaRefused):
    """The picture is too small or too big."""

    code = "media.dimensions"
    error_type = "quality_issue_detected"
    sentence = "The picture is too small or too big; record between 480p and 4K."


class MediaFrameRate(MediaRefused):
    """Too few frames per second."""

    code = "media.frame_rate"
    error_type = "video_fps"
    sentence = "The video has too few frames per second; record at 25 or more."


class MediaNoFace(MediaRefused):
    """No face in most frames."""

    code = "media.no_face"
    error_type = "face_or_obstruction_detected"
    sentence = "No face can be seen in most of the video; face the camera in good light."


class MediaSeveralPeople(MediaRefused):
    """More than one face."""

    code = "media.several_people"
    error_type = "second_person_detected"
    sentence = "More than one person can be seen; record alone."


class MediaTooCostly(MediaRefused):
    """Decoding ran out of time or memory."""

    code = "media.too_costly"
    error_type = "video_processing"
    sentence = "Reading the video took too much time or memory; record it again as plain MP4 or WebM."


class MediaCrashed(MediaRefused):
    """The decoder died on this file."""

    code = "media.crashed"
    error_type = "video_processing"
    sentence = "The video makes the decoder fail; record it again as plain MP4 or WebM."


REFUSALS: dict[str, type[MediaRefused]] = {cls.code: cls for cls in MediaRefused.__subclasses__()}


def media_refused(code: str, **facts: float | str) -> MediaRefused:
    """The refusal for a code. The sentence is ours: nothing the sandboxed process wrote is shown to people."""
    kind = REFUSALS[code]
    return kind(kind.sentence, error_type=kind.error_type, **facts)
