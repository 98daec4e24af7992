"""The code of a chunk can be read back; events keep their frame."""

import numpy as np

from rendering.engine.motion.life import codec as codes
from rendering.engine.motion.life import context
from rendering.engine.motion.life.channels import CHUNK, SMOOTH
from rendering.engine.motion.life.codec import event_value
from tests.common.life_models import random_life


def test_smooth_channels_come_back():
    random, codec = np.random.default_rng(0), random_life().codec
    past = np.cumsum(0.003 * random.normal(size=(4, context.PAST, len(SMOOTH))), axis=1).astype(np.float32)
    speed = random.uniform(0.1, 0.3, (4, len(SMOOTH))).astype(np.float32)
    chunk = past[:, -1:] + np.cumsum(0.001 * random.normal(size=(4, CHUNK, len(SMOOTH))), axis=1).astype(np.float32)
    again = codec.smooth(past, codec.code(past, chunk, speed), speed)
    assert np.allclose(again, chunk, atol=2e-3)


def test_events_keep_their_frame_and_their_share():
    random, codec = np.random.default_rng(1), random_life().codec
    share = float(codec.event_shares[0])
    for frame in (codes.NONE, *range(CHUNK)):
        for spread in (0.01, 0.5, 0.99):
            assert codec.event(event_value(frame, share, spread), 0) == frame
    drawn = [codec.event(value, 0) for value in random.normal(size=20_000)]
    assert abs(np.mean([frame != codes.NONE for frame in drawn]) - share) < 0.01
    assert np.ptp(np.bincount([f for f in drawn if f != codes.NONE], minlength=CHUNK)) < 130
