"""The one place that hands bytes to WebRTC. Pictures leave only as `SealedFrame`, sound only marked and attested,
both under a permit only.

Both tracks return packets that are already encoded, which aiortc sends as they are: so one encode serves signing,
sending and recording, and what aiortc would do with its own encoder (rate changes by rebuild, one encode per peer)
does not happen.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from fractions import Fraction

import av
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from provenance.manifests.attest import Attested, Attestor
from provenance.manifests.carriage import Form
from provenance.manifests.errors import AttestationEnded, UnsealedFrame
from provenance.manifests.frame_codecs import H264_FRAMES, FrameCodec
from provenance.manifests.permit import Permit
from provenance.manifests.seal import SealCounters, SealedFrame
from rendering.worker.audio import PACKET_S, PACKET_SAMPLES, RATE_HZ, TIME_BASE, OpusEncoder
from rendering.worker.sound_mark import MarkedSound
from rendering.worker.sound_settings import SoundSettings
from trustcore.primitives.clock import Clock
from trustcore.primitives.errors import GrantExpired, GrantRevoked

VIDEO_TIME_BASE = Fraction(1, 90_000)
MAX_WAITING_FRAMES = 2


class MediaClock:
    """The session's media time: zero when the first picture may flow, shared by picture and sound."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._origin_s: float | None = None
        self._started = asyncio.Event()

    def start(self) -> float:
        """Media time zero is now, unless it was before. Returns it on the monotonic clock."""
        if self._origin_s is None:
            self._origin_s = self._clock.monotonic_s()
            self._started.set()
        return self._origin_s

    async def started(self) -> float:
        """Wait for the start; the monotonic time of media time zero."""
        await self._started.wait()
        assert self._origin_s is not None
        return self._origin_s

    def now_s(self) -> float:
        """Media time; 0 before the start."""
        return 0.0 if self._origin_s is None else self._clock.monotonic_s() - self._origin_s


class SealedVideoTrack(MediaStreamTrack):  # type: ignore[misc]  # aiortc has no types
    """Sends sealed frames in the order they come."""

    kind = "video"

    def __init__(
        self, permit: Permit, counters: SealCounters, clock: Clock, on_sent: Callable[[SealedFrame], None],
        on_unsealed: Callable[[], None],
    ) -> None:
        """`on_sent` hears of each frame at the moment it is handed over, and of no other.

        `on_unsealed` hears that something else than a sealed frame was held for sending; the session must end.
        """
        super().__init__()
        self.codec: FrameCodec = H264_FRAMES  # until the answer says otherwise
        self._on_unsealed = on_unsealed
        self._on_sent = on_sent
        self._permit = permit
        self._counters = counters
        self._clock = clock
        self._waiting: deque[SealedFrame] = deque()
        self._arrived = asyncio.Event()

    @property
    def has_room(self) -> bool:
        """False while earlier pictures still wait. A picture that would wait is not made at all."""
        return len(self._waiting) < MAX_WAITING_FRAMES

    def give(self, frame: SealedFrame) -> None:
        """Queue one frame for the next send. Only from the event loop."""
        self._waiting.append(frame)
        self._arrived.set()

    async def recv(self) -> av.Packet:
        """The next packet for aiortc.

        Raises:
            MediaStreamError: the track was stopped or the permit does not hold; the stream ends.
            UnsealedFrame: what waits is not a sealed frame; it was counted, and the stream ends.
        """
        while not self._waiting:
            self._arrived.clear()
            if self.readyState != "live":
                raise MediaStreamError
            await self._arrived.wait()
        _check_permit(self, self._permit, self._clock)
        try:
            frame = self._counters.note_sent(self._waiting.popleft(), self.codec)
        except UnsealedFrame:
            self.stop()
            self._on_unsealed()
            raise
        self._on_sent(frame)
        packet = av.Packet(frame.access_unit)
        packet.pts = frame.media_time_90k
        packet.time_base = VIDEO_TIME_BASE
        packet.is_keyframe = frame.is_key
        return packet

    def stop(self) -> None:
        super().stop()
        self._waiting.clear()
        self._arrived.set()


class SoundTrack(MediaStreamTrack):  # type: ignore[misc]  # aiortc has no types
    """Sends sound packet by packet, on the same media clock as the pictures. Silence is sent too."""

    kind = "audio"

    def __init__(
        self, permit: Permit, sound: MarkedSound, clock: Clock, media_clock: MediaClock, on_failed: Callable[[], None],
        on_sent: Callable[[Attested], None] = lambda _: None,
    ) -> None:
        """`on_failed` hears that a packet could not be marked, encoded or attested; the session must end.

        `on_sent` hears of each packet at the moment it is handed over, and of no other.
        """
        super().__init__()
        self.attestor: Attestor | None = None  # there is one before the media clock starts
        self._on_failed = on_failed
        self._on_sent = on_sent
        self._permit = permit
        self._sound = sound
        self._clock = clock
        self._media_clock = media_clock
        self._encoder = OpusEncoder()
        self._wanted = self._encoder.settings
        self._next_step = 0  # of 20 ms
        self._may_send = asyncio.Event()
        self._may_send.set()

    def follow(self, settings: SoundSettings) -> None:
        """Encode like this from the next packet on."""
        self._wanted = settings

    def pause(self) -> None:
        """Make and send nothing until `resume`; the media clock goes on, and the time between is skipped."""
        self._may_send.clear()

    def resume(self) -> None:
        self._may_send.set()

    def stop(self) -> None:
        super().stop()
        self._may_send.set()

    async def recv(self) -> av.Packet:
        """The next Opus packet for aiortc, when it is due.

        Raises:
            MediaStreamError: the track was stopped, the permit does not hold, or a packet could not be attested; the
                stream ends.
            ValueError, av.FFmpegError: a packet could not be marked or encoded; `on_failed` was told, the stream ends.
        """
        origin_s = await self._media_clock.started()
        while True:
            await self._may_send.wait()
            wait_s = origin_s + self._next_step * PACKET_S - self._clock.monotonic_s()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            elif wait_s < -0.2:
                # The loop was held up, or the viewer was away. Sound that nobody can hear in time is skipped, or it
                # would lag for good.
                self._next_step += int(-wait_s / PACKET_S)
            if not self._may_send.is_set():
                continue
            _check_permit(self, self._permit, self._clock)
            first, wanted = self._next_step * PACKET_SAMPLES, self._wanted
            self._next_step += wanted.samples // PACKET_SAMPLES
            packet = self._packet(first, wanted)
            if packet is not None:
                return packet

    def _packet(self, first: int, wanted: SoundSettings) -> av.Packet | None:
        """The packet of these samples; None while the encoder still gathers.

        Whatever fails on the way ends the session, for aiortc only logs it and would go on without sound.
        """
        is_made = False
        try:
            if wanted != self._encoder.settings:
                self._encoder = OpusEncoder(wanted, after=self._encoder)
            encoded = self._encoder.encode(self._sound.read(first, wanted.samples), first)
            packet = self._attested(bytes(encoded[0]), first) if encoded else None
            is_made = True
        finally:
            if not is_made:
                self.stop()
                self._on_failed()
        return packet

    def _attested(self, encoded: bytes, first: int) -> av.Packet:
        """Always in the compact form: a full attestation would be four times the sound itself."""
        try:
            if self.attestor is None:
                raise AttestationEnded("Sound was to be sent before there was a session manifest.")
            attested = self.attestor.attest(encoded, first * VIDEO_TIME_BASE.denominator // RATE_HZ, Form.COMPACT)
        except AttestationEnded as error:
            raise MediaStreamError from error
        packet = av.Packet(attested.access_unit)
        packet.pts, packet.time_base = first, TIME_BASE
        self._on_sent(attested)
        return packet


def _check_permit(track: MediaStreamTrack, permit: Permit, clock: Clock) -> None:
    """Stop the track unless the permit holds at this moment."""
    if track.readyState != "live":
        raise MediaStreamError
    try:
        permit.check(clock.monotonic_s())
    except (GrantRevoked, GrantExpired) as error:
        track.stop()
        raise MediaStreamError from error
