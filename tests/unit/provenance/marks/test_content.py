"""The coarse shape of a picture."""

import numpy as np

from provenance.marks.content import content_hash, content_matches
from provenance.marks.planes import planes_of
from tests.common.moving_frames import talking_frames, through_codec


def test_same_clip_matches_after_encoding_and_another_does_not() -> None:
    frames = list(talking_frames(10, 256, seed=1))
    recorded = [content_hash(planes_of(frame).y) for frame in frames]
    seen = [content_hash(planes_of(frame).y) for frame in through_codec(frames, 300)[0]]
    others = [content_hash(planes_of(frame).y) for frame in talking_frames(10, 256, seed=9)]
    assert content_matches(recorded, seen) is True
    assert content_matches(recorded, others) is False


def test_nothing_to_compare_is_said() -> None:
    assert content_matches([], [1]) is None
    assert content_matches([1], []) is None


def test_hash_has_64_bits() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (256, 256), dtype=np.uint8)
    assert 0 < content_hash(noise) < 2**64
