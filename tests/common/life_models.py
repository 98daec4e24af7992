"""A life model with random weights: enough to test everything that does not depend on what was learned."""

import numpy as np

from rendering.engine.motion.life import codec, context, equaliser, network
from rendering.engine.motion.life.channels import CHUNK, SMOOTH
from rendering.engine.motion.life.model import LifeModel, to_files
from rendering.engine.motion.life.person import STYLE


def random_life_files(seed: int = 0, left_open: float = 0.1) -> dict[str, bytes]:
    """Both files of an untrained model: small weights, so that what it makes stays near a smooth continuation.

    `left_open` is about the variance that its network leaves open.
    """
    random = np.random.default_rng(seed)
    shapes = network.shapes(context.WIDTH + STYLE, codec.WIDTH)
    tensors = {f"net.{name}": 0.05 * random.normal(size=shape) for name, shape in shapes.items()}
    tensors["net.out.bias"][codec.WIDTH :] = np.log(left_open)
    directions = np.stack([np.linalg.qr(random.normal(size=(CHUNK, CHUNK)))[0] for _ in SMOOTH])
    sizes = np.geomspace(0.02, 0.6, CHUNK)
    predictor = 0.1 * random.normal(size=(len(SMOOTH), codec.HISTORY + 1, CHUNK))
    predictor[:, -1] = -0.01 * np.arange(1, CHUNK + 1)
    tensors |= {
        "usual.predictor": predictor,
        "usual.directions": directions, "usual.distances": np.linspace(0, 3, codec.DISTANCES),
        "usual.tails": np.full((len(SMOOTH), CHUNK), 0.05),
        "usual.strays": np.tile(0.05 * sizes, (len(SMOOTH), 1)),
        "codec.event_shares": np.array([0.09, 0.12]),
        "context.middle": np.zeros(context.WIDTH + STYLE), "context.spread": np.ones(context.WIDTH + STYLE),
        "usual.blink_gaps_s": np.linspace(2, 6, codec.GAPS), "usual.jump_gaps_s": np.linspace(0.5, 4, codec.GAPS),
        "usual.equaliser": equaliser.flat(),
        "usual.style": np.zeros(STYLE), "usual.speed": np.full(len(SMOOTH), 0.05),
    }  # fmt: skip
    return to_files(tensors, {"trained_on": []})


def random_life(seed: int = 0, left_open: float = 0.1) -> LifeModel:
    return LifeModel.from_files(random_life_files(seed, left_open))
