"""How far apart are two clips of one face, and of two faces? Chooses the limit of the same-face check.

Each generated person is filmed twice, in two performances and two sizes: once speaking freely, once answering a
challenge. Every pair of clips is compared. The baseline is the least a check must beat: a coin.
"""

import argparse
import json
import time
from itertools import combinations

import numpy as np

from consent.identity.same_face import FAIL_DISTANCE, face_vector
from rendering.demo import files
from rendering.demo.clips import SAMPLE_HZ, record_consent, record_speech
from rendering.demo.people import DemoPerson
from trustcore.tracker import track_clip
from trustcore.tracker.geometry import identity_distance

CHALLENGE = {
    "phrase": "river copper seven", "phrase_at_ms": 500, "duration_ms": 7000,
    "turns": [{"direction": "left", "at_ms": 2600}, {"direction": "right", "at_ms": 4600}],
}  # fmt: skip


def _vector(clip):
    tracked = track_clip(files.mp4(clip.frames(), clip.fps, clip.pcm, SAMPLE_HZ))
    return face_vector(tracked.landmarks)


def _rates(same, different, limit):
    """False non-match and false match at a limit."""
    return np.mean(np.array(same) > limit), np.mean(np.array(different) <= limit)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=12)
    given = parser.parse_args()
    started = time.monotonic()
    speaking, asked = [], []
    for seed in range(given.people):
        person = DemoPerson(seed)
        speaking.append(_vector(record_speech(person, seconds=11.0, size=160, fps=8.0)))
        asked.append(_vector(record_consent(person, CHALLENGE, size=128, fps=8.0, take=1)))
        print(f"person {seed + 1} of {given.people}, {time.monotonic() - started:.0f} s", flush=True)
    same = [identity_distance(one, other) for one, other in zip(speaking, asked, strict=True)]
    clips = speaking + asked
    different = [
        identity_distance(clips[i], clips[j])
        for i, j in combinations(range(len(clips)), 2)
        if i % given.people != j % given.people
    ]
    limits = np.linspace(0, 3, 301)
    rates = [_rates(same, different, limit) for limit in limits]
    equal = int(np.argmin([abs(a - b) for a, b in rates]))
    print(json.dumps({
        "people": given.people, "same_pairs": len(same), "different_pairs": len(different), "limit": FAIL_DISTANCE,
        "same_max": round(max(same), 2), "same_median": round(float(np.median(same)), 2),
        "different_min": round(min(different), 2), "different_median": round(float(np.median(different)), 2),
        "different_p05": round(float(np.quantile(different, 0.05)), 2),
        "false_non_match_rate": round(float(np.mean(np.array(same) > FAIL_DISTANCE)), 4),
        "false_match_rate": round(float(np.mean(np.array(different) <= FAIL_DISTANCE)), 4),
        "equal_error_limit": round(float(limits[equal]), 2), "equal_error_rate": round(float(max(rates[equal])), 4),
        "rates_at": {
            f"{limit:.1f}": [round(float(rate), 3) for rate in _rates(same, different, limit)]
            for limit in np.arange(0.6, 2.3, 0.2)
        },  # limit: [false non-match, false match]
        "baseline": "coin", "baseline_error_rate": 0.5, "wall_s": round(time.monotonic() - started, 1),
    }))  # fmt: skip


if __name__ == "__main__":
    main()
