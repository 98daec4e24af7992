"""Rasterisers behind one interface: `choose()` gives the fastest that works here; `reference` is the slow truth."""

from __future__ import annotations

from types import ModuleType

from rendering.engine.rasterize import cpu


def choose(backend: str = "auto") -> ModuleType:
    """The module that draws: it has `Splats2D`, `forward`, `forward_parallel`, `backward_parallel`, `warm_up`.

    Raises:
        ValueError: the named backend does not exist in this build.
    """
    if backend in ("auto", "cpu"):
        return cpu
    raise ValueError(f"There is no rasteriser named {backend!r}; use 'auto' or 'cpu'.")
