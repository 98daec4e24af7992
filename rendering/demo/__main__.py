"""`python -m rendering.demo footage|consent|picture`: make clips of the demo person, with a progress bar."""

import argparse
import json
import sys
from pathlib import Path

import av

from rendering.demo import files
from rendering.demo.clips import FOOTAGE, SAMPLE_HZ, record_consent, speaking_clip
from rendering.demo.people import DemoPerson
from rendering.demo.rig import Face


def main(arguments: list[str] | None = None) -> int:
    """Parse the command and run it."""
    parser = argparse.ArgumentParser(prog="python -m rendering.demo", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    footage = commands.add_parser("footage", help="the person reads a script: something to train on")
    footage.add_argument("--seconds", type=float, default=38.0)
    footage.add_argument("--fps", type=float, default=25.0)
    footage.add_argument("--out", type=Path, default=FOOTAGE)
    consent = commands.add_parser("consent", help="the person answers a consent challenge")
    consent.add_argument("--challenge", type=Path, required=True, help="JSON as the consent page shows it")
    consent.add_argument("--out", type=Path, required=True, help=".mp4, .y4m or .mjpeg")
    consent.add_argument("--wav", type=Path, help="sound for the fake microphone")
    consent.add_argument("--fps", type=float, default=12.0)
    consent.add_argument("--lead", type=float, default=0.0, help="idle seconds before the challenge starts")
    picture = commands.add_parser("picture", help="one frame as PNG")
    picture.add_argument("--out", type=Path, required=True)
    for command in (footage, consent, picture):
        command.add_argument("--person", default="A", help="A (Asha), B (Ben) or a whole number")
        command.add_argument("--size", type=int, default=256, help="side in pixels")
    given = parser.parse_args(arguments)
    {"footage": _footage, "consent": _consent, "picture": _picture}[given.command](given, _person(given.person))
    return 0


def _person(name: str) -> DemoPerson:
    return DemoPerson(int(name) if name.isdigit() else name)


def _footage(given: argparse.Namespace, person: DemoPerson) -> None:
    given.out.write_bytes(speaking_clip(person, given.seconds, given.size, given.fps, _bar))
    _say(given.out)


def _consent(given: argparse.Namespace, person: DemoPerson) -> None:
    challenge = json.loads(given.challenge.read_text())
    clip = record_consent(person, challenge, size=given.size, fps=given.fps, lead_s=given.lead)
    if given.out.suffix == ".y4m":
        files.write_y4m(given.out, clip.frames(_bar), clip.fps)
    elif given.out.suffix == ".mjpeg":
        files.write_mjpeg(given.out, files.repeated(clip.frames(_bar), clip.fps))
    else:
        given.out.write_bytes(files.mp4(clip.frames(_bar), clip.fps, clip.pcm, SAMPLE_HZ))
    if given.wav:
        files.write_wav(given.wav, clip.pcm, SAMPLE_HZ)
    _say(given.out)


def _picture(given: argparse.Namespace, person: DemoPerson) -> None:
    frame = person.frame(Face(yaw=0.08, pitch=0.02), given.size)
    with av.open(str(given.out), "w", format="image2") as container:
        stream = container.add_stream("png", rate=1)
        stream.height, stream.width, stream.pix_fmt = given.size, given.size, "rgb24"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    _say(given.out)


def _bar(done: int, total: int) -> None:
    filled = 40 * done // max(total, 1)
    print(f"\r[{'#' * filled}{'.' * (40 - filled)}] {done}/{total} frames", end="", file=sys.stderr, flush=True)


def _say(path: Path) -> None:
    print(f"\n{path}: {path.stat().st_size / 1e6:.2f} MB", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
