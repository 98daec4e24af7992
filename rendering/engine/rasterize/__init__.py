"""Rasterisers behind one interface: `choose()` gives one by name; `reference` is the slow truth of all."""

from __future__ import annotations

import importlib
from types import ModuleType

from rendering.engine.rasterize import cpu


def choose(backend: str = "cpu") -> ModuleType:
    """The module that draws: `Splats2D`, `forward`, `forward_parallel`, `backward_parallel`, `Painter`, `warm_up`.

    "gpu" is imported when it is asked for, because it brings torch and Triton with it.

    Raises:
        ValueError: the named backend does not exist in this build.
    """
    if backend == "cpu":
        return cpu
    if backend == "gpu":
        return importlib.import_module("rendering.engine.rasterize.gpu")
    raise ValueError(f"There is no rasteriser named {backend!r}; use 'cpu' or 'gpu'.")
