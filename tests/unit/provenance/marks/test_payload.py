"""The code that carries a slot id."""

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.marks import payload

SLOT_ID = 0x1234567890ABCDEF


def test_crc_is_ccitt_false() -> None:
    bits = np.unpackbits(np.frombuffer(b"123456789", dtype=np.uint8))
    assert payload.crc16(bits) == 0x29B1  # the published check value of this CRC


def test_code_word_is_stable() -> None:
    word = payload.encode(SLOT_ID) > 0
    assert hashlib.sha256(np.packbits(word).tobytes()).hexdigest()[:16] == "aa0b690085974708"


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**64 - 1))
def test_any_id_survives_clean(slot_id: int) -> None:
    assert payload.decode(payload.encode(slot_id)) == slot_id


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**64 - 1), st.sets(st.integers(0, 239), min_size=1, max_size=15))
def test_bit_flips_never_give_another_id(slot_id: int, flips: set[int]) -> None:
    soft = payload.encode(slot_id)
    soft[sorted(flips)] *= -1
    assert payload.decode(soft) in (slot_id, None)


def test_noise_at_2_db_is_repaired() -> None:
    random = np.random.default_rng(3)
    sigma = np.sqrt(0.5 / (10 ** (2.5 / 10) / 3))  # Eb/N0 2.5 dB at rate 1/3
    soft = payload.encode(SLOT_ID)
    read = [payload.decode((soft + sigma * random.standard_normal(240)).astype(np.float32)) for _ in range(100)]
    assert read.count(SLOT_ID) >= 97
    assert set(read) <= {SLOT_ID, None}


def test_noise_alone_is_refused() -> None:
    random = np.random.default_rng(4)
    read = [payload.decode(random.standard_normal(240).astype(np.float32)) for _ in range(200)]
    assert read.count(None) >= 199


def test_id_must_fit() -> None:
    with pytest.raises(ValueError, match="64 bits"):
        payload.encode(2**64)
