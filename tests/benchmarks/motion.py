"""How a replica moves: the mouth with speech, and everything that speech does not decide.

    make bench NAME=motion

The mouth's figures are made by `motion_mouth`, those of head, brows, gaze and blinks by `motion_life`.
"""

from __future__ import annotations

import importlib
import importlib.util
import json

PARTS = ("motion_mouth", "motion_life")


def main() -> None:
    """Print progress and, last, one JSON object."""
    figures: dict[str, object] = {}
    cpu_ms = 0.0
    for part in PARTS:
        name = f"tests.benchmarks.{part}"
        if importlib.util.find_spec(name) is None:
            print(f"{part} is not there and left out", flush=True)
            continue
        found = importlib.import_module(name).measure()
        cpu_ms += float(found.get(f"{part.removeprefix('motion_')}_cpu_ms_per_frame", 0.0))
        figures.update(found)
    print(json.dumps({**figures, "cpu_ms_per_frame": round(cpu_ms, 2)}))


if __name__ == "__main__":
    main()
