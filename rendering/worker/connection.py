"""One connection of a session to its viewer, with all that belongs to it alone: certificate, session key, manifest,
tracks, frame numbers. A viewer who comes back gets another one, and nothing of the one before is used again.
"""

import asyncio
from contextlib import suppress
from typing import Any, Protocol

from provenance.manifests.attest import Attested, Attestor, SessionKey
from provenance.manifests.errors import AttestationEnded
from provenance.manifests.frame_codecs import CODECS, OPUS_PACKETS
from provenance.manifests.permit import Permit
from provenance.manifests.seal import SealCounters, SealedFrame
from rendering.dialogue.seams import Hop
from rendering.worker.governor import LineReport, Plan
from rendering.worker.mark_slots import MarkSlot
from rendering.worker.microphone import MICROPHONES
from rendering.worker.peer import Peer
from rendering.worker.sizes import Encoders
from rendering.worker.sound_mark import MarkedSound
from rendering.worker.tracks import MediaClock, SealedVideoTrack, SoundTrack
from trustcore.primitives.clock import Clock

ATTESTATION_ENDED = AttestationEnded.code.replace(".", "_")  # why a session ends whose sound could not be attested
UNSEALED_FRAME = "unsealed_frame"  # why a session ends in which a frame without seal was held for sending
RESEND_BPS_AT_FIRST = 30_000
LINE_REPORT = "line "  # from a page, once a second; behind it the share of the second in which the picture stood still
MAX_SHARE_CHARS = 8
SILENT_AFTER_S = 3.0  # browsers report about once a second what they received; this many missed are a lost line
FAREWELL_S = 0.15  # the last message on the data channel needs a moment before the connection closes


class Host(Protocol):
    """The session, as its connections see it."""

    def end(self, reason: str) -> None: ...

    def note_sent(self, frame: SealedFrame, slot: MarkSlot) -> None:
        """The track handed this very frame to the network; `slot`: whose mark is in its picture."""

    def note_sound_sent(self, packet: Attested) -> None:
        """The track handed this very packet to the network."""

    def line_changed(self, connection: "Connection") -> None:
        """It was made, was lost, or says something again."""

    def channel_opened(self, connection: "Connection") -> None: ...

    def channel_message(self, text: str) -> None: ...

    def key_frame_wanted(self) -> None: ...

    def line_reported(self, connection: "Connection", report: LineReport) -> None:
        """The viewer's side said something of the line."""

    def heard(self, hop: Hop) -> None:
        """20 ms of the viewer's voice, in order, some time after they were spoken."""

    def failed(self, error: BaseException) -> None:
        """No further hop will come on this connection."""


class Connection:
    """Peer, tracks and key of one connection. Hears what the viewer's side does (`PeerListener`)."""

    def __init__(
        self, host: Host, permit: Permit, counters: SealCounters, sound: MarkedSound, clock: Clock,
        media_clock: MediaClock, encoder: Encoders, *, ice_servers: list[dict[str, Any]],
        microphone: str = "own", is_relayed: bool = False,
    ) -> None:
        """Prepare it; it sends nothing before `begin`, and only what was sealed after it. Hears from the start."""
        self.key = SessionKey()
        self.connected = asyncio.Event()
        self._host = host
        self._clock = clock
        self._slot_of: dict[int, MarkSlot] = {}  # by the sequence of a frame that waits to be sent
        self._heard_at_s = clock.monotonic_s()
        self._is_over = False
        self._is_paused = True
        self._has_sound = True  # whether the rung of the ladder has any
        self._has_shown = False
        self._picture = SealedVideoTrack(
            permit, counters, clock, self._note_sent, lambda: host.end(UNSEALED_FRAME))
        self._sound = SoundTrack(
            permit, sound, clock, media_clock, lambda: host.end(ATTESTATION_ENDED), host.note_sound_sent)
        self._sound.pause()
        voice = MICROPHONES[microphone](host.heard, media_clock.now_s)
        self.peer = Peer(
            self._picture, self._sound, self, resend_bps=RESEND_BPS_AT_FIRST, video_codec=encoder.settings.codec,
            ice_servers=ice_servers, voice=voice, is_relayed=is_relayed)
        self._hearing = asyncio.create_task(voice.run())
        self._hearing.add_done_callback(self._note_hearing_over)

    @property
    def has_room(self) -> bool:
        return self._picture.has_room

    @property
    def has_shown(self) -> bool:
        """Whether a picture left on this connection."""
        return self._has_shown

    @property
    def is_up(self) -> bool:
        """Whether the viewer's side is there: connected, and heard a moment ago."""
        is_heard = self._clock.monotonic_s() - self._heard_at_s < SILENT_AFTER_S
        return self.connected.is_set() and not self._is_over and is_heard

    def begin(self, label: str, codec: str) -> Attestor:
        """There is a manifest of this label for this connection: returns what attests its pictures."""
        self._picture.codec = CODECS[codec]
        self._sound.attestor = Attestor(self.key, label, codec=OPUS_PACKETS)
        return Attestor(self.key, label, codec=self._picture.codec)

    def give(self, frame: SealedFrame, slot: MarkSlot) -> None:
        """Queue one frame for the next send."""
        self._slot_of[frame.sequence] = slot
        self._picture.give(frame)

    def follow(self, plan: Plan) -> None:
        """Send sound, and packets again, as planned. Pictures are made as planned elsewhere."""
        self.peer.resends.set_rate(plan.resend_bps)
        self._sound.follow(plan.sound)
        self._has_sound = plan.rung.has_sound
        if self._has_sound:
            self._let_sound_go()
        else:
            self._sound.pause()

    def pause(self) -> None:
        """No sound is made or sent until `resume`. Pictures are the session's to hold back."""
        self._is_paused = True
        self._sound.pause()

    def resume(self) -> None:
        self._is_paused = False
        self._let_sound_go()

    def _let_sound_go(self) -> None:
        # The log has an entry for each second of pictures, and a recording a run where there was one. Sound alone, to
        # a viewer who takes no picture, would be in neither.
        if self._has_shown and self._has_sound and not self._is_paused:
            self._sound.resume()

    def stop(self) -> None:
        """Picture and sound end now, for good; what waits is dropped."""
        self._is_over = True
        self._hearing.cancel()
        self._picture.stop()
        self._sound.stop()

    async def close(self, last_words: str = "") -> None:
        """Send `last_words`, or let those arrive that were sent just now, and close it."""
        self._hearing.cancel()
        if not last_words or self.peer.send_text(last_words):
            await asyncio.sleep(FAREWELL_S)
        await self.peer.close()

    def _note_hearing_over(self, hearing: asyncio.Task[None]) -> None:
        if not hearing.cancelled() and (error := hearing.exception()) is not None:
            self._host.failed(error)

    def _note_sent(self, frame: SealedFrame) -> None:
        self._host.note_sent(frame, self._slot_of.pop(frame.sequence))
        self._has_shown = True
        self._let_sound_go()

    # --- what the viewer's side tells (PeerListener) ---------------------------------------------------------------

    def heard(self) -> None:
        was_up = self.is_up
        self._heard_at_s = self._clock.monotonic_s()
        if not was_up:
            self._host.line_changed(self)

    def state_changed(self, state: str) -> None:
        if state == "connected":
            self._heard_at_s = self._clock.monotonic_s()
            self.connected.set()
        elif state in ("failed", "closed"):
            self._is_over = True
        self._host.line_changed(self)

    def line_reported(self, report: LineReport) -> None:
        self._host.line_reported(self, report)

    def key_frame_wanted(self) -> None:
        self._host.key_frame_wanted()

    def channel_opened(self) -> None:
        self._host.channel_opened(self)

    def channel_message(self, text: str) -> None:
        if not text.startswith(LINE_REPORT):
            self._host.channel_message(text)
            return
        self.heard()
        with suppress(ValueError):  # it can only make its own picture smaller, and what makes no sense is ignored
            self._host.line_reported(self, LineReport(frozen_share=share_of(text.removeprefix(LINE_REPORT))))


def share_of(text: str) -> float:
    """A share, 0..1, as a page writes it. Raises ValueError for anything else."""
    share = float(text[:MAX_SHARE_CHARS])
    if not 0.0 <= share <= 1.0:
        raise ValueError("A share lies between 0 and 1.")
    return share
