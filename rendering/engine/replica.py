"""A person's replica as a value and as two files: `model.safetensors` and `manifest.json` (docs/formats-replica.md).

Reading checks everything that drawing relies on: hashes, names, types, shapes, index ranges and finiteness.
Nothing in the files can run code.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors import numpy as safetensors_numpy

from rendering.engine import body, gaussians, landmarks
from rendering.engine.body import Body
from rendering.engine.errors import ReplicaInvalid
from rendering.engine.face_space import FEATURE_SHAPES, LAYERS, POSE_TERMS, FaceSpace
from rendering.engine.gaussians import LOG_AXES, Gaussians
from rendering.engine.mesh import Mesh

Array = np.ndarray[Any, np.dtype[Any]]

FORMAT, VERSION = "trustcore-replica", 2
MODEL_FILE, MANIFEST_FILE = "model.safetensors", "manifest.json"
MOST_BYTES = 20 * 1024 * 1024
WIDEST_JAW_GAP = 2.0  # outer eye distances
MOST_SPLATS, MOST_POINTS, MOST_SIZE_PX = 100_000, 20_000, 1024
MOST_COVER = 400.0  # times that the splats may cover the picture; trained replicas cover it 20 to 40 times


@dataclass(frozen=True)
class Replica:
    """Everything needed to draw and move one person."""

    size_px: int  # side of the square pictures it was trained at
    space: FaceSpace
    mesh: Mesh
    body: Body
    gaussians: Gaussians
    plate: Array  # [size, size, 3] uint8, what stands behind the person
    pose_coupling: Array  # [3, 3] pixels x, pixels y, log scale per deviation of yaw, pitch, roll
    facts: dict[str, Any]  # training, calibration, quality: JSON values

    @property
    def jaw_gap(self) -> float:
        """The widest usual lip opening in the footage, in outer eye distances."""
        return float(self.facts["calibration"]["jaw_gap"])

    @property
    def emotion_caps_milli(self) -> dict[str, int]:
        """Highest intensity per emotion that stays near what the footage shows."""
        return {name: int(milli) for name, milli in self.facts["calibration"]["emotion_caps_milli"].items()}

    def to_files(self) -> dict[str, bytes]:
        """The two files; numbers that are only drawn with are kept as float16."""
        # The library writes an array's memory as it lies, so the order is made sure of.
        model = safetensors_numpy.save({name: np.ascontiguousarray(t) for name, t in _tensors(self).items()})
        manifest = {
            "format": FORMAT,
            "version": VERSION,
            "size_px": self.size_px,
            "splats": len(self.gaussians),
            "files": {MODEL_FILE: {"sha256": hashlib.sha256(model).hexdigest(), "bytes": len(model)}},
            **self.facts,
        }
        text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
        return {MODEL_FILE: model, MANIFEST_FILE: text.encode()}

    @staticmethod
    def from_files(unverified_files: dict[str, bytes]) -> Replica:
        """Read and check a replica.

        Raises:
            ReplicaInvalid: a file is missing, too large or changed, or its content cannot be drawn safely.
        """
        manifest = _manifest(unverified_files)
        model = unverified_files[MODEL_FILE]
        if hashlib.sha256(model).hexdigest() != _named_hash(manifest):
            raise ReplicaInvalid("The replica's model file is not the one its manifest names.")
        try:
            tensors = safetensors_numpy.load(model)
        except (SafetensorError, ValueError, KeyError, TypeError) as error:  # the latter two: types numpy has not
            raise ReplicaInvalid("The replica's model file is not readable; train it again.") from error
        size_px = manifest.get("size_px")
        if not isinstance(size_px, int) or not 32 <= size_px <= MOST_SIZE_PX:
            raise ReplicaInvalid("The replica's picture size is missing or out of range.")
        _check(tensors, size_px)
        known = ("format", "version", "size_px", "splats", "files")
        facts = {key: value for key, value in manifest.items() if key not in known}
        return _assemble(tensors, size_px, facts)


def _manifest(files: dict[str, bytes]) -> dict[str, Any]:
    if not {MODEL_FILE, MANIFEST_FILE} <= set(files):
        raise ReplicaInvalid(f"A replica needs the files {MODEL_FILE} and {MANIFEST_FILE}.")
    if sum(len(content) for content in files.values()) > MOST_BYTES:
        raise ReplicaInvalid("The replica's files are larger than 20 MiB.")
    try:
        manifest = json.loads(files[MANIFEST_FILE])
    except (ValueError, RecursionError) as error:
        raise ReplicaInvalid("The replica's manifest is not JSON.") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT or manifest.get("version") != VERSION:
        raise ReplicaInvalid(f"The manifest is not of {FORMAT} version {VERSION}.")
    calibration = manifest.get("calibration")
    if not isinstance(calibration, dict) or not {"jaw_gap", "emotion_caps_milli"} <= set(calibration):
        raise ReplicaInvalid("The manifest lacks the calibration of lips and emotions.")
    gap, caps = calibration["jaw_gap"], calibration["emotion_caps_milli"]
    if type(gap) not in (int, float) or not 0 < gap <= WIDEST_JAW_GAP:
        raise ReplicaInvalid("The manifest's jaw gap is no opening of a mouth.")
    if not isinstance(caps, dict) or not all(type(milli) is int and 0 <= milli <= 1000 for milli in caps.values()):
        raise ReplicaInvalid("The manifest's limits of emotions are not whole thousandths from 0 to 1000.")
    return manifest


def _named_hash(manifest: dict[str, Any]) -> Any:
    files = manifest.get("files")
    named = files.get(MODEL_FILE) if isinstance(files, dict) else None
    return named.get("sha256") if isinstance(named, dict) else None


def _tensors(replica: Replica) -> dict[str, Array]:
    space, mesh, splats = replica.space, replica.mesh, replica.gaussians
    return {
        "space.mean": space.mean, "space.basis": space.basis.astype(np.float16),
        "space.deviations": space.deviations, "space.lows": space.lows, "space.highs": space.highs,
        "space.pose_shapes": space.pose_shapes, "space.pose_mean": space.pose_mean,
        "space.pose_deviations": space.pose_deviations, "space.pose_lows": space.pose_lows,
        "space.pose_highs": space.pose_highs, "space.neutral": space.neutral,
        "mesh.rest": mesh.rest, "mesh.triangles": mesh.triangles.astype(np.uint16),
        "mesh.layers": mesh.layers.astype(np.uint8), "mesh.head_share": mesh.head_share,
        "mesh.jaw_share": mesh.jaw_share, "mesh.anchor_px": mesh.anchor_px,
        "body.by_pose": replica.body.by_pose, "body.breath_px": replica.body.breath_px,
        "splats.triangles": splats.triangles.astype(np.uint16),
        "splats.barycentrics": splats.barycentrics.astype(np.float16),
        "splats.values": splats.values.astype(np.float16),
        "plate": replica.plate, "pose_coupling": replica.pose_coupling,
    }  # fmt: skip


def _expected(tensors: dict[str, Array], size_px: int) -> dict[str, tuple[type, tuple[int, ...]]]:
    """Type and shape of every tensor, given the five free sizes."""
    k, v, m = (len(tensors[name]) for name in ("space.deviations", "mesh.rest", "mesh.jaw_share"))
    t, n = len(tensors["mesh.triangles"]), len(tensors["splats.triangles"])
    points = landmarks.COUNT
    vector: dict[str, tuple[type, tuple[int, ...]]] = {
        f"space.{name}": (np.float32, (k,)) for name in ("deviations", "lows", "highs", "neutral")
    }
    poses: dict[str, tuple[type, tuple[int, ...]]] = {
        f"space.pose_{name}": (np.float32, (6,)) for name in ("mean", "deviations", "lows", "highs")
    }
    return {
        **vector, **poses,
        "space.mean": (np.float32, (points, 3)), "space.basis": (np.float16, (k, points, 3)),
        "space.pose_shapes": (np.float32, (POSE_TERMS, points, 3)),
        "mesh.rest": (np.float32, (v, 3)), "mesh.triangles": (np.uint16, (t, 3)),
        "mesh.layers": (np.uint8, (t,)), "mesh.head_share": (np.float32, (max(v - m - points, 0),)),
        "mesh.jaw_share": (np.float32, (m,)), "mesh.anchor_px": (np.float32, (2,)),
        "body.by_pose": (np.float32, (body.PLACES, body.TERMS)), "body.breath_px": (np.float32, (1,)),
        "splats.triangles": (np.uint16, (n,)), "splats.barycentrics": (np.float16, (n, 3)),
        "splats.values": (np.float16, (n, gaussians.VALUES)),
        "plate": (np.uint8, (size_px, size_px, 3)), "pose_coupling": (np.float32, (3, 3)),
    }  # fmt: skip


def _check(tensors: dict[str, Array], size_px: int) -> None:
    sizes = ("space.deviations", "mesh.rest", "mesh.jaw_share", "mesh.triangles", "splats.triangles")
    if any(name not in tensors or tensors[name].ndim == 0 for name in sizes):
        raise ReplicaInvalid("The replica's model file lacks a tensor.")
    expected = _expected(tensors, size_px)
    if set(tensors) != set(expected):
        raise ReplicaInvalid("The replica's model file lacks a tensor or holds one too many.")
    for name, (kind, shape) in expected.items():
        if tensors[name].dtype != kind or tensors[name].shape != shape:
            raise ReplicaInvalid(f"The replica's tensor {name} has another type or shape than the format says.")
        if not np.isfinite(tensors[name].astype(np.float32)).all():
            raise ReplicaInvalid(f"The replica's tensor {name} holds values that are not finite.")
    count, points = len(tensors["splats.triangles"]), len(tensors["mesh.rest"])
    if not 1 <= count <= MOST_SPLATS or not landmarks.COUNT < points <= MOST_POINTS:
        raise ReplicaInvalid("The replica has too many or too few splats or mesh points.")
    if len(tensors["space.deviations"]) < FEATURE_SHAPES or min(
        tensors["space.deviations"].min(), tensors["space.pose_deviations"].min()
    ) < 1e-6:
        raise ReplicaInvalid("The replica's shape space has too few or degenerate coefficients.")
    # Kernels index without bounds checks, so the indices are proved here.
    if tensors["mesh.triangles"].max(initial=0) >= points:
        raise ReplicaInvalid("A triangle of the replica names a point that does not exist.")
    if tensors["mesh.layers"].max(initial=0) >= LAYERS:
        raise ReplicaInvalid("A triangle of the replica lies in a layer that does not exist.")
    if tensors["splats.triangles"].max(initial=0) >= len(tensors["mesh.triangles"]):
        raise ReplicaInvalid("A splat of the replica names a triangle that does not exist.")
    if (times := _cover(tensors["splats.values"], size_px)) > MOST_COVER:
        raise ReplicaInvalid(f"The replica's splats cover its picture {times:.0f} times; it would draw for seconds.")


def _cover(values: Array, size_px: int) -> float:
    """How many times the splats cover the picture at rest: each to three deviations, and once at most."""
    sides_px = np.minimum(6 * np.exp(np.minimum(values[:, LOG_AXES : LOG_AXES + 2].astype(np.float32), 20.0)), size_px)
    return float(sides_px.prod(axis=1).sum() / size_px**2)


def _assemble(tensors: dict[str, Array], size_px: int, facts: dict[str, Any]) -> Replica:
    space = FaceSpace(**{
        name.removeprefix("space."): np.ascontiguousarray(value, np.float32)
        for name, value in tensors.items()
        if name.startswith("space.")
    })  # fmt: skip
    mesh = Mesh(
        tensors["mesh.rest"], tensors["mesh.triangles"].astype(np.int32), tensors["mesh.layers"].astype(np.int32),
        tensors["mesh.head_share"], tensors["mesh.jaw_share"], tensors["mesh.anchor_px"],
    )  # fmt: skip
    bodily = Body(tensors["body.by_pose"], tensors["body.breath_px"])
    splats = Gaussians(
        tensors["splats.triangles"].astype(np.int32),
        tensors["splats.barycentrics"].astype(np.float32),
        tensors["splats.values"].astype(np.float32),
    )
    return Replica(size_px, space, mesh, bodily, splats, tensors["plate"], tensors["pose_coupling"], facts)
