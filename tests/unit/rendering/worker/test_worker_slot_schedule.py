"""Mark slots: never shorter than five seconds, never longer than ten (thirty at low rates), begun in key frames."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.manifests.attest import Attestor, SessionKey
from provenance.manifests.label import Label
from provenance.manifests.permit import LeaseClock
from provenance.manifests.seal import SealedFrame, Sealer
from provenance.marks.keys import MarkKey
from rendering.worker.encoder import EncodeFailed, EncoderSettings, VideoEncoder
from rendering.worker.frames import FrameMaker
from rendering.worker.latency import LatencyMarks
from rendering.worker.mark_slots import MarkKeysInvalid, SlottedMark
from rendering.worker.slot_schedule import SlotSchedule
from tests.unit.rendering.worker.test_worker_tracks import SIZE, Grey, QuietStage, permit, tick
from trustcore.primitives.signing import b64

RELEASED = {"epoch_key": b64(bytes(32)), "slot_id": "00000000000000ab", "first_index": 62}
HZ = 90_000

pictures = st.lists(
    st.tuples(st.integers(1, 5 * HZ), st.booleans(), st.booleans()), max_size=300,
)  # time since the one before, a key frame anyway, a low rate


@given(pictures)
def test_slots_last_as_long_as_they_may_and_begin_in_key_frames(told: list[tuple[int, bool, bool]]) -> None:
    schedule, at, begins = SlotSchedule(), 0, [0]
    for step, is_key, is_low in told:
        at += step
        age = at - begins[-1]
        if schedule.is_over(at, is_key=is_key, is_low_rate=is_low):
            # One that did not wait for a key frame waited to the end: there it asks for one.
            assert is_key or age >= (30 if is_low else 10) * HZ
            begins.append(at)
        assert at - begins[-1] < (30 if is_low else 10) * HZ
    assert all(b - a >= 5 * HZ for a, b in pairwise(begins))


@given(st.lists(st.booleans(), min_size=900, max_size=900))
def test_a_natural_key_frame_after_five_seconds_is_taken_and_one_before_is_not(keys: list[bool]) -> None:
    schedule, began = SlotSchedule(), 0
    for frame, is_key in enumerate(keys[1:], start=1):
        is_over = schedule.is_over(frame * 3000, is_key=is_key, is_low_rate=False)
        assert is_over == ((is_key and frame - began >= 150) or frame - began >= 300)
        began = frame if is_over else began


def test_a_rate_that_rises_ends_a_slot_that_only_a_low_rate_may_have() -> None:
    schedule = SlotSchedule()
    assert not schedule.is_over(29 * HZ, is_key=False, is_low_rate=True)
    assert schedule.is_over(29 * HZ + 3000, is_key=False, is_low_rate=False)


@pytest.mark.parametrize("spoil", [
    {"epoch_key": "?"}, {"epoch_key": b64(bytes(31))}, {"slot_id": "xyz"}, {"slot_id": None}, {"first_index": "x"},
])
def test_a_release_without_usable_mark_keys_is_refused(spoil: dict[str, Any]) -> None:
    with pytest.raises(MarkKeysInvalid):
        SlottedMark(RELEASED | spoil, SIZE, SIZE)
    with pytest.raises(MarkKeysInvalid):
        SlottedMark(None, SIZE, SIZE)


# --- the same with a real encoder ---------------------------------------------------------------------------------


class Live:
    """Frames of a session as its frame thread makes them."""

    def __init__(self, codec: str = "h264", bit_rate_bps: int = 600_000) -> None:
        self.mark = SlottedMark(RELEASED, SIZE, SIZE)
        self.encoder = VideoEncoder(EncoderSettings(SIZE, SIZE, bit_rate_bps=bit_rate_bps, codec=codec))
        held = permit(LeaseClock(1e12))
        sealer = Sealer(held, label=Label(SIZE, SIZE), embedder=self.mark, encoder=self.encoder,
                        attestor=Attestor(SessionKey(), "urn:c2pa:test"))
        self.maker = FrameMaker(
            stage=QuietStage(), renderers={SIZE: Grey()}, sealer=sealer, permit=held, mark=self.mark,  # type: ignore[arg-type]
            encoder=self.encoder, latency=LatencyMarks())
        self.frames: list[tuple[bool, int]] = []  # key frame, slot

    def play(self, count: int) -> None:
        for _ in range(count):
            frame = self.maker.make(tick(len(self.frames)))
            assert isinstance(frame, SealedFrame)
            self.frames.append((frame.is_key, self.mark.slot.slot_index))

    def changes(self) -> list[int]:
        found = [n for n, (one, other) in enumerate(pairwise(self.frames), start=1) if one[1] != other[1]]
        assert all(self.frames[n][0] for n in found)
        return found

    def keys(self) -> list[int]:
        return [n for n, (is_key, _) in enumerate(self.frames) if is_key]


def test_left_alone_a_slot_ends_after_ten_seconds_and_there_is_no_other_key_frame() -> None:
    live = Live()
    live.play(650)
    assert live.changes() == [300, 600] and live.keys() == [0, 300, 600]


def test_a_key_frame_that_a_viewer_asks_for_begins_the_next_slot_once_it_is_due() -> None:
    live = Live()
    live.play(100)
    live.encoder.request_key_frame()  # too early for a new slot
    live.play(80)
    live.encoder.request_key_frame()
    live.play(320)
    assert live.changes() == [180, 480] and live.keys() == [0, 100, 180, 480]


def test_at_a_low_rate_no_key_frame_is_made_for_the_mark_before_thirty_seconds() -> None:
    live = Live(bit_rate_bps=150_000)
    live.play(950)
    assert live.changes() == live.keys()[1:] == [900]


def test_a_vp8_encoder_that_is_opened_anew_begins_the_next_slot() -> None:
    encoder = VideoEncoder(EncoderSettings(SIZE, SIZE, codec="vp8"))
    mark = SlottedMark(RELEASED, SIZE, SIZE)
    grey = np.full((SIZE, SIZE), 120, np.uint8)
    encoder.encode(grey, grey[::2, ::2], grey[::2, ::2], 0)
    assert not encoder.is_next_key()
    encoder.set_bit_rate_bps(400_000)
    assert encoder.is_next_key()
    assert mark.turn_for(6 * HZ, is_key=encoder.is_next_key(), is_low_rate=False)
    assert encoder.encode(grey, grey[::2, ::2], grey[::2, ::2], 6 * HZ).is_key and not encoder.is_next_key()


def test_a_first_picture_of_a_slot_that_is_dropped_leaves_the_next_a_key_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    live = Live()
    live.play(300)

    def no_packet(*_: Any) -> None:
        live.encoder.request_key_frame()
        raise EncodeFailed("dropped")

    with monkeypatch.context() as broken:
        broken.setattr(live.encoder, "encode", no_packet)
        assert live.maker.make(tick(300)) is None
    frame = live.maker.make(tick(301))
    assert isinstance(frame, SealedFrame) and frame.is_key and live.mark.slot.slot_index == 63


def test_slots_are_counted_modulo_64_and_keep_the_sessions_id() -> None:
    mark = SlottedMark(RELEASED, SIZE, SIZE)
    seen = []
    for number in range(1, 4):
        assert mark.turn_for(number * 10 * HZ, is_key=False, is_low_rate=False)
        seen.append((mark.slot.slot_id, mark.slot.slot_index))
    assert seen == [(0xAB, 63), (0xAB, 0), (0xAB, 1)]
    assert mark.to_json(60.0) == ({"slot_id": "00000000000000ab", "start_ms": 0, "end_ms": 60_000},)


def test_each_slot_is_embedded_with_its_own_signs() -> None:
    mark = SlottedMark(RELEASED, 256, 256)
    marked = []
    for at_s in (0, 10):
        mark.turn_for(at_s * HZ, is_key=False, is_low_rate=False)
        y, chroma = np.full((256, 256), 120, np.uint8), np.full((128, 128), 128, np.uint8)
        mark.embed(y, chroma, chroma.copy())
        marked.append(y)
    assert mark.key == MarkKey(bytes(32)) and np.any(marked[0] != marked[1])
