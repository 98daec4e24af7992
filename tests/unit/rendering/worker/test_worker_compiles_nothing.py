"""No kernel is compiled in a live frame: not for another size, a blink, an emotion, a new mark slot or fewer splats."""

import gc
import os

from numba.core.registry import CPUDispatcher

from provenance.manifests.attest import Attestor, SessionKey
from provenance.manifests.permit import LeaseClock, Permit
from provenance.manifests.seal import Sealer
from provenance.marks.keys import MarkKey
from rendering.engine import renderer, stand_in
from rendering.engine.motion.performer import Performer
from rendering.worker import autotune
from rendering.worker.encoder import EncoderSettings
from rendering.worker.frame_parts import CPU_PARTS, drawn_frame
from rendering.worker.workloads import Workload


def compiled() -> dict[str, int]:
    """How many versions of each numba function exist in this process."""
    # By type, not by isinstance: that asks a lazy object of another test what it is, and so wakes it.
    found = [item for item in gc.get_objects() if issubclass(type(item), CPUDispatcher)]
    return {f"{item.py_func.__module__}.{item.py_func.__qualname__}": len(item.signatures) for item in found}


def test_frames_of_every_kind_use_what_the_start_compiled() -> None:
    renderer.warm_up()
    autotune.frame_ms(CPU_PARTS, stand_in.replica(500, 128), Workload(128, 500, 30))
    before = compiled()
    assert sum("records.from_mesh" in name for name in before) == 1 and any("_add_luma" in name for name in before)
    permit = Permit("g1", "ab", "c1", "r1", 1, "cd", "y1", 1, "", "en", {}, 1e12, LeaseClock(1e12))
    for size, splats in ((128, 500), (192, 900), (192, None)):
        replica = stand_in.replica(1500, 128, seed=size)
        drawing, performer = CPU_PARTS.renderer(replica, size, splats), Performer(replica, 2)
        mark = CPU_PARTS.embedder(MarkKey(os.urandom(32)), 1, 0, size, size)
        sealer = Sealer(
            permit, label=CPU_PARTS.label(size, size, "hi"), embedder=mark,
            encoder=CPU_PARTS.encoder(EncoderSettings(size, size)), attestor=Attestor(SessionKey(), "urn:c2pa:test"))
        performer.set_emotion("joy", 800, 1.0)
        performer.set_listening(True, 4.0)
        for index in range(0, 300, 25):
            if index == 150:
                mark.rekey(1)
            sealer.seal(drawn_frame(drawing, performer.state_at(index / 30), index * 3000), permit, now_s=1.0)
    assert compiled() == before
