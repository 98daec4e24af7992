"""How well the page's face model and formulas read labelled faces: `make bench NAME=perception`.

Feeds ../shared/data/subjects (two people who do not exist, with labelled passages) picture by picture, five a second,
to the face model in headless Chromium, and judges what `rendering.perception` reads from its points; the page's own
JavaScript is held to the same maths by a test. The formulas were set on Asha; Ben was held out. Baseline: the strongest
class always. The last line is one JSON object. Takes five minutes: Chromium draws without a GPU here.
"""

import base64
import io
import json
import platform
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
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
CLIPS = {"asha": "footage", "ben": "footage_short"}
FPS, EVERY = 25, 5
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


def pictures(person: str) -> Iterator[tuple[int, str, int]]:
    """Number, data address and width of every fifth picture."""
    with av.open(str(SUBJECTS / person / f"{CLIPS[person]}.mp4")) as clip:
        for number, frame in enumerate(clip.decode(video=0)):
            if number % EVERY == 0:
                data = io.BytesIO()
                frame.to_image().save(data, "JPEG", quality=93)
                yield number, "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode(), frame.width


def read(page: Page, person: str) -> tuple[list[dict[str, Any]], list[float]]:
    """What is read of one person, and the wall milliseconds of each look."""
    truth = np.load(SUBJECTS / person / "truth.npz")
    names, emotion = truth["emotion_name"], truth[f"{CLIPS[person]}.emotion"]
    strength = truth[f"{CLIPS[person]}.emotion_intensity"].astype(float)
    resting, units, rows, costs_ms = face.Resting(), [], [], []
    for number, url, width in pictures(person):
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
        is_clear = strength[number] > 0.5 or strength[number] < 0.05
        label = (str(names[emotion[number]]) if strength[number] > 0.5 else "neutral") if is_clear else None
        rows.append({"truth": label, "read": EMOTIONS[int(shown.argmax())] if is_told else "neutral", "sure": sure})
    return rows, costs_ms


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
        began_s, figures, costs_ms = time.monotonic(), {}, []
        for person in CLIPS:
            rows, costs = read(page, person)
            figures[person] = judged(rows)
            costs_ms += costs[1:]  # the first compiles the model
            print(person, json.dumps(figures[person]), f"{time.monotonic() - began_s:.0f} s", file=sys.stderr)
        browser.close()
    emotional = [one for found in figures.values() for label, one in found.items() if label != "neutral"]
    total = sum(one["readings"] for one in emotional)
    held_out = [one for label, one in figures["ben"].items() if label != "neutral"]
    print(json.dumps({
        "benchmark": "perception", "people": figures,
        "right_share": round(sum(one["right"] * one["readings"] for one in emotional) / total, 3),
        "held_out_right_share": round(
            sum(one["right"] * one["readings"] for one in held_out) / sum(one["readings"] for one in held_out), 3),
        "false_alarm_share": round(1 - min(found["neutral"]["right"] for found in figures.values()), 3),
        "baseline_right_share": round(max(one["readings"] for one in emotional) / total, 3),
        **{f"look_ms_p{share}": round(float(np.percentile(costs_ms, share))) for share in (50, 95)},
        "machine": platform.processor() or platform.machine(),
    }))


if __name__ == "__main__":
    main()
