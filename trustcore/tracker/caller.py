"""Ask the sandboxed tracker process to read a clip, and believe nothing it answers before it was checked.

The media and the answers travel through memory files: nothing untrusted touches the disk, and there is no parser on
this side but `json.loads` on short lines and `numpy.frombuffer` with dtype and shape chosen here.
"""

import json
import math
import mmap
import os
import select
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from trustcore.tracker.clips import LANDMARKS, PCM_RATE_HZ, Limits, TrackedClip, TrackedSound
from trustcore.tracker.errors import REFUSALS, TrackerFault, media_refused

INSIDE = Path(__file__).parent / "inside"
ROOT = Path(__file__).resolve().parents[2]
PYTHON_SETTING = "TRUSTCORE_TRACKER_PYTHON"
OUTPUTS = {"frames": "u1", "landmarks": "<f4", "face_count": "u1", "mask": "u1", "frame_time_s": "<f8", "pcm": "<i2"}
QUIET = {"GLOG_minloglevel": "3", "TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1"}
MOST_VIEWS = 6
MAX_LINE_BYTES = 64 * 1024
CPU_SIGNALS = {-24, -9}  # SIGXCPU, and SIGKILL at the hard limit or by the kernel for memory
EVERYTHING = frozenset({"landmarks", "mask"})

Progress = Callable[[int, int], None]  # frames done, frames expected (0: not known)


def track_clip(
    media: bytes,
    *,
    limits: Limits = Limits(),  # noqa: B008  frozen
    want: frozenset[str] = frozenset({"landmarks"}),
    size: int | None = None,
    views: int = 1,
    on_progress: Progress | None = None,
) -> TrackedClip:
    """Decode a clip and find the face in every frame, in a process that can open neither files nor sockets.

    Args:
        media: the whole file (MP4, MOV, WebM or MKV).
        limits: what the clip may cost.
        want: any of "landmarks" (also counts faces) and "mask" (person segmentation). Frames and sound always come.
        size: side of the square frames to return: the largest square of the picture, placed once for the whole clip
            so that the face of the first second is in its middle, then scaled. None keeps the whole picture, scaled
            down to `limits.max_output_side_px` on its short side.
        views: how many times each frame is looked at, mirrored and turned, for landmarks that are the mean: 1 to
            MOST_VIEWS. Each costs as much as the first; six leave about two thirds of the error.
        on_progress: called now and then with (frames done, frames expected or 0).

    Returns:
        The clip. `report["sandbox"]` says which walls held.

    Raises:
        MediaRefused: the media is at fault; `code` and `error_type` say how.
        TrackerFault: the tracker environment is missing or misbehaved.
    """
    if not want <= EVERYTHING:
        raise ValueError(f"want holds unknown names: {sorted(want - EVERYTHING)}")
    if not 1 <= views <= MOST_VIEWS:
        raise ValueError(f"views must lie between 1 and {MOST_VIEWS}")
    _check_bytes(media, limits)
    with ExitStack() as stack:
        fds = {name: _memory_file(stack, name) for name in OUTPUTS}
        order = _order(limits, fds, want=want, size=size, views=views)
        report = _run(stack, media, order, tuple(fds.values()), limits, on_progress)
        return _checked_clip(fds, report, want, limits)


def track_sound(media: bytes, *, limits: Limits = Limits()) -> TrackedSound:  # noqa: B008  frozen
    """Decode the first sound track of a file in the same sandbox, whatever its pictures are; it may have none.

    Args:
        media: the whole file (also MP3, WAV, FLAC, Ogg, AAC).
        limits: `read_s` seconds of it are read, and they must be given.

    Raises:
        MediaRefused: `media.no_sound` where none can be read.
        TrackerFault: the tracker environment is missing or misbehaved.
    """
    if not limits.read_s:
        raise ValueError("Say how much of the sound is to be read.")
    _check_bytes(media, limits)
    with ExitStack() as stack:
        fds = {"pcm": _memory_file(stack, "pcm")}
        report = _run(stack, media, _order(limits, fds, is_sound_alone=True), tuple(fds.values()), limits, None)
        samples = _whole(report.get("samples"), int(limits.read_s * PCM_RATE_HZ))
        return TrackedSound(_array(fds, "pcm", (samples,)), PCM_RATE_HZ)


def _check_bytes(media: bytes, limits: Limits) -> None:
    if not media:
        raise media_refused("media.empty")
    if len(media) > limits.max_bytes:
        raise media_refused("media.too_large", bytes=len(media), most=limits.max_bytes)


def _order(
    limits: Limits, fds: dict[str, int], *, want: frozenset[str] = frozenset(), size: int | None = None, views: int = 1,
    is_sound_alone: bool = False,
) -> str:
    """What the process is told to do."""
    return json.dumps({
        "limits": asdict(limits), "want": sorted(want), "size": size, "views": views,
        "is_sound_alone": is_sound_alone, "fds": fds})


def tracker_python() -> Path:
    """The interpreter of the tracker environment: TRUSTCORE_TRACKER_PYTHON, else the repository's own."""
    return Path(os.environ.get(PYTHON_SETTING) or ROOT / ".venv-tracker" / "bin" / "python")


def _memory_file(stack: ExitStack, name: str) -> int:
    fd = os.memfd_create(f"tracker-{name}")
    stack.callback(os.close, fd)
    return fd


def _run(
    stack: ExitStack, media: bytes, order: str, fds: tuple[int, ...], limits: Limits, on_progress: Progress | None
) -> dict[str, Any]:
    """Run the process to its end. Returns its report, or raises what its end means."""
    source = _memory_file(stack, "media")
    with os.fdopen(os.dup(source), "wb") as file:
        file.write(media)
    os.lseek(source, 0, os.SEEK_SET)
    with _process(order, source, fds) as process:
        lines = _lines(process, time.monotonic() + limits.max_wall_s)
        report, box = None, None
        for line in lines:
            if "frames" in line and on_progress is not None:
                on_progress(_whole(line["frames"]), _whole(line.get("of", 0)))
            elif "sandbox" in line:
                box = {str(k): v is True for k, v in dict(line["sandbox"]).items()}
            elif "refused" in line:
                raise _refusal(line)
            elif "done" in line:
                report = dict(line["done"])
        code = process.wait(timeout=10)
        complaint = _complaint(process)
    if box is None:
        raise TrackerFault("The tracker did not start; run `make setup` again.", exit_code=code, stderr=complaint)
    if report is None:
        raise media_refused("media.too_costly" if code in CPU_SIGNALS else "media.crashed", exit_code=code)
    if not box.get("network_gone"):
        raise TrackerFault("The tracker's sandbox did not hold: the network can be reached.", exit_code=code)
    return {**report, "sandbox": box}


@contextmanager
def _process(order: str, source: int, fds: tuple[int, ...]) -> Iterator[subprocess.Popen[bytes]]:
    """The tracker in a directory and an environment of its own; killed when the block is left early."""
    with tempfile.TemporaryDirectory(prefix="tracker-") as folder, tempfile.TemporaryFile() as stderr:
        environment = {"HOME": folder, "TMPDIR": folder, "LANG": "C.UTF-8", **QUIET}
        try:
            process = subprocess.Popen(  # noqa: S603  fixed program, no shell
                [str(tracker_python()), "-I", "-B", str(INSIDE), order],
                stdin=source, stdout=subprocess.PIPE, stderr=stderr, env=environment, cwd=folder,
                pass_fds=fds, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise TrackerFault("The tracker environment is missing; run `make setup`.", cause=str(error)) from error
        process.stderr = stderr  # read after the end: a full pipe cannot block it
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            cast("Any", process.stdout).close()


def _lines(process: subprocess.Popen[bytes], deadline_s: float) -> Iterator[dict[str, Any]]:
    """JSON objects from the process until it closes its output. Raises when time is up or a line is no object."""
    fd = cast("Any", process.stdout).fileno()
    buffer = b""
    while True:
        left_s = deadline_s - time.monotonic()
        if left_s <= 0 or not select.select([fd], [], [], left_s)[0]:
            raise media_refused("media.too_costly")
        chunk = os.read(fd, 65536)
        if not chunk:
            return
        *whole, buffer = (buffer + chunk).split(b"\n")
        if len(buffer) > MAX_LINE_BYTES:
            raise TrackerFault("The tracker answered nonsense: a line without end.")
        for line in whole:
            try:
                answer = json.loads(line)
            except ValueError as error:
                raise TrackerFault("The tracker answered nonsense: not JSON.") from error
            if not isinstance(answer, dict):
                raise TrackerFault("The tracker answered nonsense: not an object.")
            yield answer


def _refusal(line: dict[str, Any]) -> Exception:
    """The refusal a line names. Only a known code, numbers and short words get through."""
    if line["refused"] not in REFUSALS:
        return TrackerFault("The tracker named an unknown refusal.")
    facts: dict[str, float | str] = {}
    for key, value in dict(line.get("facts", {})).items():
        if isinstance(value, int | float) and math.isfinite(value):
            facts[str(key)[:32]] = round(float(value), 3)
        elif isinstance(value, str) and value.replace("_", "").isalnum():
            facts[str(key)[:32]] = value[:32]
    return media_refused(line["refused"], **facts)


def _complaint(process: subprocess.Popen[bytes]) -> str:
    stderr = cast("Any", process.stderr)
    stderr.seek(0)
    return cast("bytes", stderr.read())[-2000:].decode("utf-8", "replace")


def _whole(value: Any, most: int = 1 << 31) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise TrackerFault("The tracker answered nonsense: a number out of range.")
    return value


def _checked_clip(fds: dict[str, int], report: dict[str, Any], want: frozenset[str], limits: Limits) -> TrackedClip:
    """Build the clip from the memory files, each exactly as long as the report says, all values in range."""
    count, height, width, samples = (_whole(report.get(key)) for key in ("frames", "height", "width", "samples"))
    report["has_sound"] = report.get("has_sound") is True
    fewest = 1 if limits.allows_stills else 2
    if count < fewest or not 1 <= height <= limits.max_side_px or not 1 <= width <= limits.max_side_px:
        raise TrackerFault("The tracker answered nonsense: frames without a size.")
    if count > limits.max_fps * (limits.max_seconds + 2) + 2:
        raise TrackerFault("The tracker answered nonsense: more frames than the limit.")
    has_points, has_mask = "landmarks" in want, "mask" in want
    frames = _array(fds, "frames", (count, height, width, 3))
    points = _array(fds, "landmarks", (count if has_points else 0, LANDMARKS, 3))
    faces = _array(fds, "face_count", (count if has_points else 0,))
    times = _array(fds, "frame_time_s", (count,))
    pcm = _array(fds, "pcm", (samples,))
    mask = _array(fds, "mask", (count, height, width)) if has_mask else None
    _check_values(points, faces, times, max(height, width), limits)
    if not has_points:
        points, faces = np.full((count, LANDMARKS, 3), np.nan, np.float32), np.zeros(count, np.uint8)
    fps = float((count - 1) / (times[-1] - times[0])) if count > 1 else limits.max_fps
    return TrackedClip(frames, fps, times, pcm, PCM_RATE_HZ, points, faces, mask, report)


def _array(fds: dict[str, int], name: str, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """A read-only view of a memory file, which must have exactly the bytes that dtype and shape ask for."""
    dtype = np.dtype(OUTPUTS[name])
    size = math.prod(shape) * dtype.itemsize
    if os.fstat(fds[name]).st_size != size:
        raise TrackerFault(f"The tracker answered nonsense: {name} has the wrong length.")
    if size == 0:
        return np.zeros(shape, dtype)
    return np.frombuffer(mmap.mmap(fds[name], size, prot=mmap.PROT_READ), dtype).reshape(shape)


def _check_values(
    points: npt.NDArray[Any], faces: npt.NDArray[Any], times: npt.NDArray[Any], side: int, limits: Limits
) -> None:
    """Ranges. A landmark may lie outside the picture, but not absurdly far."""
    rising = bool(np.all(np.diff(times) > 0)) and times[0] == 0.0 and times[-1] <= limits.max_seconds + 2
    near = points.size == 0 or bool(np.all(np.isnan(points) | (np.abs(points) < 4 * side)))
    whole = points.size == 0 or bool(np.all(np.isnan(points).all(axis=(1, 2)) | ~np.isnan(points).any(axis=(1, 2))))
    if not (np.isfinite(times).all() and rising and near and whole and bool(np.all(faces <= 2))):
        raise TrackerFault("The tracker answered nonsense: values out of range.")
