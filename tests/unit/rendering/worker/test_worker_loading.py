"""A slot that is given a replica it must not draw says which replica and why, and never ends for "internal" reasons."""

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from rendering.engine import stand_in
from rendering.engine.replica import MANIFEST_FILE, MODEL_FILE, Replica
from rendering.motion_models import life_model
from rendering.worker.frame_parts import CPU_PARTS
from rendering.worker.loading import Cast, ReplicaMismatch, ReplicaUndrawable, _load
from trustcore.primitives.envelope import encrypt
from trustcore.primitives.hashing import sha256_hex

WHOLE = stand_in.replica(200, 64)
KEY, CONTEXT = bytes(32), "test"


def loaded(files: dict[str, bytes], named: bytes) -> Cast:
    ciphertexts = {name: encrypt(KEY, CONTEXT, content) for name, content in files.items()}
    keys = SimpleNamespace(read=dict.fromkeys(files, KEY), contexts=dict.fromkeys(files, CONTEXT))
    grant: Any = SimpleNamespace(
        replica_sha256=sha256_hex(named), replica_id="r1", emotion_max_milli={}, conversation_id="c1", language="en")
    config: Any = SimpleNamespace(size_px=64, most_splats=200)
    return _load(ciphertexts, grant, keys, config, CPU_PARTS)  # type: ignore[arg-type]


def changed(change: Callable[[dict[str, Any]], Any]) -> dict[str, bytes]:
    files = WHOLE.to_files()
    manifest = json.loads(files[MANIFEST_FILE])
    change(manifest)
    return {**files, MANIFEST_FILE: json.dumps(manifest).encode()}


def test_a_whole_replica_is_ready_to_be_drawn() -> None:
    files = WHOLE.to_files()
    assert set(loaded(files, files[MANIFEST_FILE]).renderers) >= {64}


@pytest.mark.parametrize("change", [
    lambda manifest: manifest.update(version=1),  # trained before the format changed
    lambda manifest: manifest["calibration"].update(mouth_style={"vector": [float("inf")] * 16}),
    lambda manifest: manifest["calibration"].update(mouth_style=[]),
    lambda manifest: manifest["files"][MODEL_FILE].update(sha256="0" * 64),
], ids=["old version", "style not finite", "style of another form", "another model"])  # fmt: skip
def test_what_must_not_be_drawn_has_a_code_of_its_own(change: Callable[[dict[str, Any]], Any]) -> None:
    files = changed(change)
    with pytest.raises(ReplicaUndrawable) as refused:
        loaded(files, files[MANIFEST_FILE])
    assert (refused.value.code, refused.value.facts) == ("replica.invalid", {"replica": "r1"})


@pytest.mark.parametrize("life", [[], "fast", {"version": 2}, {"version": 2, "style": {}}])
def test_a_manner_of_another_form_has_it_too(life: Any) -> None:
    files = changed(lambda manifest: manifest.update(life=life))
    with pytest.raises(ReplicaUndrawable):
        loaded(files, files[MANIFEST_FILE])


@pytest.mark.parametrize(("part", "number"), [
    ("tails", 100.0), ("tails", -1.0), ("speed", 0.0), ("speed", -1.0), ("blink_gaps_s", -1e30),
    ("jump_gaps_s", 0.0), ("blink_gaps_s", 1e30),
])  # fmt: skip
def test_a_manner_that_would_move_the_head_nowhere_that_is_has_it_too(part: str, number: float) -> None:
    model = life_model()
    assert model is not None
    life = model.usual.to_json(str(model.facts["sha256"]))
    whole = changed(lambda manifest: manifest.update(life=life))
    assert loaded(whole, whole[MANIFEST_FILE]).performer.life_facts["is_fitted"]
    spoilt = changed(lambda manifest: manifest.update(life={**life, part: [number] * len(life[part])}))
    with pytest.raises(ReplicaUndrawable):
        loaded(spoilt, spoilt[MANIFEST_FILE])


def test_shapes_that_no_face_can_solve_have_it_too() -> None:
    space = WHOLE.space
    vast = Replica(
        WHOLE.size_px, type(space)(**{**vars(space), "basis": space.basis * 0 + 60_000}), WHOLE.mesh, WHOLE.body,
        WHOLE.gaussians, WHOLE.plate, WHOLE.pose_coupling, WHOLE.facts).to_files()
    with pytest.raises(ReplicaUndrawable):
        loaded(vast, vast[MANIFEST_FILE])


def test_another_manifest_than_the_grants_is_a_mismatch() -> None:
    with pytest.raises(ReplicaMismatch):
        loaded(WHOLE.to_files(), b"another")
