"""What defeats the mark, and what does not: edits, encoders, subtraction, averaging and copying, beyond `make test`.

`make bench NAME=mark_attacks` prints a line for each attack and, last, one JSON object. A talking head of 512x512
carries the mark; "erase" figures are the luma PSNR that the attacked clip keeps against the marked one where nothing is
read from it any more. The baseline is the marked clip without an attack. `SEARCH=0` leaves out the searches (8 s each
on a slow core).
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from provenance.marks.content import content_hash, content_matches
from provenance.marks.planes import planes_of
from provenance.marks.search import search
from provenance.marks.verdicts import MarkReading, Verdict, resolve
from tests.common import mark_attacks as attacks
from tests.common.mark_attacks import KEY, SLOT, SLOT_ID, Denoiser, marked, read
from tests.common.moving_frames import talking_frames, through_codec, through_file
from tests.common.picture_changes import Picture
from tests.common.picture_edits import EDITS

SIZE = 512
FILM = Path(__file__).parents[1] / "vectors/consent/asha_first.mp4"
STRENGTHS = (0.5, 0.625, 0.75, 0.875, 1.0, 1.125, 1.25, 1.5, 1.75, 2.0)
DRAWS = 10
LIVE = (("libx264", 300), ("libx264", 150), ("libx264", 100), ("libx264", 60), ("libvpx", 250), ("libvpx", 150))
CRFS = (23, 30, 35, 40, 45)
Figures = dict[str, Any]


def outcome(reading: MarkReading, expected: int = SLOT_ID) -> str:
    """One word for the tables."""
    if reading.payload is not None:
        return "read" if reading.payload == expected else "other payload"
    if reading.tampering is not None:
        return f"tampering ({reading.tampering.value})"
    return "present" if reading.verdict is Verdict.MARK_PRESENT else "nothing"


def say(*words: object) -> None:
    print(*words, flush=True)


def edits(clip: list[Picture]) -> Figures:
    """Every edit, aligned on one frame and on fifteen, and searched where that finds no payload."""
    tables: dict[str, list[str]] = {
        name: [] for name in ("read_from_1", "read_from_15", "present_only", "tampering", "read_by_search", "lost")
    }
    for name, edit in EDITS.items():
        changed = attacks.changed(clip[:15], edit)
        one, many = outcome(read(changed[:1])), outcome(read(changed))
        found = ""
        if "read" not in (one, many) and os.environ.get("SEARCH") != "0":
            found = outcome(search([planes_of(changed[0])], KEY))
        tables[_table(one, many, found)].append(name)
        say(f"{name}: {one} from 1 frame, {many} from 15", f"searched: {found}" if found else "")
    return {f"edits_{name}": rows for name, rows in tables.items()}


def _table(one: str, many: str, found: str) -> str:
    if one == "read":
        return "read_from_1"
    if many == "read":
        return "read_from_15"
    if found == "read":
        return "read_by_search"
    if many.startswith("tampering"):
        return "tampering"
    return "present_only" if "present" in (one, many) else "lost"


def encoders(clip: list[Picture]) -> Figures:
    """The whole clip through live encoders and as files."""
    figures: Figures = {}
    for codec, kbps in LIVE:
        seen, rate = through_codec(clip, kbps, codec)
        figures[f"{codec}_{kbps}"] = outcome(read(seen))
        say(f"{codec} at {kbps} kbit/s ({rate:.0f} came out): {figures[f'{codec}_{kbps}']}")
    for crf in CRFS:
        seen, rate = through_file(clip, crf)
        figures[f"crf_{crf}"] = outcome(read(seen))
        say(f"x264 file, CRF {crf} ({rate:.0f} kbit/s): {figures[f'crf_{crf}']}")
    return figures


def film() -> list[Picture]:
    """A drawn person with sharp edges, three seconds, scaled to 512x512."""
    frames = []
    with av.open(str(FILM)) as source:
        for frame in source.decode(video=0):
            picture = cv2.resize(frame.to_ndarray(format="bgr24"), (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
            frames.append(np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420), dtype=np.uint8))
            if len(frames) == 90:
                break
    return frames


def erasing_db(name: str, clip: list[Picture], pictures: list[Picture], denoise: Denoiser) -> float | None:
    """Luma PSNR kept by the best subtraction after which nothing is read; None where every strength is noticed."""
    wave, best = attacks.estimate(pictures, denoise), None
    for strength in STRENGTHS:
        attacked = attacks.subtracted(clip, wave, strength)
        found, kept = outcome(read(attacked)), attacks.luma_psnr_db(attacked, clip)
        say(f"{name}, {denoise.__name__}, strength {strength}: {found} at {kept:.1f} dB")
        if found == "nothing":
            best = max(best or 0.0, kept)
    return best


def subtraction(name: str, clip: list[Picture]) -> Figures:
    """The clip's own noise, from one frame and from three seconds, taken off ten frames."""
    figures: Figures = {}
    for denoise in (attacks.common, attacks.matched, attacks.edge_keeping):
        for step, count in ((1, 1), (3, len(clip))):
            label = f"{name}: own noise of {count} frames"
            kept_db = erasing_db(label, clip[:10], clip[:count:step], denoise)
            figures[f"erase_db_{name}_{denoise.__name__}_{count}"] = kept_db
    return figures


def _random_ids(count: int, seed: int) -> list[int]:
    return [int(number) for number in np.random.default_rng(seed).integers(0, 2**63, count)]


def other_sessions(clip: list[Picture]) -> Figures:
    """Stills of other sessions of the epoch, averaged and taken off: do the shared sync signs go, does the payload?"""
    figures: Figures = {}
    for count in (1, 4, 16, 32):
        stills = [
            marked(list(talking_frames(1, SIZE, 200 + number)), slot_id, SLOT + number)[0]
            for number, slot_id in enumerate(_random_ids(count, count))
        ]
        label = f"noise of {count} other sessions"
        figures[f"erase_db_other_sessions_{count}"] = erasing_db(label, clip[:10], stills, attacks.matched)
    return figures


def averages(frames: list[Picture]) -> Figures:
    """The mean of sessions that show the same film: how often is a payload read, and is it ever nobody's?"""
    figures: Figures = {"average_wrong_payloads": 0}
    for sessions in (2, 4, 8):
        for same in (True, False):
            found = [_average(frames, _random_ids(sessions, draw), same) for draw in range(DRAWS)]
            figures["average_wrong_payloads"] += found.count("nobody's payload")
            name = f"average_{sessions}_{'same' if same else 'other'}_slots"
            figures[name] = {word: found.count(word) for word in sorted(set(found))}
            say(f"{name}: {figures[name]}")
    return figures


def _average(frames: list[Picture], ids: list[int], same: bool) -> str:
    slots = [SLOT if same else SLOT + 7 * number for number in range(len(ids))]
    mean = attacks.averaged([marked(frames, slot_id, slot) for slot_id, slot in zip(ids, slots, strict=True)])
    reading = read(mean)
    if reading.payload is not None:
        return "one session's payload" if reading.payload in ids else "nobody's payload"
    return outcome(reading)


def copies(source: list[Picture], clip: list[Picture]) -> Figures:
    """The mark put on another picture, from one frame and from three seconds."""
    elsewhere = list(talking_frames(5, SIZE, seed=9))
    recorded, seen = ([content_hash(planes_of(frame).y) for frame in frames] for frames in (source, elsewhere))
    figures: Figures = {}
    for count in (1, len(clip)):
        forged = attacks.subtracted(elsewhere, attacks.estimate(clip[:count], attacks.common), -1.0)
        verdict = resolve(read(forged), is_known=True, content_matches=content_matches(recorded, seen))
        figures[f"copy_{count}"] = verdict.value
        kept = attacks.luma_psnr_db(forged, elsewhere)
        say(f"copied from {count} frames: {verdict.value}, the other picture keeps {kept:.1f} dB")
    return figures


def steps() -> Iterator[Figures]:
    """All attacks, one after the other."""
    source = list(attacks.talking_head())
    clip = marked(source)
    yield {"without_attack": outcome(read(clip[:1]))}
    yield encoders(clip)
    yield subtraction("head", clip)
    yield subtraction("head_600_kbps", through_codec(clip, 600)[0])
    yield subtraction("film", marked(film()))
    yield other_sessions(clip)
    yield averages(source[:3])
    yield copies(source, clip)
    yield edits(clip)


def main() -> None:
    """Measure and print."""
    cv2.setNumThreads(1)
    figures: Figures = {}
    for step in steps():
        figures |= step
    print(json.dumps({name: round(value, 1) if isinstance(value, float) else value for name, value in figures.items()}))


if __name__ == "__main__":
    main()
