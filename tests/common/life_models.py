"""A life model with random weights: enough to test everything that does not depend on what was learned."""

import numpy as np

from rendering.engine.motion.life import codec, context, network
from rendering.engine.motion.life.channels import CHUNK, SMOOTH
from rendering.engine.motion.life.model import STEPS, LifeModel, to_files
from rendering.engine.motion.life.person import STYLE


def random_life_files(seed: int = 0) -> dict[str, bytes]:
    """Both files of an untrained model: small weights, so that what it makes stays near a smooth continuation."""
    random = np.random.default_rng(seed)
    shapes = network.shapes(context.WIDTH + STYLE, codec.WIDTH)
    tensors = {f"net.{name}": 0.05 * random.normal(size=shape) for name, shape in shapes.items()}
    directions = np.stack([np.linalg.qr(random.normal(size=(CHUNK, CHUNK)))[0] for _ in SMOOTH])
    sizes = np.geomspace(0.02, 0.6, CHUNK)
    tensors |= {
        "usual.predictor": 0.1 * random.normal(size=(len(SMOOTH), codec.HISTORY, CHUNK)),
        "usual.directions": directions, "usual.distances": np.linspace(0, 3, codec.DISTANCES),
        "usual.tails": np.full((len(SMOOTH), CHUNK), 0.05),
        "usual.strays": np.tile(0.05 * sizes, (len(SMOOTH), 1)),
        "codec.event_shares": np.array([0.09, 0.12]),
        "context.middle": np.zeros(context.WIDTH + STYLE), "context.spread": np.ones(context.WIDTH + STYLE),
        "sampler.doubt": np.full((STEPS, codec.WIDTH), 0.1),
        "usual.style": np.zeros(STYLE), "usual.speed": np.full(len(SMOOTH), 0.05),
    }  # fmt: skip
    return to_files(tensors, {"trained_on": []})


def random_life(seed: int = 0) -> LifeModel:
    return LifeModel.from_files(random_life_files(seed))
