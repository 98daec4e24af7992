"""The whole way of a frame with the worker's own parts, paced at 30 frames a second, as a session does it.

State of a face that speaks, picture, visible label, watermark, H.264, attestation: `FrameMaker.make` in a thread of
its own. `make bench NAME=render` runs it at 384x384; by itself it takes `SIZE` and `SECONDS`.
"""

from __future__ import annotations

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import numpy as np
import torch

from provenance.manifests.attest import Attestor, SessionKey
from provenance.manifests.label import Label
from provenance.manifests.permit import LeaseClock, Permit, permit_from_grant
from provenance.manifests.seal import Sealer
from rendering.engine import stand_in
from rendering.engine.motion.life.prosody import of_sound
from rendering.engine.motion.performer import Performer
from rendering.engine.renderer import Renderer
from rendering.engine.replica import Replica
from rendering.motion_models import life_model, mouth_models
from rendering.speech.voices import pick_voice
from rendering.worker.encoder import EncoderSettings, VideoEncoder
from rendering.worker.frames import FrameMaker
from rendering.worker.latency import LatencyMarks
from rendering.worker.mark_slots import SlottedMark
from rendering.worker.pacing import FramePacer
from rendering.worker.stage import Stage
from trustcore.primitives.clock import utc_now
from trustcore.primitives.grants import Grant, make_times
from trustcore.primitives.signing import b64

FRAMES_PER_S, LEAD_S = 30, 0.030
EMOTIONS = ("joy", "neutral", "surprise")
SENTENCE = "Tell me everything about the claim, the payment, the photographs and the next steps."


def a_permit(seconds: float) -> Permit:
    """Leave to seal for the length of the measurement."""
    now = utc_now()
    issued_at, not_after = make_times(now, timedelta(seconds=seconds + 600))
    grant = Grant(
        grant_id="g1", tenant="bench", conversation_id="c1", subject_id="s1", replica_id="r1", replica_version=1,
        replica_sha256="00" * 32, consent_id="k1", consent_receipt_sha256="ab" * 32, policy_id="p1", policy_version=1,
        policy_sha256="00" * 32, cedar_sha256="00" * 32, persona_id="q1", purpose="demo", audience="staff",
        country="IN", language="en", context_of_use="other", disclosure="An AI replica.", issued_at=issued_at,
        not_after=not_after, emotion_max_milli={"joy": 800, "surprise": 600},
    )  # fmt: skip
    now_s = time.monotonic()
    return permit_from_grant(grant, lease=LeaseClock(now_s + seconds + 600), now_utc=now, now_s=now_s)


def maker(replica: Replica, size_px: int, seconds: float) -> tuple[FrameMaker, Stage]:
    """A session's frame maker, with a mark that changes its signs every few seconds."""
    permit = a_permit(seconds)
    released = {"epoch_key": b64(os.urandom(32)), "slot_id": f"{7:016x}", "first_index": 0}
    mark = SlottedMark(released, size_px, size_px)
    encoder = VideoEncoder(EncoderSettings(size_px, size_px))
    attestor = Attestor(SessionKey(), "urn:c2pa:bench")
    sealer = Sealer(permit, label=Label(size_px, size_px), embedder=mark, encoder=encoder, attestor=attestor)
    performer = Performer(replica, 1, mouth=mouth_models(), life=life_model())
    stage = Stage(performer, permit.emotion_max_milli)
    return FrameMaker(
        stage=stage, renderers={size_px: Renderer(replica, size_px)}, sealer=sealer, permit=permit, mark=mark,
        encoder=encoder, latency=LatencyMarks(),
    ), stage  # fmt: skip


def figures(replica: Replica, size_px: int, seconds: float = 20.0) -> dict[str, float]:
    """Rate, making time and processor time of so many seconds of frames."""
    make, stage = maker(replica, size_px, seconds)
    utterance = pick_voice("en").say(SENTENCE)
    prosody = of_sound(utterance.pcm, utterance.rate_hz)
    sentence_frames = round(FRAMES_PER_S * (len(utterance.pcm) / utterance.rate_hz + 0.5))
    wall_ms: list[float] = []
    cpu_ms: list[float] = []
    with ThreadPoolExecutor(1, "frames") as frame_thread:
        pacer = FramePacer(FRAMES_PER_S, time.monotonic() + 0.1, LEAD_S)
        frame_thread.submit(make.make, pacer.next_tick(time.monotonic())).result()
        first = tick = pacer.next_tick(time.monotonic())
        while tick.media_time_s < seconds:
            time.sleep(max(0.0, tick.start_at_s - time.monotonic()))
            if tick.index % sentence_frames == 1:
                stage.say(utterance.visemes, tick.media_time_s + 0.3, prosody)
            if tick.index % 60 == 1:
                stage.show(EMOTIONS[tick.index // 60 % len(EMOTIONS)], 600, tick.media_time_s)
            wall, cpu = frame_thread.submit(_timed, make, tick).result()
            wall_ms.append(wall)
            cpu_ms.append(cpu)
            tick = pacer.next_tick(time.monotonic())
        due_s = (tick.index - first.index) / FRAMES_PER_S
    return {
        f"path_fps_{size_px}": round(len(wall_ms) / due_s, 2),
        f"path_ms_p50_{size_px}": round(float(np.median(wall_ms)), 2),
        f"path_ms_p99_{size_px}": round(float(np.percentile(wall_ms, 99)), 2),
        f"path_cpu_ms_{size_px}": round(float(np.median(cpu_ms)), 2),
    }


def _timed(make: FrameMaker, tick: object) -> tuple[float, float]:
    """Milliseconds by the clock and of processor time that one frame took."""
    began, worked = time.perf_counter(), time.thread_time()
    make.make(tick)  # type: ignore[arg-type]
    return 1000 * (time.perf_counter() - began), 1000 * (time.thread_time() - worked)


def main() -> None:
    """Print one JSON object."""
    torch.set_num_threads(1)
    size, seconds = int(os.environ.get("SIZE", "384")), float(os.environ.get("SECONDS", "20"))
    print(json.dumps(figures(stand_in.replica(), size, seconds)))


if __name__ == "__main__":
    main()
