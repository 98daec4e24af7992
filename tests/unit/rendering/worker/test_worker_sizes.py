"""A session's pictures in several sizes and rates: one open encoder each, key frames only where they must be."""

from dataclasses import replace

import av
import numpy as np
import pytest

from provenance.manifests.attest import Attestor, SessionKey
from provenance.manifests.frame_codecs import CODECS
from provenance.manifests.label import Label
from provenance.manifests.seal import SealedFrame, Sealer
from rendering.worker.encoder import EncoderSettings, VideoEncoder
from rendering.worker.frames import FrameMaker
from rendering.worker.governor import Governor, Limits, Plan
from rendering.worker.ladder import FULL, SMALL
from rendering.worker.latency import LatencyMarks
from rendering.worker.mark_slots import SlottedMark
from rendering.worker.pacing import Tick
from rendering.worker.sizes import Encoders, Labels, sizes_from
from tests.unit.rendering.worker.test_worker_slot_schedule import RELEASED
from tests.unit.rendering.worker.test_worker_tracks import QuietStage, endless, permit

LARGE, LITTLE = 256, 128


class Noise:
    """A picture that is never still."""

    def __init__(self, size_px: int) -> None:
        self._random = np.random.default_rng(size_px)
        self._base = self._random.integers(40, 200, (size_px // 8, size_px // 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
        self._count = 0

    def draw(self, _state: object) -> np.ndarray:
        self._count += 5
        moved = np.roll(self._base, self._count, axis=1)
        return np.ascontiguousarray(moved + self._random.integers(0, 12, moved.shape, dtype=np.uint8))


class Live:
    """Frames of a session in two sizes."""

    def __init__(self, codec: str = "h264") -> None:
        mark = SlottedMark(RELEASED, LARGE, LARGE)
        mark.prepare(LITTLE, LITTLE)
        settings = EncoderSettings(LARGE, LARGE, bit_rate_bps=150_000, codec=codec)
        encoder = Encoders(VideoEncoder, settings, (LARGE, LITTLE))
        labels = Labels({size: Label(size, size) for size in (LARGE, LITTLE)})
        held = permit(endless())
        sealer = Sealer(held, label=labels, embedder=mark, encoder=encoder,  # type: ignore[arg-type]
                        attestor=Attestor(SessionKey(), "urn:c2pa:test", codec=CODECS[codec]))
        self.maker = FrameMaker(
            stage=QuietStage(), renderers={size: Noise(size) for size in (LARGE, LITTLE)},  # type: ignore[arg-type]
            sealer=sealer, permit=held, mark=mark, encoder=encoder, latency=LatencyMarks())
        self.frames: list[SealedFrame] = []
        self.media_s = 0.0

    def play(self, plan: Plan, seconds: float) -> list[SealedFrame]:
        self.maker.follow(plan)
        made = []
        for _ in range(round(seconds * plan.frames_per_s)):
            frame = self.maker.make(Tick(0, self.media_s, round(self.media_s * 90_000), 0.0, 0.0, 0))
            assert isinstance(frame, SealedFrame)
            made.append(frame)
            self.media_s += 1 / plan.frames_per_s
        self.frames += made
        return made


def a_plan(size_px: int, frames_per_s: int, picture_bps: int, target_bps: int = 200_000) -> Plan:
    plan = Governor(Limits(), 0.0).plan
    return replace(plan, size_px=size_px, frames_per_s=frames_per_s, picture_bps=picture_bps, target_bps=target_bps)


def test_the_ladders_sizes_are_those_that_a_slot_can_draw() -> None:
    assert sizes_from(512) == (512, 384, 256) and sizes_from(300) == (300, 256) and sizes_from(128) == (128,)


def test_a_smaller_picture_comes_at_once_and_a_larger_one_with_a_key_frame_that_is_due() -> None:
    live = Live()
    live.play(a_plan(LARGE, 30, 200_000), 1)
    smaller = live.play(a_plan(LITTLE, 30, 100_000), 1)
    assert smaller[0].is_key and not any(frame.is_key for frame in smaller[1:])
    larger = live.play(a_plan(LARGE, 30, 200_000), 8)
    keys = [number for number, frame in enumerate(larger) if frame.is_key]
    assert len(keys) == 1 and 30 <= keys[0] <= 5 * 30 + 1
    assert _sizes(live.frames) == [LARGE] * 30 + [LITTLE] * (30 + keys[0]) + [LARGE] * (240 - keys[0])


@pytest.mark.parametrize(("frames_per_s", "bps"), [(30, 200_000), (12, 120_000), (2, 60_000)])
def test_another_rate_needs_no_key_frame_and_costs_what_is_planned(frames_per_s: int, bps: int) -> None:
    live = Live()
    live.play(a_plan(LARGE, 30, 150_000), 2)
    frames = live.play(a_plan(LARGE, frames_per_s, bps), 8)
    assert not any(frame.is_key for frame in frames)
    second_half = frames[len(frames) // 2 :]
    spent = sum(8 * len(frame.access_unit) for frame in second_half) / 4
    assert 0.7 * bps < spent < 1.35 * bps + 90 * 8 * frames_per_s


def test_the_same_encoder_in_vp8_changes_size_too() -> None:
    live = Live("vp8")
    live.play(a_plan(LARGE, 30, 150_000), 0.5)
    assert live.play(a_plan(LITTLE, 30, 100_000), 0.5)[0].is_key


def test_the_ladder_names_sizes_that_are_smaller_from_rung_to_rung() -> None:
    assert FULL.size_px > SMALL.size_px


def _sizes(frames: list[SealedFrame]) -> list[int]:
    decoder = av.CodecContext.create("h264", "r")
    pictures = [picture for frame in frames for picture in decoder.decode(av.Packet(frame.access_unit))]
    pictures += decoder.decode(None)
    return [picture.width for picture in pictures]
