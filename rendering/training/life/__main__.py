"""Build the life model that ships with the product, and judge one on what settings are chosen by.

    python -m rendering.training.life build --out DIR [--subjects DIR] [--iterations N] [--people N] [--seed N]
    python -m rendering.training.life judge --models DIR

Trains on procedural motion and, where a folder of subjects is given, on footage: the first four fifths of `asha` (by
its truth file) and the tracked clip of `ben`. Leaves life.safetensors and life.json in DIR; the same seed, footage and
machine give the same files. The family and the in-tree person that `judge` measures are never trained on; neither is
what the benchmark measures (`make bench NAME=motion_life`).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch

from rendering.engine.motion.life.model import LifeModel, to_files
from rendering.motion_models import SHIPPED_LIFE, life_in
from rendering.training.life import dataset, equalising, fit, footage, scores
from rendering.training.life.recording import Recording
from trustcore.tracker import track_clip

Array = np.ndarray[Any, np.dtype[Any]]

DEMO_CLIP = Path(__file__).resolve().parents[2] / "demo" / "clips" / "asha.mp4"
SOUND_HZ = 16_000
JITTER = 0.05  # deviations; see dataset.pairs


def main(arguments: list[str] | None = None) -> int:
    """Parse and do what was asked."""
    about = (__doc__ or "").split("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m rendering.training.life", description=about)
    commands = parser.add_subparsers(dest="command", required=True)
    builder = commands.add_parser("build")
    builder.add_argument("--out", type=Path, required=True)
    builder.add_argument("--subjects", type=Path, help="a folder of synthetic people with their truth files")
    builder.add_argument("--iterations", type=int, default=fit.Settings.iterations)
    builder.add_argument("--people", type=int, default=30, help="made-up people of each family")
    builder.add_argument("--seed", type=int, default=fit.Settings.seed)
    commands.add_parser("judge").add_argument("--models", type=Path, default=SHIPPED_LIFE)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    if given.command == "judge":
        model = life_in(given.models)
        if model is None:
            parser.error(f"there is no life model in {given.models}")
        print(json.dumps(scores.development(model, demo())))
        return 0
    given.out.mkdir(parents=True, exist_ok=True)
    for name, content in build(given).items():
        (given.out / name).write_bytes(content)
        print(f"{given.out / name}: {len(content)} bytes")
    return 0


def build(given: argparse.Namespace) -> dict[str, bytes]:
    """Train and judge; the two files of the model."""
    started_s = time.process_time()
    known = recordings(given.subjects)
    clips = dataset.draw_clips(given.people, known, given.seed)
    codec = dataset.fit_codec(clips)
    print(f"{len(clips)} clips", flush=True)
    settings = fit.Settings(iterations=given.iterations, seed=given.seed)
    fitted = fit.train(
        lambda number: dataset.pairs(clips, codec, np.random.default_rng([given.seed, 2, number]), JITTER),
        settings, _show,
    )  # fmt: skip
    usual = dataset.most_usual(clips)
    tables = {
        **{f"net.{name}": value for name, value in fitted.tensors.items()}, "codec.event_shares": codec.event_shares,
        "context.middle": fitted.middle, "context.spread": fitted.spread,
    }  # fmt: skip
    facts = {
        "release": "2", "seed": given.seed, "iterations": given.iterations, "people": given.people,
        "command": f"python -m rendering.training.life build --out DIR --iterations {given.iterations}"
                   f" --people {given.people} --seed {given.seed}" + (" --subjects DIR" if given.subjects else ""),
        "trained_on": {
            "families": dataset.names(known), "chosen_by": "reorient", "never": "submovements",
            "seconds_of_each_family": given.people * dataset.CLIP_S, "footage": [name for name, _ in known],
        },
        "loss": round(fitted.loss, 4), "build_cpu_s": round(time.process_time() - started_s),
    }  # fmt: skip
    plain = LifeModel.from_files(to_files({**tables, **_named(usual.person.parts())}, facts))
    person = equalising.equalised(plain, usual, given.seed)
    tensors = {**tables, **_named(person.parts())}
    model = LifeModel.from_files(to_files(tensors, facts))
    return to_files(tensors, {**facts, "scores": scores.development(model, demo())})


def recordings(subjects: Path | None) -> list[tuple[str, Recording]]:
    """The footage that is trained on, by name; none without a folder of subjects."""
    if subjects is None:
        return []
    whole = asha(subjects)
    if whole is None:
        return []
    end = int(len(whole.motion) * scores.TRAINED_SHARE)
    return [
        ("footage of asha, first four fifths, truth file", whole.part(0, end)),
        ("footage of ben, tracked", tracked(subjects / "ben" / "footage_short.mp4")),
    ]


def demo() -> Recording:
    """The clip of the in-tree person, tracked: what settings are chosen by."""
    return tracked(DEMO_CLIP)


def tracked(path: Path) -> Recording:
    """A clip as the tracker sees it."""
    clip = track_clip(path.read_bytes(), want=frozenset({"landmarks"}))
    return footage.from_landmarks(clip.landmarks, clip.fps, clip.pcm, clip.pcm_rate)


def asha(subjects: Path) -> Recording | None:
    """The whole synthetic subject, where it is."""
    folder = subjects / "asha"
    if not (folder / "truth.npz").is_file():
        return None
    pcm = sound_of(folder / "footage.mp4")
    with np.load(folder / "truth.npz") as truth:
        fields: dict[str, Any] = {name: truth[name] for name in truth.files}
    return footage.from_truth(fields, "footage", pcm, SOUND_HZ)


def sound_of(path: Path) -> Array:
    """[N] int16 mono at SOUND_HZ of a clip of our own; footage of others goes through the tracker's sandbox."""
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=SOUND_HZ)
        frames = [out for frame in (*container.decode(audio=0), None) for out in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])


def _named(parts: dict[str, Array]) -> dict[str, Array]:
    return {f"usual.{name}": value for name, value in parts.items()}


def _show(iteration: int, loss: float) -> None:
    if iteration % 100 == 0:
        print(f"{iteration} {loss:.4f} {time.process_time():.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
