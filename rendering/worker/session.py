"""One live session, from the claimed lease to its end. Read it top to bottom.

 1. The gate turns the lease's signed grant into a permit.
 2. Control releases the replica's key, sealed to a key made for this lease.
 3. The replica is fetched, decrypted, loaded, and drawn once to warm up.
 4. The viewer's offer comes; the session manifest is signed; the answer goes back.
 5. Frames: state -> picture -> label -> watermark -> encode -> attest -> send, thirty times a second.
 6. The line is lost, or the page loaded again: nothing is sent until the viewer's next offer, then 4; or words alone.
 7. Meanwhile the lease is renewed, events are heard, seconds are reported.
 8. Whatever ends it, picture and sound stop within one frame, the keys are dropped, the recording is handed in.
"""

import asyncio
import gc
from contextlib import suppress
from typing import Any

from provenance.manifests.attest import Attested
from provenance.manifests.permit import LeaseClock
from provenance.manifests.seal import SealCounters, SealedFrame, Sealer
from rendering import protocol
from rendering.dialogue.seams import Hop
from rendering.worker.audio import SoundLine
from rendering.worker.captions import Captions
from rendering.worker.connection import Connection
from rendering.worker.control import ControlRefused, ControlUnreachable, ReleasedKeys
from rendering.worker.conversing import make_talk
from rendering.worker.delivery import Delivery, limits_of
from rendering.worker.frames import FrameMaker
from rendering.worker.gate import Opened
from rendering.worker.governor import LineReport
from rendering.worker.key_frames import KEY_FRAME_REQUEST, KeyFrameRequests
from rendering.worker.latency import LatencyMarks
from rendering.worker.lease_keeper import keep_lease
from rendering.worker.loading import Cast, load_cast
from rendering.worker.mark_slots import MarkSlot, SlottedMark
from rendering.worker.offers import Offers
from rendering.worker.pacing import MEDIA_CLOCK_HZ
from rendering.worker.perceived import Perceived
from rendering.worker.reports import SessionReports
from rendering.worker.requests import encoder_settings, manifest_request, other_codec, session_facts
from rendering.worker.sending import make_first_frame, send_frames
from rendering.worker.sizes import Encoders
from rendering.worker.slot import SlotTools
from rendering.worker.sound_mark import MarkedSound
from rendering.worker.stage import Stage
from rendering.worker.talk import Talk
from rendering.worker.tracks import MediaClock
from rendering.worker.turn_marks import TurnMarks
from trustcore.primitives.errors import GrantRevoked, TrustcoreError
from trustcore.primitives.signing import unb64

CONNECT_WITHIN_S = 20.0


class Session:
    """The life of one session lease. `run` never raises for what the world does; it returns the reason of the end."""

    def __init__(self, tools: SlotTools, lease: protocol.Lease) -> None:
        now_s = tools.clock.monotonic_s()
        self._tools = tools
        self._lease = lease
        self._lease_clock = LeaseClock(now_s + protocol.LEASE_LIFETIME_S)
        self._state = "loading"
        self._reason = ""
        self._stopped = asyncio.Event()
        self._answered = asyncio.Event()  # the first offer
        self._offers = Offers()
        self._latency = LatencyMarks()
        self._turn_marks = TurnMarks()
        self._counters = SealCounters()
        self._media_clock = MediaClock(tools.clock)
        self._line = SoundLine()
        self._keys: ReleasedKeys | None = None
        self._claim: dict[str, Any] = {}
        self._connection: Connection | None = None
        self._closing: list[asyncio.Task[None]] = []  # connections that were
        self._sound: MarkedSound | None = None
        self._talk: Talk | None = None
        self._perceived: Perceived | None = None
        self._stage: Stage | None = None
        self._maker: FrameMaker | None = None
        self._rendered = 0
        self._encoder = Encoders(tools.parts.encoder, encoder_settings(lease, tools.config))
        self._delivery: Delivery | None = None
        self._key_frames = KeyFrameRequests()
        self._reports = SessionReports(tools.control, lease)
        self._captions = Captions(tools.control, lease, self._offers.look_up)

    def end(self, reason: str) -> None:
        """End the session from outside, for example because the worker stops."""
        self._stop(reason)

    @property
    def frame_ms_p95(self) -> float:
        """What 95 of 100 of the last frames took to make at most, in milliseconds; 0 before the first."""
        return self._latency.to_json().get("frame_ms_p95", 0.0)

    async def run(self) -> str:
        """Play the session to its end."""
        self._latency.start("claim")
        helpers = [asyncio.create_task(part) for part in (
            self._hold_lease(), self._listen(), self._report_seconds(), self._captions.run())]
        story = asyncio.create_task(self._story())
        stopped: asyncio.Task[Any] = asyncio.create_task(self._stopped.wait())
        try:
            await asyncio.wait({story, stopped, *helpers}, return_when=asyncio.FIRST_COMPLETED)
            for task in (*helpers, story):
                if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                    self.failed(error)
            self._stop("ended")
        finally:
            for task in (story, stopped, *helpers):
                task.cancel()
            await asyncio.gather(story, stopped, *helpers, return_exceptions=True)
            await self._clear_up()
        return self._reason

    async def _story(self) -> None:
        """Steps 1 to 6."""
        try:
            opened = self._tools.gate.open(self._lease, self._lease_clock)
            grant = opened.grant
            self._claim, self._keys = await self._tools.control.claim_keys(
                self._lease, grant.sha256, f"{grant.replica_id}/{grant.replica_version}")
            config = self._tools.config
            cast = await load_cast(
                self._lease, grant, self._keys, self._tools.control, self._tools.frame_thread, config,
                self._tools.parts)
            mark = SlottedMark(self._keys.mark, config.size_px, config.size_px, self._tools.parts.embedder)
            for size_px in cast.renderers:
                mark.prepare(size_px, size_px)
            await self._prepare(opened, cast, mark)
            self._latency.mark("claim_to_ready_ms", "claim")
            self._state = "ready"
            self._log("ready")
            offer = await self._offers.next(protocol.UNJOINED_LIFETIME_S)
            self._latency.start("offer")
            await self._answer(opened, cast, mark, offer)
            assert self._maker is not None and self._connection is not None
            await make_first_frame(self._tools, self._maker, self._connection, mark)
            await self._see_connected(opened, cast, mark, CONNECT_WITHIN_S)
            await self._play(opened, cast, mark)
        except TimeoutError:
            never = "not_connected" if self._answered.is_set() else "not_joined"
            self._stop("not_rejoined" if self._state == "away" else never)
        except GrantRevoked:
            # The frame loop looks at the deadline thirty times a second, so it often sees the end before the keeper.
            self._stop(self._lease_clock.revoked_reason or "lease_lost")
        except TrustcoreError as error:
            self._log(f"{error.code}: {error} {error.facts}")
            self._stop(error.code.replace(".", "_"))

    async def _prepare(self, opened: Opened, cast: Cast, mark: SlottedMark) -> None:
        """Everything that need not wait for the viewer: tracks, connection, voice, brain."""
        tools, facts, permit = self._tools, self._lease.facts, opened.permit
        self._sound = MarkedSound(self._line, mark)
        self._delivery = Delivery(
            limits_of(facts, tools.config), tools.clock, media_now_s=self._media_clock.now_s,
            tell=lambda *event: self._talk.event(*event) if self._talk is not None else None,
            record=self._reports.rung)
        await self._make_connection(opened)
        self._stage = Stage(cast.performer, permit.emotion_max_milli, cast.emotion_caps_milli)
        self._talk = await make_talk(
            tools, self._lease, language=opened.grant.language, conversation_id=opened.grant.conversation_id,
            stage=self._stage, line=self._line, media_now_s=self._media_clock.now_s, emit=self._send_text,
            reports=self._reports, marks=self._turn_marks,
            on_first_sound=lambda: self._latency.mark("message_to_sound_ms", "message"),
            notes=lambda: self._perceived.notes if self._perceived is not None else ())
        self._perceived = Perceived(opened.grant, self._stage, self._media_clock.now_s, self._talk.event)
        if wish := facts.get("emotion"):
            self._talk.show(str(wish["name"]), int(wish["milli"]), "request")

    async def _make_connection(self, opened: Opened) -> None:
        assert self._sound is not None and self._delivery is not None
        self._connection = Connection(
            self, opened.permit, self._counters, self._sound, self._tools.clock, self._media_clock, self._encoder,
            ice_servers=list(self._lease.facts.get("ice_servers") or ()), microphone=self._tools.config.microphone,
            is_relayed=bool(self._lease.facts.get("is_relayed")))
        await self._connection.peer.prepare()
        self._delivery.begin()
        self._delivery.lead(self._connection.follow)

    async def _answer(self, opened: Opened, cast: Cast, mark: SlottedMark, offer: protocol.LeaseEvent) -> None:
        """Step 4. One request carries answer and manifest request: no signed manifest, no answer for the viewer."""
        assert self._connection is not None and self._stage is not None and self._delivery is not None
        connection = self._connection
        self._log("offer")
        sdp = await connection.peer.answer(str(offer.body["sdp"]))
        self._settle_codec(connection.peer.video_codec)
        media_now_s, left_s = self._media_clock.now_s(), opened.permit.not_after_s - self._tools.clock.monotonic_s()
        request = manifest_request(
            self._lease, self._claim, connection.key, self._tools.config,
            mark_slots=mark.to_json(media_now_s + left_s), viewer_nonce=str(offer.body["viewer_nonce"]),
            dtls_fingerprint=connection.peer.dtls_fingerprint, video_codec=self._encoder.settings.codec,
            media_start_ms=int(media_now_s * 1000), follows=self._reports.last_label)
        facts = session_facts(opened.grant, self._tools.config, self._stage.life_facts)
        signed = await self._tools.control.answer(self._lease, offer, sdp, facts, request)
        self._answered.set()
        sealer = Sealer(opened.permit, label=cast.labels, embedder=mark, encoder=self._encoder,
                        attestor=connection.begin(signed.manifest_label, self._encoder.settings.codec))
        sealer.counters = self._counters
        self._reports.begin(signed.manifest_label, unb64(signed.init_segment_b64))
        self._maker = FrameMaker(
            stage=self._stage, renderers=cast.renderers, sealer=sealer, permit=opened.permit, mark=mark,
            encoder=self._encoder, latency=self._latency, raw_frame=self._tools.parts.raw_frame,
            rendered=self._count().rendered)
        self._delivery.lead(self._maker.follow)
        self._latency.mark("offer_to_answer_ms", "offer")
        self._log("answered")

    def _settle_codec(self, name: str) -> None:
        """The browser may not have offered the preferred codec; encoder, track and manifest follow the answer."""
        if name != self._encoder.settings.codec:
            settings = other_codec(self._lease, self._tools.config, name, is_first=not self._answered.is_set())
            self._encoder = Encoders(self._tools.parts.encoder, settings)

    async def _play(self, opened: Opened, cast: Cast, mark: SlottedMark) -> None:
        """Steps 5 and 6, one after the other, until the session ends. Raises TimeoutError when nobody came back."""
        assert self._talk is not None
        talking = asyncio.create_task(self._talk.run())
        talking.add_done_callback(self._note_talk_over)
        try:
            await self._send_frames(mark)
            while not self._stopped.is_set():
                await self._wait_for_viewer(opened, cast, mark)
                await (self._send_frames(mark) if self._connection and self._connection.is_up else self._be_read())
        finally:
            talking.cancel()

    def _note_talk_over(self, talking: asyncio.Task[None]) -> None:
        """A replica that cannot speak any more does not stand there silent: the session ends, and both sides know."""
        if not talking.cancelled() and (error := talking.exception()) is not None:
            self.failed(error)

    async def _send_frames(self, mark: SlottedMark) -> None:
        """Step 5. Returns when the line is lost or another offer waits."""
        assert self._maker is not None and self._connection is not None and self._delivery is not None
        connection, self._state = self._connection, "live"
        connection.resume()
        await send_frames(
            self._tools, self._maker, connection, self._delivery, mark, origin_s=self._media_clock.start(),
            is_over=lambda: not connection.is_up or bool(self._offers) or self._stopped.is_set())

    async def _wait_for_viewer(self, opened: Opened, cast: Cast, mark: SlottedMark) -> None:
        """Step 6. Nothing is made or sent until the viewer's next offer has its connection, or the line is back.

        Raises TimeoutError: neither came within REJOIN_WITHIN_S.
        """
        assert self._talk is not None and self._connection is not None
        before = self._connection  # it may come back by itself, too
        self._state = "away"
        before.pause()
        self._talk.pause()
        self._log("away")
        self._latency.start("rejoin")
        await self._see_connected(opened, cast, mark, protocol.REJOIN_WITHIN_S)
        self._encoder.request_key_frame()  # what was encoded last may never have arrived
        if self._connection is before:
            self._talk.resume()  # on a new connection it goes on when the page can hear it

    async def _be_read(self) -> None:
        """Step 6, for a viewer who reads. Returns when there is a line, an offer, or nobody who reads any more."""
        assert self._talk is not None and self._delivery is not None and self._connection is not None
        self._state = "reading"
        self._delivery.lose()
        self._talk.meet()
        await self._offers.nothing_changes(self._connection, lambda: self._captions.is_viewer_reading)

    async def _see_connected(self, opened: Opened, cast: Cast, mark: SlottedMark, within_s: float) -> None:
        """Wait until the connection at hand stands, or its viewer reads. Each further offer gets another one instead.

        Raises TimeoutError: nothing came of it within `within_s`.
        """
        assert self._connection is not None
        while await self._offers.comes_before(self._connection, within_s, lambda: self._captions.is_viewer_reading):
            self._part_from(self._connection)
            await self._make_connection(opened)
            await self._answer(opened, cast, mark, await self._offers.next(within_s))
            self._encoder.request_key_frame()

    def _part_from(self, connection: Connection) -> None:
        """Only one connection is live at any time: what is sent on this one ends now, and its page is told why."""
        assert self._talk is not None and self._perceived is not None
        connection.stop()
        self._perceived.forget()  # the next page asks its viewer again
        self._closing.append(asyncio.create_task(connection.close(self._talk.event_text("trustcore.moved", {}))))

    def _send_text(self, text: str) -> bool:
        self._captions.take(text)
        return self._connection is not None and self._connection.peer.send_text(text)

    async def _hold_lease(self) -> None:
        """Step 7. Renew; when the lease is over, so is the session."""
        async def renew() -> protocol.RenewalAnswer:
            answer = await self._tools.control.renew(
                self._lease, protocol.Renewal(self._lease.epoch, self._state, self._count(), self._marks_ms()))
            self._captions.note_reader(answer.reader)
            return answer

        self._stop(await keep_lease(self._lease_clock, renew, self._tools.clock))

    async def _listen(self) -> None:
        """Step 7. Everything control pushes."""
        async for event in self._tools.control.events(self._lease):
            body = event.body
            if event.kind in ("revoke", "end"):
                self._stop(str(body.get("reason") or event.kind))
            elif event.kind == "offer":
                self._offers.put(event)
                # Nothing is shown before the answer, and control looks at the session's ground before it signs: hearing
                # the next word can wait, and control answers the viewer sooner when it is not asked twice at a time.
                await self._answered.wait()
            elif event.kind == "perception" and self._perceived is not None:
                self._perceived.on_control_event(body)
            elif self._talk is not None:
                if event.kind == "message":
                    self._latency.start("message")
                self._talk.on_control_event(event)

    async def _report_seconds(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            if self._state == "live" and self._talk is not None and self._delivery is not None:
                self._talk.event("trustcore.counts", protocol.to_json(self._count()))
                self._delivery.report()
            await self._reports.flush()

    def _stop(self, reason: str) -> None:
        """Stop picture and sound now, for good. Safe to call again; the first reason stands."""
        if self._stopped.is_set():
            return
        self._reason = reason
        self._state = "ending"
        self._lease_clock.revoke(reason)
        if self._connection is not None:
            self._connection.stop()
        self._stopped.set()
        if self._talk is not None:
            self._talk.event("trustcore.ended", {"reason": reason})

    async def _clear_up(self) -> None:
        """Step 8."""
        counters = self._count()
        self._log(f"{self._reason}; {counters}; {self._marks_ms()}")
        if self._keys is not None:
            self._keys.wipe()
        self._keys = self._maker = self._stage = None
        gc.collect()  # the decrypted replica goes now, not at some later collection
        if self._connection is not None:
            await self._connection.close()
        await asyncio.gather(*self._closing, return_exceptions=True)
        if self._talk is not None:
            await self._talk.close()
        with suppress(ControlRefused, ControlUnreachable):
            await self._reports.finish(self._reason, counters, self._marks_ms())

    # --- what the connections tell (Host) --------------------------------------------------------------------------

    def note_sent(self, frame: SealedFrame, slot: MarkSlot) -> None:
        self._latency.mark("offer_to_first_frame_ms", "offer")
        self._latency.mark("rejoin_to_first_frame_ms", "rejoin")
        self._turn_marks.frame_sent(frame.media_time_90k / MEDIA_CLOCK_HZ, self._media_clock.now_s())
        self._reports.sent(frame, slot, self._tools.clock.utc())

    def note_sound_sent(self, packet: Attested) -> None:
        self._reports.sound_sent(packet)

    def line_changed(self, connection: Connection) -> None:
        if connection.connected.is_set():
            self._latency.mark("offer_to_connected_ms", "offer")
        self._offers.look_up()

    def line_reported(self, connection: Connection, report: LineReport) -> None:
        if self._delivery is not None and connection is self._connection:
            self._delivery.report(report)

    def key_frame_wanted(self) -> None:
        self._key_frames.ask(self._encoder, self._tools.clock.monotonic_s())

    def channel_opened(self, connection: Connection) -> None:
        if self._talk is None or connection is not self._connection:
            return
        if self._delivery is not None:
            self._delivery.announce()
        self._talk.meet()

    def channel_message(self, text: str) -> None:
        if text == KEY_FRAME_REQUEST:
            self.key_frame_wanted()
        elif self._perceived is not None and self._perceived.take(text):
            return
        elif self._talk is not None:
            self._talk.on_channel_message(text)

    def heard(self, hop: Hop) -> None:
        self._latency.mark("offer_to_first_hop_ms", "offer")
        if self._talk is not None and self._state == "live":
            self._talk.heard(hop)
            if self._perceived is not None:
                self._perceived.hear(hop)

    def failed(self, error: BaseException) -> None:
        self._log(f"failed: {error!r}")
        self._stop("internal")

    def _count(self) -> protocol.Counters:
        if self._maker is not None:
            self._rendered = self._maker.rendered
        return protocol.Counters(
            rendered=self._rendered, sent=self._counters.sent, dropped=self._rendered - self._counters.sent,
            unsealed_sent=self._counters.unsealed_sent, clamped=self._reports.clamped)

    def _marks_ms(self) -> dict[str, float]:
        hinted = self._talk.hinted if self._talk is not None else 0
        return {**self._latency.to_json(), **self._turn_marks.to_json(), **({"hinted": hinted} if hinted else {})}

    def _log(self, line: str) -> None:
        self._tools.log(f"session {self._lease.lease_id}: {line}")
