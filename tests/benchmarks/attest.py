"""What attesting every frame costs in time and bytes, and what of it arrives.

Run by `make bench NAME=attest`. Frames are real: a moving picture, 512x512, encoded at 1 Mbit/s. Baselines in the same
run: the same frames without attestation, a full C2PA manifest for a JPEG of every frame, and one signed Merkle root a
second. The receiver is the page's own code in headless Chromium.
"""

import asyncio
import io
import json
import platform
import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np
from c2pa import Builder, C2paSigningAlg, Signer
from c2pa.c2pa import C2paSignerInfo
from cryptography.hazmat.primitives import serialization

from provenance.manifests import assertions, c2pa_files, certs, sei
from provenance.manifests.attest import Attested, Attestor, SessionKey
from provenance.manifests.carriage import Form
from provenance.manifests.cose import parse_sign1, verify_sign1
from provenance.manifests.frame_codecs import H264_FRAMES, OPUS_PACKETS, VP8_FRAMES, FrameCodec
from provenance.manifests.segments import root_of
from tests.benchmarks import attest_browser
from tests.common.attested_viewer import spoken

SIZE = 512
FRAMES = 300
FRAMES_PER_S = 30
JPEG_FRAMES = 60
LABEL = "urn:c2pa:00000000-0000-4000-8000-000000000001"


def pictures() -> list[np.ndarray]:
    """FRAMES pictures [SIZE, SIZE, 3], RGB."""
    picture = np.random.default_rng(7).integers(0, 255, (SIZE // 16, SIZE // 16, 3), dtype=np.uint8)
    picture = picture.repeat(16, axis=0).repeat(16, axis=1)
    return [np.roll(picture, index, axis=1).copy() for index in range(FRAMES)]


def encoded_frames(codec: FrameCodec) -> list[bytes]:
    """FRAMES encoded frames at 1 Mbit/s."""
    encoder: Any = av.CodecContext.create("libvpx" if codec is VP8_FRAMES else "libx264", "w")
    encoder.width = encoder.height = SIZE
    encoder.pix_fmt, encoder.framerate, encoder.time_base = "yuv420p", Fraction(FRAMES_PER_S), Fraction(1, 90_000)
    encoder.bit_rate, encoder.gop_size = 1_000_000, 300
    if codec is VP8_FRAMES:
        encoder.options = {"deadline": "realtime", "cpu-used": "-6", "lag-in-frames": "0"}
    else:
        encoder.profile = "Baseline"
        encoder.options = {"preset": "superfast", "tune": "zerolatency", "threads": "1"}
    units: list[bytes] = []
    for index, picture in enumerate(pictures()):
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = index * 3000, Fraction(1, 90_000)
        units += [bytes(packet) for packet in encoder.encode(frame)]
    return units


def milliseconds(work: Callable[[Any], object], items: Sequence[Any]) -> list[float]:
    taken = []
    for item in items:
        start = time.perf_counter()
        work(item)
        taken.append((time.perf_counter() - start) * 1000)
    return taken


def attest_all(
    units: list[bytes], key: SessionKey, codec: FrameCodec, form: Form,
) -> tuple[list[Attested], list[float]]:
    """(attested frames, milliseconds each)."""
    attestor, made = Attestor(key, LABEL, codec=codec), list[Attested]()
    taken = milliseconds(
        lambda pair: made.append(attestor.attest(pair[1], 3000 * pair[0], form)), list(enumerate(units)))
    return made, taken


def added_bytes(attested: list[Attested], units: list[bytes]) -> float:
    """Mean bytes that an attestation adds to a frame on the wire, start code and emulation prevention included."""
    return statistics.mean(len(a.access_unit) - len(unit) for a, unit in zip(attested, units, strict=True))


def full_manifest() -> tuple[float, float]:
    """(kbit/s at 30 frames a second, milliseconds a frame) of a C2PA manifest of its own for a JPEG of every frame."""
    now = datetime.now(UTC)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", certs.InsecureProviderWarning)
        authority = certs.make_ca(now)
    leaf, key = certs.issue_claim_signer(authority, now)
    key_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    info = C2paSignerInfo(C2paSigningAlg.ES256, (leaf + authority.certificate_pem).encode(), key_pem, None)
    created = {"actions": assertions.actions("bench", [])["actions"][:1]}
    said = [{"label": "c2pa.actions.v2", "data": created, "created": True}]
    added: list[int] = []
    context = c2pa_files.context(authority.certificate_pem)

    def sign(picture: np.ndarray) -> None:
        jpeg = cv2.imencode(".jpg", picture)[1].tobytes()
        out = io.BytesIO()
        with Signer.from_info(info) as signer:
            Builder({"claim_generator_info": [assertions.GENERATOR], "assertions": said}, context).sign(
                signer, "image/jpeg", io.BytesIO(jpeg), out)
        added.append(len(out.getvalue()) - len(jpeg))

    taken = milliseconds(sign, pictures()[:JPEG_FRAMES])
    return statistics.mean(added) * 8 * FRAMES_PER_S / 1000, statistics.median(taken)


def merkle_delay_ms(attested: list[Attested]) -> float:
    """Median time from a frame to its verdict when one signed Merkle root a second is all there is.

    A frame waits for the last frame of its second; what building, signing and checking the root takes is added.
    """
    key, delays = SessionKey(), []
    for start in range(0, len(attested), FRAMES_PER_S):
        second = [frame.fragment for frame in attested[start : start + FRAMES_PER_S]]
        begun = time.perf_counter()
        verify_sign1(key.public, parse_sign1(key.sign(bytes.fromhex(root_of(second)))))
        work_ms = (time.perf_counter() - begun) * 1000
        last = len(second) - 1
        delays += [(last - i) * 1000 / FRAMES_PER_S + work_ms for i in range(len(second))]
    return statistics.median(delays)


async def browser_figures(made: dict[str, list[Attested]], key: SessionKey) -> dict[str, Any]:
    """Time of the page's verifier for each kind of frame, and what verifies over a line without and with loss."""
    found: dict[str, Any] = {}
    for name, codec in (("full", H264_FRAMES), ("compact", H264_FRAMES), ("vp8", VP8_FRAMES)):
        units = [frame.access_unit for frame in made[name]]
        suffix = "" if name == "full" else f"_{name}"
        found[f"receiver_ms_median{suffix}"] = round(
            await attest_browser.receiver_ms(key, LABEL, codec, units), 3)
    false_invalid = 0
    for name, loss, codec in (
        ("loss0", 0.0, H264_FRAMES), ("loss5", 0.05, H264_FRAMES), ("vp8_loss5", 0.05, VP8_FRAMES),
    ):
        print(f"playing {name} ...", flush=True)
        counts, sound = await attest_browser.live_counts(loss, codec)
        print(f"  pictures {counts}\n  sound {sound}", flush=True)
        for kind, told in ((name, counts), (f"sound_{name}", sound)):
            found[f"share_verified_{kind}"] = round(told["verified"] / told["received"], 5)
            found[f"received_{kind}"] = told["received"]
            false_invalid += told["invalid"]
    return found | {"false_invalid": false_invalid}


def main() -> None:
    print(f"encoding {FRAMES} frames of {SIZE}x{SIZE}, twice ...", flush=True)
    h264, vp8 = encoded_frames(H264_FRAMES), encoded_frames(VP8_FRAMES)
    key = SessionKey()
    print("attesting ...", flush=True)
    attest_all(h264[:30], key, H264_FRAMES, Form.FULL)
    full, full_ms = attest_all(h264, key, H264_FRAMES, Form.FULL)
    compact, compact_ms = attest_all(h264, key, H264_FRAMES, Form.COMPACT)
    vp8_full, vp8_ms = attest_all(vp8, key, VP8_FRAMES, Form.FULL)
    vp8_compact, _ = attest_all(vp8, key, VP8_FRAMES, Form.COMPACT)
    sound = list(spoken())
    opus, opus_ms = attest_all(sound, key, OPUS_PACKETS, Form.COMPACT)
    bare_ms = statistics.median(milliseconds(lambda unit: sei.join_annex_b(sei.split_annex_b(unit)), h264))
    print("signing a manifest a frame ...", flush=True)
    manifest_kbps, manifest_ms = full_manifest()
    browser = asyncio.run(browser_figures({"full": full, "compact": compact, "vp8": vp8_full}, key))
    sender_ms, full_bytes = statistics.median(full_ms), added_bytes(full, h264)
    print(json.dumps({
        "bench": "attest", "frames": FRAMES, "frame_bytes_median": statistics.median(len(unit) for unit in h264),
        "sender_ms_median": round(sender_ms, 4), "sender_ms_p99": round(sorted(full_ms)[FRAMES * 99 // 100], 4),
        "sender_ms_median_compact": round(statistics.median(compact_ms), 4),
        "sender_ms_median_vp8": round(statistics.median(vp8_ms), 4),
        "bytes_per_frame_full": round(full_bytes, 1), "bytes_per_frame_compact": round(added_bytes(compact, h264), 1),
        "bytes_per_frame_vp8_full": round(added_bytes(vp8_full, vp8), 1),
        "bytes_per_frame_vp8_compact": round(added_bytes(vp8_compact, vp8), 1),
        "kbit_per_s_full": round(full_bytes * 8 * FRAMES_PER_S / 1000, 1),
        "kbit_per_s_compact": round(added_bytes(compact, h264) * 8 * FRAMES_PER_S / 1000, 1),
        "bytes_per_packet_opus": round(added_bytes(opus, sound), 1),
        "opus_packet_bytes_mean": round(statistics.mean(len(packet) for packet in sound), 1),
        "sender_ms_median_opus": round(statistics.median(opus_ms), 4),
        **browser,
        "baseline": "split and join the NAL units, no attestation", "baseline_ms_median": round(bare_ms, 4),
        "full_manifest_kbps": round(manifest_kbps, 1), "full_manifest_ms_median": round(manifest_ms, 3),
        "merkle_verdict_delay_ms": round(merkle_delay_ms(full), 1),
        "ratio_vs_full_manifest": round(manifest_kbps / (full_bytes * 8 * FRAMES_PER_S / 1000), 2),
        "machine": f"{platform.machine()} {platform.system()}",
    }))


if __name__ == "__main__":
    main()
