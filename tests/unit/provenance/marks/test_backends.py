"""Every mark behind the seam carries a slot id, and says no more than it can."""

import hashlib
import io

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.marks import payload
from provenance.marks.backends import MarkBackend, MarkContext, OwnMark, RivaGanMark, TorchScriptMark, WaveletMark
from provenance.marks.backends.messages import Framing
from provenance.marks.errors import FrameTooSmall, MarkModelUnusable
from provenance.marks.keys import MarkKey
from provenance.marks.planes import Planes, planes_of
from tests.common.moving_frames import talking_frames

SLOT_ID = 0xFEDC_BA98_7654_3210
KEY = MarkKey(bytes(range(32)), "test")
SIZE = 256


class Stripes(torch.nn.Module):
    """A scripted mark with Video Seal's interface: one secret noise picture a bit."""

    def __init__(self, bits: int, size: int) -> None:
        super().__init__()
        noise = torch.randn(bits, size, size, generator=torch.Generator().manual_seed(1))
        self.register_buffer("noise", noise / bits**0.5)

    def forward(self, imgs: torch.Tensor, msgs: torch.Tensor) -> torch.Tensor:
        return self.embed(imgs, msgs)

    @torch.jit.export
    def embed(self, imgs: torch.Tensor, msgs: torch.Tensor) -> torch.Tensor:
        signs = (msgs * 2.0 - 1.0)[:, :, None, None]
        return (imgs + 0.08 * (signs * self.noise[None]).sum(dim=1, keepdim=True)).clamp(0.0, 1.0)

    @torch.jit.export
    def detect(self, imgs: torch.Tensor) -> torch.Tensor:
        grey = imgs.mean(dim=1)
        bits = torch.einsum("bhw,khw->bk", grey - grey.mean(), self.noise)
        return torch.cat([torch.ones_like(bits[:, :1]), bits], dim=1)


def model_file(module: torch.nn.Module) -> tuple[bytes, str]:
    """A scripted module as the bytes of a file, and their SHA-256."""
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.script(module), buffer)
    return buffer.getvalue(), hashlib.sha256(buffer.getvalue()).hexdigest()


def marked_clip(backend: MarkBackend, count: int, size: int = SIZE) -> list[Planes]:
    frames = [planes_of(frame.copy()) for frame in talking_frames(count, size, seed=3)]
    for number, frame in enumerate(frames):
        backend.embed(frame, MarkContext(SLOT_ID, slot_index=5, frame_number=number))
    return frames


def torchscript(bits: int) -> TorchScriptMark:
    content, digest = model_file(Stripes(bits, SIZE))
    return TorchScriptMark(content, digest, bits)


@pytest.mark.parametrize(
    ("make", "frames"),
    [
        pytest.param(lambda: OwnMark(KEY), 1, id="own"),
        pytest.param(lambda: WaveletMark("dwtDctSvd"), 1, id="dwtDctSvd"),
        pytest.param(RivaGanMark, 12, id="rivaGan"),
        pytest.param(lambda: torchscript(32), 12, id="torchscript-32"),
        pytest.param(lambda: torchscript(250), 1, id="torchscript-250"),
    ],
)
def test_a_mark_carries_the_slot_id(make, frames):
    backend = make()
    clip = marked_clip(backend, frames)
    assert backend.soft_bits(clip).payload() == SLOT_ID


def test_dwtdct_votes_for_most_bits_of_a_clean_clip():
    backend = WaveletMark("dwtDct")
    soft = backend.soft_bits(marked_clip(backend, 3, 512))
    right = np.mean((soft.values > 0) == (payload.encode(SLOT_ID) > 0))
    assert right > 0.65  # far from all: the package does not read even its own clean output without errors


@pytest.mark.parametrize("backend", [OwnMark(KEY), WaveletMark("dwtDctSvd")], ids=["own", "dwtDctSvd"])
def test_an_unmarked_clip_carries_nothing(backend):
    clip = [planes_of(frame) for frame in talking_frames(2, SIZE, seed=4)]
    assert backend.soft_bits(clip).payload() is None
    assert backend.soft_bits([]).payload() is None


def test_another_key_reads_nothing():
    clip = marked_clip(OwnMark(KEY), 2)
    assert OwnMark(MarkKey(bytes(32), "other")).soft_bits(clip).payload() is None


@settings(max_examples=30, deadline=None)
@given(capacity=st.integers(24, 300), slot_id=st.integers(0, 2**64 - 1), first=st.integers(0, 50))
def test_a_message_comes_back_from_frames_of_any_capacity(capacity, slot_id, first):
    framing = Framing.of(capacity)
    frames = [framing.bits(payload.encode(slot_id), first + n) for n in range(framing.parts)]
    assert all(frame.shape == (capacity,) for frame in frames)
    soft = framing.gathered(2.0 * np.stack(frames).astype(np.float32) - 1.0)
    assert payload.decode(soft) == slot_id


def test_a_mark_of_too_few_bits_is_refused():
    with pytest.raises(ValueError, match="at least 24"):
        Framing.of(23)


def test_a_frame_that_is_too_small_is_refused():
    frame = planes_of(next(iter(talking_frames(1, 128, seed=1))))
    with pytest.raises(FrameTooSmall):
        WaveletMark("dwtDctSvd").embed(frame, MarkContext(SLOT_ID))


class TestModelFile:
    def test_only_the_pinned_bytes_are_loaded(self):
        content, digest = model_file(Stripes(32, SIZE))
        with pytest.raises(MarkModelUnusable, match="SHA-256"):
            TorchScriptMark(content + b"x", digest, 32)

    def test_a_file_that_is_no_model(self):
        with pytest.raises(MarkModelUnusable, match="not a TorchScript"):
            TorchScriptMark(b"no model", hashlib.sha256(b"no model").hexdigest(), 32)

    def test_a_model_without_the_two_methods(self):
        content, digest = model_file(torch.nn.Linear(2, 2))
        with pytest.raises(MarkModelUnusable, match="no `embed`"):
            TorchScriptMark(content, digest, 32)

    def test_a_model_of_another_capacity(self):
        content, digest = model_file(Stripes(32, SIZE))
        with pytest.raises(MarkModelUnusable, match="40 bits"):
            TorchScriptMark(content, digest, 40).soft_bits(marked_clip(OwnMark(KEY), 1))

    def test_a_model_for_another_size_leaves_the_frame_alone(self):
        content, digest = model_file(Stripes(32, 128))
        frame = planes_of(next(iter(talking_frames(1, SIZE, seed=1))).copy())
        before = [plane.copy() for plane in frame]
        with pytest.raises(MarkModelUnusable, match="`embed`"):
            TorchScriptMark(content, digest, 32).embed(frame, MarkContext(SLOT_ID))
        assert all(np.array_equal(one, other) for one, other in zip(before, frame, strict=True))
