"""One live session, from the claimed lease to its end. Read it top to bottom.

 1. The gate turns the lease's signed grant into a permit.
 2. Control releases the replica's key, sealed to a key made for this lease.
 3. The replica is fetched, decrypted, loaded, and drawn once to warm up.
 4. The viewer's offer comes; the session manifest is signed; the answer goes back.
 5. Frames: state -> picture -> label -> watermark -> encode -> attest -> send, thirty times a second.
 6. Meanwhile the lease is renewed, events are heard, seconds are reported.
 7. Whatever ends it, picture and sound stop within one frame, the keys are dropped, the recording is handed in.
"""

import asyncio
import gc
from contextlib import suppress
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from provenance.manifests.attest import Attestor, SessionKey
from provenance.manifests.errors import AttestationEnded
from provenance.manifests.frame_codecs import CODECS, OPUS_PACKETS, FrameCodec
from provenance.manifests.permit import LeaseClock
from provenance.manifests.seal import SealCounters, SealedFrame, Sealer
from rendering import protocol
from rendering.worker.allowance import Allowance
from rendering.worker.audio import SoundLine
from rendering.worker.brain import ScriptedBrain
from rendering.worker.config import WorkerConfig
from rendering.worker.control import ControlRefused, ControlUnreachable, ReleasedKeys
from rendering.worker.encoder import EncoderSettings, VideoEncoder
from rendering.worker.frames import FrameMaker
from rendering.worker.gate import Opened
from rendering.worker.governor import RateGovernor
from rendering.worker.latency import LatencyMarks
from rendering.worker.lease_keeper import keep_lease
from rendering.worker.loading import Cast, load_cast
from rendering.worker.mark_slots import MarkSlot, SlottedMark
from rendering.worker.motion_models import mouth_models
from rendering.worker.pacing import FIRST_TICK, FramePacer
from rendering.worker.peer import Peer
from rendering.worker.reports import SessionReports
from rendering.worker.slot import SlotTools
from rendering.worker.sound_mark import MarkedSound
from rendering.worker.stage import Stage
from rendering.worker.talk import Talk
from rendering.worker.tracks import MediaClock, SealedVideoTrack, SoundTrack
from trustcore.primitives.errors import GrantRevoked, TrustcoreError
from trustcore.primitives.signing import b64, unb64

CONNECT_WITHIN_S = 20.0
KEY_FRAMES_AT_ONCE, KEY_FRAMES_A_SECOND = 4, 2  # by request; a page asks twice a second while it withholds frames
KEY_FRAME_REQUEST = "key-frame"  # from a page that withheld frames; RTCP knows nothing of those
ATTESTATION_ENDED = AttestationEnded.code.replace(".", "_")  # why a session ends whose sound could not be attested
UNSEALED_FRAME = "unsealed_frame"  # why a session ends in which a frame without seal was held for sending
FAREWELL_S = 0.15  # the last message on the data channel needs a moment before the connection closes


def _wanted_codec(lease: protocol.Lease, config: WorkerConfig) -> str:
    """The lease may name a codec for its session; else the worker's setting counts."""
    named = str(lease.facts.get("video_codec") or config.video_codec)
    return named if named in CODECS else config.video_codec


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
        self._connected = asyncio.Event()
        self._answered = asyncio.Event()
        self._offers: asyncio.Queue[protocol.LeaseEvent] = asyncio.Queue()
        self._latency = LatencyMarks()
        self._counters = SealCounters()
        self._media_clock = MediaClock(tools.clock)
        self._line = SoundLine()
        self._keys: ReleasedKeys | None = None
        self._claim: dict[str, Any] = {}
        self._peer: Peer | None = None
        self._tracks: tuple[SealedVideoTrack, SoundTrack] | None = None
        self._talk: Talk | None = None
        self._stage: Stage | None = None
        self._maker: FrameMaker | None = None
        self._rendered = 0
        self._slot_of: dict[int, MarkSlot] = {}  # by the sequence of a frame that waits to be sent
        self._encoder = VideoEncoder(EncoderSettings(
            tools.config.size_px, tools.config.size_px, tools.config.frames_per_s, tools.config.bit_rate_bps,
            codec=_wanted_codec(lease, tools.config)))
        self._key_frames = Allowance(KEY_FRAMES_AT_ONCE, KEY_FRAMES_A_SECOND)
        self._governor = RateGovernor(tools.config.bit_rate_bps, self._encoder.settings.max_bit_rate_bps)
        self._reports = SessionReports(tools.control, lease)

    def end(self, reason: str) -> None:
        """End the session from outside, for example because the worker stops."""
        self._stop(reason)

    async def run(self) -> str:
        """Play the session to its end."""
        self._latency.start("claim")
        helpers = [asyncio.create_task(part) for part in (self._hold_lease(), self._listen(), self._report_seconds())]
        story = asyncio.create_task(self._story())
        stopped: asyncio.Task[Any] = asyncio.create_task(self._stopped.wait())
        try:
            await asyncio.wait({story, stopped, *helpers}, return_when=asyncio.FIRST_COMPLETED)
            for task in (*helpers, story):
                if task.done() and not task.cancelled() and task.exception() is not None:
                    self._log(f"failed: {task.exception()!r}")
                    self._stop("internal")
            self._stop("ended")
        finally:
            for task in (story, stopped, *helpers):
                task.cancel()
            await asyncio.gather(story, stopped, *helpers, return_exceptions=True)
            await self._clear_up()
        return self._reason

    async def _story(self) -> None:
        """Steps 1 to 5."""
        try:
            opened = self._tools.gate.open(self._lease, self._lease_clock)
            self._keys = await self._release_keys(opened)
            config = self._tools.config
            cast = await load_cast(
                self._lease, opened.grant, self._keys, self._tools.control, self._tools.frame_thread, config.size_px)
            mark = SlottedMark(self._keys.mark, config.size_px, config.size_px)
            await self._prepare(opened, cast, mark)
            self._latency.mark("claim_to_ready_ms", "claim")
            self._state = "ready"
            self._log("ready")
            offer = await asyncio.wait_for(self._offers.get(), protocol.UNJOINED_LIFETIME_S)
            self._latency.start("offer")
            self._log("offer")
            await self._answer(opened, cast, mark, offer)
            self._log("answered")
            await asyncio.wait_for(self._connected.wait(), CONNECT_WITHIN_S)
            self._state = "live"
            await self._send_frames(mark)
        except TimeoutError:
            self._stop("not_joined" if self._state == "ready" else "not_connected")
        except GrantRevoked:
            # The frame loop looks at the deadline thirty times a second, so it often sees the end before the keeper.
            self._stop(self._lease_clock.revoked_reason or "lease_lost")
        except TrustcoreError as error:
            self._log(f"{error.code}: {error} {error.facts}")
            self._stop(error.code.replace(".", "_"))

    async def _release_keys(self, opened: Opened) -> ReleasedKeys:
        ephemeral = X25519PrivateKey.generate()
        grant = opened.grant
        self._claim = self._tools.control.claim_proof(self._lease, ephemeral, grant.sha256)
        return await self._tools.control.release_keys(
            self._lease, self._claim, ephemeral, grant_sha256=grant.sha256,
            replica_version=f"{grant.replica_id}/{grant.replica_version}")

    async def _prepare(self, opened: Opened, cast: Cast, mark: SlottedMark) -> None:
        """Everything that need not wait for the viewer: tracks, connection, voice, brain."""
        tools, facts, permit = self._tools, self._lease.facts, opened.permit
        picture = SealedVideoTrack(
            permit, self._counters, tools.clock, self._note_sent, lambda: self._stop(UNSEALED_FRAME))
        sound = SoundTrack(
            permit, MarkedSound(self._line, mark), tools.clock, self._media_clock,
            lambda: self._stop(ATTESTATION_ENDED), self._reports.sound_sent)
        self._tracks = (picture, sound)
        self._peer = Peer(picture, sound, self, bit_rate_bps=tools.config.bit_rate_bps,
                          video_codec=self._encoder.settings.codec, ice_servers=list(facts.get("ice_servers") or ()))
        await self._peer.prepare()
        self._stage = Stage(cast.performer, permit.emotion_max_milli, cast.emotion_caps_milli)
        self._talk = Talk(
            brain=ScriptedBrain(facts.get("persona") or {}, str(facts.get("person_name") or "")),
            voice=tools.voice_for(opened.grant.language), stage=self._stage, line=self._line,
            executor=tools.speech_thread, conversation_id=opened.grant.conversation_id,
            media_now_s=self._media_clock.now_s, emit=self._peer.send_text, on_shown=self._reports.emotion,
            on_first_sound=lambda: self._latency.mark("message_to_sound_ms", "message"))
        wish = facts.get("emotion")
        if wish:
            self._talk.show(str(wish["name"]), int(wish["milli"]), "request")

    async def _answer(self, opened: Opened, cast: Cast, mark: SlottedMark, offer: protocol.LeaseEvent) -> None:
        """Step 4. One request carries answer and manifest request: no signed manifest, no answer for the viewer."""
        assert self._peer is not None and self._stage is not None and self._tracks is not None
        key = SessionKey()
        sdp = await self._peer.answer(str(offer.body["sdp"]))
        codec = self._settle_codec(self._peer.video_codec)
        label = await self._hand_in_answer(opened, offer, sdp, self._manifest_request(opened, key, mark, offer))
        sealer = Sealer(opened.permit, label=cast.label, embedder=mark, encoder=self._encoder,
                        attestor=Attestor(key, label, codec=codec))
        sealer.counters = self._counters
        self._tracks[1].attestor = Attestor(key, label, codec=OPUS_PACKETS)
        self._reports.begin(label)
        self._maker = FrameMaker(
            stage=self._stage, renderer=cast.renderer, sealer=sealer, permit=opened.permit, mark=mark,
            encoder=self._encoder, latency=self._latency)
        await self._make_first_frame(mark)
        self._latency.mark("offer_to_answer_ms", "offer")

    def _settle_codec(self, name: str) -> FrameCodec:
        """The browser may not have offered the preferred codec; encoder, track and manifest follow the answer."""
        assert self._tracks is not None
        if name != self._encoder.settings.codec:
            self._encoder = VideoEncoder(replace(self._encoder.settings, codec=name))
        self._tracks[0].codec = CODECS[name]
        return CODECS[name]

    async def _hand_in_answer(
        self, opened: Opened, offer: protocol.LeaseEvent, sdp: str, request: dict[str, Any],
    ) -> str:
        """The label of the session manifest that went to the viewer with the answer."""
        signed = protocol.SignedManifest(**await self._tools.control.post(self._lease, "answer", {
            "offer_id": offer.body["offer_id"], "sdp": sdp, "session_facts": self._session_facts(opened),
            "manifest": request}))
        self._answered.set()
        return signed.manifest_label

    def _manifest_request(
        self, opened: Opened, key: SessionKey, mark: SlottedMark, offer: protocol.LeaseEvent,
    ) -> dict[str, Any]:
        assert self._peer is not None
        remaining_s = opened.permit.not_after_s - self._tools.clock.monotonic_s()
        size_px = self._tools.config.size_px
        certificate = unb64(str(self._lease.facts["signer_certificate"]))
        return protocol.to_json(protocol.ManifestRequest(
            grant=self._lease.grant or {}, claim=self._claim, session_cose_key=b64(key.cose_key()), kid=b64(key.kid),
            binding_public=b64(key.public.public_bytes_raw()), viewer_nonce=str(offer.body["viewer_nonce"]),
            dtls_fingerprint=self._peer.dtls_fingerprint, mark_slots=mark.to_json(remaining_s),
            width=size_px, height=size_px, signer_binding=b64(key.bind_to_signer(certificate)),
            video_codec=self._encoder.settings.codec,
            session_facts={"frames_per_s": self._tools.config.frames_per_s}))

    def _session_facts(self, opened: Opened) -> dict[str, Any]:
        """What the page shows of the session; control adds the manifest's label and hash."""
        grant = opened.grant
        return {
            "conversation_id": grant.conversation_id, "replica_id": grant.replica_id,
            "replica_version": grant.replica_version, "policy_id": grant.policy_id,
            "policy_version": grant.policy_version, "size_px": self._tools.config.size_px,
            "frames_per_s": self._tools.config.frames_per_s, "motion_models": [mouth_models().release],
        }

    async def _make_first_frame(self, mark: SlottedMark) -> None:
        """The picture of media time zero is made while the connection is being set up, and waits for it."""
        assert self._maker is not None and self._tracks is not None
        loop = asyncio.get_running_loop()
        frame = await loop.run_in_executor(self._tools.frame_thread, self._maker.make, FIRST_TICK)
        if frame is not None:
            self._slot_of[frame.sequence] = mark.slot
            self._tracks[0].give(frame)

    async def _send_frames(self, mark: SlottedMark) -> None:
        """Step 5. A picture that would be late is not made; a picture that was encoded is sent."""
        assert self._maker is not None and self._tracks is not None and self._talk is not None
        clock, config, track = self._tools.clock, self._tools.config, self._tracks[0]
        loop = asyncio.get_running_loop()
        pacer = FramePacer(config.frames_per_s, self._media_clock.start(), config.frame_lead_s, first_index=1)
        talking = asyncio.create_task(self._talk.run())
        try:
            while not self._stopped.is_set():
                tick = pacer.next_tick(clock.monotonic_s())
                await asyncio.sleep(max(0.0, tick.start_at_s - clock.monotonic_s()))
                if not track.has_room:
                    continue
                frame = await loop.run_in_executor(self._tools.frame_thread, self._maker.make, tick)
                await asyncio.sleep(max(0.0, tick.send_at_s - clock.monotonic_s()))
                if frame is None or self._stopped.is_set():
                    continue
                self._slot_of[frame.sequence] = mark.slot
                track.give(frame)
        finally:
            talking.cancel()

    def _note_sent(self, frame: SealedFrame) -> None:
        """The track handed this very frame to the network."""
        self._latency.mark("offer_to_first_frame_ms", "offer")
        self._reports.sent(frame, self._slot_of.pop(frame.sequence), self._tools.clock.utc())

    async def _hold_lease(self) -> None:
        """Step 6. Renew; when the lease is over, so is the session."""
        async def renew() -> protocol.RenewalAnswer:
            renewal = protocol.Renewal(self._lease.epoch, self._state, self._count(), self._latency.to_json())
            return await self._tools.control.renew(self._lease, renewal)

        self._stop(await keep_lease(self._lease_clock, renew, self._tools.clock))

    async def _listen(self) -> None:
        """Step 6. Everything control pushes."""
        async for event in self._tools.control.events(self._lease):
            body = event.body
            if event.kind in ("revoke", "end"):
                self._stop(str(body.get("reason") or event.kind))
            elif event.kind == "offer" and self._state == "live":
                # A manifest, its key and its recording belong to one connection. A page that was loaded again needs a
                # new conversation; the old one must not go on playing to nobody.
                self._stop("page_reloaded")
            elif event.kind == "offer":
                self._offers.put_nowait(event)
                # Nothing is shown before the answer, and control looks at the session's ground before it signs: hearing
                # the next word can wait, and control answers the viewer sooner when it is not asked twice at a time.
                await self._answered.wait()
            elif self._talk is None:
                continue
            elif event.kind == "message":
                self._latency.start("message")
                self._talk.hear(str(body.get("text") or ""), body.get("emotion"), body.get("milli"))
            elif event.kind == "emotion":
                self._talk.show(str(body.get("emotion") or ""), int(body.get("milli") or 0))
            elif event.kind == "interrupt":
                self._talk.interrupt()

    async def _report_seconds(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            if self._talk is not None and self._state == "live":
                self._talk.event("trustcore.counts", protocol.to_json(self._count()))
            await self._reports.flush()

    def _stop(self, reason: str) -> None:
        """Stop picture and sound now, for good. Safe to call again; the first reason stands."""
        if self._stopped.is_set():
            return
        self._reason = reason
        self._state = "ending"
        self._lease_clock.revoke(reason)
        for track in self._tracks or ():
            track.stop()
        self._stopped.set()
        if self._talk is not None:
            self._talk.event("trustcore.ended", {"reason": reason})

    async def _clear_up(self) -> None:
        """Step 7."""
        counters = self._count()
        self._log(f"{self._reason}; {counters}; {self._latency.to_json()}")
        if self._keys is not None:
            self._keys.wipe()
        self._keys = self._maker = self._stage = None
        gc.collect()  # the decrypted replica goes now, not at some later collection
        if self._peer is not None:
            await asyncio.sleep(FAREWELL_S)
            await self._peer.close()
        with suppress(ControlRefused, ControlUnreachable):
            await self._reports.finish(self._reason, counters, dict(self._latency.to_json()))

    # --- what the viewer's side tells (PeerListener) ---------------------------------------------------------------

    def key_frame_wanted(self) -> None:
        # A key frame is many times the size of another; who wants one asks again until it comes.
        if self._key_frames.take(self._tools.clock.monotonic_s()):
            self._encoder.request_key_frame()

    def rate_seen(self, receiver_bps: int, loss_share: float) -> None:
        now_s = self._tools.clock.monotonic_s()
        self._encoder.set_bit_rate_bps(self._governor.report(receiver_bps, loss_share, now_s))

    def channel_opened(self) -> None:
        if self._talk is not None:
            self._talk.greet()

    def channel_message(self, text: str) -> None:
        if text == KEY_FRAME_REQUEST:
            self.key_frame_wanted()
        elif self._talk is not None:
            self._talk.on_channel_message(text)

    def state_changed(self, state: str) -> None:
        if state == "connected":
            self._latency.mark("offer_to_connected_ms", "offer")
            self._connected.set()
        elif state in ("failed", "closed"):
            self._stop("viewer_left")

    # --- small things ----------------------------------------------------------------------------------------------

    def _count(self) -> protocol.Counters:
        if self._maker is not None:
            self._rendered = self._maker.rendered
        return protocol.Counters(
            rendered=self._rendered, sent=self._counters.sent, dropped=self._rendered - self._counters.sent,
            unsealed_sent=self._counters.unsealed_sent, clamped=self._reports.clamped)

    def _log(self, line: str) -> None:
        self._tools.log(f"session {self._lease.lease_id}: {line}")
