"""What a session tells control about itself: segment roots, emotions, failed parts, the recording, the end.

Nothing here may hold up a frame: it is queued, and sent once a second. What could not be sent is kept for the next try.
"""

from datetime import datetime
from typing import Any

from provenance.manifests.attest import Attested
from provenance.manifests.seal import SealedFrame
from provenance.manifests.segments import Segment, SegmentRoots
from rendering import protocol
from rendering.worker.control import ControlClient, ControlUnreachable
from rendering.worker.mark_slots import MarkSlot
from rendering.worker.stage import Shown
from trustcore.primitives.errors import Fault

MAX_KEPT_BYTES = 512 * 1024 * 1024
MAX_A_CALL = 100  # control takes 120 segments, 200 clamps and 200 emotions


class SessionReports:
    """The outgoing paper of one session."""

    def __init__(self, control: ControlClient, lease: protocol.Lease) -> None:
        self._control = control
        self._lease = lease
        self._manifest_label = self._last_label = ""
        # The init segment of the connection at hand and its sound, until its first picture is sent: without one it is
        # no run of the recording, and the next manifest does not name it.
        self._unseen: list[bytes] = []
        self._mark_slot: MarkSlot | None = None
        self._mark_slot_from = 0
        self._roots = SegmentRoots()
        self._segments: list[dict[str, Any]] = []
        self._clamps: list[dict[str, Any]] = []
        self._emotions: list[dict[str, Any]] = []
        self._rungs: list[dict[str, Any]] = []
        self._troubles: list[dict[str, Any]] = []
        self._fragments: list[bytes] = []
        self._fragment_bytes = 0
        self._frames_kept = 0
        self._is_kept = bool(lease.facts.get("recording", False))  # until there is no more room
        self.clamped = 0

    @property
    def last_label(self) -> str:
        """Of the manifest under which the last frame was sent; "" before the first one."""
        return self._last_label

    def begin(self, manifest_label: str, init_segment: bytes) -> None:
        """Frames go out under another manifest from now on. The second that was open belongs to the one before."""
        self._close(self._roots.finish())
        self._manifest_label, self._unseen = manifest_label, [init_segment]
        self._mark_slot = None  # frames are numbered anew

    def sent(self, frame: SealedFrame, mark_slot: MarkSlot, now: datetime) -> None:
        """A frame was sent: keep its very bytes for the recording; a frame of a new second closes the one before."""
        self._close(self._roots.add(frame.fragment, frame.sequence, frame.media_time_90k, now))
        self._last_label = self._manifest_label
        if mark_slot != self._mark_slot:
            self._mark_slot, self._mark_slot_from = mark_slot, frame.sequence
        if self._keep(*self._unseen, frame.fragment):
            self._frames_kept += 1
        self._unseen = []

    def sound_sent(self, packet: Attested) -> None:
        """A packet of sound was sent: keep its very bytes for the recording, between the pictures it came between."""
        if self._unseen:
            self._unseen.append(packet.fragment)
        else:
            self._keep(packet.fragment)

    def _keep(self, *fragments: bytes) -> bool:
        """Of a session that is too long for a recording the beginning is kept, picture and sound alike."""
        size = sum(map(len, fragments))
        self._is_kept = self._is_kept and self._fragment_bytes + size <= MAX_KEPT_BYTES
        if self._is_kept:
            self._fragments += fragments
            self._fragment_bytes += size
        return self._is_kept

    def _close(self, segment: Segment | None) -> None:
        if segment is not None and self._mark_slot is not None:
            self._segments.append(protocol.to_json(protocol.SegmentRoot(
                number=segment.number, first_sequence=segment.first_sequence, last_sequence=segment.last_sequence,
                root=segment.root, manifest_label=self._manifest_label, mark_slot_id=self._mark_slot.hex_id,
                mark_slot_index=self._mark_slot.slot_index, mark_slot_from=self._mark_slot_from,
                started_at=segment.started_at)))

    def emotion(self, shown: Shown, media_time_s: float) -> None:
        """The face turned to an emotion. One that was lowered is told besides, as a clamp."""
        at_s = round(media_time_s, 3)
        self._emotions.append(protocol.to_json(protocol.EmotionShown(
            shown.emotion, shown.shown_milli, shown.asked, shown.asked_milli, shown.source, shown.limited_by, at_s)))
        if shown.is_clamped:
            self.clamped += 1
            self._clamps.append({"emotion": shown.asked, "asked_milli": shown.asked_milli,
                                 "shown_milli": shown.shown_milli, "media_time_s": at_s})

    def rung(self, change: protocol.RungChanged) -> None:
        """The viewer gets something else now."""
        self._rungs.append(protocol.to_json(change))

    def part_failed(self, fault: Fault, media_time_s: float) -> None:
        """A part of the conversation failed; which and how, and nothing of what was said."""
        self._troubles.append(protocol.to_json(protocol.PartTrouble(
            str(fault.facts.get("part") or "voice"), str(fault.facts.get("trouble") or "broken"),
            round(media_time_s, 3))))

    async def flush(self) -> None:
        """Send what has gathered. An unreachable control keeps it for the next time."""
        try:
            await self._send("segments", self._segments)
            await self._send("clamps", self._clamps)
            await self._send("emotions", self._emotions)
            await self._send("rungs", self._rungs)
            await self._send("troubles", self._troubles)
        except ControlUnreachable:
            return

    async def _send(self, what: str, waiting: list[dict[str, Any]]) -> None:
        """Send in portions: control refuses too many at once, and a refusal would end the session unrecorded."""
        while waiting:
            portion = waiting[:MAX_A_CALL]
            await self._control.post(self._lease, what, {what: portion})
            del waiting[: len(portion)]

    async def finish(self, reason: str, counters: protocol.Counters, marks_ms: dict[str, float]) -> None:
        """Hand in the rest and say that it is over."""
        self._close(self._roots.finish())
        await self.flush()
        if self._frames_kept:  # without a picture there is nothing to record
            await self._control.put(self._lease, "recording", b"".join(self._fragments))
        await self._control.post(self._lease, "finish", {
            "reason": reason, "counters": protocol.to_json(counters), "marks_ms": marks_ms})
