import io
from datetime import UTC, datetime

import av
import numpy as np
import pytest

from provenance.manifests import c2pa_files, certs, fmp4, jumbf, recording, segments, session_manifest, still
from provenance.manifests.assertions import MarkSlot
from provenance.manifests.errors import ManifestInvalid, ManifestSigningFailed, RecordingInvalid
from provenance.manifests.frame_codecs import CODECS, VP8_FRAMES, FrameCodec
from tests.common.live_session import LiveSession, as_fragment_list, recording_of, recording_with_sound, sound_of
from trustcore.primitives import merkle


def opus(seconds: float) -> list[bytes]:
    codec = av.CodecContext.create("libopus", "w")
    codec.sample_rate, codec.layout, codec.format = 48_000, "mono", "s16"
    codec.open()
    packets = []
    for index in range(int(seconds * 50)):
        tone = (np.sin(np.arange(960) * 0.05) * 8000).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(tone, format="s16", layout="mono")
        frame.sample_rate, frame.pts = 48_000, 960 * index
        packets += [bytes(packet) for packet in codec.encode(frame)]
    return packets


@pytest.fixture(scope="module")
def session() -> LiveSession:
    return LiveSession()


@pytest.fixture(scope="module")
def fragments(session: LiveSession) -> bytes:
    return recording_of(session)


def decoded(media: bytes) -> tuple[int, int]:
    """(pictures, sound frames) that an ordinary player finds."""
    with av.open(io.BytesIO(media)) as source:
        pictures = sum(1 for _ in source.decode(video=0))
    with av.open(io.BytesIO(media)) as source:
        sounds = sum(1 for _ in source.decode(audio=0)) if source.streams.audio else 0
    return pictures, sounds


def test_the_fragment_file_plays(fragments: bytes) -> None:
    assert decoded(fragments) == (30, 0)


@pytest.mark.parametrize("codec", CODECS.values(), ids=lambda codec: codec.name)
def test_the_playable_copy_has_the_picture_and_the_very_packets_of_the_sound(codec: FrameCodec) -> None:
    session, packets = LiveSession(codec=codec), opus(1.0)
    copy = recording.playable_mp4(recording_with_sound(session, packets))
    assert decoded(copy) == (30, len(packets) - (2 if codec is VP8_FRAMES else 0))
    with av.open(io.BytesIO(copy)) as source:
        kept = [bytes(packet) for packet in source.demux(audio=0) if packet.size]
        assert (source.streams.audio[0].codec_context.name, source.streams.audio[0].rate) == ("opus", 48_000)
    # The first frame of the session that is played here lies at 33 ms; VP8 files begin with it.
    assert kept == packets[-len(kept):]
    assert decoded(recording.playable_mp4(recording_of(session))) == (30, 0)


@pytest.mark.parametrize("codec", CODECS.values(), ids=lambda codec: codec.name)
def test_picture_and_sound_of_the_copy_keep_their_distance(codec: FrameCodec) -> None:
    session = LiveSession(codec=codec)
    sent = [*session.frames(30), *sound_of(session, opus(1.0))[10:]]  # the sound begins at 200 ms
    whole = session.init.encoded + b"".join(one.fragment for one in sent)
    starts = {}
    with av.open(io.BytesIO(recording.playable_mp4(whole))) as source:
        for packet in source.demux():
            if packet.size and packet.pts is not None:
                starts.setdefault(packet.stream.type, float(packet.pts * packet.time_base))
    assert starts["audio"] - starts["video"] == pytest.approx(0.2 - 1 / 30, abs=0.008)  # 312 samples are skipped


@pytest.mark.parametrize("codec", CODECS.values(), ids=lambda codec: codec.name)
def test_sent_fragments_with_sound_decode_once_the_sound_has_its_track(codec: FrameCodec) -> None:
    session = LiveSession(codec=codec)
    whole = recording_with_sound(session, opus(1.0))
    assert decoded(fmp4.with_sound_track(whole)) == (30, 50)
    assert decoded(fmp4.pictures_only(whole)) == (30, 0)


def signed(session: LiveSession, mp4: bytes) -> recording.SignedRecording:
    return recording.sign_recording(
        session.signer, mp4, session.facts, session.init, fragment_file_sha256="00" * 32,
        mark_slots=session.facts.mark_slots, frames=30,
    )


def test_the_whole_file_is_trusted_and_names_its_session(session: LiveSession, fragments: bytes) -> None:
    made = signed(session, recording.playable_mp4(recording_with_sound(session, opus(1.0))))
    trusted = c2pa_files.read_trusted(made.encoded, session.signer.anchor_pem)
    said = {entry["label"]: entry["data"] for entry in trusted.manifest["assertions"]}
    assert said["org.trustcore.recording"]["session_manifest"] == session.init.label
    assert said["org.trustcore.session"]["session_id"] == session.facts.session_id
    assert [b["scope"]["timespan"] for b in said["c2pa.soft-binding"]["blocks"]] == [
        {"start": 0, "end": 8000}, {"start": 8000, "end": 16000},
    ]
    assert decoded(made.encoded) == (30, 50)


def test_a_vp8_session_is_recorded_played_and_signed_like_any_other() -> None:
    session = LiveSession(codec=VP8_FRAMES)
    fragments = recording_of(session)
    assert decoded(fragments) == (30, 0)
    copy = recording.playable_mp4(fragments)
    with av.open(io.BytesIO(copy)) as source:
        stream = source.streams.video[0]
        assert (stream.codec_context.name, stream.width, stream.height) == ("vp8", session.size, session.size)
        times = [packet.pts for packet in source.demux(video=0) if packet.size]
    assert times == [3000 * i for i in range(30)]
    made = signed(session, copy)
    assert c2pa_files.read_trusted(made.encoded, session.signer.anchor_pem).label == made.label
    assert decoded(made.encoded) == (30, 0)
    with_sound = signed(session, recording.playable_mp4(recording_with_sound(LiveSession(codec=VP8_FRAMES), opus(1.0))))
    assert decoded(with_sound.encoded) == (30, 48)


@pytest.mark.parametrize("codec", CODECS.values(), ids=lambda codec: codec.name)
def test_the_init_segment_says_which_codec_its_frames_have(codec: FrameCodec) -> None:
    session = LiveSession(codec=codec)
    read = session_manifest.read_session_manifest(session.init.encoded, session.signer.anchor_pem)
    assert read.codec is codec
    other = {b"avc3": b"vp08", b"vp08": b"avc3"}[codec.sample_entry]
    assert fmp4.picture_track_of(session.init.encoded).sample_entry == codec.sample_entry
    with pytest.raises(ManifestInvalid):  # under the manifest's hash
        session_manifest.read_session_manifest(
            session.init.encoded.replace(codec.sample_entry, other), session.signer.anchor_pem)


def test_one_changed_byte_of_the_media_is_seen(session: LiveSession, fragments: bytes) -> None:
    made = bytearray(signed(session, recording.playable_mp4(fragments)).encoded)
    made[made.index(b"mdat") + 500] ^= 1
    with pytest.raises(ManifestInvalid, match="bmffHash.mismatch"):
        c2pa_files.read_trusted(bytes(made), session.signer.anchor_pem)


def test_a_junk_signature_is_refused(session: LiveSession, fragments: bytes) -> None:
    broken = certs.ClaimSigner(session.signer.chain_pem, session.signer.anchor_pem, lambda _: bytes(64))
    with pytest.raises(ManifestSigningFailed):
        recording.sign_recording(
            broken, recording.playable_mp4(fragments), session.facts, session.init, fragment_file_sha256="",
            mark_slots=session.facts.mark_slots, frames=30,
        )


def test_a_session_without_frames_has_no_recording(session: LiveSession) -> None:
    with pytest.raises(RecordingInvalid, match="no frame"):
        recording.playable_mp4(session.init.encoded)


def test_only_the_slots_that_were_shown_are_named_and_with_their_real_times() -> None:
    plan = [MarkSlot(0xA, 0, 8000), MarkSlot(0xB, 8000, 16_000)]
    times = [3000 * number for number in range(1, 30 * 20)]  # 20 s: the plan begins again after 16
    assert recording.slots_shown(plan, times[:60]) == (MarkSlot(0xA, 33, 2033),)
    assert [(s.slot_id, s.start_ms, s.end_ms) for s in recording.slots_shown(plan, times)] == [
        (0xA, 33, 7999), (0xB, 8000, 15_999), (0xA, 16_000, 19_999),
    ]
    assert recording.slots_shown([MarkSlot(0xA, 0, 500)], times) == (MarkSlot(0xA, 33, 19_999),)


def test_a_frame_outside_every_slot_is_not_signed() -> None:
    with pytest.raises(RecordingInvalid, match="no watermark slot"):
        recording.slots_shown([MarkSlot(0xA, 1000, 2000)], [3000])


def test_a_picture_is_taken_at_its_time_and_the_last_one_after_the_end(fragments: bytes) -> None:
    taken = [still.picture_at(fragments, at_ms) for at_ms in (0, 500, 10**9)]
    assert [picture.at_ms for picture in taken] == [33, 533, 1000]
    assert len({picture.jpeg for picture in taken}) == 3


def test_a_signed_picture_names_the_consent_and_the_footage_it_rests_on(
    session: LiveSession, fragments: bytes,
) -> None:
    slot = session.facts.mark_slots[0]
    made = still.sign_still(
        session.signer, still.picture_at(fragments, 500), session.facts, session.init, mark_slot=slot)
    trusted = c2pa_files.read_trusted(made.encoded, session.signer.anchor_pem, c2pa_files.JPEG)
    said = {entry["label"]: entry["data"] for entry in trusted.manifest["assertions"]}
    assert {(i["title"], i["relationship"]) for i in trusted.manifest["ingredients"]} == {
        ("Consent receipt (hash)", "inputTo"), ("Training footage (hash)", "inputTo"),
    }
    assert [action["action"] for action in said["c2pa.actions.v2"]["actions"]] == [
        "c2pa.created", "c2pa.watermarked.bound"]
    assert "trainedAlgorithmicMedia" in said["c2pa.actions.v2"]["actions"][0]["digitalSourceType"]
    assert said["cawg.training-mining"]["entries"]["cawg.ai_training"] == {"use": "notAllowed"}
    assert said["org.trustcore.still"]["session_manifest"] == session.init.label
    assert "thumbnail" not in trusted.manifest
    changed = bytearray(made.encoded)
    changed[-300] ^= 1
    with pytest.raises(ManifestInvalid, match="dataHash.mismatch"):
        c2pa_files.read_trusted(bytes(changed), session.signer.anchor_pem, c2pa_files.JPEG)


def test_a_store_in_two_segments_of_a_jpeg_is_refused(session: LiveSession, fragments: bytes) -> None:
    slot = session.facts.mark_slots[0]
    made = still.sign_still(session.signer, still.picture_at(fragments, 0), session.facts, session.init, mark_slot=slot)
    at = made.encoded.index(b"JP", 2)
    split = made.encoded[: at + 4] + (2).to_bytes(4, "big") + made.encoded[at + 8 :]
    with pytest.raises(ManifestInvalid, match="several segments"):
        jumbf.find_store(split)


def test_a_store_with_two_manifests_is_none_of_ours(session: LiveSession) -> None:
    store = jumbf.store_of(session.init.encoded)
    at = jumbf.parse_store(store).children[0].start
    older = store[at:].replace(session.init.label.encode(), b"urn:c2pa:" + b"0" * (len(session.init.label) - 9))
    inside = store[8:at] + older + store[at:]
    both = (8 + len(inside)).to_bytes(4, "big") + b"jumb" + inside
    assert len(jumbf.parse_store(both).children) == 2
    with pytest.raises(ManifestInvalid, match="one C2PA manifest"):
        jumbf.active_manifest(jumbf.parse_store(both))


def test_segments_close_with_each_second() -> None:
    roots, now = segments.SegmentRoots(), datetime(2026, 11, 24, tzinfo=UTC)
    closed = [roots.add(bytes([i]), i + 1, 3000 * i, now) for i in range(65)]
    found = [segment for segment in closed if segment] + [roots.finish()]
    assert [(s.first_sequence, s.last_sequence) for s in found if s] == [(1, 30), (31, 60), (61, 65)]
    assert [s.number for s in found if s] == [0, 1, 2]
    assert found[0] is not None
    assert found[0].root == segments.root_of([bytes([i]) for i in range(30)])
    assert roots.finish() is None


def test_a_segment_root_changes_with_any_frame_and_with_their_order(fragments: bytes) -> None:
    frames = as_fragment_list(fragments)
    root = segments.root_of(frames)
    assert root != segments.root_of([*frames[:3], frames[3][:-1] + b"\xff", *frames[4:]])
    assert root != segments.root_of([frames[1], frames[0], *frames[2:]])
    assert root != segments.root_of(frames[:-1])
    assert segments.root_of(frames[:1]) == merkle.root([segments.fragment_leaf(frames[0])]).hex()
