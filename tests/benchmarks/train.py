"""How good a replica is on footage it never saw, and what it cost: the fit against showing the nearest seen frame.

    make bench NAME=train           SIZE=256  ITERATIONS=7000  TIME_LIMIT_S=225

Uses ../shared/data/subjects/asha/footage.mp4 where it is, else the clip of the in-tree person.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from rendering.training.__main__ import show
from rendering.training.config import TrainingConfig
from rendering.training.fit import train
from trustcore.tracker import track_clip

SUBJECT = Path(__file__).resolve().parents[3] / "shared/data/subjects/asha/footage.mp4"


def footage() -> tuple[str, bytes]:
    """Name and bytes of the footage to train on."""
    if SUBJECT.exists():
        return "asha/footage.mp4", SUBJECT.read_bytes()
    from rendering.demo.clips import committed_footage

    return "in-tree person", committed_footage()


def main() -> None:
    """Print progress and, last, one JSON object."""
    size_px = int(os.environ.get("SIZE", "256"))
    config = TrainingConfig(
        size_px=size_px,
        iterations=int(os.environ.get("ITERATIONS", "7000")),
        time_limit_s=float(os.environ.get("TIME_LIMIT_S", "225")),
    )
    name, media = footage()
    began, worked = time.monotonic(), time.process_time()
    print(f"tracking {name}", flush=True)
    clip = track_clip(media, want=frozenset({"landmarks", "mask"}), size=size_px)
    tracked = time.monotonic()
    result = train(clip, config, on_progress=show)
    quality = result.report["quality"]
    held_out, nearest = quality["held_out"], quality["nearest_frame"]
    print(json.dumps({
        "psnr_full": held_out["psnr_full_db"], "psnr_face": held_out["psnr_face_db"],
        "psnr_mouth": held_out["psnr_mouth_db"], "ssim": held_out["ssim"],
        "retrieval_psnr_full": nearest["psnr_full_db"], "retrieval_psnr_face": nearest["psnr_face_db"],
        "retrieval_psnr_mouth": nearest["psnr_mouth_db"],
        "wall_s": round(time.monotonic() - tracked, 1), "track_wall_s": round(tracked - began, 1),
        "cpu_s": round(time.process_time() - worked, 1), "iterations": result.report["training"]["iterations_done"],
        "replica_mb": round(result.report["replica_bytes"] / 1e6, 2), "draw_cpu_ms": quality["draw_cpu_ms"],
        "size_px": size_px, "footage": name,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
