"""Draws a replica: a face state in, a picture out. One renderer per thread; it holds its buffers."""

from __future__ import annotations

from typing import Any

import numpy as np

from rendering.engine import body, contact, features, gaussians, landmarks, rasterize
from rendering.engine.face_space import FEATURES, LAYERS, FaceSpace
from rendering.engine.gaussians import Gaussians
from rendering.engine.mesh import Mesh
from rendering.engine.motion import controls
from rendering.engine.replica import Replica
from rendering.engine.state import FaceState
from rendering.engine.thinning import thinned

Array = np.ndarray[Any, np.dtype[Any]]
SMALLEST_PX, LARGEST_PX = 64, 1024
RESIDUAL_LIMIT = 1.6  # how far one control's unseen movement may be driven, in amounts


class Renderer:
    """Draws one replica at one size.

        renderer = Renderer(replica, 256)       # compiles or loads kernels: do this before the session is live
        picture = renderer.draw(state)          # [256, 256, 3] uint8 RGB, a fresh array each time

    `most_splats`: where drawing all would take too long, draw so many (`thinning`).

    Raises:
        ValueError: the size lies outside 64..1024 pixels.
    """

    def __init__(self, replica: Replica, size_px: int, backend: str = "cpu", *, most_splats: int | None = None) -> None:
        if not SMALLEST_PX <= size_px <= LARGEST_PX:
            raise ValueError(f"The picture size must lie between {SMALLEST_PX} and {LARGEST_PX} pixels.")
        self._replica = replica
        self._size_px = size_px
        self._zoom = np.float32(size_px / replica.size_px)
        self._controls = controls.build(replica.space, replica.jaw_gap)
        backdrop = scale_picture(replica.plate.astype(np.float32) / 255, size_px)
        splats = thinned(replica.gaussians, most_splats)
        self._painter = rasterize.choose(backend).Painter(replica.mesh, splats, backdrop)
        self._draw_mesh(replica.mesh.rest, np.zeros((LAYERS, FEATURES), np.float32), 1.0)

    @property
    def size_px(self) -> int:
        """Side of the square pictures."""
        return self._size_px

    @property
    def space(self) -> FaceSpace:
        """The space that the person's face moves in."""
        return self._replica.space

    def draw(self, state: FaceState) -> Array:
        """The picture [size, size, 3] uint8 of a face state."""
        return self._draw_mesh(*self._placed(state))

    def _placed(self, state: FaceState) -> tuple[Array, Array, float]:
        """Mesh points [V, 3] of the training size, features and scale of a state."""
        face, coefficients = self.face(state)
        breath = self._replica.body.breathing(state.breath)
        return self._placed_points(face, coefficients, state.pose.vector(), breath)

    def face(self, state: FaceState) -> tuple[Array, Array]:
        """Canonical face points [478, 3] and shape coefficients [K] of a state."""
        space, basis = self._replica.space, self._controls
        coefficients = space.hold(space.neutral + state.amounts @ basis.coefficients)
        unseen = np.clip(state.amounts, -RESIDUAL_LIMIT, RESIDUAL_LIMIT)
        face = space.shape(coefficients, state.pose.vector()) + np.tensordot(unseen, basis.residuals, 1)
        return contact.close(np.asarray(face, np.float32), state.closure), coefficients

    def draw_tracked(self, coefficients: Array, pose_vector: Array, extra: Array | None = None) -> Array:
        """The picture of a tracked frame: shape coefficients [K] and pose [6] as the fit saw them.

        `extra`: [body.PLACES] what the frames around this one say about skull and torso beyond its own pose.
        """
        face = self._replica.space.shape(coefficients, pose_vector)
        around = np.zeros(body.PLACES, np.float32) if extra is None else extra
        return self.draw_points(face, coefficients, pose_vector, around)

    def draw_points(self, face: Array, coefficients: Array, vector: Array, extra: Array) -> Array:
        """The picture of canonical face points [478, 3]; coefficients, pose and `extra` as in `draw_tracked`."""
        return self._draw_mesh(*self._placed_points(face, coefficients, vector, extra))

    def _placed_points(
        self, face: Array, coefficients: Array, vector: Array, extra: Array
    ) -> tuple[Array, Array, float]:
        replica = self._replica
        skull, torso = replica.body.places(vector, body.terms(replica.space, vector), extra)
        vertices = replica.mesh.place(face, vector, skull, torso)
        return vertices, features.rows(replica.space, coefficients, vector), float(np.exp(vector[5]))

    def _draw_mesh(self, vertices: Array, features: Array, scale: float) -> Array:
        return np.asarray(self._painter.paint(vertices * self._zoom, features, float(scale * self._zoom)))


class GpuRenderer(Renderer):
    """A renderer whose pictures can stay on the graphics processor, for whoever marks and converts them there."""

    def __init__(self, replica: Replica, size_px: int, *, most_splats: int | None = None) -> None:
        super().__init__(replica, size_px, "gpu", most_splats=most_splats)

    def draw_planes(self, state: FaceState) -> tuple[Any, Any, Any]:
        """The picture of a state as I420 planes on the device: torch uint8 [size, size], [size/2, size/2] twice.

        Limited range BT.601; the size must be even.
        """
        vertices, features, scale = self._placed(state)
        planes = self._painter.paint_planes(vertices * self._zoom, features, float(scale * self._zoom))
        return planes[0], planes[1], planes[2]


def warm_up() -> None:
    """Compile, or load from the cache, every kernel of a live frame. Seconds the first time on a machine."""
    rasterize.choose().warm_up()
    points = np.zeros((landmarks.COUNT, 3), np.float32)
    none = np.zeros(0, np.float32)
    triangle = np.array([[0, 1, 2]], np.int32)
    mesh = Mesh(points, triangle, np.zeros(1, np.int32), none, none, np.zeros(2, np.float32))
    splats = Gaussians(
        np.zeros(1, np.int32), np.full((1, 3), 1 / 3, np.float32), np.zeros((1, gaussians.VALUES), np.float32)
    )
    painter = rasterize.choose().Painter(mesh, splats, np.zeros((16, 16, 3), np.float32))
    painter.paint(points, np.zeros((LAYERS, FEATURES), np.float32), 1.0)


def scale_picture(picture: Array, size_px: int) -> Array:
    """A square float picture [S, S, 3] scaled to another size, bilinear."""
    side = picture.shape[0]
    if side == size_px:
        return np.ascontiguousarray(picture, np.float32)
    places = (np.arange(size_px) + 0.5) * side / size_px - 0.5
    low = np.clip(np.floor(places).astype(int), 0, side - 1)
    high = np.minimum(low + 1, side - 1)
    part = np.clip(places - low, 0, 1).astype(np.float32)
    rows = picture[low] * (1 - part)[:, None, None] + picture[high] * part[:, None, None]
    return np.ascontiguousarray(rows[:, low] * (1 - part)[None, :, None] + rows[:, high] * part[None, :, None])
