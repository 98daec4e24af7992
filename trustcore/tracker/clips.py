"""What the tracker is allowed to spend on a clip, and what it hands back."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

LANDMARKS = 478  # MediaPipe face mesh with refined irises
PCM_RATE_HZ = 16_000
MIB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """Bounds on one clip. What lies outside is refused with a code; the process that decodes cannot exceed them."""

    max_bytes: int = 750 * MIB
    min_seconds: float = 0.5
    max_seconds: float = 190.0
    min_side_px: int = 96
    max_side_px: int = 4096
    min_fps: float = 5.0
    max_fps: float = 30.0  # faster footage is thinned to this, never refused
    max_output_side_px: int = 384  # short side of the frames handed back when no `size` is asked for
    max_work_side_px: int = 720  # short side of what is looked at; landmarks gain nothing from more pixels
    allows_stills: bool = False  # PNG, JPEG and WebP, each as a clip of one frame
    skip_s: float = 0.0  # of the clip are passed over
    read_s: float = 0.0  # after these the reading ends, as if the clip ended there; 0: the whole clip
    max_output_bytes: int = 3072 * MIB
    min_face_share: float = 0.5  # of all frames; below this the clip has no usable face
    max_memory_bytes: int = 4096 * MIB
    max_cpu_s: int = 900
    max_wall_s: float = 1200.0


@dataclass(frozen=True)
class TrackedClip:
    """One decoded and tracked clip. T frames of H x W pixels; time 0 is the first frame, for sound as well."""

    frames: npt.NDArray[np.uint8]  # [T, H, W, 3] RGB, read-only
    fps: float  # mean over the clip
    frame_time_s: npt.NDArray[np.float64]  # [T], starts at 0, strictly rising
    pcm: npt.NDArray[np.int16]  # [N] mono, empty when the clip has no sound
    pcm_rate: int  # Hz
    landmarks: npt.NDArray[np.float32]  # [T, 478, 3] pixels of `frames`, x right, y down, z away; NaN: no face
    face_count: npt.NDArray[np.uint8]  # [T], 2 means two or more
    mask: npt.NDArray[np.uint8] | None  # [T, H, W], 255 = person
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """Length from the first frame to the end of the last."""
        return len(self.frame_time_s) / self.fps

    @property
    def has_face(self) -> npt.NDArray[np.bool_]:
        """[T] True where the landmarks of a face were found."""
        found: npt.NDArray[np.bool_] = np.isfinite(self.landmarks[:, 0, 0])
        return found


@dataclass(frozen=True)
class TrackedSound:
    """The sound of a file by itself; time 0 is where it begins."""

    pcm: npt.NDArray[np.int16]  # [N] mono, N > 0, read-only
    pcm_rate: int  # Hz
