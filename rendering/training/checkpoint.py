"""A fit in the middle, as bytes: everything the fit changes and everything random that it was built on."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors import numpy as safetensors_numpy

from rendering.engine import body
from rendering.engine.face_space import FaceSpace
from rendering.engine.gaussians import Gaussians
from rendering.engine.mesh import Mesh
from rendering.training.config import TrainingConfig
from rendering.training.errors import CheckpointMismatch
from rendering.training.scene import Scene

Array = np.ndarray[Any, np.dtype[Any]]
# Settings that may differ when a run is taken up again: they do not change what is fitted.
FREE_SETTINGS = frozenset(
    {"threads", "rasterizer", "progress_every_s", "preview_every_s", "checkpoint_every_s", "report_frames"}
)

DECODED_ALIKE = 8  # levels of 255 that a glimpse of the same footage may differ by
_MOMENTS = ("first", "second", "plate_first", "plate_second", "follow", "follow_first", "follow_second")


@dataclass
class FitState:
    """What the optimiser changes. Arrays are updated in place."""

    scene: Scene
    first: Array  # [N, VALUES] first moments
    second: Array
    plate_first: Array  # [S, S, 3]
    plate_second: Array
    follow: Array  # [PLACES, TERMS + P] how skull and torso go with pose and signals, in `following.units`
    follow_first: Array
    follow_second: Array
    iteration: int = 0
    spent_s: float = 0.0  # time in the fit, over all its pieces

    @staticmethod
    def start(scene: Scene, signals: int) -> FitState:
        """The state before the first iteration, for so many signals of a frame."""
        values, plate = scene.gaussians.values, scene.plate
        zeros = np.zeros_like
        follow = np.zeros((body.PLACES, body.TERMS + signals), np.float32)
        return FitState(
            scene, zeros(values), zeros(values), zeros(plate), zeros(plate), follow, zeros(follow), zeros(follow)
        )


def to_bytes(state: FitState, config: TrainingConfig, footage: Array) -> bytes:
    """The state as safetensors; moments of the splats are kept in full so that a resumed run takes the same path.

    `footage`: what it was fitted to, as `datasets.glimpses` gives it.
    """
    scene = state.scene
    tensors = {f"space.{field.name}": getattr(scene.space, field.name) for field in fields(FaceSpace)}
    tensors |= {f"mesh.{field.name}": getattr(scene.mesh, field.name) for field in fields(Mesh)}
    tensors |= {f"splats.{field.name}": getattr(scene.gaussians, field.name) for field in fields(Gaussians)}
    tensors |= {
        "plate": scene.plate, "first": state.first, "second": state.second,
        "plate_first": state.plate_first, "plate_second": state.plate_second,
        "follow": state.follow, "follow_first": state.follow_first, "follow_second": state.follow_second,
        "footage": footage,
    }  # fmt: skip
    facts = {
        "settings": asdict(config), "iteration": state.iteration, "spent_s": state.spent_s,
    }  # fmt: skip
    whole = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    return bytes(safetensors_numpy.save(whole, {"facts": json.dumps(facts)}))


def from_bytes(checkpoint: bytes, config: TrainingConfig, footage: Array) -> FitState:
    """The state of a checkpoint made with the same settings of the same `footage` (`datasets.glimpses`).

    Raises:
        CheckpointMismatch: the settings that shape the result differ, the footage does, or it is none of this program.
    """
    try:
        facts, tensors = _opened(checkpoint)
        settings, iteration, spent_s = dict(facts["settings"]), int(facts["iteration"]), float(facts["spent_s"])
        scene = Scene(
            FaceSpace(**_part(tensors, "space.")), Mesh(**_part(tensors, "mesh.")),
            Gaussians(**_part(tensors, "splats.")), tensors["plate"],
        )  # fmt: skip
        state = FitState(scene, **{name: tensors[name] for name in _MOMENTS}, iteration=iteration, spent_s=spent_s)
        seen = tensors["footage"]
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise CheckpointMismatch("its form") from error
    for name, value in asdict(config).items():
        if name not in FREE_SETTINGS and settings.get(name) != value:
            raise CheckpointMismatch(name)
    # Another machine may decode and crop a picture a little differently.
    if seen.shape != footage.shape or np.abs(seen.astype(int) - footage).max(initial=0) > DECODED_ALIKE:
        raise CheckpointMismatch("the footage")
    return state


def _opened(checkpoint: bytes) -> tuple[dict[str, Any], dict[str, Array]]:
    length = int.from_bytes(checkpoint[:8], "little")
    facts = json.loads(json.loads(checkpoint[8 : 8 + length])["__metadata__"]["facts"])
    return facts, {name: array.copy() for name, array in safetensors_numpy.load(checkpoint).items()}


def _part(tensors: dict[str, Array], prefix: str) -> dict[str, Array]:
    return {name.removeprefix(prefix): array for name, array in tensors.items() if name.startswith(prefix)}
