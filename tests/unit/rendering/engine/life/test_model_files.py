"""The files of the life model: what does not belong together is refused."""

import json

import numpy as np
import pytest
import torch

from rendering.engine.errors import MotionModelInvalid
from rendering.engine.motion.life import codec, context
from rendering.engine.motion.life.model import MANIFEST_FILE, MOST_BYTES, WEIGHTS_FILE, LifeModel
from rendering.engine.motion.life.network import Network, step_row
from rendering.engine.motion.life.person import STYLE
from rendering.motion_models import SHIPPED_LIFE, life_model
from rendering.training.life.network import TrainedNetwork
from tests.common.life_models import random_life_files


def changed(files: dict[str, bytes], **facts: object) -> dict[str, bytes]:
    manifest = json.loads(files[MANIFEST_FILE]) | facts
    return files | {MANIFEST_FILE: json.dumps(manifest).encode()}


def test_files_that_belong_together_are_read():
    model = LifeModel.from_files(random_life_files())
    assert model.usual.style.shape == (STYLE,)


@pytest.mark.parametrize("spoil", [
    lambda files: {WEIGHTS_FILE: files[WEIGHTS_FILE]},
    lambda files: files | {WEIGHTS_FILE: files[WEIGHTS_FILE][:-1] + b"\x01"},
    lambda files: changed(files, sha256="0" * 64),
    lambda files: changed(files, version=99),
    lambda files: files | {MANIFEST_FILE: b"not json"},
    lambda files: files | {"more": bytes(MOST_BYTES)},
], ids=["a file missing", "a byte changed", "another hash", "another version", "no manifest", "too large"])
def test_anything_else_is_refused(spoil):
    with pytest.raises(MotionModelInvalid):
        LifeModel.from_files(spoil(random_life_files()))


def test_numpy_and_torch_compute_the_same():
    torch.manual_seed(1)
    twin = TrainedNetwork(context.WIDTH + STYLE, codec.WIDTH)
    for line in twin.lines.values():  # some start at zero
        torch.nn.init.normal_(line.weight, std=0.05)
        torch.nn.init.normal_(line.bias, std=0.05)
    plain = Network(twin.tensors())
    random = np.random.default_rng(0)
    noisy = random.normal(size=(3, codec.WIDTH)).astype(np.float32)
    row = random.normal(size=(3, context.WIDTH + STYLE)).astype(np.float32)
    with torch.no_grad():
        mean, log_open = twin(torch.tensor(noisy), torch.tensor(step_row(250)).repeat(3, 1), torch.tensor(row))
    clean, left_open = plain.clean(noisy, 250, plain.steer(row))
    assert np.allclose(clean, mean.numpy(), atol=1e-4)
    assert np.allclose(np.log(left_open), log_open.numpy(), atol=1e-4)


@pytest.mark.skipif(not (SHIPPED_LIFE / WEIGHTS_FILE).exists(), reason="this copy ships no weights")
def test_the_shipped_weights_are_whole_small_and_say_what_they_were_trained_on():
    model = life_model()
    assert model is not None
    assert (SHIPPED_LIFE / WEIGHTS_FILE).stat().st_size < 2_000_000
    assert len([family for family in model.facts["trained_on"]["families"] if family != "footage"]) >= 5
    assert model.facts["trained_on"]["never"] == "submovements"
    assert {"seed", "command", "scores"} <= set(model.facts)
