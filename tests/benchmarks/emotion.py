"""Do faces show the emotions they are asked for: on points, on pixels, apart from each other, and in speech?

    make bench NAME=emotion           REPLICA=DIR

Measures the in-tree person (a short fit of 250 iterations), and ../shared/data/subjects/asha/footage.mp4 where it is
(90 s of fit, kept in the temporary folder), or the replica in DIR. The baseline is the smile of the mouth alone, which
must fail the test of joy.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from rendering.engine.contact import lip_gap
from rendering.engine.motion import expression
from rendering.engine.motion.performer import Performer
from rendering.engine.replica import MANIFEST_FILE, MODEL_FILE, Replica
from rendering.training.config import TrainingConfig
from rendering.training.fit import train
from tests.benchmarks.train import SUBJECT
from tests.common import quick_replica, redetection
from tests.common.emotion_measures import TESTS, measure
from tests.common.emotional_faces import CONTROLS, Faces, amounts_of
from tests.unit.rendering.engine.test_visemes import spans
from trustcore.tracker import track_clip

FILES = (MODEL_FILE, MANIFEST_FILE)
LEVELS = (400, 600, 800, 1000)
JUDGED_AT = (600, 800, 1000)
SENTENCE = ("sil", "PP", "aa", "PP", "E", "nn", "PP", "ou", "DD", "PP", "iy", "FF", "aa", "PP", "sil")
EACH_S = 0.11
MOUTH_ONLY = "smile of the mouth alone"


def replicas() -> dict[str, Replica]:
    """Name -> replica to measure."""
    if folder := os.environ.get("REPLICA"):
        return {Path(folder).name: _read(Path(folder))}
    found = {"in-tree person": Replica.from_files(quick_replica.files())}
    if SUBJECT.exists():
        found["asha/footage.mp4"] = _subject()
    return found


def _subject() -> Replica:
    folder = Path(tempfile.gettempdir()) / "trustcore-bench-emotion-asha"
    if not folder.exists():
        clip = track_clip(SUBJECT.read_bytes(), want=frozenset({"landmarks", "mask"}), size=256)
        files = train(clip, TrainingConfig(iterations=100_000, time_limit_s=90.0, report_frames=8)).files
        folder.mkdir()
        for name in FILES:
            (folder / name).write_bytes(files[name])
    return _read(folder)


def _read(folder: Path) -> Replica:
    return Replica.from_files({name: (folder / name).read_bytes() for name in FILES})


def on_points(faces: Faces) -> dict[str, Any]:
    """Joy by strength and the smile of the mouth alone, on the mesh."""
    rows = {f"joy {milli}": expression.amounts("joy", milli) for milli in LEVELS}
    rows[MOUTH_ONLY] = amounts_of(**CONTROLS[MOUTH_ONLY])
    measured = {name: faces.measures(amounts) for name, amounts in rows.items()}
    for name, m in measured.items():
        print(f"  points  {name:26} cheek {m.cheek_rise:+.3f}  aperture {100 * m.aperture:+5.1f} %"
              f"  corners {m.corner_rise:+.3f}  width {100 * m.mouth_width:+5.1f} %")
    at_400, mouth_only = measured["joy 400"], measured[MOUTH_ONLY]
    return {
        "cheek_rise_400": at_400.cheek_rise, "cheek_rise_mouth_only": mouth_only.cheek_rise,
        "aperture_400": at_400.aperture, "aperture_mouth_only": mouth_only.aperture,
    }


def on_pixels(faces: Faces) -> dict[str, Any]:
    """The aperture as the tracker finds it in drawn pictures."""
    rows = {f"joy {milli}": expression.amounts("joy", milli) for milli in LEVELS}
    rows |= {"joy 800, jaw open": expression.amounts("joy", 800) + amounts_of(jaw=0.4)}
    rows |= {name: amounts_of(**CONTROLS[name]) for name in (MOUTH_ONLY, "jaw open")}
    rows |= {f"{name} 1000": expression.amounts(name, 1000) for name in expression.EMOTIONS[2:]}
    found = redetection.landmarks_of([faces.picture(amounts) for amounts in (amounts_of(), *rows.values())])
    seen = {name: measure(face, found[0]) for name, face in zip(rows, found[1:], strict=True)}
    for name, m in seen.items():
        print(f"  pixels  {name:26} aperture {100 * m.aperture:+5.1f} %  width {100 * m.mouth_width:+5.1f} %"
              f"  inner brow {m.inner_brow_rise:+.3f}  outer brow {m.outer_brow_rise:+.3f}  lips {m.lip_gap:+.3f}")
    return {"pixel_aperture_400": seen["joy 400"].aperture, "pixel_aperture_mouth_only": seen[MOUTH_ONLY].aperture}


def confusion(faces: Faces) -> dict[str, Any]:
    """Which emotion's test each face passes."""
    wrong = 0
    for milli in JUDGED_AT:
        for shown, seen in faces.confusion(milli).items():
            wrong += seen != ((shown,) if shown in TESTS else ())
            if milli == JUDGED_AT[0]:
                print(f"  {shown:26} passes the test of: {', '.join(seen) or '-'}")
    return {"confused": wrong, "judged": len(JUDGED_AT) * (len(TESTS) + len(CONTROLS))}


def in_speech(faces: Faces) -> dict[str, Any]:
    """Widest lip opening in the middle of p, b, m, and how far the opening is from that of the calm face."""
    moments = 1.0 + EACH_S * (np.arange(4 * len(SENTENCE)) / 4 + 0.125)
    middles = [4 * index + 1 for index, sound in enumerate(SENTENCE) if sound == "PP"]
    gaps = {}
    for name in expression.EMOTIONS:
        performer = Performer(faces.replica, 5)
        performer.set_emotion(name, 1000, 0.0)
        performer.say(spans(*SENTENCE, each_s=EACH_S), 1.0)
        drawn = [lip_gap(faces.renderer.face(performer.state_at(float(t)))[0]) for t in moments]
        gaps[name] = np.array(drawn) / faces.replica.space.inter_ocular
    return {
        "bilabial_gap_neutral": float(gaps["neutral"][middles].max()),
        "bilabial_gap_worst": float(max(gap[middles].max() for gap in gaps.values())),
        "opening_off_worst": float(max(np.abs(gap - gaps["neutral"]).max() for gap in gaps.values())),
    }


def main() -> None:
    """Print the tables and, last, one JSON object."""
    told = {}
    for name, replica in replicas().items():
        print(name, "shown at most to", replica.emotion_caps_milli, flush=True)
        faces = Faces(replica)
        figures = {**on_points(faces), **on_pixels(faces), **confusion(faces), **in_speech(faces)}
        told[name] = {
            **{key: round(value, 4) for key, value in figures.items()}, "caps_milli": replica.emotion_caps_milli,
        }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
