"""How a replica moves: the mouth with speech, and everything that speech does not decide.

    make bench NAME=motion

The mouth's figures are made by `motion_mouth`, those of head, brows, gaze and blinks by `motion_life`.
"""

from __future__ import annotations

import json

from tests.benchmarks import motion_life, motion_mouth


def main() -> None:
    """Print progress and, last, one JSON object."""
    mouth = motion_mouth.measure()
    print("head, eyes and idle", flush=True)
    life = motion_life.measure()
    cpu_ms = float(mouth["mouth_cpu_ms_per_frame"]) + float(life.get("life_cpu_ms_per_frame", 0.0))
    print(json.dumps({**mouth, **life, "cpu_ms_per_frame": round(cpu_ms, 2)}))


if __name__ == "__main__":
    main()
