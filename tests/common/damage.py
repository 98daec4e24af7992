"""Damage to valid bytes, as a search strategy: what a parser meets from somebody who knows its format.

Each step flips a bit, cuts, duplicates or splices a piece, or moves a big-endian field of 1, 2, 4 or 8 bytes: by a
little, or to an extreme. Steps are drawn as plain numbers, so a failing case shrinks to the fewest and smallest steps.
"""

import random
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

EXTREMES = (0, 1, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF_FFFF, 0xFFFF_FFFF, 1 << 63)
SMALL = (-8, -2, -1, 1, 2, 8)
Step = Callable[[bytearray, int, int, bytes], None]


def _flip(content: bytearray, at: int, number: int, _other: bytes) -> None:
    content[at] ^= 1 << number % 8


def _cut(content: bytearray, at: int, number: int, _other: bytes) -> None:
    del content[at : at + 1 + number % 64]


def _truncate(content: bytearray, at: int, _number: int, _other: bytes) -> None:
    del content[at:]


def _duplicate(content: bytearray, at: int, number: int, _other: bytes) -> None:
    content[at:at] = content[at : at + 1 + number % 256]


def _splice(content: bytearray, at: int, number: int, other: bytes) -> None:
    start = number % (len(other) or 1)
    content[at : at + number % 32] = other[start : start + 1 + number % 128]


def _move_field(content: bytearray, at: int, number: int, _other: bytes) -> None:
    size = (1, 2, 4, 8)[number % 4]
    field = int.from_bytes(content[at : at + size], "big")
    choices = [*(field + delta for delta in SMALL), *EXTREMES]
    value = choices[number // 4 % len(choices)] % (1 << 8 * size)
    content[at : at + size] = value.to_bytes(size, "big")


STEPS: tuple[Step, ...] = (_flip, _cut, _truncate, _duplicate, _splice, _move_field, _move_field)


def damaged(samples: Sequence[bytes], *, most_steps: int = 4) -> st.SearchStrategy[bytes]:
    """Bytes made from one of `samples` by one to `most_steps` steps; or nothing but random bytes, now and then."""
    step = st.tuples(st.integers(0, len(STEPS) - 1), st.integers(0, 2**24), st.integers(0, 2**16))
    broken = st.builds(
        _apply, st.sampled_from(samples), st.sampled_from(samples), st.lists(step, min_size=1, max_size=most_steps))
    return st.one_of(broken, broken, broken, st.binary(max_size=400))


def damaged_by(draw: random.Random, samples: Sequence[bytes], most_steps: int = 3) -> bytes:
    """The same from a seeded generator, for cases that have to be made before they are judged."""
    steps = [(draw.randrange(len(STEPS)), draw.randrange(2**24), draw.randrange(2**16))
             for _ in range(draw.randint(1, most_steps))]
    return _apply(draw.choice(samples), draw.choice(samples), steps)


def _apply(sample: bytes, other: bytes, steps: list[tuple[int, int, int]]) -> bytes:
    content = bytearray(sample)
    for kind, at, number in steps:
        if content:
            STEPS[kind](content, at % len(content), number, other)
    return bytes(content)


Refusals = type[Exception] | tuple[type[Exception], ...]


def outcome(parse: Callable[[bytes], Any], content: bytes, refusal: Refusals) -> Any:
    """What `parse` gives, or None when it refuses as documented. Any other exception passes through."""
    try:
        return parse(content)
    except refusal:
        return None
