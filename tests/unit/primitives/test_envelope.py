"""Files and keys open under exactly one key and one context, whole or not at all."""

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from trustcore.primitives import envelope
from trustcore.primitives.errors import EnvelopeInvalid

KEY, OTHER = b"k" * 32, b"o" * 32
CHUNK = envelope.CHUNK_BYTES + envelope.TAG_BYTES


@given(st.integers(0, 70_000), st.text(max_size=30))
def test_round_trip(size: int, context: str) -> None:
    plain = bytes(i % 251 for i in range(size))
    assert envelope.decrypt(KEY, context, envelope.encrypt(KEY, context, plain)) == plain


@pytest.mark.parametrize("size", [0, 1, 16383, 16384, 16385, 32768])
def test_sizes_at_the_edges(size: int) -> None:
    sealed = envelope.encrypt(KEY, "c", b"a" * size)
    assert len(sealed) == 56 + size + 16 * (size // 16384 + 1)
    assert envelope.decrypt(KEY, "c", sealed) == b"a" * size


def test_another_context_is_seen_before_any_chunk_is_opened() -> None:
    with pytest.raises(EnvelopeInvalid, match="another key or context"):
        envelope.decrypt(KEY, "tenant/r/2/model", envelope.encrypt(KEY, "tenant/r/1/model", b"x"))


def test_another_key() -> None:
    with pytest.raises(EnvelopeInvalid, match="another key"):
        envelope.decrypt(OTHER, "c", envelope.encrypt(KEY, "c", b"x"))


@pytest.mark.parametrize("keep_chunks", [0, 1, 2])
def test_a_cut_at_a_chunk_edge_is_refused(keep_chunks: int) -> None:
    sealed = envelope.encrypt(KEY, "c", b"a" * 40_000)
    with pytest.raises(EnvelopeInvalid):
        envelope.decrypt(KEY, "c", sealed[: envelope.HEADER_BYTES + keep_chunks * CHUNK])


def test_swapped_chunks_are_refused() -> None:
    sealed = envelope.encrypt(KEY, "c", b"a" * 40_000)
    head, first, second, rest = (sealed[:56], sealed[56 : 56 + CHUNK], sealed[56 + CHUNK : 56 + 2 * CHUNK],
                                 sealed[56 + 2 * CHUNK :])
    with pytest.raises(EnvelopeInvalid, match="swapped"):
        envelope.decrypt(KEY, "c", head + second + first + rest)


@given(st.integers(0, 20_000 * 8))
def test_any_flipped_bit_is_refused(position: int) -> None:
    sealed = bytearray(envelope.encrypt(KEY, "c", b"a" * 20_000))
    sealed[position // 8 % len(sealed)] ^= 1 << (position % 8)
    with pytest.raises(EnvelopeInvalid):
        envelope.decrypt(KEY, "c", bytes(sealed))


def test_a_wrapped_key_is_bound_to_its_context() -> None:
    wrapped = envelope.wrap_key(KEY, "replica/1", OTHER)
    assert envelope.unwrap_key(KEY, "replica/1", wrapped) == OTHER
    for key, context, blob in [
        (KEY, "replica/2", wrapped),
        (OTHER, "replica/1", wrapped),
        (KEY, "replica/1", wrapped[:-1]),
    ]:
        with pytest.raises(EnvelopeInvalid):
            envelope.unwrap_key(key, context, blob)


@pytest.mark.parametrize("change", ["key", "info", "aad", "bytes", "moved"])
def test_a_released_key_opens_for_its_slot_lease_and_grant_alone(change: str) -> None:
    slot, stranger = X25519PrivateKey.generate(), X25519PrivateKey.generate()
    sealed = envelope.hpke_seal(slot.public_key().public_bytes_raw(), b"info", b"aad", KEY)
    assert envelope.hpke_open(slot, b"info", b"aad", sealed) == KEY
    wrong = {
        "key": (stranger, b"info", b"aad", sealed), "info": (slot, b"other", b"aad", sealed),
        "aad": (slot, b"info", b"lease 2", sealed), "bytes": (slot, b"info", b"aad", sealed[:-1]),
        "moved": (slot, b"infoa", b"ad", sealed),  # the boundary between info and aad is bound too
    }[change]
    with pytest.raises(EnvelopeInvalid):
        envelope.hpke_open(*wrong)
