"""From a viewer's last sound to the replica's first, and to its first lip movement: real worker, real Chromium.

Chromium plays questions as its microphone. All three moments are taken in the page, on one clock: the last loud block
of the microphone's own track (quiet for 400 ms after it), the first loud block of the replica's track, and the first
picture in which the mouth changes by more than it does in silence. So browser, network (loopback), receive buffer,
speech recognition (the recognised words choose the answer), turn decision, brain, voice, rendering, mark, signature,
encoder and the page's own check are all inside.

`cutoff_share` is that of `make bench NAME=turns` at this patience, on held-out turns with pauses inside; the questions
here have none, and `cut_off_here_share` says how many of them were answered before their end.

The baseline is the same with aiortc's own receive buffer for the microphone.
"""

import argparse
import base64
import contextlib
import json
import os
import platform
import re
import tempfile
import time
import wave
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
import django

django.setup()

from rendering.speech.voices import FliteVoice  # noqa: E402
from rendering.worker.turn_weights import installed_turns  # noqa: E402
from tests.common.live_rig import Rig, rigged  # noqa: E402

Array = np.ndarray[Any, np.dtype[Any]]

QUESTIONS = {
    "When will I be paid?": "In five working days.",
    "What happened to my claim?": "It reached us on Friday.",
    "Is storm damage covered?": "Yes, up to ten lakh rupees.",
    "How long does it take?": "About two weeks.",
    "Where is your office?": "In Guwahati, near the river.",
    "Who agreed to this use?": "Asha agreed to it herself.",
}
VOICES = ("rms", "awb")  # of the viewer; the replica speaks with another one
GAP_S = 4.2  # of silence behind a question: the answer's time, and some for it to be quiet again
RATE_HZ = 16_000
LOUD = 0.01  # root mean square of a block, full scale is 1
QUIET_MS = 400.0
CROP = {"left": 0.40, "top": 0.50, "width": 0.18, "height": 0.18, "columns": 32, "rows": 48}
REST_MS = (-700.0, -200.0)  # before the first sound: the mouth at rest
LIP_WITHIN_MS = 400.0  # behind it
STILL_MOST, LEAST_CHANGE, STANDS_OUT = 1.2, 1.8, 4.0  # grey levels a row; a resting mouth changes by 0.2 to 0.8
BARS = {"audio_ms_p50": 400.0, "audio_ms_p95": 600.0, "lip_minus_audio_ms_p50": (-40.0, 60.0)}
PAGE = Path(__file__).with_name("response_page.js")


def write_questions(path: Path) -> float:
    """Every question in every voice, each followed by silence. Chromium begins again at the end.

    Returns the mean seconds from one question to the next.
    """
    parts = [np.zeros(RATE_HZ, np.int16)]
    for voice in VOICES:
        for question in QUESTIONS:
            parts += [FliteVoice(voice).say(question).pcm, np.zeros(int(GAP_S * RATE_HZ), np.int16)]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(np.concatenate(parts).tobytes())
    return sum(map(len, parts)) / RATE_HZ / (len(VOICES) * len(QUESTIONS))


def sounds(blocks: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
    """When somebody was heard: begin and end in ms, pauses shorter than QUIET_MS included."""
    found: list[tuple[float, float]] = []
    for at_ms, lasts_ms, level in blocks:
        if level < LOUD:
            continue
        if found and at_ms - found[-1][1] <= QUIET_MS:
            found[-1] = (found[-1][0], at_ms)
        else:
            found.append((at_ms - lasts_ms, at_ms))
    return [(begin, end) for begin, end in found if end - begin > 100.0]


def mouth_changes(frames: Sequence[Sequence[Any]]) -> tuple[Array, Array]:
    """Per picture when it was shown, in ms, and how much the mouth changed since the one before.

    Compared are the brightness profiles down the middle of the mouth, at the shift of up to one row that fits best, so
    that a nod of the head is no lip movement.
    """
    times = np.array([frame[0] for frame in frames])
    grey = np.array([np.frombuffer(base64.b64decode(frame[2]), np.uint8) for frame in frames], np.float32)
    rows, columns = int(CROP["rows"]), int(CROP["columns"])
    profiles = grey.reshape(len(frames), rows, columns)[:, :, columns // 4 : -columns // 4].mean(axis=2)
    places = np.arange(rows, dtype=np.float32)
    changes = [0.0]
    for before, after in zip(profiles[:-1], profiles[1:], strict=True):
        moved = [np.interp(places + shift, places, before) for shift in (-1, -0.5, 0, 0.5, 1)]
        changes.append(min(float(np.abs(one - after)[4:-4].mean()) for one in moved))
    return times, np.array(changes)


def lip_moment(times: Array, changes: Array, heard_ms: float) -> float | None:
    """When the lips first moved for a sound: the first change near it that stands out from the half second before.

    None when the mouth moved already, or did not move by much.
    """
    resting = changes[(times > heard_ms + REST_MS[0]) & (times < heard_ms + REST_MS[1])]
    near = (times > heard_ms + REST_MS[1]) & (times < heard_ms + LIP_WITHIN_MS)
    if len(resting) < 5 or float(np.median(resting)) > STILL_MOST:
        return None
    moved = times[near & (changes > max(STANDS_OUT * float(np.median(resting)), LEAST_CHANGE))]
    return float(moved[0]) if len(moved) else None


def watch(rig: Rig, seconds: float, patience: str) -> dict[str, Any]:
    """One conversation of so many seconds: what the page measured, and what the worker told of it."""
    context = "\n".join(f"Q: {question}\nA: {answer}" for question, answer in QUESTIONS.items())
    rig.control.facts = {"persona": {
        "name": "Claims helper", "context": context, "conversational_flow": {"turn_taking_patience": patience}}}
    session, viewer = rig.session()
    viewer.connect()
    viewer.wait_for("m.framesPresented > 30")
    source = PAGE.read_text()
    viewer.page.evaluate(f"({source[source.index('({ crop'):]})({json.dumps({'crop': CROP})})")
    time.sleep(5.0)  # the greeting
    viewer.page.click("[data-part=microphone]")
    time.sleep(seconds)
    found: dict[str, Any] = viewer.page.evaluate("window.__response")
    found["transcript"] = viewer.page.text_content("[data-part=transcript]") or ""
    found["marks_ms"] = dict(session.renewals[-1]["marks_ms"])
    found["troubles"], found["errors"] = session.troubles, viewer.errors
    rig.control.revoke(session)
    with contextlib.suppress(TimeoutError):
        viewer.wait_for("m.state === 'ended'", 5)
    viewer.close()
    return found


def measured(found: Mapping[str, Any], turns: int, warm_up: int) -> dict[str, Any]:
    """The figures of one conversation."""
    asked, heard = sounds(found["microphone"])[warm_up : warm_up + turns], sounds(found["replica"])
    times, changes = mouth_changes(found["frames"])
    audio, lip, skew, cut_off, unanswered = [], [], [], 0, 0
    for begin, end in asked:
        early = [one for one in heard if begin + 200 < one[0] <= end]
        cut_off += bool(early)
        answer = next((n for n, one in enumerate(heard) if end < one[0] < end + 1000 * GAP_S), None)
        if answer is None:
            unanswered += 1
            continue
        audio.append(heard[answer][0] - end)
        if (moved := lip_moment(times, changes, heard[answer][0])) is not None:
            lip.append(moved - end)
            skew.append(moved - heard[answer][0])
    stages = {name.removeprefix("turn_").removesuffix("_p50"): value for name, value in found["marks_ms"].items()
              if name.startswith("turn_") and name.endswith("_p50")}
    said = re.findall(r"You: ([a-z' ]+?)(?=Replica:|You:|$)", found["transcript"])
    words = {" ".join(re.findall(r"[a-z']+", question.lower())) for question in QUESTIONS}
    return {
        "turns": len(audio), "unanswered": unanswered, "cut_off_here_share": round(cut_off / max(1, len(asked)), 3),
        **percentiles("audio_ms", audio), **percentiles("lip_ms", lip), **percentiles("lip_minus_audio_ms", skew),
        "lips_seen": len(lip), "stages": stages,
        "understood_share": round(sum(one.strip() in words for one in said) / max(1, len(said)), 3),
        "troubles": len(found["troubles"]),
    }


def percentiles(name: str, values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {f"{name}_p50": float("nan"), f"{name}_p95": float("nan")}
    return {f"{name}_{label}": round(float(np.percentile(values, share)), 1)
            for label, share in (("p50", 50), ("p95", 95))}


def run(turns: int, warm_up: int, patience: str, microphone: str, keep: str = "") -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(prefix="response-"))
    seconds = write_questions(folder / "questions.wav") * (turns + warm_up + 0.5)
    with rigged(folder, microphone=folder / "questions.wav", TRUSTCORE_WORKER_MICROPHONE=microphone) as rig:
        found = watch(rig, seconds, patience)
    if keep:
        Path(keep).write_text(json.dumps(found))
    return measured(found, turns, warm_up)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=24)
    parser.add_argument("--warm-up", type=int, default=2)
    parser.add_argument("--baseline-turns", type=int, default=10)
    parser.add_argument("--patience", default="medium", choices=("low", "medium", "high"))
    parser.add_argument("--keep", default="", help="a file for everything that the page measured")
    asked = parser.parse_args()
    found = run(asked.turns, asked.warm_up, asked.patience, "own", asked.keep)
    print(json.dumps(found, indent=1))
    baseline: dict[str, Any] = {}
    if asked.baseline_turns:
        baseline = run(asked.baseline_turns, asked.warm_up, asked.patience, "aiortc")
        print(json.dumps(baseline, indent=1))
    print(json.dumps({
        "name": "response", **found, "patience": asked.patience,
        "cutoff_share": installed_turns().facts["patience_held_out"][asked.patience]["cutoff"],
        "aiortc_default_audio_ms_p50": baseline.get("audio_ms_p50"),
        "aiortc_default_turns": baseline.get("turns"), "bars": BARS,
        "load_average": round(os.getloadavg()[0], 1), "machine": platform.processor() or platform.machine()}))


if __name__ == "__main__":
    main()
