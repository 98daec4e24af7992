"""The parts of a frame on a GPU: the planes stay on the device from the first splat to the mark.

Only label, mark and encoder meet planes, and each takes them where they are; the encoder's part fetches them. Imports
torch and Triton, so nothing imports this module before a GPU is wanted.
"""

from typing import Any

import numpy as np
import torch
from av import VideoFrame
from numpy.typing import NDArray

from provenance.manifests.label import Label
from provenance.manifests.seal import RawFrame
from provenance.marks.gpu import GpuEmbedder
from provenance.marks.keys import MarkKey
from rendering.engine.rasterize.gpu import DEVICE
from rendering.engine.renderer import GpuRenderer
from rendering.engine.replica import Replica
from rendering.worker.encoder import EncoderSettings, VideoEncoder
from rendering.worker.frame_parts import FrameParts


def raw_frame(renderer: Any, state: Any, media_time_90k: int) -> RawFrame:
    """Draw and convert on the device; the planes are torch tensors there."""
    return RawFrame(*renderer.draw_planes(state), media_time_90k)


class DeviceLabel(Label):
    """The visible label, burned into planes on the device: the same whole-number sum as `Label.burn`."""

    def __init__(self, width: int, height: int, language: str = "en") -> None:
        super().__init__(width, height, language)
        parts = (self._keep_y, self._add_y, self._keep_c, self._add_c)
        self._on_device = tuple(torch.from_numpy(part.astype(np.int32)).to(DEVICE) for part in parts)

    def burn(self, y: Any, u: Any, v: Any) -> None:
        """Blend the label into I420 planes (torch uint8 on the device), in place."""
        top, left, bottom, right = self.box
        keep_y, add_y, keep_c, add_c = self._on_device
        _blend(y[top:bottom, left:right], keep_y, add_y)
        for plane in (u, v):
            _blend(plane[top // 2 : bottom // 2, left // 2 : right // 2], keep_c, add_c)


def _blend(region: torch.Tensor, keep: torch.Tensor, add: torch.Tensor) -> None:
    region.copy_(((region.int() * keep + add) >> 8).byte())


class DeviceEmbedder:
    """`GpuEmbedder` with the changes of slot that `Embedder` knows."""

    def __init__(self, key: MarkKey, slot_id: int, slot_index: int, width: int, height: int) -> None:
        self._made_for = (key, slot_id)
        self._size = (width, height)
        self.rekey(slot_index)

    def rekey(self, slot_index: int) -> None:
        """Go on with the pattern of another slot."""
        self._embedder = GpuEmbedder(*self._made_for, slot_index, *self._size, device=DEVICE)

    def embed(self, y: torch.Tensor, u: torch.Tensor, v: torch.Tensor) -> None:
        """Mark one frame on the device, in place."""
        self._embedder.embed(y, u, v)


class DeviceEncoder(VideoEncoder):
    """Fetches its planes from the device. NVENC where the GPU has one, else libx264 on the processor."""

    def __init__(self, settings: EncoderSettings) -> None:
        super().__init__(settings, prefers_nvenc=torch.cuda.is_available())

    def _picture(self, y: Any, u: Any, v: Any, media_time_90k: int, is_key: bool) -> VideoFrame:
        on_host: list[NDArray[np.uint8]] = [plane.cpu().numpy() for plane in (y, u, v)]
        return super()._picture(*on_host, media_time_90k, is_key)


def _renderer(replica: Replica, size_px: int, most_splats: int | None) -> GpuRenderer:
    return GpuRenderer(replica, size_px, most_splats=most_splats)


GPU_PARTS = FrameParts("gpu", _renderer, raw_frame, DeviceLabel, DeviceEmbedder, DeviceEncoder)
