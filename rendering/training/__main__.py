"""Train from the command line.

    python -m rendering.training --clip footage.mp4 --out DIR [--iterations N] [--size PX] [--seed N]
    python -m rendering.training job.json        {"clip": "...", "out": "...", "settings": {"iterations": 500}}
    python -m rendering.training report DIR      write DIR/report.html, one file with figures, film, pictures and card

A run that was stopped goes on from DIR/checkpoint.bin. The replica, report.json, report.html and the pictures are left
in DIR.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from rendering.motion_models import life_model, mouth_models
from rendering.training import capture_checks, report_page
from rendering.training.config import Progress, TrainingConfig
from rendering.training.fit import train
from rendering.training.life.step import with_manner
from rendering.training.mouth.step import with_style
from rendering.training.redetection import track_frames
from trustcore.primitives.errors import TrustcoreError
from trustcore.tracker import MOST_VIEWS, track_clip

CHECKPOINT_FILE, REPORT_FILE, PAGE_FILE = "checkpoint.bin", "report.json", "report.html"


def main(arguments: list[str] | None = None) -> int:
    """Run one training or write its report; return 0, 1 when the footage was refused, 2 when the call was wrong."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["report"]:
        return _report(given[1:])
    job = _job(arguments)
    out = Path(job["out"])
    out.mkdir(parents=True, exist_ok=True)
    try:
        print("tracking", job["clip"], flush=True)
        clip = track_clip(Path(job["clip"]).read_bytes(), want=frozenset({"landmarks", "mask"}), views=MOST_VIEWS)
        findings = capture_checks.check(clip)
        for finding in findings:
            print(f"  {finding.verdict:4}  {finding.error_type}: {finding.measure}")
        if any(finding.is_refusal for finding in findings):
            print("refused: " + "; ".join(finding.need for finding in findings if finding.is_refusal))
            return 1
        _train(clip, replace(TrainingConfig(), **job["settings"]), out)
    except TrustcoreError as error:
        print(f"refused ({error.code}): {error}")
        return 1
    return 0


def _report(arguments: list[str]) -> int:
    folder = Path(arguments[0]) if len(arguments) == 1 else None
    if folder is None or not (folder / REPORT_FILE).exists():
        print(f"name one folder that a training left, with a {REPORT_FILE} in it", file=sys.stderr)
        return 2
    pictures = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in (".png", ".mp4")}
    report = json.loads((folder / REPORT_FILE).read_text())
    target = folder / PAGE_FILE
    target.write_text(report_page.page(report, pictures, f"Replica quality: {folder.resolve().name}"))
    print(f"wrote {target}")
    return 0


def _job(arguments: list[str] | None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(prog="python -m rendering.training", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("job", nargs="?", help="a JSON file with clip, out and settings")
    parser.add_argument("--clip")
    parser.add_argument("--out")
    parser.add_argument("--iterations", type=int)
    parser.add_argument("--size", dest="size_px", type=int)
    parser.add_argument("--seed", type=int)
    given = parser.parse_args(arguments)
    job: dict[str, Any] = json.loads(Path(given.job).read_text()) if given.job else {}
    job["clip"], job["out"] = given.clip or job.get("clip"), given.out or job.get("out")
    if not job["clip"] or not job["out"]:
        parser.error("name the footage (--clip) and the output folder (--out), or a job file that does")
    settings = dict(job.get("settings", {}))
    for name in ("iterations", "size_px", "seed"):
        if getattr(given, name) is not None:
            settings[name] = getattr(given, name)
    job["settings"] = settings
    return job


def _train(clip: Any, config: TrainingConfig, out: Path) -> None:
    saved = out / CHECKPOINT_FILE
    checkpoint = saved.read_bytes() if saved.exists() else None
    result = train(
        clip, config, checkpoint=checkpoint, on_progress=show, on_checkpoint=lambda content: _keep(saved, content),
        detect=track_frames,
    )
    print("\nfitting the way to speak and to move", flush=True)
    result = with_manner(with_style(result, clip, mouth_models(), config), clip, life_model(), config)
    for name, content in {**result.files, **result.pictures}.items():
        (out / name).write_bytes(content)
    (out / REPORT_FILE).write_text(json.dumps(result.report, indent=1) + "\n")
    (out / PAGE_FILE).write_text(report_page.page(result.report, result.pictures, f"Replica quality: {out.name}"))
    saved.unlink(missing_ok=True)
    print("\n" + json.dumps(result.report["quality"], indent=1))
    print(result.report["calibration"].get("mouth_style", {}).get("note", ""))


def _keep(path: Path, content: bytes) -> None:
    # Written beside and renamed, so that a kill never leaves half a checkpoint.
    fresh = path.with_suffix(".new")
    fresh.write_bytes(content)
    fresh.rename(path)


def show(progress: Progress) -> None:
    """One line of progress, rewritten in place on a terminal."""
    bar = ("#" * round(30 * progress.share)).ljust(30, ".")
    quality = f"{progress.psnr_db:5.2f} dB" if progress.psnr_db is not None else ""
    rest = f"{progress.eta_s:4.0f} s left" if progress.eta_s is not None else ""
    end = "\r" if sys.stdout.isatty() else "\n"
    count = f"{progress.iteration}/{progress.iterations}"
    print(f"{progress.stage:8} [{bar}] {count} {quality} {rest}", end=end, flush=True)


if __name__ == "__main__":
    sys.exit(main())
