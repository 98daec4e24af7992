"""What remains of a session: the very fragments that were sent, and a playable MP4 that is signed as a whole.

Two files, because signing rewrites offsets: the whole-file copy plays anywhere and is one C2PA asset; the fragment file
proves frame by frame what was sent.
"""

import io
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import BinaryIO

import av

from provenance.manifests import assertions, c2pa_files, fmp4, jumbf, sei
from provenance.manifests.assertions import MarkSlot, SessionFacts
from provenance.manifests.certs import ClaimSigner
from provenance.manifests.errors import ManifestInvalid, ManifestSigningFailed, RecordingInvalid
from provenance.manifests.fmp4 import OPUS_RATE_HZ, SOUND_DURATION, Fragment
from provenance.manifests.frame_codecs import VP8_FRAMES
from provenance.manifests.session_manifest import MODEL_NAME, InitSegment, session_ingredients
from provenance.manifests.timestamps import TimeStamps

RECORDING_LABEL = "org.trustcore.recording"
FRAME_MS = fmp4.FRAME_DURATION * 1000 // fmp4.TIMESCALE


@dataclass(frozen=True)
class AudioPacket:
    """One Opus packet as it was sent. Time is on the session's media clock."""

    payload: bytes
    media_time_90k: int


@dataclass(frozen=True)
class SignedRecording:
    """A signed MP4 or JPEG of a session, already re-read as Trusted."""

    encoded: bytes
    label: str
    claim_sha256: str
    session_label: str = ""  # of the session's own manifest
    mark_slots: tuple[MarkSlot, ...] = ()  # those that are in the picture
    is_time_stamped: bool = False


def playable_mp4(fragment_file: bytes) -> bytes:
    """An ordinary MP4 of the sent pictures and sound, without re-encoding.

    The packets of sound are those the encoder made: the attestation in their padding stands in the fragments alone.

    Args:
        fragment_file: the runs of a session, each its init segment and the fragments of what was sent under it, in
            order. Between two runs the last picture stands still, and nothing is heard.

    Raises:
        RecordingInvalid: no frames, or the frames do not parse as what the init segment says they are.
    """
    track, fragments, audio = _taken_apart(fragment_file)
    if not fragments:
        raise RecordingInvalid("This session sent no frame; there is nothing to record.")
    if track.sample_entry == VP8_FRAMES.sample_entry:
        return _vp8_mp4(track, fragments, audio)
    stream = b"".join(sei.join_annex_b(fmp4.nals_of(fragment.mdat[8:])) for fragment in fragments)
    out = io.BytesIO()
    try:
        _mux(stream, [fmp4.fragment_facts(fragment)[1] for fragment in fragments], audio, out)
    except av.FFmpegError as error:
        raise RecordingInvalid(f"The sent frames cannot be written as MP4: {error}") from error
    return out.getvalue()


def _taken_apart(fragment_file: bytes) -> tuple[fmp4.PictureTrack, list[Fragment], list[AudioPacket]]:
    """What the pictures of a session are, all of them, and the packets of its sound.

    Raises:
        RecordingInvalid: the runs differ in what their pictures are.
        FragmentInvalid: a fragment is not in the form of its track.
    """
    tracks, pictures, sound = set(), [], []
    for run in fmp4.split_runs(fragment_file):
        init, encoded_fragments = fmp4.split_recording(run)
        tracks.add(fmp4.picture_track_of(init))
        for encoded in encoded_fragments:
            track = fmp4.track_of(encoded)
            fragment = fmp4.parse_fragment(encoded, track)
            if track is fmp4.SOUND:
                sound.append(AudioPacket(fragment.mdat[8:], fmp4.fragment_facts(fragment)[1]))
            else:
                pictures.append(fragment)
    if len(tracks) != 1:
        raise RecordingInvalid("The runs of this recording differ in codec or size.")
    return tracks.pop(), pictures, sound


def _vp8_mp4(track: fmp4.PictureTrack, fragments: Sequence[Fragment], audio: Sequence[AudioPacket]) -> bytes:
    """FFmpeg's MP4 writer refuses VP8, so the few boxes are written here, with one chunk a track."""
    facts = [fmp4.fragment_facts(fragment) for fragment in fragments]
    times = [time_90k for _, time_90k, _ in facts]
    durations = _durations(times, fmp4.FRAME_DURATION)
    samples = [fragment.mdat[8:] for fragment in fragments]
    heard = [packet for packet in audio if packet.media_time_90k >= times[0]]
    keys = [number for number, (_, _, is_key) in enumerate(facts, start=1) if is_key]

    def movie(chunk_at: int) -> bytes:
        tables = _tables(durations, samples, chunk_at) + fmp4.full_box(b"stss", 0, 0, _u32s(len(keys), *keys))
        sound = _sound_track(heard, times[0], chunk_at + sum(map(len, samples))) if heard else b""
        return fmp4.movie_box(
            track.width, track.height, track.sample_entry, tables, duration_90k=sum(durations), sound=sound)

    head = fmp4.FTYP + movie(len(fmp4.FTYP) + len(movie(0)) + 8)
    return head + fmp4.box(b"mdat", *samples, *(packet.payload for packet in heard))


def _sound_track(audio: Sequence[AudioPacket], first_picture_90k: int, chunk_at: int) -> bytes:
    times = [packet.media_time_90k for packet in audio]
    durations = _durations(times, SOUND_DURATION)
    tables = _tables(durations, [packet.payload for packet in audio], chunk_at)
    return fmp4.sound_track_box(tables, starts_at_90k=times[0] - first_picture_90k, duration_90k=sum(durations))


def _durations(times_90k: Sequence[int], last_90k: int) -> list[int]:
    """How long each sample lasts: until the next one, the last one `last_90k`.

    Raises:
        RecordingInvalid: the samples do not stand in order of time.
    """
    durations = [b - a for a, b in pairwise([*times_90k, times_90k[-1] + last_90k])]
    if min(durations) <= 0:
        raise RecordingInvalid("The sent frames do not stand in order of time.")
    return durations


def _tables(durations_90k: Sequence[int], samples: Sequence[bytes], chunk_at: int) -> bytes:
    """stts, stsc, stsz and stco of samples that lie one after another from `chunk_at` on."""
    return b"".join([
        fmp4.full_box(b"stts", 0, 0, _u32s(len(durations_90k), *(n for d in durations_90k for n in (1, d)))),
        fmp4.full_box(b"stsc", 0, 0, _u32s(1, 1, len(samples), 1)),
        fmp4.full_box(b"stsz", 0, 0, _u32s(0, len(samples), *(len(sample) for sample in samples))),
        fmp4.full_box(b"stco", 0, 0, _u32s(1, chunk_at)),
    ])


def _u32s(*numbers: int) -> bytes:
    return struct.pack(f">{len(numbers)}I", *numbers)


def _mux(annex_b: bytes, times_90k: list[int], audio: Sequence[AudioPacket], out: BinaryIO) -> None:
    with (
        av.open(io.BytesIO(annex_b), format="h264") as source,
        av.open(out, "w", format="mp4") as target,
    ):
        video = target.add_stream_from_template(source.streams.video[0])
        video.time_base = Fraction(1, fmp4.TIMESCALE)
        packets = [packet for packet in source.demux(video=0) if packet.size]
        if len(packets) != len(times_90k):
            raise RecordingInvalid("The sent frames do not come apart into as many pictures.")
        timed: list[tuple[int, av.Packet]] = []
        for packet, time_90k in zip(packets, times_90k, strict=True):
            packet.pts = packet.dts = time_90k
            packet.duration = fmp4.FRAME_DURATION
            packet.time_base = Fraction(1, fmp4.TIMESCALE)
            packet.stream = video
            timed.append((time_90k, packet))
        timed += _audio_packets(target, audio)
        for _, packet in sorted(timed, key=lambda entry: entry[0]):
            target.mux(packet)


def _audio_packets(
    target: av.container.OutputContainer, audio: Sequence[AudioPacket],
) -> list[tuple[int, av.Packet]]:
    if not audio:
        return []
    # The encoder is opened for its stream header (OpusHead) only; the packets are those that were sent.
    track = target.add_stream("libopus", rate=OPUS_RATE_HZ, layout="mono")
    packets = []
    for sound in audio:
        packet = av.Packet(sound.payload)
        packet.stream = track
        packet.time_base = Fraction(1, OPUS_RATE_HZ)
        packet.pts = packet.dts = sound.media_time_90k * OPUS_RATE_HZ // fmp4.TIMESCALE
        packet.duration = OPUS_RATE_HZ // 50
        packets.append((sound.media_time_90k, packet))
    return packets


def slots_shown(slots: Sequence[MarkSlot], times_90k: Sequence[int]) -> tuple[MarkSlot, ...]:
    """The mark slots that sent pictures fell into, each with the time in which it was really shown.

    Args:
        slots: as the session manifest plans them, from time zero; after the last one they begin again.
        times_90k: media time of each sent picture, at least one.

    Raises:
        RecordingInvalid: a picture lies in no slot, so nobody could say what its mark means.
    """
    shown: list[MarkSlot] = []
    period_ms = slots[-1].end_ms
    for at_ms in sorted(time_90k * 1000 // fmp4.TIMESCALE for time_90k in times_90k):
        slot = next((s for s in slots if s.start_ms <= at_ms % period_ms < s.end_ms), None)
        if slot is None:
            raise RecordingInvalid("A frame was sent at a time for which the session has no watermark slot.")
        is_same = bool(shown) and shown[-1].slot_id == slot.slot_id
        start_ms = shown.pop().start_ms if is_same else at_ms
        shown.append(MarkSlot(slot.slot_id, start_ms, at_ms + FRAME_MS))
    return tuple(shown)


def sign_recording(
    signer: ClaimSigner, mp4: bytes, facts: SessionFacts, init: InitSegment, *, fragment_file_sha256: str,
    mark_slots: Sequence[MarkSlot], frames: int, sound_packets: int = 0, later_manifests: Sequence[str] = (),
    time_stamps: TimeStamps | None = None,
) -> SignedRecording:
    """Sign a playable MP4 as a whole and re-read it.

    Args:
        mp4: from `playable_mp4`.
        facts, init: of the session; the recording's manifest names the session's manifest.
        later_manifests: labels of those that the session had after it, one for each time its viewer came back.
        mark_slots: the watermark payloads that were really in the picture, with their times.

    Raises:
        ManifestSigningFailed: signing failed, or the result does not read back as Trusted.
        TimestampFailed: a time stamp is required and there is none.
    """
    recorded = {
        "session_manifest": init.label, "session_claim_sha256": init.claim_sha256,
        "fragment_file_sha256": fragment_file_sha256, "frames": frames, "sound_packets": sound_packets,
        "later_manifests": list(later_manifests),
    }
    ingredients = session_ingredients(facts)
    said = [
        ("c2pa.actions.v2", assertions.actions(MODEL_NAME, [i.ident for i in ingredients])),
        (assertions.SOFT_BINDING_LABEL, assertions.soft_binding_placeholder(mark_slots)),
        ("c2pa.ai-disclosure", assertions.ai_disclosure(MODEL_NAME, facts.oversight)),
        ("cawg.training-mining", assertions.training_mining()),
        (assertions.SESSION_LABEL, facts.to_assertion()),
        (RECORDING_LABEL, recorded),
    ]
    signed = c2pa_files.sign_file(mp4, f"Recording of session {facts.session_id}", said, ingredients, signer)
    strict = {assertions.SOFT_BINDING_LABEL: assertions.soft_binding(mark_slots)}
    return finished(
        jumbf.replace_assertions(signed, strict, signer.sign), signer, init, mark_slots, time_stamps, c2pa_files.MP4,
    )


def finished(
    encoded: bytes, signer: ClaimSigner, init: InitSegment, mark_slots: Sequence[MarkSlot],
    time_stamps: TimeStamps | None, media_type: str,
) -> SignedRecording:
    """A signed file with its time stamp, once it reads back as Trusted.

    Raises:
        ManifestSigningFailed: it does not.
        TimestampFailed: a time stamp is required and there is none.
    """
    try:
        trusted = c2pa_files.read_trusted(encoded, signer.anchor_pem, media_type)
    except ManifestInvalid as error:
        raise ManifestSigningFailed(f"What was signed does not read back: {error}") from error
    is_stamped = False
    if time_stamps is not None:
        encoded, is_stamped = time_stamps.stamp(encoded, signer.anchor_pem, media_type)
    manifest = jumbf.active_manifest(jumbf.parse_store(encoded, jumbf.find_store(encoded)))
    claim_sha256 = jumbf.claim_sha256(encoded, manifest)
    return SignedRecording(encoded, trusted.label, claim_sha256, init.label, tuple(mark_slots), is_stamped)
