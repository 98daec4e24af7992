"""The viewer's microphone as the conversation hears it: packets in, hops out. PURE: the time is passed in."""


import numpy as np

from rendering.dialogue.hearing.opus import OpusDecoder, samples_of
from rendering.dialogue.hearing.receive_buffer import RTP_RATE_HZ, Packet, Piece, ReceiveBuffer
from rendering.dialogue.hearing.voice_activity import VoiceActivity
from rendering.dialogue.seams import HEARING_RATE_HZ, HOP_SAMPLES, Hop, Samples

_STEP = RTP_RATE_HZ // HEARING_RATE_HZ
LEAK_S_PER_S = 0.005  # how fast a line that became slower is believed


class CaptureClock:
    """When a sample was heard, on the media clock: by the packets that came quickest.

    A packet that was held up arrives late and was heard no later, so the smallest distance between arrival and sample
    count is the line's own delay. It may grow slowly, or a viewer's clock that runs slow would never be followed.
    """

    def __init__(self) -> None:
        self._offset_s: float | None = None
        self._seen_s = 0.0
        self._last_s = 0.0

    def see(self, heard_s: float, arrived_s: float) -> None:
        """Sound that lies `heard_s` into the line was there at `arrived_s`."""
        offset_s = arrived_s - heard_s
        if self._offset_s is not None:
            leak_s = LEAK_S_PER_S * max(0.0, arrived_s - self._seen_s)
            offset_s = min(offset_s, self._offset_s + leak_s)
        self._offset_s, self._seen_s = offset_s, arrived_s

    def at_s(self, heard_s: float) -> float:
        """Media time of that sample; it never goes back."""
        self._last_s = max(self._last_s, (self._offset_s or 0.0) + heard_s)
        return self._last_s

    def restart(self) -> None:
        self._offset_s = None


class HopCutter:
    """Sound of any length to hops of HOP_SAMPLES."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self._pcm = np.zeros(0, np.int16)
        self._is_concealed = np.zeros(0, bool)

    def push(self, pcm: Samples, *, is_concealed: bool) -> list[tuple[Samples, bool]]:
        """[N] more samples; the hops that are whole by now, and whether any sample of each was made up."""
        self._pcm = np.concatenate((self._pcm, pcm))
        self._is_concealed = np.concatenate((self._is_concealed, np.full(len(pcm), is_concealed)))
        whole = len(self._pcm) // HOP_SAMPLES * HOP_SAMPLES
        hops = [(self._pcm[at : at + HOP_SAMPLES], bool(self._is_concealed[at : at + HOP_SAMPLES].any()))
                for at in range(0, whole, HOP_SAMPLES)]
        self._pcm, self._is_concealed = self._pcm[whole:], self._is_concealed[whole:]
        return hops

    @property
    def waiting(self) -> int:
        """Samples that are not a whole hop yet."""
        return len(self._pcm)


class OpusLine:
    """One stream of Opus packets, through the receive buffer and libopus, with the speech of each hop."""

    def __init__(self, voice_activity: VoiceActivity) -> None:
        self.buffer = ReceiveBuffer(samples_of)
        self._decoder = OpusDecoder()
        self._cutter = HopCutter()
        self._clock = CaptureClock()
        self._voice_activity = voice_activity

    @property
    def due_s(self) -> float | None:
        return self.buffer.due_s

    def push(self, packet: Packet, now_s: float) -> None:
        self.buffer.push(packet, now_s)

    def restart(self) -> None:
        self.buffer.restart()

    def take(self, now_s: float) -> list[Hop]:
        return [hop for piece in self.buffer.take(now_s) for hop in self._hops_of(piece, now_s)]

    def _hops_of(self, piece: Piece, now_s: float) -> list[Hop]:
        if piece.kind == "restart":
            self._cutter.restart()
            self._clock.restart()
            self._decoder.reset()
            self._voice_activity.reset()
            return []
        pcm, is_concealed = self._sound_of(piece)
        if piece.kind == "packet":
            self._clock.see(piece.end / RTP_RATE_HZ, now_s)
        hops = self._cutter.push(_of_length(pcm, piece.samples // _STEP), is_concealed=is_concealed)
        end = piece.end // _STEP - self._cutter.waiting - HOP_SAMPLES * len(hops)
        return [
            Hop(pcm, self._clock.at_s((end + HOP_SAMPLES * number) / HEARING_RATE_HZ), self._voice_activity.push(pcm),
                is_concealed)
            for number, (pcm, is_concealed) in enumerate(hops, 1)]

    def _sound_of(self, piece: Piece) -> tuple[Samples, bool]:
        match piece.kind:
            case "packet":
                pcm, is_read = self._decoder.decode(piece.payload, piece.samples)
                return pcm, not is_read
            case "recover":
                return self._decoder.recover(piece.payload, piece.samples), True
            case "conceal":
                return self._decoder.conceal(piece.samples), True
            case _:
                return np.zeros(piece.samples // _STEP, np.int16), False


def _of_length(pcm: Samples, length: int) -> Samples:
    """Cut or padded with silence: what a hostile packet holds may differ from what it says."""
    return pcm[:length] if len(pcm) >= length else np.concatenate((pcm, np.zeros(length - len(pcm), np.int16)))
