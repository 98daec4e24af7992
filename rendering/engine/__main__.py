"""Compile the drawing kernels ahead of time: `python -m rendering.engine`. Run at set-up and when a slot starts."""

from __future__ import annotations

import time

from rendering.engine.renderer import warm_up

if __name__ == "__main__":
    began = time.monotonic()
    warm_up()
    print(f"drawing kernels ready after {time.monotonic() - began:.1f} s")
