"""What a frame is made with on this machine: one set of parts for processors, one for a GPU, the same way for both.

The session does not know which set it has. The order of the steps, permit to attestation, is `Sealer`'s in both.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provenance.manifests.label import Label
from provenance.manifests.seal import RawFrame
from provenance.marks.embed import Embedder
from rendering.engine.renderer import Renderer
from rendering.engine.replica import Replica
from rendering.worker.encoder import EncoderSettings, VideoEncoder

DRIVER = Path("/proc/driver/nvidia/version")


@dataclass(frozen=True)
class FrameParts:
    """Makers of the parts, and the way from a face state to raw planes."""

    name: str  # "cpu" or "gpu"
    renderer: Callable[[Replica, int, int | None], Renderer]  # replica, size (px), most splats
    raw_frame: Callable[[Any, Any, int], RawFrame]  # renderer, face state, media time (1/90000 s)
    label: Callable[[int, int, str], Label]  # width, height (px), language
    embedder: Callable[..., Any]  # as `Embedder`
    encoder: Callable[[EncoderSettings], VideoEncoder]


def drawn_frame(renderer: Any, state: Any, media_time_90k: int) -> RawFrame:
    """Draw on the processor and convert there."""
    return RawFrame.from_rgb(renderer.draw(state), media_time_90k)


def _cpu_renderer(replica: Replica, size_px: int, most_splats: int | None) -> Renderer:
    return Renderer(replica, size_px, most_splats=most_splats)


CPU_PARTS = FrameParts("cpu", _cpu_renderer, drawn_frame, Label, Embedder, VideoEncoder)


def choose(setting: str) -> FrameParts:
    """The parts for "cpu", "gpu", or "auto": the GPU where torch can use one.

    torch is imported only where a driver is installed: it is large, and a worker on processors does without it.
    """
    if setting == "cpu" or (setting == "auto" and not DRIVER.exists()):
        return CPU_PARTS
    import torch

    if setting == "auto" and not torch.cuda.is_available():
        return CPU_PARTS
    from rendering.worker.gpu_parts import GPU_PARTS

    return GPU_PARTS
