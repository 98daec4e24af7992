"""A learned mark that the user brings as a TorchScript file, with the methods that Video Seal's published files have:

    embed(pictures float32 [B, 3, H, W] in 0..1, bits float32 [B, K]) -> marked pictures, same shape and range
    detect(pictures) -> float32 [B, K] or [B, 1 + K], perhaps with trailing places; positive means 1

(facebookresearch/videoseal, docs/using_wam_jit.md; the extra first channel is a detection mask.) Such a file is a
program: only the bytes that the user has named by their SHA-256 are ever loaded. Nothing is fetched.
"""

import hashlib
import io
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from provenance.marks import payload
from provenance.marks.backends.colour import rgb_of, write_rgb
from provenance.marks.backends.messages import Framing
from provenance.marks.backends.seam import MarkContext, SoftBits
from provenance.marks.errors import MarkModelUnusable
from provenance.marks.planes import Planes

FULL = 255.0


class TorchScriptMark:
    """A user's model: as fast, as robust and as free of false positives as it is. This class promises none of it."""

    def __init__(self, content: bytes, sha256: str, capacity: int, *, name: str = "torchscript") -> None:
        """Load a model.

        Args:
            content: the file's bytes.
            sha256: hex digest that the user has pinned.
            capacity: bits that the model carries in one frame (K).

        Raises:
            MarkModelUnusable: other bytes than those pinned, no TorchScript, or no `embed` and `detect` in it.
            ValueError: fewer than 24 bits.
        """
        if hashlib.sha256(content).hexdigest() != sha256.lower():
            raise MarkModelUnusable("This model is not the file whose SHA-256 was given.")
        self.name = name
        self._framing = Framing.of(capacity)
        self._model = _loaded(content)

    @torch.no_grad()
    def embed(self, planes: Planes, context: MarkContext) -> None:
        """Mark one frame in place.

        Raises:
            MarkModelUnusable: the model fails, or gives something that is not this picture's size.
        """
        bits = self._framing.bits(payload.encode(context.slot_id), context.frame_number)
        pictures = _tensor(planes)
        marked = self._call("embed", pictures, torch.from_numpy(bits.astype(np.float32))[None])
        if marked.shape != pictures.shape:
            raise MarkModelUnusable("This model gives pictures of another size than it was given.")
        _write(planes, marked)

    @torch.no_grad()
    def soft_bits(self, frames: Iterable[Planes]) -> SoftBits:
        """The model's answers for all frames, added up. Raises MarkModelUnusable."""
        seen = [self._frame_bits(self._call("detect", _tensor(frame))) for frame in frames]
        stacked = np.asarray(seen, dtype=np.float32).reshape(-1, self._framing.capacity)
        return SoftBits(self._framing.gathered(stacked))

    def _frame_bits(self, answer: torch.Tensor) -> NDArray[np.float32]:
        capacity = self._framing.capacity
        if answer.ndim < 2 or answer.shape[0] != 1 or answer.shape[1] not in (capacity, capacity + 1):
            raise MarkModelUnusable(f"This model does not answer with {capacity} bits a picture.")
        spread = answer.flatten(start_dim=2).mean(dim=2) if answer.ndim > 2 else answer
        return np.asarray(spread[0, -capacity:].float().numpy(), dtype=np.float32)

    def _call(self, method: str, *arguments: torch.Tensor) -> torch.Tensor:
        try:
            answer = getattr(self._model, method)(*arguments)
        except (RuntimeError, AttributeError) as error:
            raise MarkModelUnusable(f"This model's `{method}` does not take these pictures: {error}") from error
        if not isinstance(answer, torch.Tensor) or not bool(torch.isfinite(answer).all()):
            raise MarkModelUnusable(f"This model's `{method}` gives no usable numbers.")
        return answer


def _loaded(content: bytes) -> Any:
    try:
        model = torch.jit.load(io.BytesIO(content), map_location="cpu").eval()  # type: ignore[no-untyped-call]
    except (RuntimeError, ValueError) as error:
        raise MarkModelUnusable("This file is not a TorchScript model.") from error
    if not all(hasattr(model, method) for method in ("embed", "detect")):
        raise MarkModelUnusable("This model has no `embed` and `detect`.")
    return model


def _tensor(planes: Planes) -> torch.Tensor:
    """RGB float32 [1, 3, H, W] in 0..1."""
    return torch.from_numpy(np.ascontiguousarray(rgb_of(planes).transpose(2, 0, 1)))[None].float() / FULL


def _write(planes: Planes, marked: torch.Tensor) -> None:
    rgb = (marked[0].clamp(0.0, 1.0) * FULL).round().to(torch.uint8).permute(1, 2, 0).numpy()
    write_rgb(planes, np.asarray(rgb, dtype=np.uint8))
