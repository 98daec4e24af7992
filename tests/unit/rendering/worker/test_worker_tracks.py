"""Only sealed frames leave, only under a live permit; whatever fails on the way, the frame is not sent."""

import asyncio
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamError

from provenance.manifests.attest import Attestor, SessionKey
from provenance.manifests.carriage import Form
from provenance.manifests.errors import AttestationEnded, UnsealedFrame
from provenance.manifests.frame_codecs import H264_FRAMES, OPUS_PACKETS
from provenance.manifests.label import Label
from provenance.manifests.permit import LeaseClock, Permit
from provenance.manifests.seal import SealCounters, SealedFrame, Sealer
from rendering.worker.audio import PACKET_SAMPLES
from rendering.worker.encoder import EncodeFailed, EncoderSettings, VideoEncoder
from rendering.worker.frames import FrameMaker
from rendering.worker.governor import Governor, Limits
from rendering.worker.latency import LatencyMarks
from rendering.worker.pacing import Tick
from rendering.worker.sound_settings import SoundSettings
from rendering.worker.tracks import MediaClock, SealedVideoTrack, SoundTrack
from trustcore.primitives.errors import GrantRevoked

SIZE = 128


class FakeClock:
    def __init__(self) -> None:
        self.s = 10.0

    def monotonic_s(self) -> float:
        return self.s


class QuietStage:
    def state_at(self, media_time_s: float) -> float:
        return media_time_s


class Grey:
    def draw(self, _state: float) -> np.ndarray:
        return np.full((SIZE, SIZE, 3), 120, np.uint8)


class OneSlotMark:
    """A mark that does nothing, or breaks."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def turn_for(self, _media_time_90k: int, **_what: bool) -> bool:
        return False

    def embed(self, *_planes: Any) -> None:
        if self.error:
            raise self.error


class QuietSound:
    """Marked silence."""

    def read(self, _first: int, count: int) -> np.ndarray:
        return np.zeros(count, np.int16)


def permit(lease: LeaseClock) -> Permit:
    return Permit("g1", "ab", "c1", "r1", 1, "cd", "y1", 1, "", "en", {}, 1e12, lease)


def maker(lease: LeaseClock, mark: OneSlotMark | None = None) -> tuple[FrameMaker, Sealer]:
    mark, encoder, held = mark or OneSlotMark(), VideoEncoder(EncoderSettings(SIZE, SIZE)), permit(lease)
    sealer = Sealer(held, label=Label(SIZE, SIZE), embedder=mark, encoder=encoder,
                    attestor=Attestor(SessionKey(), "urn:c2pa:test"))
    made = FrameMaker(stage=QuietStage(), renderers={SIZE: Grey()}, sealer=sealer, permit=held, mark=mark,  # type: ignore[arg-type]
                      encoder=encoder, latency=LatencyMarks())
    return made, sealer


def tick(index: int) -> Tick:
    return Tick(index, index / 30, index * 3000, 0.0, 0.0, 0)


def endless() -> LeaseClock:
    return LeaseClock(1e12)


def test_a_made_frame_is_sealed_and_counted_when_it_is_sent() -> None:
    made, sealer = maker(endless())

    async def send() -> Any:
        track = SealedVideoTrack(permit(endless()), sealer.counters, FakeClock(), print, print)  # type: ignore[arg-type]
        frame = made.make(tick(0))
        assert isinstance(frame, SealedFrame)
        track.give(frame)
        return await track.recv()

    packet = asyncio.run(send())
    assert packet.pts == 0 and packet.is_keyframe
    assert (sealer.counters.sent, sealer.counters.unsealed_sent) == (1, 0)


def test_a_frame_that_was_not_sealed_is_stopped_and_counted() -> None:
    counters, told = SealCounters(), []

    async def send() -> None:
        track = SealedVideoTrack(
            permit(endless()), counters, FakeClock(), print, lambda: told.append("stop"))  # type: ignore[arg-type]
        track.give(b"raw bytes")  # type: ignore[arg-type]
        with pytest.raises(UnsealedFrame):
            await track.recv()
        assert track.readyState == "ended"

    asyncio.run(send())
    assert (counters.sent, counters.unsealed_sent, told) == (0, 1, ["stop"])


def test_the_form_of_attestations_follows_the_target_in_the_middle_of_a_session() -> None:
    made, sealer = maker(endless())
    forms = []
    for index, target_bps in enumerate([600_000, 250_000, 250_000, 400_000]):
        made.follow(replace(Governor(Limits(), 0.0).plan, target_bps=target_bps, size_px=SIZE))
        frame = made.make(tick(index))
        assert frame is not None
        carried = H264_FRAMES.take(frame.access_unit).carried
        assert carried is not None and carried.sequence == index + 1
        forms.append(carried.form)
    assert forms == [Form.FULL, Form.COMPACT, Form.COMPACT, Form.FULL]


def test_a_broken_mark_means_no_frame() -> None:
    made, sealer = maker(endless(), OneSlotMark(ValueError("pattern of another size")))
    with pytest.raises(ValueError, match="another size"):
        made.make(tick(0))
    assert (made.rendered, sealer.counters.sealed, sealer.counters.sent) == (1, 0, 0)


def test_a_frame_that_cannot_be_encoded_is_dropped_and_the_session_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    made, sealer = maker(endless())

    def fail(*_: Any) -> None:
        raise EncodeFailed("no")

    monkeypatch.setattr(sealer._encoder, "encode", fail)
    assert made.make(tick(0)) is None
    monkeypatch.undo()
    assert isinstance(made.make(tick(1)), SealedFrame)


def test_a_frame_that_cannot_be_attested_ends_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    made, sealer = maker(endless())
    made.make(tick(1))
    with pytest.raises(AttestationEnded):
        made.make(tick(0))  # media time runs backwards: the attestation cannot hold
    with pytest.raises(AttestationEnded):
        made.make(tick(2))
    assert sealer.counters.sealed == 1


def test_after_a_revocation_nothing_is_drawn_or_sent_and_waiting_frames_are_dropped() -> None:
    lease = endless()
    made, sealer = maker(lease)

    async def send() -> None:
        track = SealedVideoTrack(permit(lease), sealer.counters, FakeClock(), print, print)  # type: ignore[arg-type]
        frame = made.make(tick(0))
        assert frame is not None
        track.give(frame)
        lease.revoke("consent_withdrawn")
        with pytest.raises(MediaStreamError):
            await track.recv()
        assert track.readyState == "ended"

    asyncio.run(send())
    with pytest.raises(GrantRevoked):
        made.make(tick(1))
    assert made.rendered == 1


def test_sound_stops_with_the_permit() -> None:
    lease, clock = LeaseClock(11.0), FakeClock()

    async def listen() -> None:
        media = MediaClock(clock)  # type: ignore[arg-type]
        track = SoundTrack(permit(lease), QuietSound(), clock, media, print)  # type: ignore[arg-type]
        track.attestor = Attestor(SessionKey(), "urn:c2pa:test", codec=OPUS_PACKETS)
        media.start()
        packet = await track.recv()
        assert packet.pts % PACKET_SAMPLES == 0
        carried = OPUS_PACKETS.take(bytes(packet)).carried
        assert carried is not None and (carried.form, carried.sequence) == (Form.COMPACT, 1)
        track.follow(SoundSettings(24_000, 15, packet_ms=60))
        clock.s = 10.2  # everything is due
        longer, next_one = await track.recv(), await track.recv()
        assert longer.pts == packet.pts + PACKET_SAMPLES and next_one.pts == longer.pts + 3 * PACKET_SAMPLES
        clock.s = 11.0  # the lease was not renewed
        with pytest.raises(MediaStreamError):
            await track.recv()

    asyncio.run(listen())


@pytest.mark.parametrize("attestor", [None, Attestor(SessionKey(), "urn:c2pa:test", 2**32, OPUS_PACKETS)])
def test_sound_that_cannot_be_attested_is_not_sent_and_ends_the_session(attestor: Attestor | None) -> None:
    told: list[str] = []

    async def listen() -> None:
        clock = FakeClock()
        media = MediaClock(clock)  # type: ignore[arg-type]
        track = SoundTrack(
            permit(endless()), QuietSound(), clock, media, lambda: told.append("stop"))  # type: ignore[arg-type]
        track.attestor = attestor
        media.start()
        with pytest.raises(MediaStreamError):
            await track.recv()
        assert track.readyState == "ended"

    asyncio.run(listen())
    assert told == ["stop"]


def test_a_track_has_no_room_for_a_third_frame() -> None:
    made, sealer = maker(endless())

    async def fill() -> list[bool]:
        track = SealedVideoTrack(permit(endless()), sealer.counters, FakeClock(), print, print)  # type: ignore[arg-type]
        seen = []
        for index in range(2):
            seen.append(track.has_room)
            frame = made.make(tick(index))
            assert frame is not None
            track.give(frame)
        return [*seen, track.has_room]

    assert asyncio.run(fill()) == [True, True, False]
