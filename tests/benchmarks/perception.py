"""How well the page's face model and formulas read labelled faces: `make bench NAME=perception`.

Feeds ../shared/data/subjects (two people who do not exist, with labelled passages) picture by picture, five a second,
to the face model in headless Chromium, and judges what `rendering.perception` reads from its points; the page's own
JavaScript is held to the same maths by a test. The formulas were set on Asha; Ben was held out. Baseline: the strongest
class always. The last line is one JSON object. Chromium draws without a GPU here, so it ends after MOST_S with the
passages that it came to. SUBJECT=ben: one person alone. COUNT=3: so many passages of each label, in place of two.
"""

import base64
import io
import json
import os
import platform
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import Any

import av
import numpy as np
from playwright.sync_api import Page, sync_playwright

from rendering.perception import affect, face
from rendering.perception.notes import LEAST_MILLI, LEAST_SURE_MILLI
from rendering.perception.units import EMOTIONS, FULL_MILLI
from tests.common import static_server
from tests.common.viewer import CHROMIUM

SUBJECTS = Path(__file__).resolve().parents[3] / "shared/data/subjects"
CLIPS = {"ben": "footage_short", "asha": "footage"}
FPS, EVERY = 25, 5
MOST_S = 280.0  # of looking; starting and ending come on top
REST_S = 4.0  # always looked at: the face at rest is what the rest is compared with
LEAD = 3 * EVERY  # pictures before a passage, for the median over the last readings
ARGUMENTS = ["--no-sandbox", "--enable-unsafe-swiftshader", "--use-gl=angle", "--use-angle=swiftshader"]
PAGE = b'<!doctype html><script src="/static/vendor/face_mesh/face_mesh.js"></script>'
# The face model's runtime binds with `eval`, as in the frame that the product serves for it.
POLICY = "default-src 'self' 'unsafe-eval'; img-src data: blob:; connect-src 'self' data:"
LOAD = """async () => {
  const mesh = new FaceMesh({ locateFile: (file) => `/static/vendor/face_mesh/${file}` });
  mesh.setOptions({ maxNumFaces: 1 });
  let found = null;
  mesh.onResults((told) => { found = told.multiFaceLandmarks?.[0] ?? null; });
  await mesh.initialize();
  const canvas = document.createElement("canvas");
  globalThis.look = async (url) => {
    const picture = await createImageBitmap(await (await fetch(url)).blob());
    [canvas.width, canvas.height, found] = [picture.width, picture.height, null];
    canvas.getContext("2d").drawImage(picture, 0, 0);
    const beganMs = performance.now();
    await mesh.send({ image: canvas });
    const ms = performance.now() - beganMs;
    return { ms, points: found && found.slice(0, 468).map(({ x, y, z }) => [x, y, z]) };
  };
}"""


def labels(truth: Any, clip: str) -> list[str | None]:
    """What each picture is known to show; None where a passage fades in or out."""
    names, strength = truth["emotion_name"], truth[f"{clip}.emotion_intensity"].astype(float)
    return [str(names[emotion]) if much > 0.5 else "neutral" if much < 0.05 else None
            for emotion, much in zip(truth[f"{clip}.emotion"], strength, strict=True)]


def chosen(known: list[str | None], count: int) -> set[int]:
    """Every fifth picture of the face at rest and of the first `count` passages of each label, with a lead-in."""
    kept, passages, first = set(range(round(REST_S * FPS))), Counter[str](), 0
    for label, run in groupby(known):
        length = len(list(run))
        if label is not None and passages[label] < count:
            passages[label] += 1
            kept |= set(range(max(0, first - LEAD), first + length))
        first += length
    return {number for number in kept if number % EVERY == 0}


def pictures(person: str, wanted: set[int]) -> Iterator[tuple[int, str, int]]:
    """Number, data address and width of the pictures that are wanted."""
    with av.open(str(SUBJECTS / person / f"{CLIPS[person]}.mp4")) as clip:
        for number, frame in enumerate(clip.decode(video=0)):
            if number in wanted:
                data = io.BytesIO()
                frame.to_image().save(data, "JPEG", quality=93)
                yield number, "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode(), frame.width


def processor_s() -> float:
    """Processor time that this process's children, and theirs, have used so far: the browser's."""
    parents, used_s = {}, {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                found = (folder / "stat").read_text().rpartition(")")[2].split()
                parents[int(folder.name)] = int(found[1])
                used_s[int(folder.name)] = (int(found[11]) + int(found[12])) / os.sysconf("SC_CLK_TCK")
    return sum(used for process, used in used_s.items() if _descends(process, parents))


def _descends(process: int, parents: dict[int, int]) -> bool:
    while (process := parents.get(process, 0)) > 1:
        if process == os.getpid():
            return True
    return False


def read(page: Page, person: str, count: int, until_s: float) -> tuple[list[dict[str, Any]], list[float], bool]:
    """What is read of one person, the wall milliseconds of each look, and whether time was enough for all."""
    known = labels(np.load(SUBJECTS / person / "truth.npz"), CLIPS[person])
    resting, units, rows, costs_ms = face.Resting(), [], [], []
    for number, url, width in pictures(person, chosen(known, count)):
        if time.monotonic() > until_s:
            return rows, costs_ms, False
        seen = page.evaluate("(url) => look(url)", url)
        costs_ms.append(seen["ms"])
        if seen["points"] is None:
            rows.append({"truth": None, "read": "no face"})
            continue
        frame = face.frame_of(np.array(seen["points"]) * width)
        resting.add(frame, number / FPS)
        if resting.face is None:
            continue
        units.append(face.units_of(frame.features, resting.face.features))
        shown = affect.affect_of(affect.smoothed(units))
        sure = affect.affect_sure(shown, float(face.units_sure(frame.turn_from(resting.face))[0]))
        is_told = shown.max() * FULL_MILLI >= LEAST_MILLI and sure * FULL_MILLI >= LEAST_SURE_MILLI
        rows.append({"truth": known[number], "read": EMOTIONS[int(shown.argmax())] if is_told else "neutral"})
    return rows, costs_ms, True


def judged(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Share read right, not told and read wrong, for each label."""
    by: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        if row["truth"] is not None:
            by[row["truth"]][row["read"]] += 1
    return {
        label: {
            "readings": sum(found.values()), "right": round(found[label] / sum(found.values()), 3),
            "not_told": round(found["neutral"] / sum(found.values()), 3) if label != "neutral" else 0.0,
        }
        for label, found in sorted(by.items())
    }


def main() -> None:
    if not SUBJECTS.exists():
        print(json.dumps({"benchmark": "perception", "subjects": "none"}))
        return
    static_server.POLICY = POLICY
    with static_server.serve({"/": ("text/html", PAGE)}) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page()
        page.set_default_timeout(120_000)
        page.goto(address)
        page.evaluate(LOAD)
        began_s, figures, costs_ms, is_whole, looks_s = time.monotonic(), {}, [], True, 0.0
        for person in [os.environ["SUBJECT"]] if os.environ.get("SUBJECT") else CLIPS:
            used_s = processor_s()
            rows, costs, was_enough = read(page, person, int(os.environ.get("COUNT", "2")), began_s + MOST_S)
            looks_s += processor_s() - used_s
            figures[person], is_whole = judged(rows), is_whole and was_enough
            costs_ms += costs
            print(person, json.dumps(figures[person]), f"{time.monotonic() - began_s:.0f} s", file=sys.stderr)
        browser.close()
    emotional = [one for found in figures.values() for label, one in found.items() if label != "neutral"]
    held_out = [one for label, one in figures.get("ben", {}).items() if label != "neutral"]
    readings = sum(one["readings"] for one in emotional)
    print(json.dumps({
        "benchmark": "perception", "people": figures, "looks": len(costs_ms), "is_whole": is_whole,
        "right_share": _right(emotional), "held_out_right_share": _right(held_out),
        "false_alarm_share": round(1 - min(found["neutral"]["right"] for found in figures.values()), 3),
        "baseline_right_share": round(max(one["readings"] for one in emotional) / readings, 3) if readings else None,
        # The first look compiles the model.
        **{f"look_ms_p{share}": round(float(np.percentile(costs_ms[1:], share))) for share in (50, 95)},
        "look_cpu_ms": round(1000 * looks_s / len(costs_ms)), "took_s": round(time.monotonic() - began_s),
        "machine": platform.processor() or platform.machine(),
    }))


def _right(passages: list[dict[str, Any]]) -> float | None:
    readings = sum(one["readings"] for one in passages)
    return round(sum(one["right"] * one["readings"] for one in passages) / readings, 3) if readings else None


if __name__ == "__main__":
    main()
