"""How often the detector sees a mark where there is none: 10,000 pictures looked at aligned, 300 searched.

`make bench NAME=mark_false_positives`; the last line is one JSON object. The baseline is the Gaussian that the presence
statistic would follow if the signs of the key were coins. Every 100 pictures have a key of their own, because the bound
is one over keys. `FRAMES`, `STILLS` and `TIME_LIMIT_S` (for the stills, 8 s each on a slow core) change the run;
`RESUME=FILE` keeps the stills' results there and goes on where an earlier run stopped.
"""

import hashlib
import json
import math
import multiprocessing
import os
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from provenance.marks.detect import detect
from provenance.marks.keys import MarkKey
from provenance.marks.search import search
from provenance.marks.verdicts import MarkReading, Verdict
from tests.common.picture_changes import planes
from tests.common.unmarked_pictures import unmarked_picture

FRAMES = 10_000
STILLS = 300
CHUNK = 100
PROCESSES = 2
TIME_LIMIT_S = 3600.0
SIZES = ((512, 512), (256, 256), (640, 360), (360, 640), (480, 480))  # (width, height)
Scored = tuple[float, bool]  # the statistic, and whether a mark was claimed


def key_of(number: int, purpose: str) -> MarkKey:
    """A key that no picture knows."""
    return MarkKey(hashlib.sha256(f"{purpose}/{number}".encode()).digest(), purpose)


def _scored(reading: MarkReading) -> Scored:
    return reading.z, reading.verdict is not Verdict.NO_MARK


def aligned_chunk(chunk: int) -> list[Scored]:
    """A hundred pictures of one size, one by one, with one key."""
    cv2.setNumThreads(1)
    width, height = SIZES[chunk % len(SIZES)]
    key = key_of(chunk, "aligned")
    numbers = range(chunk * CHUNK, (chunk + 1) * CHUNK)
    return [_scored(detect([planes(unmarked_picture(number, width, height))], key)) for number in numbers]


def searched_still(number: int) -> Scored:
    """One picture of any shape, searched with a key of its own."""
    cv2.setNumThreads(1)
    width, height = SIZES[number % len(SIZES)]
    return _scored(search([planes(unmarked_picture(1_000_000 + number, width, height))], key_of(number, "searched")))


def _share_beyond(z: float) -> float:
    return math.erfc(z / math.sqrt(2))  # both signs


def distribution(scored: list[Scored]) -> dict[str, float]:
    """The statistic over pictures that are not flat, beside what a Gaussian would give."""
    z = np.array([value for value, _ in scored if value != 0.0])
    figures = {"z_mean": float(z.mean()), "z_std": float(z.std()), "z_max": float(np.abs(z).max())}
    for level in (3.0, 4.0):
        figures[f"share_beyond_{level:.0f}"] = float(np.mean(np.abs(z) > level))
        figures[f"share_beyond_{level:.0f}_gaussian"] = _share_beyond(level)
    return figures | {"flat_frames": float(len(scored) - len(z))}


def aligned(frames: int) -> dict[str, float]:
    """False accepts, presence or payload or a charge of tampering, among `frames` unmarked pictures."""
    chunks = -(-frames // CHUNK)
    scored: list[Scored] = []
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        for done, found in enumerate(pool.imap(aligned_chunk, range(chunks)), start=1):
            scored += found
            if done % 10 == 0 or done == chunks:
                print(f"aligned: {len(scored)} of {frames}", flush=True)
    counted = {"unmarked_frames": len(scored), "false_accepts": sum(accepted for _, accepted in scored)}
    return counted | distribution(scored)


def _already_searched(path: Path | None) -> dict[int, Scored]:
    if path is None or not path.exists():
        return {}
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return {int(number): (float(z), bool(accepted)) for number, z, accepted in rows}


def _searched_now(numbers: list[int], limit_s: float) -> Iterator[tuple[int, Scored]]:
    """Stills searched until the time is up, in order; those begun are not waited for."""
    ends_at = time.monotonic() + limit_s
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        for number, found in zip(numbers, pool.imap(searched_still, numbers), strict=True):
            yield number, found
            if time.monotonic() > ends_at:
                return


def searched(stills: int, limit_s: float, resume: Path | None) -> dict[str, float]:
    """False accepts among as many searched stills as the time allows."""
    scored = _already_searched(resume)
    missing = [number for number in range(stills) if number not in scored]
    for number, found in _searched_now(missing, limit_s):
        scored[number] = found
        if resume is not None:
            with resume.open("a") as file:
                file.write(json.dumps([number, *found]) + "\n")
        if len(scored) % 10 == 0:
            print(f"searched: {len(scored)} of {stills}", flush=True)
    z = [value for value, _ in scored.values()] or [0.0]
    return {
        "searched_unmarked": len(scored),
        "false_accepts_searched": sum(accepted for _, accepted in scored.values()),
        "searched_z_max": max(z),
        "searched_z_mean": float(np.mean(z)),
    }


def main() -> None:
    """Measure and print."""
    figures: dict[str, float] = {}
    if frames := int(os.environ.get("FRAMES", FRAMES)):
        figures |= aligned(frames)
    if stills := int(os.environ.get("STILLS", STILLS)):
        resume = Path(os.environ["RESUME"]) if "RESUME" in os.environ else None
        figures |= searched(stills, float(os.environ.get("TIME_LIMIT_S", TIME_LIMIT_S)), resume)
    print(json.dumps({name: round(value, 6) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
