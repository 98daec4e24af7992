"""How good a replica is on footage it never saw, and what it cost: the fit against showing the nearest seen frame.

    make bench NAME=train           SIZE=256  SEEDS=1  ITERATIONS=20000  TIME_LIMIT_S=270

Uses ../shared/data/subjects/asha/footage.mp4 where it is, else the clip of the in-tree person. With SEEDS=3 the figures
are means and `spread` gives the largest distance between two seeds; `wall_s` is always one seed's.
"""

from __future__ import annotations

import json
import os
import resource
import time
from pathlib import Path
from typing import Any

from rendering.training.__main__ import show
from rendering.training.config import TrainingConfig
from rendering.training.fit import train
from rendering.training.redetection import track_frames
from trustcore.tracker import MOST_VIEWS, track_clip

SUBJECT = Path(__file__).resolve().parents[3] / "shared/data/subjects/asha/footage.mp4"
SCORES = {
    "psnr_full": "psnr_full_db", "psnr_face": "psnr_face_db", "psnr_mouth": "psnr_mouth_db", "ssim": "ssim",
    "gmsd": "gmsd",
}  # fmt: skip
COMPARED = ("speech", "nearest_frame", "frozen", "shuffled", "blurred", "raw_landmarks")


def footage() -> tuple[str, bytes]:
    """Name and bytes of the footage to train on."""
    if SUBJECT.exists():
        return "asha/footage.mp4", SUBJECT.read_bytes()
    from rendering.demo.clips import committed_footage

    return "in-tree person", committed_footage()


def figures(quality: dict[str, Any]) -> dict[str, float]:
    """The figures of one report under the benchmark's short names."""
    found = {short: quality["held_out"][long] for short, long in SCORES.items()}
    for name in COMPARED:
        found |= {f"{name}_{short}": quality[name][long] for short, long in SCORES.items() if quality[name]}
    found |= {"gain_full_db": quality["gain_full_db"], "gain_face_db": quality["gain_face_db"]}
    found |= quality["redetected"] or {}
    return found | {"draw_cpu_ms": quality["draw_cpu_ms"]}


def main() -> None:
    """Print progress and, last, one JSON object."""
    size_px, seeds = int(os.environ.get("SIZE", "256")), int(os.environ.get("SEEDS", "1"))
    name, media = footage()
    began = time.monotonic()
    print(f"tracking {name}", flush=True)
    clip = track_clip(media, want=frozenset({"landmarks", "mask"}), size=size_px, views=MOST_VIEWS)
    track_s = time.monotonic() - began
    rows: list[dict[str, float]] = []
    for seed in range(1, seeds + 1):
        config = TrainingConfig(
            size_px=size_px, seed=seed, iterations=int(os.environ.get("ITERATIONS", "20000")),
            time_limit_s=float(os.environ.get("TIME_LIMIT_S", "270" if size_px <= 256 else "620")),
        )  # fmt: skip
        began, worked = time.monotonic(), time.process_time()
        result = train(clip, config, on_progress=show, detect=track_frames)
        rows.append({
            **figures(result.report["quality"]), "wall_s": round(time.monotonic() - began, 1),
            "cpu_s": round(time.process_time() - worked, 1),
            "iterations": result.report["training"]["iterations_done"],
            "replica_mb": round(result.report["replica_bytes"] / 1e6, 2),
        })  # fmt: skip
        print(json.dumps({"seed": seed, **rows[-1]}), flush=True)
    spread = {key: round(max(row[key] for row in rows) - min(row[key] for row in rows), 3) for key in rows[0]}
    print(json.dumps({
        **{key: round(sum(row[key] for row in rows) / len(rows), 4) for key in rows[0]},
        "controls_fail": result.report["quality"]["controls_fail"],
        "spread": spread if seeds > 1 else None, "seeds": seeds, "track_wall_s": round(track_s, 1),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024), "size_px": size_px,
        "training_frames": result.report["training"]["training_frames"], "footage": name,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
