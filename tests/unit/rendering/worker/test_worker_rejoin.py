"""A viewer who is away and comes back: nothing is sent or said meanwhile, and nothing that was to be said is lost."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamError

from provenance.manifests import fmp4
from provenance.manifests.attest import Attestor, SessionKey
from provenance.manifests.frame_codecs import OPUS_PACKETS
from provenance.manifests.permit import LeaseClock
from provenance.manifests.seal import SealCounters
from provenance.manifests.session_manifest import read_session_manifest
from provenance.verify.reports import Outcome
from provenance.verify.stream import StreamVerifier
from provenance.verify.video import verify_fragment_file
from rendering import protocol
from rendering.dialogue.brains.scripted import ScriptedBrain
from rendering.dialogue.seams import Line
from rendering.worker import connection as connections
from rendering.worker.audio import RATE_HZ, SoundLine
from rendering.worker.encoder import EncoderSettings, VideoEncoder
from rendering.worker.ladder import STILL
from rendering.worker.mark_slots import MarkSlot
from rendering.worker.pacing import Tick
from rendering.worker.reports import SessionReports
from rendering.worker.sending import send_frames
from rendering.worker.stage import Stage
from rendering.worker.talk import Talk
from rendering.worker.tracks import MediaClock, SoundTrack
from tests.common.live_session import LiveSession, facts, sound_of
from tests.unit.rendering.worker.test_worker_attacks import StillFace
from tests.unit.rendering.worker.test_worker_tracks import SIZE, FakeClock, QuietSound, maker, permit, tick

# --- what is shown ----------------------------------------------------------------------------------------------------


class QuickMaker:
    """Makes pictures in no time."""

    def __init__(self) -> None:
        self.made_until_s = 0.0
        self.times_90k: list[int] = []

    def make(self, tick: Tick) -> None:
        self.made_until_s = tick.media_time_s
        self.times_90k.append(tick.media_time_90k)


def test_a_line_that_is_back_at_once_gets_no_picture_of_a_time_that_was_made_already() -> None:
    """Attestations end with a time that does not grow, and with them the session."""
    async def flap() -> list[int]:
        made, clock = QuickMaker(), SimpleNamespace(monotonic_s=asyncio.get_running_loop().time)
        tools = SimpleNamespace(
            clock=clock, config=SimpleNamespace(frames_per_s=30, frame_lead_s=0.07), frame_thread=ThreadPoolExecutor(1))
        connection, mark = SimpleNamespace(has_room=True, has_shown=True), SimpleNamespace(slot=None)
        origin_s = clock.monotonic_s()
        for count, rate in ((1, 2), (2, 2), (3, 12)):
            plan = SimpleNamespace(rung=STILL, frames_per_s=rate)
            await send_frames(
                tools, made, connection, SimpleNamespace(plan=plan), mark, origin_s=origin_s,  # type: ignore[arg-type]
                is_over=lambda count=count: len(made.times_90k) >= count)  # type: ignore[misc]
        return made.times_90k

    times_90k = asyncio.run(flap())
    assert len(times_90k) == 3 and times_90k[0] < times_90k[1] < times_90k[2], times_90k


# --- what is said -----------------------------------------------------------------------------------------------------


class Voice:
    """Every line lasts four tenths of a second."""

    def say(self, _text: str) -> Any:
        return SimpleNamespace(pcm=np.zeros(int(0.4 * RATE_HZ), np.int16), rate_hz=RATE_HZ, visemes=())


class Room:
    """A talk on a clock of its own, and all that was told of it."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        loop = asyncio.get_running_loop()
        begin_s = loop.time()
        self.line = SoundLine()
        self.talk = Talk(
            brain=ScriptedBrain({}, "Asha"), voice=Voice(), stage=Stage(StillFace(), {}), line=self.line,
            executor=ThreadPoolExecutor(1), conversation_id="c1", media_now_s=lambda: loop.time() - begin_s,
            emit=lambda text: self.told.append(json.loads(text)), on_shown=lambda *_: None)
        self._running = asyncio.create_task(self.talk.run())

    def say(self, *lines: str) -> None:
        self.talk.say([Line(text, None, 0) for text in lines])

    def said(self) -> list[str]:
        return [e["properties"]["speech"] for e in self.told if e["event_type"] == "conversation.utterance"]

    async def until(self, count: int) -> None:
        for _ in range(1000):
            if len(self.said()) >= count:
                return
            await asyncio.sleep(0.01)
        raise AssertionError(self.said())


def test_what_a_pause_cut_off_is_said_when_the_viewer_is_back() -> None:
    async def story() -> tuple[list[str], bool, list[str]]:
        room = Room()
        room.say("One.", "Two.", "Three.")
        room.say("Later.")
        await room.until(2)
        room.talk.pause()
        was_quiet = room.line.busy_until_s() <= room.talk._media_now_s() + 0.02
        before = room.said()
        await asyncio.sleep(0.6)
        assert room.said() == before  # into the void nothing is said
        room.talk.resume()
        await room.until(5)
        return before, was_quiet, room.said()

    before, was_quiet, said = asyncio.run(story())
    assert was_quiet and before == ["One.", "Two."]
    assert said == ["One.", "Two.", "Two.", "Three.", "Later."]


def test_who_interrupts_while_away_hears_nothing_of_it_again() -> None:
    async def story() -> list[str]:
        room = Room()
        room.say("One.", "Two.")
        room.say("Later.")
        await room.until(1)
        room.talk.pause()
        await asyncio.sleep(0.05)
        room.talk.interrupt()
        room.talk.resume()
        room.say("New.")
        await room.until(2)
        return room.said()

    assert asyncio.run(story()) == ["One.", "New."]


def test_a_page_that_was_loaded_again_is_told_what_was_said() -> None:
    async def story() -> list[dict[str, str]]:
        room = Room()
        room.say("One.")
        await room.until(1)
        room.talk.catch_up()
        lines: list[dict[str, str]] = room.told[-1]["properties"]["lines"]
        return lines

    assert asyncio.run(story()) == [{"role": "replica", "speech": "One."}]


# --- what is sent -----------------------------------------------------------------------------------------------------


def endless() -> LeaseClock:
    return LeaseClock(1e12)


def test_sound_that_is_paused_is_neither_made_nor_sent_and_goes_on_at_its_time() -> None:
    async def listen() -> tuple[int, int]:
        clock = FakeClock()
        media = MediaClock(clock)  # type: ignore[arg-type]
        track = SoundTrack(permit(endless()), QuietSound(), clock, media, print)  # type: ignore[arg-type]
        track.attestor = Attestor(SessionKey(), "urn:c2pa:test", codec=OPUS_PACKETS)
        media.start()
        first = await track.recv()
        track.pause()
        waiting = asyncio.create_task(track.recv())
        clock.s += 9.0
        await asyncio.sleep(0.05)
        assert not waiting.done() and track.attestor.next_sequence == 2
        track.resume()
        return int(first.pts), int((await waiting).pts)

    first, second = asyncio.run(listen())
    assert 8.9 * RATE_HZ <= second - first <= 9.05 * RATE_HZ


def test_sound_that_is_paused_ends_with_its_track() -> None:
    async def listen() -> None:
        clock = FakeClock()
        media = MediaClock(clock)  # type: ignore[arg-type]
        track = SoundTrack(permit(endless()), QuietSound(), clock, media, print)  # type: ignore[arg-type]
        media.start()
        track.pause()
        waiting = asyncio.create_task(track.recv())
        await asyncio.sleep(0)
        track.stop()
        with pytest.raises(MediaStreamError):
            await waiting

    asyncio.run(listen())


class Listener:
    """A session that notes what its connection tells."""

    def __init__(self) -> None:
        self.changes = 0

    def line_changed(self, _connection: Any) -> None:
        self.changes += 1

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


def connection(clock: FakeClock, listener: Listener, media: MediaClock | None = None) -> connections.Connection:
    return connections.Connection(
        listener, permit(endless()), SealCounters(), QuietSound(), clock,  # type: ignore[arg-type]
        media or MediaClock(clock),  # type: ignore[arg-type]
        VideoEncoder(EncoderSettings(SIZE, SIZE)), ice_servers=[])


def test_a_line_is_there_while_the_viewers_side_says_something() -> None:
    async def story() -> list[bool]:
        clock, listener = FakeClock(), Listener()
        line = connection(clock, listener)
        seen = [line.is_up]
        line.state_changed("connected")
        seen.append(line.is_up)
        clock.s += connections.SILENT_AFTER_S + 0.1
        seen.append(line.is_up)
        changes = listener.changes
        line.heard()
        assert listener.changes == changes + 1  # the session waits for this
        seen.append(line.is_up)
        line.state_changed("failed")
        line.heard()
        seen.append(line.is_up)
        await line.peer.close()
        return seen

    assert asyncio.run(story()) == [False, True, False, True, False]


def test_each_connection_has_a_certificate_and_a_key_of_its_own() -> None:
    async def story() -> tuple[set[str], set[bytes]]:
        lines = [connection(FakeClock(), Listener()) for _ in range(2)]
        found = {line.peer.dtls_fingerprint for line in lines}, {line.key.kid for line in lines}
        for line in lines:
            await line.peer.close()
        return found

    fingerprints, kids = asyncio.run(story())
    assert len(fingerprints) == len(kids) == 2


def test_no_sound_leaves_before_the_first_picture_did() -> None:
    """Else a viewer who takes no picture would hear a whole conversation that neither log nor recording knows."""
    async def story() -> list[bool]:
        clock = FakeClock()
        media = MediaClock(clock)  # type: ignore[arg-type]
        line = connection(clock, Listener(), media)
        media.start()
        line.begin("urn:c2pa:test", "h264")
        line.resume()
        heard = asyncio.create_task(line._sound.recv())
        await asyncio.sleep(0.05)
        seen = [heard.done()]
        frame = maker(endless())[0].make(tick(0))
        assert frame is not None
        line.give(frame, MarkSlot(0xAB, 3))
        await line._picture.recv()
        await asyncio.wait_for(heard, 5)
        seen.append(heard.done())
        await line.peer.close()
        return seen

    assert asyncio.run(story()) == [False, True]


def test_a_picture_that_was_sent_while_the_viewer_is_away_lets_no_sound_go() -> None:
    async def story() -> bool:
        clock = FakeClock()
        media = MediaClock(clock)  # type: ignore[arg-type]
        line = connection(clock, Listener(), media)
        media.start()
        line.begin("urn:c2pa:test", "h264")
        line.resume()
        line.pause()
        frame = maker(endless())[0].make(tick(0))
        assert frame is not None
        line.give(frame, MarkSlot(0xAB, 3))
        await line._picture.recv()
        heard = asyncio.create_task(line._sound.recv())
        await asyncio.sleep(0.05)
        is_heard = heard.done()
        line.stop()
        with pytest.raises(MediaStreamError):
            await heard
        await line.peer.close()
        return is_heard

    assert asyncio.run(story()) is False


# --- what is recorded -------------------------------------------------------------------------------------------------


class Control:
    def __init__(self) -> None:
        self.told: dict[str, Any] = {"segments": []}

    async def post(self, _lease: Any, what: str, body: dict[str, Any]) -> dict[str, Any]:
        self.told["segments"] += body.get("segments", [])
        return {}

    async def put(self, _lease: Any, what: str, data: bytes) -> None:
        self.told[what] = data


def test_the_recording_has_a_run_for_each_connection_that_sent_something() -> None:
    control, now = Control(), datetime(2026, 11, 28, tzinfo=UTC)
    lease = protocol.Lease("z1-1", "session", 1, "n", None, None, {}, {"recording": True})
    reports = SessionReports(control, lease)  # type: ignore[arg-type]
    first = LiveSession()
    silent = LiveSession(facts=facts(follows=first.init.label, media_start_ms=700))
    last = LiveSession(facts=facts(follows=first.init.label, media_start_ms=0))
    assert reports.last_label == ""
    for session, count in ((first, 4), (silent, 0), (last, 3)):
        reports.begin(session.init.label, session.init.encoded)
        for frame in session.frames(count):
            reports.sent(frame, MarkSlot(0xAB, 3), now)  # type: ignore[arg-type]
    assert reports.last_label == last.init.label
    asyncio.run(reports.finish("ended", protocol.Counters(), {}))
    runs = fmp4.split_runs(control.told["recording"])
    inits, fragments = zip(*(fmp4.split_recording(run) for run in runs), strict=True)
    assert list(inits) == [first.init.encoded, last.init.encoded]
    assert [len(list(part)) for part in fragments] == [4, 3]
    assert [(s["manifest_label"], s["first_sequence"], s["last_sequence"]) for s in control.told["segments"]] == [
        (first.init.label, 1, 4), (last.init.label, 1, 3)]  # both within one second of media time


def test_each_run_keeps_its_own_sound_and_one_without_a_picture_is_none() -> None:
    control, now = Control(), datetime(2026, 11, 28, tzinfo=UTC)
    lease = protocol.Lease("z1-1", "session", 1, "n", None, None, {}, {"recording": True})
    reports = SessionReports(control, lease)  # type: ignore[arg-type]
    first = LiveSession()
    unseen = LiveSession(facts=facts(follows=first.init.label))
    last = LiveSession(facts=facts(follows=first.init.label))
    kept = []
    for session, count in ((first, 3), (unseen, 0), (last, 2)):
        reports.begin(session.init.label, session.init.encoded)
        before, *after = sound_of(session, [b"\0\1\2", b"\0\1\3", b"\0\1\4"])
        frames = session.frames(count)
        reports.sound_sent(before)
        for frame in frames:
            reports.sent(frame, MarkSlot(0xAB, 3), now)  # type: ignore[arg-type]
        for packet in after:
            reports.sound_sent(packet)
        kept.append(session.init.encoded + b"".join(one.fragment for one in [before, *frames, *after]))
    asyncio.run(reports.finish("ended", protocol.Counters(), {}))
    assert control.told["recording"] == kept[0] + kept[2]
    report = verify_fragment_file("recording", control.told["recording"], first.signer.anchor_pem)
    assert report.outcome is Outcome.VERIFIED, report.sentences
    assert [run["sound_packets"] for run in report.facts["runs"]] == [3, 3]


def test_frames_of_the_connection_before_do_not_pass_under_the_next_one() -> None:
    made, _ = maker(endless())
    frame = made.make(tick(0))
    assert frame is not None
    session = LiveSession()
    verifier = StreamVerifier(read_session_manifest(session.init.encoded, session.signer.anchor_pem))
    assert verifier.check_access_unit(frame.access_unit).counter == "invalid"
