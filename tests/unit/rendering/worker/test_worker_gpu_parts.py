"""The GPU's parts of a frame do what the processor's do, to within two levels. Without a GPU: in an interpreter."""

import subprocess
import sys

import numpy as np
import pytest

from rendering.worker.encoder import EncoderSettings, VideoEncoder

# The interpreter is chosen when Triton is imported, so the comparison runs in a process of its own.
COMPARE = """
import numpy as np
from provenance.manifests.attest import Attestor, SessionKey
from provenance.manifests.permit import LeaseClock, Permit
from provenance.manifests.seal import Sealer
from provenance.marks.keys import MarkKey
from rendering.engine import stand_in
from rendering.engine.motion.performer import Performer
from rendering.worker.encoder import EncoderSettings
from rendering.worker.frame_parts import CPU_PARTS, choose
SIZE = 128
replica = stand_in.replica(400, SIZE)
state = Performer(replica, 3).state_at(1.0)
planes = []
for parts in (CPU_PARTS, choose("gpu")):
    renderer = parts.renderer(replica, SIZE, None)
    raw = parts.raw_frame(renderer, state, 3000)
    before = np.array(raw.y)
    mark = parts.embedder(MarkKey(bytes(32)), 7, 2, SIZE, SIZE)
    mark.rekey(3)
    permit = Permit("g1", "ab", "c1", "r1", 1, "cd", "y1", 1, "", "en", {}, 1e12, LeaseClock(1e12))
    sealer = Sealer(
        permit, label=parts.label(SIZE, SIZE, "hi"), embedder=mark, encoder=parts.encoder(EncoderSettings(SIZE, SIZE)),
        attestor=Attestor(SessionKey(), "urn:c2pa:test"))
    sealed = sealer.seal(raw, permit, now_s=1.0)
    assert sealed.is_key and len(sealed.access_unit) > 1000
    planes.append([np.array(plane).astype(int) for plane in (raw.y, raw.u, raw.v)])
    assert np.abs(planes[-1][0] - before).max() > 20  # label and mark are in the planes that were encoded
for one, other in zip(*planes, strict=True):
    apart = np.abs(one - other)
    assert apart.max() <= 2 and apart.mean() < 0.1, (apart.max(), apart.mean())
print("agree")
"""


def test_planes_are_the_same_to_two_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    done = subprocess.run([sys.executable, "-c", COMPARE], capture_output=True, text=True, timeout=300, check=False)
    assert done.stdout.strip() == "agree", done.stderr[-2000:]


def test_without_nvenc_the_processor_encodes() -> None:
    encoder = VideoEncoder(EncoderSettings(64, 64), prefers_nvenc=True)
    if encoder.program == "h264_nvenc":
        pytest.skip("this machine has NVENC")
    grey = np.full((64, 64), 128, np.uint8)
    assert encoder.program == "libx264"
    assert encoder.encode(grey, grey[::2, ::2], grey[::2, ::2], 0).is_key
