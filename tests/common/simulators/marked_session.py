"""A whole session without a worker process: marked, encoded, attested frames under a manifest our signer signed."""

import io
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from provenance.manifests import fmp4
from provenance.manifests.attest import Attestor, SessionKey
from provenance.manifests.carriage import Form
from provenance.manifests.frame_codecs import OPUS_PACKETS
from provenance.manifests.segments import SegmentRoots
from provenance.marks.embed import Embedder
from provenance.marks.keys import MarkKey
from provenance.marks.planes import planes_of
from provenance.marks.sound.embed import embed_reference
from provenance.services import session_manifests
from provenance.services.signer import CLAIM_PURPOSE, GRANT_AUDIENCE
from provenance.verify.sound import first_sound
from rendering.protocol import ManifestRequest, claim_statement, to_json
from rendering.worker.audio import PACKET_SAMPLES, OpusEncoder, Samples
from tests.common.moving_frames import talking_frames
from tests.common.spoken import slots_from
from trustcore.audit import recording
from trustcore.audit.actions import Action
from trustcore.audit.actors import Actor, ObjectRef
from trustcore.audit.sequencer import settle
from trustcore.jobs.models import Worker
from trustcore.keys.services import mark_keys, signing_keys, subject_keys
from trustcore.primitives.clock import utc_now
from trustcore.primitives.grants import Grant, make_times, sign_grant
from trustcore.primitives.ids import new_id, new_mark_id
from trustcore.primitives.signing import SigningKey, b64, sign_statement, unb64

SIZE = 256
SETUP = Actor.system("tests")
DISCLOSURE = "You are talking with an AI replica of Asha Baruah. She agreed to this use. She is not on this call."
Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class MarkedSession:
    """What such a session leaves behind."""

    conversation: ObjectRef
    grant: Grant
    slot_id: int
    manifest_label: str
    fragment_file: bytes

    def log_seconds(self) -> None:
        """Write down what control writes while frames are sent: an entry for each second of them."""
        roots, told = SegmentRoots(), []
        for fragment in fmp4.split_recording(fmp4.pictures_only(self.fragment_file))[1]:
            sequence, media_time_90k, *_ = fmp4.fragment_facts(fmp4.parse_fragment(fragment))
            told.append(roots.add(fragment, sequence, media_time_90k, utc_now()))
        for second in filter(None, [*told, roots.finish()]):
            with recording.recording(actor=SETUP, action=Action.SEGMENT_RECORDED, obj=self.conversation) as event:
                event.add(**asdict(second), manifest_label=self.manifest_label)
        settle()


def register_worker() -> tuple[SigningKey, Actor]:
    """A worker identity that the signer trusts."""
    key = SigningKey.generate()
    worker = Worker(public_id=new_id("worker"), name="test", public_key=b64(key.verify_key.public_bytes))
    with recording.recording(actor=SETUP, action=Action.WORKER_REGISTERED, obj=worker):
        worker.save()
    return key, Actor.worker(worker.public_id)


def make_grant(*, tenant: str, subject_id: str, now: datetime, **changes: Any) -> Grant:
    """A plausible grant for half an hour."""
    issued, expires = make_times(now, timedelta(minutes=30))
    told: dict[str, Any] = {
        "grant_id": new_id("grant"), "tenant": tenant, "conversation_id": new_id("conversation"),
        "subject_id": subject_id, "replica_id": new_id("replica"), "replica_version": 1, "replica_sha256": "a" * 64,
        "consent_id": new_id("consent"), "consent_receipt_sha256": "b" * 64, "policy_id": new_id("policy"),
        "policy_version": 1, "policy_sha256": "c" * 64, "cedar_sha256": "d" * 64, "persona_id": new_id("persona"),
        "purpose": "support", "audience": "customers", "country": "IN", "language": "en", "context_of_use": "web",
        "disclosure": DISCLOSURE, "issued_at": issued, "not_after": expires, "emotion_max_milli": {"joy": 300},
        "audience_of_grant": GRANT_AUDIENCE,
    }  # fmt: skip
    return Grant(**{**told, **changes})


def manifest_request(grant: Grant, key: SessionKey, worker: SigningKey, slot_id: int, **claim: Any) -> dict[str, Any]:
    """What a worker asks the signer."""
    told = {"lease_id": "z1", "epoch": 1, "nonce": "n", "ephemeral_public": "e", "build_sha256": "f" * 64,
            "grant_sha256": grant.sha256} | claim
    return to_json(ManifestRequest(
        grant=sign_grant(signing_keys.get("grant"), grant),
        claim=sign_statement(worker, CLAIM_PURPOSE, claim_statement(**told)),
        session_cose_key=b64(key.cose_key()), kid=b64(key.kid), binding_public=b64(key.public.public_bytes_raw()),
        viewer_nonce="viewer-nonce", dtls_fingerprint="sha-256 AA:BB",
        mark_slots=({"slot_id": f"{slot_id:016x}", "slot_index": 3, "start_ms": 0, "end_ms": 8000},),
        width=SIZE, height=SIZE, signer_binding=b64(key.bind_to_signer(unb64(session_manifests.certificate_b64()))),
    ))


def play(
    *, tenant: str, subject_id: str, now: datetime, frames: int = 60, seed: int = 1, spoken: Samples | None = None,
    **grant_changes: Any,
) -> MarkedSession:
    """Grant, manifest, and `frames` sealed frames of a talking head, written down as they were sent.

    `spoken`: 48 kHz mono that is sent with them, marked and packet by packet.
    """
    subject_keys.ensure(subject_id, actor=SETUP, tenant=tenant)
    worker, actor = register_worker()
    grant = make_grant(tenant=tenant, subject_id=subject_id, now=now, **grant_changes)
    slot_id, key = new_mark_id(), SessionKey()
    conversation = ObjectRef("conversation", grant.conversation_id, tenant=tenant, subject=subject_id)
    signed = session_manifests.sign_for_session(
        actor=actor, request=manifest_request(grant, key, worker, slot_id), conversation=conversation, lease_id="z1",
        epoch=1, mark_epoch=mark_keys.current().name, now=now,
    )
    fragment_file = _sent(signed, key, slot_id, talking_frames(frames, SIZE, seed), spoken, picture_at_90k=3000)
    return MarkedSession(conversation, grant, slot_id, signed["manifest_label"], fragment_file)


def come_back(
    session: MarkedSession, *, now: datetime, at_ms: int = 3000, frames: int = 20, spoken: Samples | None = None,
) -> bytes:
    """What a second connection of the same session adds to its fragment file, from media time `at_ms` on."""
    worker, actor = register_worker()
    key = SessionKey()
    request = manifest_request(session.grant, key, worker, session.slot_id) | {
        "viewer_nonce": "another-nonce", "media_start_ms": at_ms, "follows": session.manifest_label}
    signed = session_manifests.sign_for_session(
        actor=actor, request=request, conversation=session.conversation, lease_id="z1", epoch=1,
        mark_epoch=mark_keys.current().name, now=now)
    return _sent(signed, key, session.slot_id, talking_frames(frames, SIZE, 2), spoken,
                 picture_at_90k=at_ms * 90, sound_at_90k=at_ms * 90)


def _sent(
    signed: dict[str, Any], key: SessionKey, slot_id: int, frames: Iterator[Picture], spoken: Samples | None, *,
    picture_at_90k: int, sound_at_90k: int = 0,
) -> bytes:
    """The init segment, then pictures and sound in the order of their times, marked and attested."""
    pictures = Attestor(key, signed["manifest_label"])
    sent = [pictures.attest(unit, picture_at_90k + 3000 * number)
            for number, unit in enumerate(encoded(marked(slot_id, frames)))]
    if spoken is not None:
        sound = Attestor(key, signed["manifest_label"], codec=OPUS_PACKETS)
        sent += [sound.attest(packet, sound_at_90k + 1800 * number, Form.COMPACT)
                 for number, packet in enumerate(packets(marked_sound(slot_id, spoken)))]
    in_order = sorted(sent, key=lambda one: one.media_time_90k)
    return unb64(signed["init_segment_b64"]) + b"".join(one.fragment for one in in_order)


def marked(slot_id: int, frames: Iterator[Picture], slot_index: int = 3) -> Iterator[Picture]:
    """The frames with a payload, under the epoch key in force."""
    embedder = Embedder(MarkKey(mark_keys.current().key), slot_id, slot_index, SIZE, SIZE)
    for frame in frames:
        embedder.embed(*planes_of(frame))
        yield frame


def marked_sound(slot_id: int, spoken: Samples, slot_index: int = 3) -> Samples:
    """The sound with a payload, under the epoch key in force."""
    return embed_reference(spoken, slots_from(MarkKey(mark_keys.current().key), slot_id, slot_index))


def packets(spoken: Samples) -> list[bytes]:
    """Opus packets as a live call sends them."""
    encoder, made = OpusEncoder(), []
    for first in range(0, len(spoken) - PACKET_SAMPLES + 1, PACKET_SAMPLES):
        made += encoder.encode(np.ascontiguousarray(spoken[first : first + PACKET_SAMPLES]), first)
    return [bytes(packet) for packet in made]


def encoded(frames: Iterator[Picture], kbps: int = 600) -> Iterator[bytes]:
    """H.264 access units as a live call sends them."""
    codec: Any = av.CodecContext.create("libx264", "w")
    codec.width = codec.height = SIZE
    codec.pix_fmt, codec.framerate, codec.time_base = "yuv420p", Fraction(30), Fraction(1, 90_000)
    codec.bit_rate, codec.gop_size, codec.thread_count = kbps * 1000, 60, 1
    codec.options = {"preset": "veryfast", "tune": "zerolatency", "level": "31", "profile": "baseline"}
    for number, frame in enumerate(frames):
        picture = av.VideoFrame.from_ndarray(frame, format="yuv420p")
        picture.pts, picture.time_base = number * 3000, Fraction(1, 90_000)
        yield from (bytes(packet) for packet in codec.encode(picture))


def as_mp4(frames: list[Picture], kbps: int = 500, spoken: Samples | None = None) -> bytes:
    """An ordinary MP4 without any manifest, as somebody would upload it again; `spoken` as AAC at 44.1 kHz."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream: Any = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = frames[0].shape[1], frames[0].shape[0] * 2 // 3, "yuv420p"
        stream.bit_rate, stream.codec_context.thread_count = kbps * 1000, 1
        sound: Any = None if spoken is None else container.add_stream("aac", rate=44_100, layout="stereo")
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="yuv420p")))
        container.mux(stream.encode(None))
        if sound is not None and spoken is not None:
            whole = av.AudioFrame.from_ndarray(np.ascontiguousarray(spoken[None]), format="s16", layout="mono")
            whole.sample_rate = 48_000
            resampler = av.AudioResampler("fltp", "stereo", 44_100, frame_size=1024)
            for piece in [*resampler.resample(whole), *resampler.resample(None)]:
                container.mux(sound.encode(piece))
            container.mux(sound.encode(None))
    return out.getvalue()


def heard(mp4: bytes) -> Samples:
    """The sound of a file, 48 kHz mono."""
    return first_sound(mp4)


def decoded(mp4: bytes) -> list[Picture]:
    """I420 pictures of a file."""
    with av.open(io.BytesIO(mp4)) as container:
        return [frame.to_ndarray(format="yuv420p") for frame in container.decode(video=0)]
