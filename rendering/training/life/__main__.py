"""Build the life model that ships with the product.

    python -m rendering.training.life build --out DIR [--subjects DIR] [--iterations N] [--people N] [--seed N]

Trains on procedural motion and on tracked footage: the clip of the in-tree person, and the first four fifths of the
synthetic subject `asha` where the folder of subjects holds it. Leaves life.safetensors and life.json in DIR. The same
seed, footage and machine give the same files. Less than ten minutes on one core.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch

from rendering.engine.motion.life.model import LifeModel, to_files
from rendering.training.life import dataset, fit, footage, scores
from rendering.training.life.recording import Recording
from trustcore.tracker import track_clip

Array = np.ndarray[Any, np.dtype[Any]]

REPOSITORY = Path(__file__).resolve().parents[3]
DEMO_CLIP = REPOSITORY / "rendering" / "demo" / "clips" / "asha.mp4"
SUBJECTS = REPOSITORY.parent / "shared" / "data" / "subjects"
SOUND_HZ = 16_000
JITTER = 0.05  # deviations; see dataset.pairs


def main(arguments: list[str] | None = None) -> int:
    """Parse and build."""
    about = (__doc__ or "").split("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m rendering.training.life", description=about)
    parser.add_argument("command", choices=["build"])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--subjects", type=Path, default=SUBJECTS)
    parser.add_argument("--iterations", type=int, default=fit.Settings.iterations)
    parser.add_argument("--people", type=int, default=40, help="made-up people of each family")
    parser.add_argument("--seed", type=int, default=fit.Settings.seed)
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    for name, content in build(given).items():
        (given.out / name).write_bytes(content)
        print(f"{given.out / name}: {len(content)} bytes")
    return 0


def build(given: argparse.Namespace) -> dict[str, bytes]:
    """Train and score; the two files of the model."""
    started_s = time.process_time()
    recording = asha(given.subjects)
    known = [("footage of the in-tree person, tracked", demo())]
    if recording is not None:
        end = int(len(recording.motion) * scores.TRAINED_SHARE)
        known.append(("footage of asha, first four fifths, truth file", recording.part(0, end)))
    clips = dataset.draw_clips(given.people, known, given.seed)
    codec = dataset.fit_codec(clips)
    print(f"{len(clips)} clips", flush=True)
    settings = fit.Settings(iterations=given.iterations, seed=given.seed)
    fitted = fit.train(
        lambda number: dataset.pairs(clips, codec, np.random.default_rng([given.seed, 2, number]), JITTER),
        settings, _show,
    )  # fmt: skip
    usual = dataset.most_usual(clips).person
    tensors = {
        **{f"net.{name}": value for name, value in fitted.tensors.items()},
        **{f"usual.{name}": value for name, value in usual.parts().items()}, "codec.event_shares": codec.event_shares,
        "context.middle": fitted.middle, "context.spread": fitted.spread, "sampler.doubt": fitted.doubt,
    }  # fmt: skip
    facts = {
        "release": "1", "seed": given.seed, "iterations": given.iterations, "people": given.people,
        "command": f"python -m rendering.training.life build --out DIR --iterations {given.iterations}"
                   f" --people {given.people} --seed {given.seed}",
        "trained_on": {
            "families": [*dataset.FAMILIES, "recorded"], "never": "submovements",
            "seconds_of_each_family": given.people * dataset.CLIP_S, "footage": [name for name, _ in known],
        },
        "loss": round(fitted.loss, 4), "build_cpu_s": round(time.process_time() - started_s),
    }  # fmt: skip
    model = LifeModel.from_files(to_files(tensors, facts))
    return to_files(tensors, {**facts, "scores": scores.scores(model, recording)})


def demo() -> Recording:
    """The clip that lies in the repository, tracked."""
    clip = track_clip(DEMO_CLIP.read_bytes(), want=frozenset({"landmarks"}))
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


def _show(iteration: int, loss: float) -> None:
    if iteration % 100 == 0:
        print(f"{iteration} {loss:.4f} {time.process_time():.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
