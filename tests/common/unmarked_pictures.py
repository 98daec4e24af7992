"""Pictures that carry no mark, of every kind that a detector may be shown: drawn, filmed, flat, noisy, full of text.

Every picture comes from its number alone, so a run can be repeated and gone on with. The repository holds no
photographs; frames of its own films and pictures of its own pages stand in for them.
"""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from tests.common.moving_frames import talking_frames
from tests.common.picture_changes import Picture, jpeg

ROOT = Path(__file__).parents[2]
SIDE = 640  # pixels a side of what is drawn, before it is cut and scaled
LETTERS = "ABCDEFGHKLMNOPRSTUVWXYZ abcdefghiklmnoprstuvwxyz 0123456789 .,:;-"
Random = np.random.Generator


def _colour(random: Random) -> NDArray[np.float32]:
    return random.uniform(0, 255, 3).astype(np.float32)


def _flat(random: Random) -> Picture:
    return np.full((SIDE, SIDE, 3), _colour(random), dtype=np.uint8)


def _gradient(random: Random) -> Picture:
    across, down = np.meshgrid(*[np.linspace(0, 1, SIDE, dtype=np.float32)] * 2)
    angle = random.uniform(0, 2 * np.pi)
    share = np.clip(0.5 + (across - 0.5) * np.cos(angle) + (down - 0.5) * np.sin(angle), 0, 1)[..., None]
    return (share * _colour(random) + (1 - share) * _colour(random)).astype(np.uint8)


def _noise(random: Random) -> Picture:
    spread = random.uniform(2, 80)
    return np.clip(_colour(random) + spread * random.standard_normal((SIDE, SIDE, 3)), 0, 255).astype(np.uint8)


def _cloud(random: Random) -> Picture:
    """Noise whose power falls with frequency, as that of landscapes and skin does."""
    frequency = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None, :])
    fall = np.maximum(frequency, 1 / SIDE) ** -random.uniform(0.7, 1.6)
    planes = [np.fft.irfft2(np.fft.rfft2(random.standard_normal((SIDE, SIDE))) * fall) for _ in range(3)]
    mixed = np.stack(planes, -1) @ (np.full((3, 3), 0.3) + random.uniform(0, 0.7) * np.eye(3))
    return np.clip(128 + random.uniform(20, 70) * mixed / mixed.std(), 0, 255).astype(np.uint8)


def _checkerboard(random: Random) -> Picture:
    step = int(random.integers(2, 80))
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    dark = ((rows // step + columns // int(random.integers(2, 80))) % 2).astype(bool)[..., None]
    return np.where(dark, _colour(random), _colour(random)).astype(np.uint8)


def _bricks(random: Random) -> Picture:
    height, width = int(random.integers(10, 60)), int(random.integers(20, 120))
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    moved = columns + (rows // height % 2) * (width // 2)
    mortar = ((rows % height < 3) | (moved % width < 3))[..., None]
    shade = random.uniform(-20, 20, (SIDE // height + 2, SIDE // width + 3, 1))[rows // height, moved // width]
    wall = np.where(mortar, 200.0, _colour(random) * 0.6 + 40 + shade) + 6 * random.standard_normal((SIDE, SIDE, 1))
    return np.clip(wall, 0, 255).astype(np.uint8)


def _stripes(random: Random) -> Picture:
    rows, columns = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    wave = np.zeros((SIDE, SIDE), np.float32)
    for _ in range(int(random.integers(1, 6))):
        angle, period = random.uniform(0, np.pi), random.uniform(3, 60)
        wave += np.sin(2 * np.pi * (columns * np.cos(angle) + rows * np.sin(angle)) / period)
    share = (0.5 + 0.5 * wave / np.abs(wave).max())[..., None]
    return (share * _colour(random) + (1 - share) * _colour(random)).astype(np.uint8)


def _text(random: Random) -> Picture:
    page = _flat(random)
    ink, size = _colour(random).tolist(), random.uniform(0.35, 1.4)
    letters = np.array(list(LETTERS))
    for line in range(20, SIDE + 20, max(10, int(34 * size))):
        words = "".join(random.choice(letters, 70))
        face = cv2.FONT_HERSHEY_SIMPLEX if line % 2 else cv2.FONT_HERSHEY_COMPLEX
        cv2.putText(page, words, (int(random.integers(0, 40)), line), face, size, ink, 1, cv2.LINE_AA)
    return page


def _shapes(random: Random) -> Picture:
    page = _gradient(random)
    for _ in range(int(random.integers(5, 60))):
        at, radius = random.integers(0, SIDE, 2).tolist(), int(random.integers(3, 90))
        if random.random() < 0.5:
            cv2.circle(page, at, radius, _colour(random).tolist(), -1, cv2.LINE_AA)
        else:
            cv2.rectangle(page, at, [at[0] + radius, at[1] + 2 * radius], _colour(random).tolist(), -1)
    return page


@lru_cache(maxsize=1)
def _heads() -> list[Picture]:
    return [
        np.asarray(cv2.cvtColor(frame, cv2.COLOR_YUV2BGR_I420), dtype=np.uint8)
        for seed in range(100, 116)
        for frame in talking_frames(3, 512, seed)
    ]


@lru_cache(maxsize=1)
def _stills() -> list[Picture]:
    """Frames of the films under tests/vectors, which were never marked, and pictures of the project's own pages."""
    found = [cv2.imread(str(path)) for path in sorted((ROOT / "docs/pictures").glob("*.png"))]
    for path in sorted((ROOT / "tests/vectors/consent").glob("*.mp4")):
        with av.open(str(path)) as film:
            shown = [frame.to_ndarray(format="bgr24") for frame in film.decode(video=0)]
        found += shown[:: max(1, len(shown) // 12)]
    return [np.asarray(picture, dtype=np.uint8) for picture in found if picture is not None]


def _head(random: Random) -> Picture:
    return _heads()[int(random.integers(len(_heads())))]


def _still(random: Random) -> Picture:
    return _stills()[int(random.integers(len(_stills())))]


# Heads and stills twice: they are what a detector is shown most.
KINDS: tuple[Callable[[Random], Picture], ...] = (
    _head, _head, _still, _still, _flat, _gradient, _noise, _cloud, _cloud, _checkerboard, _bricks, _stripes, _text,
    _shapes,
)  # fmt: skip


def _cut(picture: Picture, random: Random, width: int, height: int) -> Picture:
    """A part of the picture in the shape asked for, mirrored half of the time."""
    rows, columns = picture.shape[:2]
    largest = min(rows / height, columns / width)
    share = random.uniform(0.5, 1.0) * largest
    high, wide = max(2, int(height * share)), max(2, int(width * share))
    top, left = int(random.integers(rows - high + 1)), int(random.integers(columns - wide + 1))
    part = picture[top : top + high, left : left + wide]
    if random.random() < 0.5:
        part = part[:, ::-1]
    shrinks = high > height
    way = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(np.ascontiguousarray(part), (width, height), interpolation=way), dtype=np.uint8)


def unmarked_picture(number: int, width: int, height: int) -> Picture:
    """Unmarked picture `number` as BGR, uint8 [height, width, 3]: drawn or filmed, cut, mirrored, often compressed."""
    random = np.random.default_rng([number, width, height])
    picture = _cut(KINDS[number % len(KINDS)](random), random, width, height)
    if random.random() < 0.5:
        changed = (picture.astype(np.float32) - 128) * random.uniform(0.5, 1.6) + 128 + random.uniform(-30, 30)
        picture = np.clip(changed, 0, 255).astype(np.uint8)
    if random.random() < 0.25:
        picture = np.repeat(picture.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    return jpeg(picture, int(random.integers(30, 96))) if random.random() < 0.5 else picture
