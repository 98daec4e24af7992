"""Every Opus packet that leaves was made from marked samples, or none leaves."""

import asyncio
from collections.abc import Callable
from typing import Any

import av
import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamError

from provenance.manifests.attest import Attestor, SessionKey, rebuild_fragment
from provenance.manifests.frame_codecs import OPUS_PACKETS
from provenance.manifests.permit import LeaseClock
from provenance.marks.keys import MarkKey
from provenance.marks.sound.detect import read_sound
from provenance.marks.sound.embed import embed_reference
from rendering.worker.audio import PACKET_SAMPLES, RATE_HZ, Samples, SoundLine
from rendering.worker.mark_slots import SlottedMark
from rendering.worker.sound_mark import MarkedSound
from rendering.worker.sound_settings import SoundSettings
from rendering.worker.tracks import MediaClock, SoundTrack
from tests.common.spoken import slots_from, speech
from tests.unit.rendering.worker.test_worker_tracks import FakeClock, permit
from trustcore.primitives.signing import b64

KEY, SLOT_ID, FIRST_SLOT = MarkKey(bytes(range(32))), 0x0123_4567_89AB_CDEF, 62


def slotted() -> SlottedMark:
    return SlottedMark(
        {"epoch_key": b64(KEY.epoch_key), "slot_id": f"{SLOT_ID:016x}", "first_index": FIRST_SLOT}, 128, 128)


def turn(mark: SlottedMark, at_s: float) -> None:
    """What the frame thread does at a key frame."""
    assert mark.turn_for(round(at_s * 90_000), is_key=True, is_low_rate=False)


def talking_line(start_s: float = 0.5) -> SoundLine:
    line = SoundLine()
    line.lay(speech(), start_s)
    return line


def test_what_is_read_is_the_line_at_the_same_time_and_marked() -> None:
    mark = slotted()
    sound = MarkedSound(talking_line(), mark)
    parts = [sound.read(i * PACKET_SAMPLES, PACKET_SAMPLES) for i in range(365)]
    turn(mark, 7.3)  # the picture's slot; the sound's changes at 8 s, the next whole second
    read = np.concatenate([*parts, *(sound.read(i * PACKET_SAMPLES, PACKET_SAMPLES) for i in range(365, 500))])
    plain = talking_line().read(0, len(read) + 960)
    whole = embed_reference(plain, slots_from(KEY, SLOT_ID, FIRST_SLOT))[: len(read)]
    assert np.abs(read.astype(int) - whole).max() <= 1
    assert np.any(read != plain[: len(read)]) and not read[: RATE_HZ // 2 - 960].any()


def test_sound_that_was_skipped_does_not_move_the_rest() -> None:
    sound = MarkedSound(talking_line(), slotted())
    sound.read(0, PACKET_SAMPLES)
    later = np.concatenate([sound.read(i * PACKET_SAMPLES, PACKET_SAMPLES) for i in range(100, 150)])
    plain = talking_line().read(0, 150 * PACKET_SAMPLES)[100 * PACKET_SAMPLES :]
    whole = embed_reference(plain, lambda hop: slots_from(KEY, SLOT_ID, FIRST_SLOT)(hop + 200))
    assert np.abs(later[480:-480].astype(int) - whole[480:-480]).max() <= 1


def sent(seconds: float, sound: MarkedSound, at_packet: Callable[[int], None] = lambda number: None) -> list[av.Packet]:
    """The packets that a track hands to aiortc in this time."""
    clock = FakeClock()

    async def listen() -> list[av.Packet]:
        media = MediaClock(clock)  # type: ignore[arg-type]
        track = SoundTrack(permit(LeaseClock(1e12)), sound, clock, media, print)  # type: ignore[arg-type]
        track.attestor = Attestor(SessionKey(), "urn:c2pa:test", codec=OPUS_PACKETS)
        media.start()
        packets = []
        for number in range(round(seconds * 50)):
            at_packet(number)
            packets.append(await track.recv())
            clock.s += 0.02
        return packets

    return asyncio.run(listen())


def decoded(packets: list[av.Packet]) -> Samples:
    decoder: Any = av.CodecContext.create("libopus", "r")
    decoder.sample_rate, decoder.layout = RATE_HZ, "mono"
    plain = [av.Packet(OPUS_PACKETS.take(bytes(packet)).sample) for packet in packets]
    return np.concatenate([frame.to_ndarray().reshape(-1) for packet in plain for frame in decoder.decode(packet)])


def test_five_seconds_of_the_packets_of_a_call_lead_back_to_its_slots() -> None:
    mark = slotted()
    heard = decoded(sent(12.0, MarkedSound(talking_line(), mark), lambda n: turn(mark, 6.9) if n == 345 else None))
    reading = read_sound(heard[5 * RATE_HZ : 10 * RATE_HZ], KEY)
    assert reading.payload == SLOT_ID and reading.slot_indexes == (62, 63)


def test_every_packet_that_leaves_is_told_of_with_the_fragment_it_is_recorded_as() -> None:
    clock, kept = FakeClock(), []
    key, label = SessionKey(), "urn:c2pa:test"

    async def listen() -> list[av.Packet]:
        media = MediaClock(clock)  # type: ignore[arg-type]
        track = SoundTrack(
            permit(LeaseClock(1e12)), MarkedSound(talking_line(), slotted()), clock, media, print,  # type: ignore[arg-type]
            kept.append)
        track.attestor = Attestor(key, label, codec=OPUS_PACKETS)
        media.start()
        packets = []
        for _ in range(5):
            packets.append(await track.recv())
            clock.s += 0.02
        return packets

    left = asyncio.run(listen())
    assert [bytes(packet) for packet in left] == [one.access_unit for one in kept]
    assert [rebuild_fragment(bytes(packet), label=label, kid=key.kid, codec=OPUS_PACKETS) for packet in left] == [
        one.fragment for one in kept]


def test_silence_is_sent_too() -> None:
    assert len(sent(0.2, MarkedSound(SoundLine(), slotted()))) == 10


def no_chips(*_: Any) -> None:
    raise ValueError("no chips")


class BrokenEncoder:
    settings = SoundSettings()

    def encode(self, *_: Any) -> list[av.Packet]:
        raise av.FFmpegError(1, "broken")


@pytest.mark.parametrize("fault", ["mark", "encoder"])
def test_sound_that_cannot_be_marked_or_encoded_is_not_sent_and_ends_the_session(
    monkeypatch: pytest.MonkeyPatch, fault: str,
) -> None:
    clock, sound = FakeClock(), MarkedSound(talking_line(), slotted())
    told: list[str] = []

    async def listen() -> None:
        media = MediaClock(clock)  # type: ignore[arg-type]
        track = SoundTrack(
            permit(LeaseClock(1e12)), sound, clock, media, lambda: told.append("stop"))  # type: ignore[arg-type]
        track.attestor = Attestor(SessionKey(), "urn:c2pa:test", codec=OPUS_PACKETS)
        media.start()
        await track.recv()
        if fault == "mark":
            monkeypatch.setattr(sound._embedder, "_chips_of", no_chips)
        else:
            monkeypatch.setattr(track, "_encoder", BrokenEncoder())
        clock.s += 0.02
        with pytest.raises((ValueError, av.FFmpegError)):
            await track.recv()
        assert told == ["stop"]
        monkeypatch.undo()
        clock.s += 0.02
        with pytest.raises(MediaStreamError):
            await track.recv()

    asyncio.run(listen())
    assert told == ["stop"]
