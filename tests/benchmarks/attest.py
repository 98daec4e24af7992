"""What attesting every frame costs at the sender: time and bytes, against sending the same frames without it.

Run by `make bench NAME=attest`. Frames are real: a moving picture, 512x512, encoded by x264 at 1 Mbit/s.
"""

import json
import platform
import statistics
import time
from fractions import Fraction
from typing import Any

import av
import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from provenance.manifests import sei
from provenance.manifests.attest import Attested, Attestor, SessionKey, rebuild_fragment
from provenance.manifests.cose import parse_sign1, verify_sign1
from provenance.manifests.fmp4 import parse_fragment

SIZE = 512
FRAMES = 300
FRAMES_PER_S = 30
LABEL = "urn:c2pa:00000000-0000-4000-8000-000000000001"


def encoded_frames() -> list[bytes]:
    """FRAMES access units."""
    codec: Any = av.CodecContext.create("libx264", "w")
    codec.width = codec.height = SIZE
    codec.pix_fmt, codec.framerate, codec.time_base = "yuv420p", Fraction(FRAMES_PER_S), Fraction(1, 90_000)
    codec.bit_rate, codec.gop_size, codec.profile = 1_000_000, 300, "Baseline"
    codec.options = {"preset": "superfast", "tune": "zerolatency", "threads": "1"}
    picture = np.random.default_rng(7).integers(0, 255, (SIZE // 16, SIZE // 16, 3), dtype=np.uint8)
    picture = picture.repeat(16, axis=0).repeat(16, axis=1)
    units: list[bytes] = []
    for index in range(FRAMES):
        frame = av.VideoFrame.from_ndarray(np.roll(picture, index, axis=1).copy(), format="rgb24")
        frame = frame.reformat(format="yuv420p")
        frame.pts, frame.time_base = index * 3000, Fraction(1, 90_000)
        units += [bytes(packet) for packet in codec.encode(frame)]
    return units


def milliseconds(work: Any, items: list[Any]) -> list[float]:
    taken = []
    for item in items:
        start = time.perf_counter()
        work(item)
        taken.append((time.perf_counter() - start) * 1000)
    return taken


def main() -> None:
    print(f"encoding {FRAMES} frames of {SIZE}x{SIZE} ...", flush=True)
    units = encoded_frames()
    key, attested = SessionKey(Ed25519PrivateKey.generate()), list[Attested]()
    attestor = Attestor(key, LABEL)
    print("attesting ...", flush=True)
    sender_ms = milliseconds(
        lambda pair: attested.append(attestor.attest(pair[1], 3000 * pair[0])), list(enumerate(units)),
    )
    baseline_ms = milliseconds(lambda unit: sei.join_annex_b(sei.split_annex_b(unit)), units)

    def receive(frame: Attested) -> None:
        fragment = rebuild_fragment(frame.access_unit)
        assert fragment is not None
        verify_sign1(key.public, parse_sign1(parse_fragment(fragment).cose))

    print("verifying ...", flush=True)
    receiver_ms = milliseconds(receive, attested)
    added = [len(frame.access_unit) - len(unit) for frame, unit in zip(attested, units, strict=True)]
    median, baseline = statistics.median(sender_ms), statistics.median(baseline_ms)
    print(json.dumps({
        "bench": "attest", "frames": len(units), "frame_bytes_median": statistics.median(len(unit) for unit in units),
        "sender_ms_median": round(median, 4), "sender_ms_p99": round(sorted(sender_ms)[len(sender_ms) * 99 // 100], 4),
        "baseline": "split and join the NAL units, no attestation", "baseline_ms_median": round(baseline, 4),
        "ratio": round(median / baseline, 2),
        "receiver_python_ms_median": round(statistics.median(receiver_ms), 4),
        "bytes_per_frame_full": round(statistics.mean(added), 1),
        "kbit_per_s_at_30_fps": round(statistics.mean(added) * 8 * FRAMES_PER_S / 1000, 1),
        "machine": f"{platform.machine()} {platform.system()}",
    }))


if __name__ == "__main__":
    main()
