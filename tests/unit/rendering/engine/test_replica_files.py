"""Replica files that are whole by their hashes and yet say what no face can do."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from rendering.engine import stand_in
from rendering.engine.errors import ReplicaInvalid
from rendering.engine.gaussians import LOG_AXES
from rendering.engine.replica import MANIFEST_FILE, MODEL_FILE, Replica

FILES = stand_in.replica().to_files()


def changed(**calibration: Any) -> dict[str, bytes]:
    manifest = json.loads(FILES[MANIFEST_FILE])
    manifest["calibration"].update(calibration)
    return {**FILES, MANIFEST_FILE: json.dumps(manifest).encode()}


def test_a_whole_replica_is_read() -> None:
    assert Replica.from_files(changed(emotion_caps_milli={"joy": 0, "anger": 1000})).emotion_caps_milli["joy"] == 0


@pytest.mark.parametrize(
    "calibration",
    [
        *({"jaw_gap": gap} for gap in (float("nan"), float("inf"), 1e30, -0.1, 0, "0.1", True, None, [0.1])),
        *({"emotion_caps_milli": caps} for caps in ([], None, *({"joy": cap} for cap in (
            -1, 1001, 0.5, "900", True, None, float("nan"))))),
    ],
)  # fmt: skip
def test_a_calibration_that_no_face_can_have_is_refused(calibration: dict[str, Any]) -> None:
    with pytest.raises(ReplicaInvalid):
        Replica.from_files(changed(**calibration))


@pytest.mark.parametrize("log_axis", [5.0, 60_000.0])
def test_splats_that_each_fill_the_picture_are_refused(log_axis: float) -> None:
    whole = stand_in.replica()
    values = whole.gaussians.values.copy()
    values[:, LOG_AXES : LOG_AXES + 2] = log_axis
    with pytest.raises(ReplicaInvalid, match="cover"):
        Replica.from_files(replace(whole, gaussians=replace(whole.gaussians, values=values)).to_files())


@pytest.mark.parametrize("files", [[], {"model.safetensors": []}, None])
def test_a_manifest_that_names_no_hash_is_refused(files: Any) -> None:
    manifest = {**json.loads(FILES[MANIFEST_FILE]), "files": files}
    with pytest.raises(ReplicaInvalid):
        Replica.from_files({**FILES, MANIFEST_FILE: json.dumps(manifest).encode()})


def test_another_file_does_not_stand_in_for_a_missing_one() -> None:
    with pytest.raises(ReplicaInvalid):
        Replica.from_files({MODEL_FILE: FILES[MODEL_FILE], "other.json": FILES[MANIFEST_FILE]})


def test_a_manifest_nested_without_end_is_refused() -> None:
    with pytest.raises(ReplicaInvalid):
        Replica.from_files({**FILES, MANIFEST_FILE: b"[" * 200_000})


@pytest.mark.parametrize("kind", [b"BF16", b"F8_E4M3"])
def test_a_type_of_numbers_that_nobody_here_knows_is_refused(kind: bytes) -> None:
    header = b'{"plate":{"dtype":"%s","shape":[2],"data_offsets":[0,%d]}}' % (kind, 4 if kind == b"BF16" else 2)
    model = len(header).to_bytes(8, "little") + header + bytes(4 if kind == b"BF16" else 2)
    manifest = json.loads(FILES[MANIFEST_FILE])
    manifest["files"][MODEL_FILE]["sha256"] = sha256(model).hexdigest()
    with pytest.raises(ReplicaInvalid):
        Replica.from_files({MODEL_FILE: model, MANIFEST_FILE: json.dumps(manifest).encode()})
